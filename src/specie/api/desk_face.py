"""What the central bank's desk offers: to banks, to officers, to who wants to join."""

from collections.abc import Sequence

from specie.api.gate import Asking, Offer
from specie.assembly.desk_process import DeskProcess
from specie.central_bank.desk import OfficerTask
from specie.ledger.records import ReserveReference
from specie.ledger.wire import encode_attested
from specie.ports.decisions import Decision
from specie.ports.issuance import Direction, SupplyPlace
from specie.remote import bank_models, client_models, loss_models, models
from specie.remote import desk_operations as desk
from specie.remote.fields import Empty
from specie.remote.operations import Caller
from specie.values.amounts import check_minor

_NOTHING = Empty()


def offer_desk(process: DeskProcess) -> Sequence[Offer]:
    """Everything."""
    return (*_offer_banks(process), *_offer_redemptions(process), *_offer_officers(process))


def _offer_banks(process: DeskProcess) -> Sequence[Offer]:
    def apply(asking: Asking, request: models.ApplicationMessage) -> models.ApplicationRecord:
        vault, direction = request.get_vault(asking.number), Direction(request.direction)
        found = process.apply(request.order, direction, vault, request.amount)
        return models.ApplicationRecord.wrap(found, [])  # which officers is not the bank's business

    def get_application(asking: Asking, request: models.OrderQuery) -> models.ApplicationRecord:
        if asking.kind is Caller.OFFICER:
            return models.ApplicationRecord.wrap(*process.desk.get_application(request.order))
        return models.ApplicationRecord.wrap(process.get_own(request.order, asking.number), [])

    def get_reserves(asking: Asking, _request: Empty) -> models.Balance:
        return models.Balance(amount=process.accounting.get_reserves(asking.number))

    def renew(asking: Asking, request: client_models.Renewal) -> client_models.Chain:
        return client_models.Chain(chain=process.renew(asking.name, request.request))

    def certify(asking: Asking, request: loss_models.DeviceRequest) -> client_models.Chain:
        return client_models.Chain(chain=process.devices.certify(asking.name, request.request))

    def revoke(asking: Asking, request: loss_models.DeviceRevocation) -> loss_models.UnknownDevices:
        unknown = process.devices.revoke(asking.name, request.subjects)
        return loss_models.UnknownDevices(subjects=unknown)

    def list_loans(asking: Asking, request: models.LeavesQuery) -> models.Loans:
        found = process.loans.load_loans(asking.number, request.start, request.limit)
        return models.Loans(
            loans=[models.Loan(entry=one.entry, amount=one.amount) for one in found]
        )

    def list_vaults(_: Asking, request: models.Account) -> models.Vaults:
        found = process.desk.list_vaults(request.participant)
        shown = [models.VaultAddress(view=one.view, spend=one.spend) for one in found]
        return models.Vaults(vaults=shown)

    return (
        (desk.LIST_LOANS, list_loans),
        (desk.LIST_VAULTS, list_vaults),
        (desk.RENEW, renew),
        (desk.CERTIFY_DEVICE, certify),
        (desk.REVOKE_DEVICE, revoke),
        (desk.APPLY, apply),
        (desk.GET_APPLICATION, get_application),
        (desk.GET_OWN_RESERVES, get_reserves),
    )


def _offer_redemptions(process: DeskProcess) -> Sequence[Offer]:
    def find_promise(asking: Asking, request: models.OrderQuery) -> models.FoundPromise:
        process.get_own(request.order, asking.number)
        found = process.find_promise(request.order)
        return models.FoundPromise(promise=models.PromiseMessage.wrap(found) if found else None)

    def accept_void(asking: Asking, request: models.Voiding) -> models.BuiltMessage:
        built = process.accept_void(request.order, asking.number, request.unwrap())
        return models.BuiltMessage.wrap(built)

    def authorise(
        asking: Asking, request: models.AuthorisationRequest
    ) -> models.TransactionMessage:
        attestation = bank_models.unpack_attestation(request.attestation)
        found = process.authorise(request.order, asking.number, attestation)
        return models.TransactionMessage(data=encode_attested(found))

    def settle(asking: Asking, request: models.Settlement) -> models.ApplicationRecord:
        promise = request.promise.unwrap()
        return models.ApplicationRecord.wrap(
            process.settle(request.order, asking.number, promise), []
        )

    def end(asking: Asking, request: models.OrderQuery) -> Empty:
        process.end_redemption(request.order, asking.number)
        return _NOTHING

    return (
        (desk.FIND_PRODUCED, find_promise),
        (desk.ACCEPT_VOID, accept_void),
        (desk.AUTHORISE, authorise),
        (desk.SETTLE_REDEMPTION, settle),
        (desk.END_REDEMPTION, end),
    )


def _offer_officers(process: DeskProcess) -> Sequence[Offer]:
    def list_tasks(_: Asking, _request: Empty) -> models.Tasks:
        held_up = process.held_up
        found = [
            _wrap_task(task, reserve, held_up.get(task.application.order, ""))
            for task, reserve in process.list_tasks()
        ]
        return models.Tasks(tasks=found)

    def approve(asking: Asking, request: models.Signed) -> models.ApplicationRecord:
        process.desk.record_approval(request.order, asking.officer, request.signature)
        return models.ApplicationRecord.wrap(*process.desk.get_application(request.order))

    def authorise(asking: Asking, request: models.SignedSupply) -> Empty:
        place = SupplyPlace(request.serial, request.total_after)
        process.desk.record_authorisation(request.order, place, asking.officer, request.signature)
        return _NOTHING

    def sign_proposal(asking: Asking, request: models.SignedProposal) -> models.Proposal:
        signed = process.decisions.sign(
            request.id, request.kind, request.parameters, asking.officer, request.signature
        )
        return _wrap_decision(signed)

    def list_proposals(_: Asking, request: models.LeavesQuery) -> models.Proposals:
        found = process.decisions.load(request.start, request.limit)
        return models.Proposals(proposals=[_wrap_decision(one) for one in found])

    def list_enrolments(_: Asking, _request: Empty) -> client_models.Waiting:
        found = [client_models.Facts(facts=dict(one)) for one in process.joining.list_waiting()]
        return client_models.Waiting(waiting=found)

    def enrol(_: Asking, request: client_models.Enrolment) -> client_models.Enrolled:
        return process.joining.enrol(request)

    def count_stock(_: Asking, _request: Empty) -> client_models.Facts:
        stock = process.take_stock()
        facts: dict[str, int | str] = {
            "serial": stock.serial,
            "produced": stock.produced,
            "issuance vault": stock.issuance_vault,
            "outstanding": stock.outstanding,
            "backed by": stock.backing,
            "of it in transit": stock.in_transit,
            "in circulation": stock.circulation,
        }
        facts |= {f"vault of bank {number}": value for number, value in stock.vaults.items()}
        return client_models.Facts(facts=facts)

    return (
        (desk.LIST_TASKS, list_tasks),
        (desk.APPROVE, approve),
        (desk.AUTHORISE_SUPPLY, authorise),
        (desk.SIGN_PROPOSAL, sign_proposal),
        (desk.LIST_PROPOSALS, list_proposals),
        (desk.LIST_ENROLMENTS, list_enrolments),
        (desk.ENROL, enrol),
        (desk.COUNT_STOCK, count_stock),
    )


def _wrap_task(task: OfficerTask, reserve: ReserveReference | None, held_up_by: str) -> models.Task:
    return models.Task(
        application=models.ApplicationRecord.wrap(task.application, task.approved_by),
        built=models.BuiltMessage.wrap(task.built) if task.built else None,
        reserve=reserve.pack() if reserve else b"",
        serial=max(0, task.place.serial),
        total_after=check_minor(max(0, task.place.total_after)),
        authorised_by=task.authorised_by,
        held_up_by=held_up_by,
    )


def _wrap_decision(decision: Decision) -> models.Proposal:
    return models.Proposal(
        id=decision.id,
        kind=decision.kind,
        parameters=decision.parameters,
        state=decision.state.value,
        signed_by=decision.signed_by,
        time=decision.time,
    )
