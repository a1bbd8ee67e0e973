"""What a bank offers to clients who let others read, and to those who read (T3)."""

from collections.abc import Sequence

from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.bank.consents import ask_balances, ask_payments
from specie.remote import consent_models as said
from specie.remote import consent_operations as consents
from specie.remote.fields import Empty
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey


def offer_consents(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (*_offer_clients(process), *_offer_readers(process))


def _offer_clients(process: BankProcess) -> Sequence[Offer]:
    desk, clock = process.consents, process.base.clock

    def give(asking: Asking, request: said.ConsentMessage) -> said.ConsentShown:
        client = process.get_client(ClientId(asking.name))
        kept = desk.give(client, request.unwrap(), request.signature)
        return said.ConsentShown.wrap(kept, clock.now())

    def load(asking: Asking, _request: Empty) -> said.ConsentsShown:
        found = desk.load(ClientId(asking.name))
        shown = [said.ConsentShown.wrap(one, clock.now()) for one in found]
        return said.ConsentsShown(consents=shown)

    def revoke(asking: Asking, request: said.ConsentRevocation) -> said.ConsentShown:
        which = (ClientId(asking.name), Digest(request.consent_id))
        kept = desk.revoke(*which, request.time, request.signature)
        return said.ConsentShown.wrap(kept, clock.now())

    def load_readings(asking: Asking, request: said.ReadingsQuery) -> said.Readings:
        found = desk.load_readings(ClientId(asking.name), request.start, request.limit)
        return said.Readings(readings=[said.ReadingMessage.wrap(one) for one in found])

    return (
        (consents.GIVE_CONSENT, give),
        (consents.LIST_CONSENTS, load),
        (consents.REVOKE_CONSENT, revoke),
        (consents.LIST_READINGS, load_readings),
    )


def _offer_readers(process: BankProcess) -> Sequence[Offer]:
    desk = process.consents

    def read_transactions(
        asking: Asking, request: said.TransactionsQuery
    ) -> said.AccountTransactions:
        which = (request.consent_id, request.account.unwrap())
        asked = ask_payments(_get_reader(asking), which, request.number, request.since)
        return said.AccountTransactions.wrap(
            desk.read_payments(asked, request.start, request.limit)
        )

    def read_balances(asking: Asking, request: said.BalancesQuery) -> said.AccountBalances:
        which = (request.consent_id, request.account.unwrap())
        asked = ask_balances(_get_reader(asking), which, request.number)
        return said.AccountBalances.wrap(desk.read_balances(asked))

    return (
        (consents.READ_TRANSACTIONS, read_transactions),
        (consents.READ_BALANCES, read_balances),
    )


def _get_reader(asking: Asking) -> InstitutionPublicKey:
    """A reader's name is its key, with which the request is signed."""
    return InstitutionPublicKey(bytes.fromhex(asking.name))
