"""Limits and rules, each a small named check; both lists are all there is (T20, X9).

A client's side of a payment is judged against what the same client paid and received before. Money
between a client and its own bank's vault is no payment: of the limits, only that of what may be
held counts it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specie.policy.policies import (
    HOUR_MS,
    MONTH_MS,
    STRICTNESS,
    Consequence,
    Direction,
    Policy,
    Rule,
    RuleKind,
    Tier,
)
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ZERO16, ClientId, OrderId
from specie.values.times import DAY_MS, Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class Side:
    """One client's side of one payment."""

    client: ClientId
    direction: Direction
    amount: Minor
    time: Timestamp
    parties: tuple[bytes, ...] = ()  # addresses of the other side; none: not known to this bank
    is_own_bank: bool = False
    marks: frozenset[str] = frozenset()  # of the other side, spelled as lists are
    order: OrderId = OrderId(ZERO16)
    names: tuple[str, ...] = ()  # of the other side, for people


@dataclass(frozen=True, slots=True, repr=False)
class Before:
    """What of the same client counts: final, or on its way within its window."""

    past: Sequence[Side] = ()
    holding: Minor = Minor(0)
    is_waterfall_on: bool = False  # the device pays what is too much into the deposit by itself


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit that would be exceeded, or a rule that hits."""

    name: str
    consequence: Consequence
    code: ErrorCode | None


def judge(policy: Policy, tier: Tier, side: Side, before: Before) -> tuple[Finding, ...]:
    """All findings; none means that nothing speaks against it."""
    found = [check(side, tier, before) for check in LIMIT_CHECKS]
    limits = [one for one in found if one is not None]
    if side.is_own_bank:
        return tuple(limits)
    hits = [_describe(rule) for rule in policy.rules if is_hit(rule, tier, side, before)]
    return (*limits, *hits)


def get_strictest(findings: Iterable[Finding]) -> Consequence:
    """What they lead to together."""
    return max(
        (one.consequence for one in findings), key=STRICTNESS.index, default=Consequence.SIGN
    )


def compute_lookback_ms(policy: Policy, tier: Tier, direction: Direction) -> int:
    """How far back payments of this direction can matter to one more of them."""
    is_out = direction is Direction.OUT
    limits = [
        MONTH_MS if is_out and tier.month is not None else 0,
        DAY_MS if is_out and tier.day is not None else 0,
        HOUR_MS if is_out and tier.payments_per_hour is not None else 0,
    ]
    rules = [
        rule.window_ms
        for rule in policy.rules
        if direction in rule.directions and _is_of_tier(rule, tier)
    ]
    return max((*limits, *rules))


# --- limits --------------------------------------------------------------------------------------


def find_payment_excess(side: Side, tier: Tier, _before: Before) -> Finding | None:
    """One payment."""
    is_over = tier.payment is not None and _is_paying(side) and side.amount > tier.payment
    return _limit("payment", ErrorCode.PAYMENT_LIMIT_EXCEEDED) if is_over else None


def find_rate_excess(side: Side, tier: Tier, before: Before) -> Finding | None:
    """How many payments within an hour."""
    if tier.payments_per_hour is None or not _is_paying(side):
        return None
    paid = sum(1 for one in _within(before, side, HOUR_MS) if _is_paying(one))
    is_over = paid + 1 > tier.payments_per_hour
    return _limit("payments_per_hour", ErrorCode.PAYMENT_RATE_EXCEEDED) if is_over else None


def find_day_excess(side: Side, tier: Tier, before: Before) -> Finding | None:
    """All payments of 24 hours."""
    is_over = _is_sum_over(side, before, tier.day, DAY_MS)
    return _limit("day", ErrorCode.DAILY_LIMIT_EXCEEDED) if is_over else None


def find_month_excess(side: Side, tier: Tier, before: Before) -> Finding | None:
    """All payments of 30 days."""
    is_over = _is_sum_over(side, before, tier.month, MONTH_MS)
    return _limit("month", ErrorCode.MONTHLY_LIMIT_EXCEEDED) if is_over else None


def find_holding_excess(side: Side, tier: Tier, before: Before) -> Finding | None:
    """What a client holds with what comes in; with the waterfall on, its device sees to the rest.

    Once: whoever is over the limit already has not poured. And what the client fetches from its own
    deposit itself is nothing that it could not keep from coming.
    """
    if tier.holding is None or side.direction is not Direction.IN:
        return None
    if before.is_waterfall_on and not side.is_own_bank and before.holding <= tier.holding:
        return None
    is_over = before.holding + side.amount > tier.holding
    return _limit("holding", ErrorCode.HOLDING_LIMIT_EXCEEDED) if is_over else None


LIMIT_CHECKS: Final[tuple[Callable[[Side, Tier, Before], Finding | None], ...]] = (
    find_payment_excess,
    find_rate_excess,
    find_day_excess,
    find_month_excess,
    find_holding_excess,
)


# --- rules ---------------------------------------------------------------------------------------


def is_large(rule: Rule, side: Side, _before: Before) -> bool:
    """An amount of the threshold or more."""
    return side.amount >= rule.amount


def is_frequent(rule: Rule, side: Side, before: Before) -> bool:
    """So many payments within the window, with this one."""
    return 1 + len(_list_alike(rule, side, before)) >= rule.count


def is_structured(rule: Rule, side: Side, before: Before) -> bool:
    """So many payments just under the amount, of which this is one."""
    if not _is_just_under(rule, side):
        return False
    found = [one for one in _list_alike(rule, side, before) if _is_just_under(rule, one)]
    return 1 + len(found) >= rule.count


def is_fanned(rule: Rule, side: Side, before: Before) -> bool:
    """So many counterparties; one that the bank does not know counts with each payment anew."""
    sides = [side, *_list_alike(rule, side, before)]
    known = {party for one in sides for party in one.parties}
    unknown = sum(1 for one in sides if not one.parties)
    return len(known) + unknown >= rule.count


def is_listed(rule: Rule, side: Side, _before: Before) -> bool:
    """Whoever is on the other side, as far as the bank knows, stands on the list."""
    return bool(rule.listed & side.marks)


RULE_CHECKS: Final[Mapping[RuleKind, Callable[[Rule, Side, Before], bool]]] = {
    RuleKind.THRESHOLD: is_large,
    RuleKind.VELOCITY: is_frequent,
    RuleKind.STRUCTURING: is_structured,
    RuleKind.FAN_OUT: is_fanned,
    RuleKind.FAN_IN: is_fanned,
    RuleKind.LISTED: is_listed,
}


def is_hit(rule: Rule, tier: Tier, side: Side, before: Before) -> bool:
    """Whether the rule is for this client and direction, and hits."""
    is_meant = _is_of_tier(rule, tier) and side.direction in rule.directions
    return is_meant and RULE_CHECKS[rule.kind](rule, side, before)


def _describe(rule: Rule) -> Finding:
    codes = {
        Consequence.HOLD: ErrorCode.PAYMENT_HELD,
        Consequence.REFUSE: ErrorCode.PAYMENT_REFUSED_BY_POLICY,
    }
    return Finding(rule.name, rule.consequence, codes.get(rule.consequence))


def _limit(name: str, code: ErrorCode) -> Finding:
    return Finding(f"limit:{name}", Consequence.REFUSE, code)


def _is_of_tier(rule: Rule, tier: Tier) -> bool:
    return not rule.tiers or tier.name in rule.tiers


def _is_paying(side: Side) -> bool:
    return side.direction is Direction.OUT and not side.is_own_bank


def _within(before: Before, side: Side, window_ms: int) -> list[Side]:
    return [one for one in before.past if one.time > side.time - window_ms]


def _is_sum_over(side: Side, before: Before, limit: Minor | None, window_ms: int) -> bool:
    if limit is None or not _is_paying(side):
        return False
    paid = sum(one.amount for one in _within(before, side, window_ms) if _is_paying(one))
    return paid + side.amount > limit


def _list_alike(rule: Rule, side: Side, before: Before) -> list[Side]:
    """Payments of the same direction within the rule's window."""
    return [
        one
        for one in _within(before, side, rule.window_ms)
        if one.direction is side.direction and not one.is_own_bank
    ]


def _is_just_under(rule: Rule, side: Side) -> bool:
    return rule.amount - rule.margin <= side.amount < rule.amount
