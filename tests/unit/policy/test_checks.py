"""Each limit and each rule at its edge: at the limit it passes, one unit more it does not (X9)."""

from dataclasses import replace

import pytest

from specie.policy.checks import Before, Side, compute_lookback_ms, get_strictest, judge
from specie.policy.policies import (
    HOUR_MS,
    MONTH_MS,
    Consequence,
    Direction,
    Policy,
    Rule,
    Tier,
    parse_policy,
)
from specie.policy.spellings import ADDRESSES, NAMES, PHONES, spell_known
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId
from specie.values.times import DAY_MS, Timestamp

NOW = Timestamp(100 * MONTH_MS)
ANNA = ClientId("anna")
OUT, IN = Direction.OUT, Direction.IN


def make_side(amount: int, ago: int = 0, direction: Direction = OUT, party: bytes = b"b") -> Side:
    """A payment that was made `ago` milliseconds before now; of nobody known if no party."""
    parties = (party,) if party else ()
    return Side(ANNA, direction, Minor(amount), Timestamp(NOW - ago), parties)


def make_policy(rule: str = "", limits: str = "") -> tuple[Policy, Tier]:
    """One tier, and at most one rule."""
    text = f'default_tier = "one"\n[[tier]]\nname = "one"\nlimits = {{ {limits} }}\n'
    if rule:
        text += f'[[rule]]\nname = "it"\nconsequence = "hold"\n{rule}\n'
    policy = parse_policy(text)
    return policy, policy.get_tier("one")


def find_codes(limits: str, side: Side, *past: Side, holding: int = 0) -> list[ErrorCode | None]:
    """What the limits find."""
    policy, tier = make_policy(limits=limits)
    before = Before(past, Minor(holding))
    return [one.code for one in judge(policy, tier, side, before)]


def is_hit(rule: str, side: Side, *past: Side) -> bool:
    """Whether the one rule hits."""
    policy, tier = make_policy(rule)
    findings = judge(policy, tier, side, Before(past))
    assert all(one.code is ErrorCode.PAYMENT_HELD for one in findings)
    return bool(findings)


# --- limits --------------------------------------------------------------------------------------


def test_one_payment() -> None:
    assert find_codes("payment = 100", make_side(100)) == []
    assert find_codes("payment = 100", make_side(101)) == [ErrorCode.PAYMENT_LIMIT_EXCEEDED]
    assert find_codes("payment = 0", make_side(1)) == [ErrorCode.PAYMENT_LIMIT_EXCEEDED]


@pytest.mark.parametrize(
    ("key", "window_ms", "code"),
    [
        ("day", DAY_MS, ErrorCode.DAILY_LIMIT_EXCEEDED),
        ("month", MONTH_MS, ErrorCode.MONTHLY_LIMIT_EXCEEDED),
    ],
)
def test_a_window_in_amount_and_in_time(key: str, window_ms: int, code: ErrorCode) -> None:
    limit = f"{key} = 100"
    inside, outside = make_side(60, window_ms - 1), make_side(60, window_ms)
    assert find_codes(limit, make_side(40), inside) == []
    assert find_codes(limit, make_side(41), inside) == [code]
    assert find_codes(limit, make_side(100), outside) == []
    assert find_codes(limit, make_side(101), outside) == [code]


def test_payments_in_an_hour() -> None:
    limit, code = "payments_per_hour = 2", ErrorCode.PAYMENT_RATE_EXCEEDED
    inside, outside = make_side(1, HOUR_MS - 1), make_side(1, HOUR_MS)
    assert find_codes(limit, make_side(1), inside) == []
    assert find_codes(limit, make_side(1), inside, inside) == [code]
    assert find_codes(limit, make_side(1), inside, outside) == []


def test_what_is_held() -> None:
    limit, code = "holding = 100", ErrorCode.HOLDING_LIMIT_EXCEEDED
    assert find_codes(limit, make_side(40, direction=IN), holding=60) == []
    assert find_codes(limit, make_side(41, direction=IN), holding=60) == [code]
    assert find_codes(limit, make_side(41), holding=60) == []


def test_the_waterfall_takes_what_is_too_much() -> None:
    policy, tier = make_policy(limits="holding = 100")
    before = Before(holding=Minor(100), is_waterfall_on=True)
    assert judge(policy, tier, make_side(1_000, direction=IN), before) == ()


def test_the_waterfall_is_no_key_to_the_holding_limit() -> None:
    """Who switches it on and pours nothing is paid no more, and withdraws nothing over it."""
    limit, code = "holding = 100", ErrorCode.HOLDING_LIMIT_EXCEEDED
    policy, tier = make_policy(limits=limit)
    withdrawn = replace(make_side(1, direction=IN), is_own_bank=True)
    for side, held in ((make_side(1, direction=IN), 101), (withdrawn, 100), (withdrawn, 10**9)):
        found = judge(policy, tier, side, Before(holding=Minor(held), is_waterfall_on=True))
        assert [one.code for one in found] == [code]


def test_incoming_payments_eat_no_outgoing_limit() -> None:
    received = make_side(90, direction=IN)
    assert find_codes("day = 100, month = 100", make_side(100), received) == []
    assert find_codes("payment = 10, day = 10", make_side(100, direction=IN)) == []


def test_money_to_and_from_ones_own_bank_is_no_payment() -> None:
    limits = "payment = 10, day = 10, month = 10, payments_per_hour = 0"
    deposit = Side(ANNA, OUT, Minor(50), NOW, (b"v",), is_own_bank=True)
    assert find_codes(limits, deposit) == []
    assert find_codes("day = 10", make_side(10), deposit) == []
    withdrawal = Side(ANNA, IN, Minor(11), NOW, (b"v",), is_own_bank=True)
    assert find_codes("holding = 10", withdrawal) == [ErrorCode.HOLDING_LIMIT_EXCEEDED]
    assert not is_hit('kind = "threshold"\namount = 1', deposit)


def test_all_limits_that_are_exceeded_are_found() -> None:
    found = find_codes("payment = 1, day = 1, month = 1, payments_per_hour = 0", make_side(2))
    assert found == [
        ErrorCode.PAYMENT_LIMIT_EXCEEDED,
        ErrorCode.PAYMENT_RATE_EXCEEDED,
        ErrorCode.DAILY_LIMIT_EXCEEDED,
        ErrorCode.MONTHLY_LIMIT_EXCEEDED,
    ]


# --- rules ---------------------------------------------------------------------------------------


def test_a_threshold_hits_when_it_is_reached() -> None:
    rule = 'kind = "threshold"\namount = 100'
    assert not is_hit(rule, make_side(99))
    assert is_hit(rule, make_side(100)) and is_hit(rule, make_side(100, direction=IN))
    assert not is_hit(f'{rule}\ndirection = "out"', make_side(100, direction=IN))


def test_velocity_hits_at_its_number_within_its_window() -> None:
    rule = 'kind = "velocity"\npayments = 3\nwindow_minutes = 60'
    inside, outside = make_side(1, HOUR_MS - 1), make_side(1, HOUR_MS)
    assert not is_hit(rule, make_side(1), inside)
    assert is_hit(rule, make_side(1), inside, inside)
    assert not is_hit(rule, make_side(1), inside, outside)
    assert not is_hit(rule, make_side(1), inside, make_side(1, direction=IN))


def test_structuring_hits_at_several_just_under_the_amount() -> None:
    rule = 'kind = "structuring"\namount = 100\nmargin = 10\npayments = 3\nwindow_minutes = 60'
    low, high = make_side(90, 5), make_side(99, 6)
    assert is_hit(rule, make_side(95), low, high)
    assert not is_hit(rule, make_side(95), low)
    for amount in (89, 100):
        assert not is_hit(rule, make_side(amount), low, high)
        assert not is_hit(rule, make_side(95), low, make_side(amount, 7))
    assert not is_hit(rule, make_side(95), low, make_side(99, HOUR_MS))


@pytest.mark.parametrize(("kind", "direction"), [("fan_out", OUT), ("fan_in", IN)])
def test_fans_count_who_is_on_the_other_side(kind: str, direction: Direction) -> None:
    rule = f'kind = "{kind}"\ncounterparties = 3\nwindow_minutes = 60'
    other = IN if direction is OUT else OUT

    def pay(party: bytes, ago: int = 0) -> Side:
        return make_side(1, ago, direction, party)

    assert is_hit(rule, pay(b"c"), pay(b"a"), pay(b"b"))
    assert not is_hit(rule, pay(b"b"), pay(b"a"), pay(b"b"))
    assert not is_hit(rule, pay(b"c"), pay(b"a"), pay(b"b", HOUR_MS))
    assert is_hit(rule, pay(b""), pay(b""), pay(b"b"))  # of whom the bank knows nothing
    assert not is_hit(rule, make_side(1, 0, other, b"c"), pay(b"a"), pay(b"b"))


@pytest.mark.parametrize(
    ("kind", "listed", "known"),
    [
        (NAMES, "Иван  ГРОЗНЫЙ", "иван грозный"),
        (PHONES, "+7 701 555 01 02", "+77015550102"),
        (ADDRESSES, "SPC1ABC", "spc1abc"),
    ],
)
def test_lists_are_looked_up_in_one_spelling(kind: str, listed: str, known: str) -> None:
    rule = f'kind = "listed"\n{kind} = ["{listed}"]'
    side = make_side(1)
    marked = Side(ANNA, OUT, side.amount, NOW, side.parties, marks=frozenset({"names:x"}))
    assert not is_hit(rule, marked)
    marks = frozenset({spell_known(kind, known)})
    assert is_hit(rule, Side(ANNA, OUT, side.amount, NOW, side.parties, marks=marks))
    hashed = spell_known(kind, known).partition(":")[2]
    rule = f'kind = "listed"\n{kind} = ["sha256:{hashed}"]'
    assert is_hit(rule, Side(ANNA, OUT, side.amount, NOW, side.parties, marks=marks))


def test_a_rule_is_for_its_tiers() -> None:
    text = 'default_tier = "a"\n[[tier]]\nname = "a"\n[[tier]]\nname = "b"\n'
    text += '[[rule]]\nname = "it"\nkind = "threshold"\namount = 1\nconsequence = "refuse"\n'
    policy = parse_policy(text + 'tiers = ["b"]\n')
    assert judge(policy, policy.get_tier("a"), make_side(5), Before()) == ()
    (found,) = judge(policy, policy.get_tier("b"), make_side(5), Before())
    assert found.code is ErrorCode.PAYMENT_REFUSED_BY_POLICY


def test_the_strictest_consequence_wins() -> None:
    text = 'default_tier = "a"\n[[tier]]\nname = "a"\n'
    for word in ("hold", "refuse", "sign"):
        rule = f'[[rule]]\nname = "{word}"\nkind = "threshold"\namount = 1\n'
        text += f'{rule}consequence = "{word}"\n'
    policy = parse_policy(text)
    findings = judge(policy, policy.get_tier("a"), make_side(5), Before())
    assert get_strictest(findings) is Consequence.REFUSE
    assert get_strictest([findings[0], findings[2]]) is Consequence.HOLD
    assert get_strictest([findings[2]]) is Consequence.SIGN
    assert get_strictest([]) is Consequence.SIGN


def test_how_far_back_it_is_looked() -> None:
    def look(limits: str = "", rule: str = "", direction: Direction = OUT) -> int:
        policy, tier = make_policy(rule, limits)
        return compute_lookback_ms(policy, tier, direction)

    assert look("payment = 1, holding = 1") == 0
    assert look("payments_per_hour = 1") == HOUR_MS
    assert look("payments_per_hour = 1, day = 1") == DAY_MS
    assert look("day = 1, month = 1") == MONTH_MS
    assert look("day = 1, month = 1", direction=IN) == 0
    fan = 'kind = "fan_in"\ncounterparties = 2\nwindow_minutes = 90'
    assert look(rule=fan) == 0
    assert look(rule=fan, direction=IN) == 90 * 60_000
    assert isinstance(make_policy(fan)[0].rules[0], Rule)
