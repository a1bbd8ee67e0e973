"""A policy tried on past payments before it is switched on (X9): what it would have stopped.

Payments come in the order in which the bank attested them. One that would have been refused does
not count for those after it; one that would have been held counts, as if it had been released.
Holdings begin at what the bank knows to have come in: older money than its records is not in them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from specie.policy.checks import Before, Finding, Side, compute_lookback_ms, get_strictest, judge
from specie.policy.policies import Consequence, Direction, Policy
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, TransactionId
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class PastPayment:
    """All sides of one payment that are this bank's clients'."""

    txid: TransactionId
    sides: tuple[Side, ...]


@dataclass(slots=True)
class Tally:
    """How often, how much, how many."""

    payments: int = 0
    amount: int = 0
    clients: set[ClientId] = field(default_factory=set)

    def add(self, client: ClientId, amount: Minor) -> None:
        """One payment of a client."""
        self.payments += 1
        self.amount += amount
        self.clients.add(client)


@dataclass(slots=True)
class Rehearsal:
    """What came out: in all, and by tier, rule and consequence."""

    judged: Tally = field(default_factory=Tally)
    refused: Tally = field(default_factory=Tally)
    held: Tally = field(default_factory=Tally)
    rows: dict[tuple[str, str, Consequence], Tally] = field(
        default_factory=lambda: defaultdict(Tally)
    )


def _is_never_on(_client: ClientId) -> bool:
    return False


def rehearse(
    policy: Policy,
    tiers: Mapping[ClientId, str],
    past: Iterable[PastPayment],
    is_waterfall_on: Callable[[ClientId], bool] = _is_never_on,
) -> Rehearsal:
    """Nothing is changed; clients without a tier are in the policy's default.

    Tiers and waterfalls are as they are now, whatever they were when a payment was made.
    """
    stage = _Stage(policy, tiers, is_waterfall_on)
    for payment in past:
        stage.play(payment)
    return stage.found


@dataclass(slots=True)
class _Stage:
    """What would have happened so far."""

    policy: Policy
    tiers: Mapping[ClientId, str]
    is_waterfall_on: Callable[[ClientId], bool]
    found: Rehearsal = field(default_factory=Rehearsal)
    _kept: dict[tuple[ClientId, Direction], list[Side]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _holding: dict[ClientId, int] = field(default_factory=lambda: defaultdict(int))

    def play(self, payment: PastPayment) -> None:
        """One payment."""
        judged = [(side, self._judge(side)) for side in payment.sides]
        strictest = get_strictest(one for _, findings in judged for one in findings)
        for side, findings in judged:
            self._note(side, findings, strictest)
        if strictest is not Consequence.REFUSE:
            for side, _ in judged:
                self._keep(side)

    def _judge(self, side: Side) -> tuple[Finding, ...]:
        tier = self.policy.get_tier(self._get_tier(side.client))
        window_ms = compute_lookback_ms(self.policy, tier, side.direction)
        past = self._list_recent(side, window_ms)
        holding = Minor(max(0, self._holding[side.client]))
        before = Before(past, holding, self.is_waterfall_on(side.client))
        return judge(self.policy, tier, side, before)

    def _list_recent(self, side: Side, window_ms: int) -> list[Side]:
        """Oldest last out of the list: times of one bank's records do not go back by much."""
        kept, recent = self._kept[side.client, side.direction], []
        for one in reversed(kept):
            if one.time <= Timestamp(side.time - window_ms):
                break
            recent.append(one)
        return recent

    def _note(self, side: Side, findings: tuple[Finding, ...], strictest: Consequence) -> None:
        found, tier = self.found, self._get_tier(side.client)
        found.judged.add(side.client, side.amount)
        if strictest is Consequence.REFUSE:
            found.refused.add(side.client, side.amount)
        elif strictest is Consequence.HOLD:
            found.held.add(side.client, side.amount)
        for one in findings:
            found.rows[tier, one.name, one.consequence].add(side.client, side.amount)

    def _keep(self, side: Side) -> None:
        self._kept[side.client, side.direction].append(side)
        is_out = side.direction is Direction.OUT
        self._holding[side.client] += -side.amount if is_out else side.amount

    def _get_tier(self, client: ClientId) -> str:
        return self.tiers.get(client, self.policy.default_tier)
