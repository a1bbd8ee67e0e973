"""Before a bank records and signs a payment: freezes, limits, rules, cases (T20, X9).

    in one database transaction   judged by what is recorded → recorded → counted
    a rule holds it               nothing is recorded; a case is opened, once; `payment_held`

Payments of a bank are judged one after the other, so that no two fit a limit that both together do
not. What is not final and cannot become so any more does not count. A payer hears which of its own
limits it was; of the payee's only that a bank says no, or it could measure what the payee has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from specie.bank.losses import get_heir
from specie.bank.movements import Mark, group_sides, is_recovery, make_mark, mark_nothing
from specie.crypto.addresses import Address
from specie.policy import builtin
from specie.policy.cases import (
    Case,
    CaseKind,
    CaseState,
    compute_likeness,
    is_refused_for_good,
    is_usable,
)
from specie.policy.checks import (
    Before,
    Finding,
    Side,
    compute_lookback_ms,
    get_strictest,
    judge,
)
from specie.policy.policies import (
    Consequence,
    Direction,
    Policy,
    RuleKind,
    Tier,
    parse_policy,
)
from specie.ports.clients import ClientStore, Movement
from specie.ports.clock import Clock
from specie.ports.supervision import CaseStore, Judged, PolicyStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, TransactionId
from specie.values.limits import ATTEST_EARLY_MS_MAX, CASES_OPEN_MAX
from specie.values.times import Timestamp

_SENTENCES: Final = {
    ErrorCode.PAYMENT_LIMIT_EXCEEDED: "more than the payer may pay at once",
    ErrorCode.PAYMENT_RATE_EXCEEDED: "more payments than the payer may make within an hour",
    ErrorCode.DAILY_LIMIT_EXCEEDED: "more than the payer may pay within 24 hours",
    ErrorCode.MONTHLY_LIMIT_EXCEEDED: "more than the payer may pay within 30 days",
    ErrorCode.HOLDING_LIMIT_EXCEEDED: "more than the client may hold",
    ErrorCode.PAYMENT_REFUSED_BY_POLICY: "a bank does not attest this payment",
}


class Unsupervised:
    """`Supervisor` of a bank without a policy: everything passes."""

    def admit(
        self,
        txid: TransactionId,
        look: Callable[[], Sequence[Movement]],
        record: Callable[[], None],
    ) -> int:
        """Looked at and recorded."""
        del txid
        look()
        record()
        return builtin.VERSION


def _is_never_on(_client: ClientId) -> bool:
    return False


def _find_no_phones(_address: Address) -> Sequence[str]:
    return ()


def _has_none(_txid: TransactionId, _client: ClientId) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What other parts of the bank know; by default nobody has a waterfall or a phone number."""

    is_waterfall_on: Callable[[ClientId], bool] = _is_never_on
    has_travel_data: Callable[[TransactionId, ClientId], bool] = _has_none
    find_phones: Callable[[Address], Sequence[str]] = _find_no_phones


@dataclass(frozen=True, slots=True)
class _Held:
    """A side that a rule holds, and by what its case is found again."""

    side: Side
    txid: TransactionId
    rules: tuple[str, ...]
    people_needed: int


class _HeldError(Exception):
    """Undoes the transaction; the cases are opened after it."""

    def __init__(self, held: Sequence[_Held]) -> None:
        super().__init__("held")
        self.held = held


class Supervision:
    """`Supervisor` by the policy in force."""

    def __init__(
        self,
        clients: ClientStore,
        policies: PolicyStore,
        cases: CaseStore,
        clock: Clock,
        prefix: str,
        neighbours: Neighbours,
    ) -> None:
        self._clients = clients
        self._policies = policies
        self._cases = cases
        self._clock = clock
        self._neighbours = neighbours
        self._mark = make_mark(prefix, neighbours.find_phones)
        self._parsed: tuple[int, Policy] | None = None

    def admit(
        self,
        txid: TransactionId,
        look: Callable[[], Sequence[Movement]],
        record: Callable[[], None],
    ) -> int:
        """Look, judge, record, count; see the module."""
        try:
            with self._policies.transaction():
                return self._admit(txid, look, record)
        except _HeldError as error:
            held = error.held
        for one in held:
            self._open_case(one)
        reason = "an officer of a bank looks at it first; send it again later"
        raise SpecieError(ErrorCode.PAYMENT_HELD, reason)

    def get_policy(self) -> tuple[int, Policy]:
        """Version and content of the one in force."""
        version = self._policies.find_version()
        if self._parsed is None or self._parsed[0] != (version or builtin.VERSION):
            found = self._policies.find_policy()
            text = builtin.TEXT if found is None else found.text
            self._parsed = (builtin.VERSION if found is None else found.version, parse_policy(text))
        return self._parsed

    def get_tier(self, client: ClientId) -> Tier:
        """Of a client: its own or the default."""
        return self._find_tier(self.get_policy()[1], client)

    def build_mark(self, policy: Policy) -> Mark:
        """How the other side is looked up, if the policy has lists."""
        has_lists = any(rule.kind is RuleKind.LISTED for rule in policy.rules)
        return self._mark if has_lists else mark_nothing

    def is_waterfall_on(self, client: ClientId) -> bool:
        """Whether the client's device pays what is too much into its deposit by itself."""
        return self._neighbours.is_waterfall_on(client)

    def check_room(self, client: ClientId, amount: Minor) -> None:
        """Before a withdrawal takes the deposit: `holding_limit_exceeded`, `client_frozen`.

        Attestation judges again; this spares a withdrawal that would come to nothing.
        """
        now = self._clock.now()
        self._check_frozen(client, now)
        side = Side(client, Direction.IN, amount, now, is_own_bank=True)
        _, policy = self.get_policy()
        _refuse(side, self._judge_side(policy, side))

    # --- within the transaction ------------------------------------------------------------------

    def _admit(
        self,
        txid: TransactionId,
        look: Callable[[], Sequence[Movement]],
        record: Callable[[], None],
    ) -> int:
        movements = look()
        judged = self._policies.find_judged(txid)
        if judged is not None or self._clients.is_attested(txid):
            record()
            return builtin.VERSION if judged is None else judged.version
        version, policy = self.get_policy()
        noted = self._judge(txid, movements, policy)
        record()
        self._policies.add_judged(txid, Judged(version, noted))
        return version

    def _judge(
        self, txid: TransactionId, movements: Sequence[Movement], policy: Policy
    ) -> tuple[str, ...]:
        now = self._clock.now()
        for client in {get_heir(one.client) or one.client for one in movements}:
            self._check_frozen(client, now)
        if is_recovery(movements):
            return ()  # to its owner alone: no limit and no rule keeps anybody's own money
        self._check_travel_data(txid, movements, policy)
        sides = group_sides(movements, self.build_mark(policy))
        judged = [(side, self._judge_side(policy, side)) for side in sides]
        for side, findings in sorted(judged, key=lambda one: _is_of_payee(one[0])):
            _refuse(side, findings)
        for side, _ in judged:
            self._check_not_refused(side, txid)
        self._pass_or_hold(txid, judged, policy, now)
        return tuple(dict.fromkeys(one.name for _, findings in judged for one in findings))

    def _check_travel_data(
        self, txid: TransactionId, movements: Sequence[Movement], policy: Policy
    ) -> None:
        """Large money from another bank comes with the name of who pays it (FATF R.16).

        The payer of what comes from there is nobody whom this bank knows.
        """
        if policy.travel_from is None:
            return
        foreign = [one for one in movements if one.is_incoming and not one.parties]
        for client in {one.client for one in foreign}:
            total = sum(one.amount for one in foreign if one.client == client)
            is_told = self._neighbours.has_travel_data(txid, client)
            if total >= policy.travel_from and not is_told:
                reason = "the payer's bank has not said who pays this"
                raise SpecieError(ErrorCode.TRAVEL_DATA_MISSING, reason)

    def _judge_side(self, policy: Policy, side: Side) -> tuple[Finding, ...]:
        tier = self._find_tier(policy, side.client)
        return judge(policy, tier, side, self._look_back(policy, tier, side))

    def _find_tier(self, policy: Policy, client: ClientId) -> Tier:
        return policy.get_tier(self._policies.find_tier(client) or policy.default_tier)

    def _look_back(self, policy: Policy, tier: Tier, side: Side) -> Before:
        """What of this client counts: by its id, so all its addresses together."""
        now, is_incoming = side.time, side.direction is Direction.IN
        window_ms = compute_lookback_ms(policy, tier, side.direction)
        past: Sequence[Movement] = ()
        if window_ms:
            since = Timestamp(max(0, now - window_ms))
            past = self._clients.load_recent(side.client, since, is_incoming=is_incoming)
        counted = [one for one in past if is_counted(one, now)]
        is_capped = is_incoming and tier.holding is not None
        return Before(
            past=group_sides(counted),
            holding=self._count_holding(side.client, now) if is_capped else Minor(0),
            is_waterfall_on=is_capped and self._neighbours.is_waterfall_on(side.client),
        )

    def _count_holding(self, client: ClientId, now: Timestamp) -> Minor:
        since = Timestamp(max(0, now - ATTEST_EARLY_MS_MAX))
        pending = self._clients.load_pending(client, since)
        held = self._clients.count_holding(client)
        return Minor(held + sum(one.amount for one in pending))

    def _check_frozen(self, client: ClientId, now: Timestamp) -> None:
        freeze = self._policies.find_freeze(client)
        if freeze is not None and now < freeze.until:
            raise SpecieError(ErrorCode.CLIENT_FROZEN, "a client is frozen by order")

    def _check_not_refused(self, side: Side, txid: TransactionId) -> None:
        likeness = compute_likeness(side, txid)
        alike = self._cases.load_alike(likeness, txid)
        if any(is_refused_for_good(case, likeness, txid) for case in alike):
            code = ErrorCode.PAYMENT_REFUSED_BY_POLICY
            raise SpecieError(code, _SENTENCES[code])

    def _pass_or_hold(
        self,
        txid: TransactionId,
        judged: Sequence[tuple[Side, tuple[Finding, ...]]],
        policy: Policy,
        now: Timestamp,
    ) -> None:
        """Every side that a rule holds needs a release of its own; all are used, or none."""
        held, used = [], []
        for side, findings in judged:
            rules = [one.name for one in findings if one.consequence is Consequence.HOLD]
            case = self._find_release(side, txid, now) if rules else None
            if case is not None:
                used.append(case)
            elif rules:
                people = 2 if side.amount >= policy.two_people_from else 1
                held.append(_Held(side, txid, tuple(rules), people))
        if held:
            raise _HeldError(held)
        for case in used:
            self._cases.replace(replace(case, used_by=txid))

    def _find_release(self, side: Side, txid: TransactionId, now: Timestamp) -> Case | None:
        likeness = compute_likeness(side, txid)
        for case in self._cases.load_alike(likeness, txid):
            free = replace(case, used_by=None) if self._came_to_nothing(case, now) else case
            if is_usable(free, likeness, now):
                return free
        return None

    def _came_to_nothing(self, case: Case, now: Timestamp) -> bool:
        """Whether the payment that used the release can never be final any more."""
        if case.used_by is None:
            return False
        return not any(is_counted(one, now) for one in self._clients.find_movements(case.used_by))

    # --- after it ----------------------------------------------------------------------------

    def _open_case(self, held: _Held) -> None:
        """Once, however often the payment is sent and whoever sends it at the same time."""
        side, likeness = held.side, compute_likeness(held.side, held.txid)
        with self._policies.transaction():
            alike = self._cases.load_alike(likeness, held.txid)
            if any(one.state is CaseState.OPEN and one.likeness == likeness for one in alike):
                return
            if self._cases.count_open(side.client) >= CASES_OPEN_MAX:
                return  # its officers have enough to decide; sent again later, it is one of them
            self._cases.add(
                Case(
                    number=0,
                    kind=CaseKind.PAYMENT,
                    client=side.client,
                    opened=self._clock.now(),
                    rules=held.rules,
                    amount=side.amount,
                    likeness=likeness,
                    txid=held.txid,
                    order=side.order,
                    text="",
                    people_needed=held.people_needed,
                    direction=side.direction,
                    parties=side.parties,
                    names=side.names,
                )
            )


def is_counted(movement: Movement, now: Timestamp) -> bool:
    """Final, or it may still become so; clocks differ."""
    return movement.is_final or movement.until + ATTEST_EARLY_MS_MAX >= now


def _is_of_payee(side: Side) -> bool:
    """Whether somebody else sends the payment; a withdrawal is asked for by who gets it."""
    return side.direction is Direction.IN and not side.is_own_bank


def _refuse(side: Side, findings: Sequence[Finding]) -> None:
    """The first that refuses, limits before rules; nothing of amounts or rules is told.

    Of a payee's side the payer is not told either which one it was: that stands in our log alone.
    """
    if get_strictest(findings) is not Consequence.REFUSE:
        return
    code = next(one.code for one in findings if one.consequence is Consequence.REFUSE)
    assert code is not None, "what refuses has a code"
    refused = SpecieError(code, _SENTENCES[code])
    if not _is_of_payee(side):
        raise refused
    neutral = ErrorCode.PAYMENT_REFUSED_BY_POLICY
    raise SpecieError(neutral, _SENTENCES[neutral]) from refused
