"""What a bank offers to its own people: policy, tiers, freezes, search, cases, access log."""

import json
from collections.abc import Sequence

from specie.api.acting import name_operator
from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.bank.movements import unpack_address
from specie.bank.reporting import Reporter, build_report
from specie.crypto.addresses import Address
from specie.policy.cases import Case, Verdict
from specie.policy.rehearsing import Tally
from specie.ports.clients import Movement, MovementQuery
from specie.ports.supervision import PolicyVersion
from specie.remote import compliance_models as models
from specie.remote import compliance_operations as operations
from specie.remote.bank_models import Size
from specie.remote.fields import Empty
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_NOTHING = Empty()


def offer_compliance(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (
        *_offer_policy(process),
        *_offer_clients(process),
        *_offer_cases(process),
        *_offer_reports(process),
        *_offer_access(process),
    )


def _offer_policy(process: BankProcess) -> Sequence[Offer]:
    desk = process.compliance

    def get_policy(_: Asking, request: models.PolicyQuery) -> models.PolicyMessage:
        if not request.version:
            return _wrap_policy(desk.get_policy())
        for one in desk.load_policies():
            if one.version == request.version:
                return _wrap_policy(one)
        raise SpecieError(ErrorCode.NOT_FOUND, f"there is no version {request.version}")

    def set_policy(_: Asking, request: models.PolicyRequest) -> models.PolicyMessage:
        return _wrap_policy(desk.set_policy(name_operator(request), request.text))

    def list_policies(_: Asking, _request: Empty) -> models.Policies:
        return models.Policies(
            policies=[
                models.PolicyLine(
                    version=one.version, time=one.time, officer=one.officer, reason=one.reason
                )
                for one in desk.load_policies()
            ]
        )

    def rehearse(_: Asking, request: models.PolicyRequest) -> models.RehearsalMessage:
        found = desk.rehearse(name_operator(request), request.text)
        rows = [
            models.RehearsalRow(
                tier=tier, rule=rule, consequence=consequence.value, tally=_wrap_tally(tally)
            )
            for (tier, rule, consequence), tally in sorted(found.rows.items())
        ]
        return models.RehearsalMessage(
            judged=_wrap_tally(found.judged),
            refused=_wrap_tally(found.refused),
            held=_wrap_tally(found.held),
            rows=rows,
        )

    return (
        (operations.GET_POLICY, get_policy),
        (operations.SET_POLICY, set_policy),
        (operations.LIST_POLICIES, list_policies),
        (operations.REHEARSE_POLICY, rehearse),
    )


def _offer_clients(process: BankProcess) -> Sequence[Offer]:
    desk = process.compliance

    def set_tier(_: Asking, request: models.TierRequest) -> Empty:
        operator = name_operator(request)
        operator.check()
        desk.set_tier(request.client, request.tier, operator)
        return _NOTHING

    def freeze(_: Asking, request: models.FreezeRequest) -> Empty:
        desk.freeze(name_operator(request), request.client, request.reference, request.until)
        return _NOTHING

    def unfreeze(_: Asking, request: models.ClientAct) -> Empty:
        desk.unfreeze(name_operator(request), request.client)
        return _NOTHING

    def find_freeze(_: Asking, request: models.ClientAct) -> models.FreezeMessage:
        found = desk.find_freeze(name_operator(request), request.client)
        if found is None:
            return models.FreezeMessage()
        return models.FreezeMessage(
            reference=found.reference,
            since=found.since,
            until=found.until,
            officer=found.officer,
        )

    def search(_: Asking, request: models.SearchRequest) -> models.FoundMovements:
        party = request.party
        query = MovementQuery(
            client=request.client,
            since=request.since,
            until=request.until,
            least=request.least,
            most=request.most,
            party=None if party is None else Address(party.bank, party.view, party.spend),
            is_incoming=request.is_incoming,
        )
        page = desk.search(name_operator(request), query, request.before, request.limit)
        found = [_wrap_movement(one) for one in page.movements]
        return models.FoundMovements(movements=found, after=page.after)

    return (
        (operations.SET_TIER, set_tier),
        (operations.FREEZE, freeze),
        (operations.UNFREEZE, unfreeze),
        (operations.FIND_FREEZE, find_freeze),
        (operations.SEARCH_MOVEMENTS, search),
    )


def _offer_cases(process: BankProcess) -> Sequence[Offer]:
    desk = process.compliance

    def list_cases(_: Asking, request: models.CasesRequest) -> models.Cases:
        before, limit = request.before, request.limit
        found = desk.list_cases(name_operator(request), before, limit, is_open=request.is_open)
        return models.Cases(cases=[_wrap_case(one) for one in found])

    def get_case(_: Asking, request: models.CaseRequest) -> models.CaseFileMessage:
        found = desk.open_file(name_operator(request), request.number)
        return models.CaseFileMessage(
            case=_wrap_case(found.case),
            tier=found.tier,
            notes=[
                models.CaseNoteMessage(officer=one.officer, time=one.time, text=one.text)
                for one in found.notes
            ],
            movements=[_wrap_movement(one) for one in found.movements],
            is_complete=found.is_complete,
        )

    def add_note(_: Asking, request: models.NoteRequest) -> Empty:
        desk.add_note(name_operator(request), request.number, request.text)
        return _NOTHING

    def decide(_: Asking, request: models.DecisionRequest) -> models.CaseMessage:
        if request.verdict not in tuple(Verdict):
            known = ", ".join(Verdict)
            raise SpecieError(ErrorCode.KIND_UNKNOWN, f"a decision is one of {known}")
        return _wrap_case(
            desk.decide(name_operator(request), request.number, Verdict(request.verdict))
        )

    def suspect(_: Asking, request: models.ClientAct) -> models.CaseMessage:
        return _wrap_case(desk.suspect(name_operator(request), request.client))

    return (
        (operations.LIST_CASES, list_cases),
        (operations.GET_CASE, get_case),
        (operations.ADD_CASE_NOTE, add_note),
        (operations.DECIDE_CASE, decide),
        (operations.SUSPECT, suspect),
    )


def _offer_reports(process: BankProcess) -> Sequence[Offer]:
    desk, base = process.compliance, process.base

    def report(_: Asking, request: models.CaseRequest) -> models.ReportMessage:
        operator = name_operator(request)
        found = desk.open_file(operator, request.number, "report")
        genesis = base.peers.roster.genesis
        reporter = Reporter(
            bank=base.peers.roster.current.get(process.number).name,
            number=process.number,
            network=genesis.network.hex(),
            currency=genesis.currency,
            prefix=genesis.address_prefix,
            person=operator.name.strip(),
            time=base.clock.now(),
        )
        return models.ReportMessage(report=json.dumps(build_report(found, reporter), indent=2))

    return ((operations.REPORT_CASE, report),)


def _offer_access(process: BankProcess) -> Sequence[Offer]:
    log = process.compliance.access

    def list_access(_: Asking, request: models.AccessQuery) -> models.AccessEntries:
        log.write(name_operator(request), "access-log", subject=f"from {request.start}")
        return models.AccessEntries(
            entries=[
                models.AccessMessage(
                    number=one.number,
                    time=one.time,
                    officer=one.officer,
                    action=one.action,
                    client=one.client,
                    subject=one.subject,
                    reason=one.reason,
                )
                for one in log.load(request.start, request.limit)
            ]
        )

    def verify(_: Asking, request: models.AccessHeads) -> Size:
        return Size(size=log.verify(request.heads, request.told))

    def get_head(_: Asking, _request: Empty) -> models.AccessHeadMessage:
        return models.AccessHeadMessage(head=log.sign_head())

    return (
        (operations.LIST_ACCESS, list_access),
        (operations.VERIFY_ACCESS, verify),
        (operations.GET_ACCESS_HEAD, get_head),
    )


def _wrap_policy(one: PolicyVersion) -> models.PolicyMessage:
    return models.PolicyMessage(
        version=one.version,
        text=one.text,
        time=one.time,
        officer=one.officer,
        reason=one.reason,
    )


def _wrap_tally(tally: Tally) -> models.TallyMessage:
    return models.TallyMessage(
        payments=tally.payments, amount=tally.amount, clients=len(tally.clients)
    )


def _wrap_movement(one: Movement) -> models.FoundMovement:
    return models.FoundMovement(
        txid=one.txid,
        client=one.client,
        amount=one.amount,
        time=one.time,
        is_incoming=one.is_incoming,
        is_final=one.is_final,
        is_own_bank=one.is_own_bank,
        order=one.order,
        parties=[_wrap_address(party) for party in one.parties],
        names=list(one.names),
    )


def _wrap_address(address: Address) -> models.AddressMessage:
    return models.AddressMessage(bank=address.bank, view=address.view, spend=address.spend)


def _wrap_case(case: Case) -> models.CaseMessage:
    return models.CaseMessage(
        number=case.number,
        kind=case.kind.value,
        client=case.client,
        opened=case.opened,
        state=case.state.value,
        rules=list(case.rules),
        amount=case.amount,
        txid=case.txid,
        order=case.order,
        text=case.text,
        people_needed=case.people_needed,
        decisions=[
            models.DecisionMessage(
                officer=one.officer,
                verdict=one.verdict.value,
                time=one.time,
                reason=one.reason,
            )
            for one in case.decisions
        ],
        direction=case.direction.value,
        parties=[_wrap_address(unpack_address(one)) for one in case.parties],
        names=list(case.names),
        released_until=case.released_until,
        is_used=case.used_by is not None,
    )
