"""The policy of a bank: tiers with their limits, rules with their consequence (X9).

    tier   what a client may do; what is at a limit passes
    rule   what makes a payment remarkable; it hits when its number is reached
    case   who looks at a payment that a rule holds

Amounts are minor units, windows roll: a payment is out of a window of d milliseconds when it is
d milliseconds old. The whole format by example: docs/policy.md.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specie.policy.fields import Faults, Fields
from specie.policy.spellings import spell_listed
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.limits import (
    AMOUNT_MAX,
    POLICY_BYTES_MAX,
    POLICY_LISTED_MAX,
    POLICY_RULES_MAX,
    POLICY_TIERS_MAX,
    POLICY_WINDOW_MINUTES_MAX,
)
from specie.values.times import DAY_MS

MINUTE_MS: Final = 60 * 1000
HOUR_MS: Final = 60 * MINUTE_MS
MONTH_MS: Final = 30 * DAY_MS
_COUNT_MAX: Final = 1_000_000
_RELEASE_MINUTES: Final = 24 * 60
_FIELD: Final = re.compile(r"[a-z][a-z_-]{0,31}")


class Consequence(StrEnum):
    """What a hit leads to; the last of these that any finding has wins."""

    SIGN = "sign"
    HOLD = "hold"
    REFUSE = "refuse"


class RuleKind(StrEnum):
    """What a rule looks at."""

    THRESHOLD = "threshold"  # one payment of this amount or more
    VELOCITY = "velocity"  # many payments within a window
    STRUCTURING = "structuring"  # several payments just under an amount within a window
    FAN_OUT = "fan_out"  # paying many counterparties within a window
    FAN_IN = "fan_in"  # being paid by many within a window
    LISTED = "listed"  # an address, name or phone number that stands on a list


class Direction(StrEnum):
    """Seen from the client."""

    OUT = "out"
    IN = "in"


BOTH: Final = "both"
STRICTNESS: Final = tuple(Consequence)


@dataclass(frozen=True, slots=True)
class Tier:
    """What clients who have shown this much of themselves may do; None is no limit."""

    name: str
    requires: tuple[str, ...] = ()
    payment: Minor | None = None
    day: Minor | None = None
    month: Minor | None = None
    holding: Minor | None = None
    payments_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look at. Numbers that its kind does not have are 0."""

    name: str
    kind: RuleKind
    consequence: Consequence
    directions: frozenset[Direction]
    tiers: frozenset[str]  # none: all
    amount: int = 0
    margin: int = 0
    count: int = 0
    window_ms: int = 0
    listed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it."""

    name: str
    default_tier: str
    two_people_from: Minor
    release_ms: int
    tiers: Mapping[str, Tier]
    rules: tuple[Rule, ...]
    travel_from: Minor | None = None  # from here on two banks tell each other who pays whom

    def get_tier(self, name: str) -> Tier:
        """`tier_unknown` if there is none of this name."""
        found = self.tiers.get(name)
        if found is None:
            known = ", ".join(self.tiers)
            raise SpecieError(ErrorCode.TIER_UNKNOWN, f"no tier {name!r}; there are: {known}")
        return found


def parse_policy(text: str) -> Policy:
    """From TOML; `policy_invalid` names every key that is wrong."""
    if len(encode_text(text)) > POLICY_BYTES_MAX:
        reason = f"a policy has at most {POLICY_BYTES_MAX:,} bytes"
        raise SpecieError(ErrorCode.POLICY_INVALID, reason)
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecieError(ErrorCode.POLICY_INVALID, f"not TOML: {error}") from None
    faults = Faults()
    policy = _read_policy(Fields(values, "", faults), faults)
    faults.insist()
    return policy


def _read_policy(fields: Fields, faults: Faults) -> Policy:
    name = fields.take_text("name", 100, "without a name")
    default = fields.need_word("default_tier")
    cases = fields.take_table("cases")
    two_people_from = cases.take_integer("two_people_from", 0, AMOUNT_MAX)
    minutes = cases.take_integer("release_minutes", 1, POLICY_WINDOW_MINUTES_MAX)
    cases.finish()
    travel = fields.take_table("travel_rule")
    travel_from = travel.take_integer("from", 1, AMOUNT_MAX)
    travel.finish()
    tiers = [_read_tier(one) for one in fields.take_tables("tier", 1, POLICY_TIERS_MAX)]
    names = {one.name for one in tiers}
    rules = [_read_rule(one, names) for one in fields.take_tables("rule", 0, POLICY_RULES_MAX)]
    fields.finish()
    _check_once("tier", [one.name for one in tiers], faults)
    _check_once("rule", [one.name for one in rules], faults)
    if default and default not in names:
        faults.add("default_tier", "no [[tier]] has this name")
    return Policy(
        name=name,
        default_tier=default,
        two_people_from=Minor(AMOUNT_MAX if two_people_from is None else two_people_from),
        release_ms=(minutes or _RELEASE_MINUTES) * MINUTE_MS,
        tiers={one.name: one for one in tiers},
        rules=tuple(rules),
        travel_from=None if travel_from is None else Minor(travel_from),
    )


def _check_once(kind: str, names: list[str], faults: Faults) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        faults.add(f"{kind}.name", f"{', '.join(twice)} is there twice")


def _read_tier(fields: Fields) -> Tier:
    name = fields.need_word("name")
    requires = fields.take_texts("requires", 64)
    if not all(_FIELD.fullmatch(one) for one in requires):
        fields.faults.add(fields.name("requires"), "names of data: small letters, - and _")
    limits = fields.take_table("limits")
    amounts = [
        limits.take_integer(key, 0, AMOUNT_MAX) for key in ("payment", "day", "month", "holding")
    ]
    per_hour = limits.take_integer("payments_per_hour", 0, _COUNT_MAX)
    limits.finish()
    fields.finish()
    payment, day, month, holding = (None if one is None else Minor(one) for one in amounts)
    return Tier(name, requires, payment, day, month, holding, per_hour)


def _read_rule(fields: Fields, tiers: set[str]) -> Rule:
    name = fields.need_word("name")
    kind = RuleKind(fields.take_choice("kind", list(RuleKind), ""))
    consequence = Consequence(fields.take_choice("consequence", list(Consequence), ""))
    wanted = frozenset(fields.take_texts("tiers", POLICY_TIERS_MAX))
    if not wanted <= tiers:
        unknown = ", ".join(sorted(wanted - tiers))
        fields.faults.add(fields.name("tiers"), f"no [[tier]] has the name {unknown}")
    has_amount = kind in (RuleKind.THRESHOLD, RuleKind.STRUCTURING)
    amount = fields.need_integer("amount", 1, AMOUNT_MAX) if has_amount else 0
    margin = fields.need_integer("margin", 1, amount) if kind is RuleKind.STRUCTURING else 0
    count, window_ms = _read_count(fields, kind)
    rule = Rule(
        name=name,
        kind=kind,
        consequence=consequence,
        directions=_read_directions(fields, kind),
        tiers=wanted,
        amount=amount,
        margin=margin,
        count=count,
        window_ms=window_ms,
        listed=_read_listed(fields) if kind is RuleKind.LISTED else frozenset(),
    )
    fields.finish()
    return rule


def _read_count(fields: Fields, kind: RuleKind) -> tuple[int, int]:
    if kind in (RuleKind.THRESHOLD, RuleKind.LISTED):
        return 0, 0
    is_fan = kind in (RuleKind.FAN_IN, RuleKind.FAN_OUT)
    count = fields.need_integer("counterparties" if is_fan else "payments", 2, _COUNT_MAX)
    minutes = fields.need_integer("window_minutes", 1, POLICY_WINDOW_MINUTES_MAX)
    return count, minutes * MINUTE_MS


def _read_directions(fields: Fields, kind: RuleKind) -> frozenset[Direction]:
    """A fan has its own; for the others it may be chosen."""
    if kind is RuleKind.FAN_OUT:
        return frozenset({Direction.OUT})
    if kind is RuleKind.FAN_IN:
        return frozenset({Direction.IN})
    chosen = fields.take_choice("direction", [*Direction, BOTH], BOTH)
    return frozenset(Direction) if chosen == BOTH else frozenset({Direction(chosen)})


def _read_listed(fields: Fields) -> frozenset[str]:
    found: set[str] = set()
    for kind in ("addresses", "names", "phones"):
        for text in fields.take_texts(kind, POLICY_LISTED_MAX):
            try:
                found.add(spell_listed(kind, text))
            except SpecieError as error:
                fields.faults.add(fields.name(kind), error.message)
    if not found:
        fields.faults.add(fields.path, "addresses, names or phones: at least one")
    return frozenset(found)
