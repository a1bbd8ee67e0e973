"""What a bank offers to people besides paying; each is one call of `assembly/people.py`."""

from collections.abc import Sequence
from typing import Any

from specie.api.acting import name_operator, note, noting
from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.assembly.people import People
from specie.assembly.signing import Waiting
from specie.bank.access import Operator
from specie.crypto.addresses import Address
from specie.ports.approvals import SubjectKind
from specie.ports.onboarding import AccountApplication, AccountState
from specie.remote import client_models as clients
from specie.remote import loss_models as losses
from specie.remote import onboarding_models as onboarding
from specie.remote import people_operations as people
from specie.remote import signatory_models as signatories
from specie.remote.encoding import CBOR, decode
from specie.remote.fields import Empty
from specie.remote.models import BuiltMessage
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId

_NOTHING = Empty()


def offer_people(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    found = process.people
    return (
        *_offer_applications(found),
        *_offer_decisions(process),
        *_offer_seats(process),
        *_offer_signatories(found),
        *_offer_losses(process),
        *_offer_devices(found),
    )


def _offer_applications(found: People) -> Sequence[Offer]:
    desk = found.onboarding

    def get_key(_: Asking, _request: Empty) -> onboarding.TransitKeyMessage:
        return onboarding.TransitKeyMessage(key=desk.get_transit_key())

    def apply(asking: Asking, request: onboarding.AccountRequest) -> onboarding.AccountAnswer:
        return _answer(desk.apply(request, asking.name))

    def ask(_: Asking, request: onboarding.AccountQuery) -> onboarding.AccountAnswer:
        return _answer(desk.ask(request.id))

    return (
        (people.GET_TRANSIT_KEY, get_key),
        (people.APPLY_ACCOUNT, apply),
        (people.ASK_ACCOUNT, ask),
    )


def _offer_decisions(process: BankProcess) -> Sequence[Offer]:
    desk = process.people.onboarding

    def list_all(_: Asking, request: onboarding.ApplicationsQuery) -> onboarding.ApplicationsShown:
        if request.state not in {one.value for one in AccountState}:
            reason = f"states are: {', '.join(AccountState)}"
            raise SpecieError(ErrorCode.MESSAGE_MALFORMED, reason)
        note(process, request, "applications", subject=request.state)
        shown = [_show(one) for one in desk.list(AccountState(request.state))]
        return onboarding.ApplicationsShown(applications=shown)

    def show(_: Asking, request: onboarding.ApplicationQuery) -> onboarding.ApplicationShown:
        note(process, request, "application", subject=request.number)
        return _show(desk.get(request.number))

    def approve(_: Asking, request: onboarding.AccountApproval) -> clients.Opened:
        operator = Operator(request.by, request.reason)
        with process.base.database.transaction():
            client = desk.approve(request.number, request.client, request.tier, request.by)
            process.compliance.access.write(operator, "approve", client, request.number)
        return clients.Opened(client=client)

    def refuse(_: Asking, request: onboarding.AccountRefusal) -> Empty:
        told = ", ".join(request.numbers)
        with noting(process, Operator(request.by, request.reason), "refuse", "", told):
            desk.refuse_all(request.numbers, request.reason, request.by)
        return _NOTHING

    return (
        (people.LIST_ACCOUNTS, list_all),
        (people.SHOW_ACCOUNT, show),
        (people.APPROVE_ACCOUNT, approve),
        (people.REFUSE_ACCOUNT, refuse),
    )


def _offer_seats(process: BankProcess) -> Sequence[Offer]:
    signing = process.people.signing

    def propose(_: Asking, request: signatories.SeatsProposal) -> signatories.SeatsProposed:
        told = f"{request.need} of {len(request.names)}"
        with noting(process, name_operator(request), "signatories", request.client, told):
            done = signing.propose(request.client, request.need, request.names)
        codes = [signatories.SeatCode(name=one, code=code) for one, code in done.codes.items()]
        return signatories.SeatsProposed(
            codes=codes, digest=done.digest, is_in_force=done.is_in_force
        )

    def show(_: Asking, request: clients.ClientQuery) -> signatories.SeatsShown:
        note(process, request, "signatories-shown", request.client)
        rule = signing.find_rule(request.client)
        seats = [
            signatories.SeatMessage(
                name=one.name, code_hash=one.code_hash, is_known=one.key is not None
            )
            for one in (rule.seats if rule else ())
        ]
        return signatories.SeatsShown(need=rule.need if rule else 0, seats=seats)

    return ((people.PROPOSE_SEATS, propose), (people.SHOW_SEATS, show))


def _offer_signatories(found: People) -> Sequence[Offer]:
    signing = found.signing

    def enrol(_: Asking, request: signatories.SignatoryEnrolment) -> signatories.SignatoryEnrolled:
        client, name, address = signing.enrol(request.code, request.device, request.proof)
        return signatories.SignatoryEnrolled(
            client=client,
            name=name,
            bank=address.bank,
            view=address.view,
            spend=address.spend,
        )

    def list_open(asking: Asking, _request: Empty) -> signatories.SubjectsShown:
        shown = [_show_subject(one) for one in signing.list_open(asking.name)]
        return signatories.SubjectsShown(subjects=shown)

    def vote(asking: Asking, request: signatories.SignatoryVote) -> signatories.VoteOutcome:
        said = (request.is_yes, request.signature)
        outcome = signing.vote(asking.name, request.digest, said)
        return signatories.VoteOutcome(outcome=outcome.value)

    return (
        (people.ENROL_SIGNATORY, enrol),
        (people.LIST_SUBJECTS, list_open),
        (people.VOTE, vote),
    )


def _offer_losses(process: BankProcess) -> Sequence[Offer]:
    desk = process.people.losses

    def close_client(_: Asking, request: clients.ClientQuery) -> Empty:
        with noting(process, name_operator(request), "close", request.client):
            desk.close(request.client)
        return _NOTHING

    def close_own(asking: Asking, _request: Empty) -> Empty:
        desk.close(ClientId(asking.name))
        return _NOTHING

    def report(_: Asking, request: losses.LossOrder) -> Empty:
        with noting(process, name_operator(request), "lost", request.client):
            desk.report(request.client)
        return _NOTHING

    def reopen(_: Asking, request: losses.LossOrder) -> clients.Code:
        with noting(process, name_operator(request), "reopen", request.client):
            return clients.Code(code=desk.reopen(request.client))

    def report_by_code(_: Asking, request: losses.LossReport) -> Empty:
        desk.report_by_code(request.code)
        return _NOTHING

    return (
        (people.CLOSE_CLIENT, close_client),
        (people.CLOSE_ACCOUNT, close_own),
        (people.REPORT_LOST, report),
        (people.REOPEN_LOST, reopen),
        (people.REPORT_LOSS, report_by_code),
    )


def _offer_devices(found: People) -> Sequence[Offer]:
    desk = found.losses

    def set_code(asking: Asking, request: losses.LossCode) -> Empty:
        desk.set_code(ClientId(asking.name), request.code_hash)
        return _NOTHING

    def keep(asking: Asking, request: losses.PhraseShare) -> Empty:
        desk.keep_share(ClientId(asking.name), request.share)
        return _NOTHING

    def get_share(asking: Asking, _request: Empty) -> losses.PhraseShare:
        return losses.PhraseShare(share=desk.get_share(ClientId(asking.name)))

    def list_lost(asking: Asking, request: losses.LostQuery) -> losses.LostOutputs:
        address = Address(request.bank, request.view, request.spend)
        page = desk.list_outputs(ClientId(asking.name), address, request.start)
        return losses.LostOutputs(
            outputs=[one.data for one in page.outputs],
            is_more=page.is_more,
            held=[losses.HeldRef(ref=ref, until=until) for ref, until in page.held],
        )

    def certify(asking: Asking, request: losses.DeviceRequest) -> clients.Chain:
        chain = found.certificates.certify(ClientId(asking.name), request.request)
        return clients.Chain(chain=chain)

    return (
        (people.SET_LOSS_CODE, set_code),
        (people.KEEP_SHARE, keep),
        (people.GET_SHARE, get_share),
        (people.LIST_LOST_OUTPUTS, list_lost),
        (people.CERTIFY_DEVICE, certify),
    )


def _answer(one: AccountApplication) -> onboarding.AccountAnswer:
    return onboarding.AccountAnswer(
        state=one.state.value, client=one.client, reason=one.reason, expires=one.expires
    )


def _show(one: AccountApplication) -> onboarding.ApplicationShown:
    person = one.person
    told = {} if person is None else {"name": person.name, **person.data}
    if person is not None and person.phone is not None:
        told["phone"] = person.phone
    return onboarding.ApplicationShown(
        number=one.number,
        state=one.state.value,
        tier=one.tier,
        time=one.time,
        expires=one.expires,
        client=one.client or "",
        decided_by=one.decided_by,
        reason=one.reason,
        person=told,
    )


def _show_subject(waiting: Waiting) -> signatories.SubjectMessage:
    one = waiting.stored
    kind, content = one.subject.kind, one.content
    read: dict[str, Any] = {}
    if kind is SubjectKind.PAYMENT:
        read["payment"] = decode(content, CBOR, BuiltMessage)
    elif kind is SubjectKind.WITHDRAWAL:
        read["withdrawal"] = decode(content, CBOR, signatories.SignedWithdrawal)
    else:
        read["change"] = decode(content, CBOR, signatories.SeatsChange)
    return signatories.SubjectMessage(
        digest=one.subject.digest,
        kind=int(kind),
        expires=one.expires,
        yes=waiting.yes,
        need=waiting.need,
        mine={True: "yes", False: "no", None: ""}[waiting.mine],
        **read,
    )
