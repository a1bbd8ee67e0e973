"""What a bank offers: to other institutions, to its clients' devices, to its own operators."""

from collections.abc import Sequence

from specie.api.acting import name_operator, note, noting
from specie.api.compliance_face import offer_compliance
from specie.api.consent_face import offer_consents
from specie.api.gate import Asking, Offer
from specie.api.money_face import build_standing, offer_money
from specie.api.payment_face import offer_payments
from specie.api.people_face import offer_people
from specie.api.standing_face import offer_standings
from specie.api.travel_face import offer_travel
from specie.assembly.bank_process import BankProcess
from specie.identity.services import ServiceRole
from specie.ledger.transactions import Promise
from specie.ports.issuance import Application
from specie.remote import bank_models, client_models, models
from specie.remote import bank_operations as bank
from specie.remote.compliance_models import ClientAct
from specie.remote.fields import Empty
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId

_NOTHING = Empty()


def offer_bank(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (
        *offer_institutions(process),
        *_offer_openings(process),
        *_offer_clients(process),
        *_offer_operators(process),
        *_offer_succession(process),
        *offer_money(process),
        *offer_people(process),
        *offer_payments(process),
        *offer_consents(process),
        *offer_compliance(process),
        *offer_standings(process),
        *offer_travel(process),
    )


def offer_institutions(process: BankProcess) -> Sequence[Offer]:
    """What other banks, the central bank and the registration ask for."""
    service, witness = process.bank, process.witness

    def attest(asking: Asking, request: bank_models.PayeeMessage) -> bank_models.AttestationMessage:
        view = request.unwrap()
        process.travel.check_teller(asking.number, view.outline.compute_id())
        return bank_models.AttestationMessage.wrap(service.attest_receipt(view))

    def deliver(_: Asking, request: models.PromiseMessage) -> Empty:
        service.deliver(request.unwrap())
        return _NOTHING

    def expect(asking: Asking, request: bank_models.ExpectedTransfer) -> Empty:
        service.expect_transfer(request.order, asking.number)
        return _NOTHING

    def get_vault(asking: Asking, _request: Empty) -> bank_models.VaultMessage:
        is_desk = asking.kind is ServiceRole.CENTRAL_BANK
        return _wrap_vault(process, service.count_vault() if is_desk else Minor(0))

    def get_witnessed(_: Asking, _request: Empty) -> bank_models.Size:
        return bank_models.Size(size=witness.get_last_size())

    def cosign(_: Asking, request: bank_models.Growth) -> bank_models.SignedLines:
        lines = process.cosign(request.note, request.growth)
        return bank_models.SignedLines(lines=[one.format() for one in lines])

    return (
        (bank.ATTEST_RECEIPT, attest),
        (bank.DELIVER, deliver),
        (bank.EXPECT_TRANSFER, expect),
        (bank.GET_VAULT, get_vault),
        (bank.GET_WITNESSED, get_witnessed),
        (bank.COSIGN, cosign),
    )


def _offer_openings(process: BankProcess) -> Sequence[Offer]:
    def open_wallet(_: Asking, request: client_models.Opening) -> client_models.Opened:
        return client_models.Opened(client=process.open_wallet(request))

    def claim(asking: Asking, request: client_models.Claims) -> client_models.Claimed:
        served = process.claim_tokens(ClientId(asking.name), request.tokens)
        return client_models.Claimed(served=served)

    return ((bank.OPEN_WALLET, open_wallet), (bank.CLAIM_TOKENS, claim))


def _offer_clients(process: BankProcess) -> Sequence[Offer]:
    service = process.bank

    def pay(asking: Asking, request: models.BuiltMessage) -> models.PromiseMessage:
        return _wrap(process.pay(ClientId(asking.name), request.unwrap()))

    def withdraw(asking: Asking, request: client_models.Amount) -> models.PromiseMessage:
        client = ClientId(asking.name)
        return _wrap(process.withdraw(client, request.order, request.amount))

    def expect(asking: Asking, request: client_models.Amount) -> bank_models.VaultMessage:
        service.expect_deposit(request.order, ClientId(asking.name))
        return _wrap_vault(process, Minor(0))

    def list_outputs(asking: Asking, _request: Empty) -> client_models.Outputs:
        found = service.fetch_outputs(ClientId(asking.name))
        return client_models.Outputs(outputs=[one.data for one in found])

    def confirm(asking: Asking, request: client_models.References) -> Empty:
        service.confirm_fetched(ClientId(asking.name), request.refs)
        return _NOTHING

    def get_standing(asking: Asking, _request: Empty) -> client_models.Standing:
        return build_standing(process, asking.name)

    def list_movements(
        asking: Asking, request: client_models.MovementsQuery
    ) -> client_models.Movements:
        page = service.load_movements(ClientId(asking.name), request.start, request.limit)
        return client_models.Movements(
            movements=[
                client_models.MovementMessage(
                    txid=one.txid,
                    amount=one.amount,
                    time=one.time,
                    is_incoming=one.is_incoming,
                    is_final=one.is_final,
                )
                for one in page
            ]
        )

    return (
        (bank.PAY, pay),
        (bank.WITHDRAW, withdraw),
        (bank.EXPECT_DEPOSIT, expect),
        (bank.LIST_OUTPUTS, list_outputs),
        (bank.CONFIRM_OUTPUTS, confirm),
        (bank.GET_STANDING, get_standing),
        (bank.LIST_MOVEMENTS, list_movements),
    )


def _offer_operators(process: BankProcess) -> Sequence[Offer]:
    service = process.bank

    def invite(_: Asking, request: client_models.Invitation) -> client_models.Code:
        with noting(process, name_operator(request), "invite", request.client):
            return client_models.Code(code=process.invite(request.client, request.name))

    def lend(_: Asking, request: client_models.ClientOrder) -> Empty:
        process.lend(request.order, request.client, request.amount)
        return _NOTHING

    def apply_issue(_: Asking, request: client_models.Amount) -> models.ApplicationRecord:
        return _wrap_application(process.apply_issue(request.order, request.amount))

    def redeem(_: Asking, request: client_models.Amount) -> models.ApplicationRecord:
        process.redeem(request.order, request.amount)
        return process.desk.get_application(request.order)

    def transfer(_: Asking, request: client_models.TransferOrder) -> models.PromiseMessage:
        return _wrap(process.transfer(request.order, request.receiver, request.amount))

    def block(_: Asking, request: ClientAct) -> Empty:
        with noting(process, name_operator(request), "block", request.client):
            service.block(request.client)
        return _NOTHING

    def unblock(_: Asking, request: ClientAct) -> Empty:
        with noting(process, name_operator(request), "unblock", request.client):
            service.unblock(request.client)
        return _NOTHING

    def get_facts(_: Asking, _request: Empty) -> client_models.Facts:
        books = service.books
        return client_models.Facts(
            facts={
                "reserves": process.desk.get_reserves(),
                "vault": service.count_vault(),
                "withdrawals in transit": books.get_in_transit(),
                "open flows": len(service.journal.list_open()),
            }
        )

    return (
        (bank.INVITE, invite),
        (bank.LEND_CLIENT, lend),
        (bank.APPLY_ISSUE, apply_issue),
        (bank.REDEEM, redeem),
        (bank.TRANSFER, transfer),
        (bank.BLOCK, block),
        (bank.UNBLOCK, unblock),
        (bank.GET_FACTS, get_facts),
    )


def _offer_succession(process: BankProcess) -> Sequence[Offer]:
    def export(_: Asking, request: client_models.Passphrase) -> client_models.Succession:
        note(process, request, "export-clients")
        return process.export_clients(request.passphrase)

    def take_over(_: Asking, request: client_models.SuccessionImport) -> bank_models.Size:
        note(process, request, "import-clients")
        return bank_models.Size(size=process.import_clients(request))

    return ((bank.EXPORT_CLIENTS, export), (bank.IMPORT_CLIENTS, take_over))


def _wrap(promise: Promise) -> models.PromiseMessage:
    return models.PromiseMessage.wrap(promise)


def _wrap_application(application: Application) -> models.ApplicationRecord:
    return models.ApplicationRecord.wrap(application, [])


def _wrap_vault(process: BankProcess, balance: Minor) -> bank_models.VaultMessage:
    address = process.bank.vault_address
    return bank_models.VaultMessage(view=address.view, spend=address.spend, balance=balance)
