"""A policy is read strictly, and says by its key what is wrong (X9)."""

import hashlib

import pytest

from specie.policy import builtin
from specie.policy.policies import Consequence, Direction, RuleKind, parse_policy
from specie.policy.spellings import NAMES, spell_known
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import AMOUNT_MAX, POLICY_BYTES_MAX, POLICY_RULES_MAX, POLICY_TIERS_MAX
from tests.country import refused

WHOLE = """
name = "Bank of the North"
default_tier = "basic"

[cases]
two_people_from = 500
release_minutes = 60

[[tier]]
name = "basic"
requires = ["name", "phone"]
limits = { payment = 10, day = 20, month = 30, holding = 40, payments_per_hour = 5 }

[[tier]]
name = "free"

[[rule]]
name = "large"
kind = "threshold"
amount = 100
direction = "out"
tiers = ["free"]
consequence = "hold"

[[rule]]
name = "often"
kind = "velocity"
payments = 5
window_minutes = 10
consequence = "sign"

[[rule]]
name = "split"
kind = "structuring"
amount = 100
margin = 10
payments = 3
window_minutes = 1440
consequence = "refuse"

[[rule]]
name = "out"
kind = "fan_out"
counterparties = 4
window_minutes = 60
consequence = "hold"

[[rule]]
name = "in"
kind = "fan_in"
counterparties = 4
window_minutes = 60
consequence = "hold"

[[rule]]
name = "wanted"
kind = "listed"
names = ["Ivan  The Terrible", "sha256:HASH"]
phones = ["+7 701 555 01 02"]
addresses = ["spc1qqq"]
consequence = "refuse"
""".replace("HASH", hashlib.sha256(b"somebody else").hexdigest())


def test_the_whole_format() -> None:
    policy = parse_policy(WHOLE)
    assert (policy.name, policy.default_tier) == ("Bank of the North", "basic")
    assert (policy.two_people_from, policy.release_ms) == (500, 3_600_000)
    basic, free = policy.get_tier("basic"), policy.get_tier("free")
    assert (basic.payment, basic.day, basic.month, basic.holding) == (10, 20, 30, 40)
    assert (basic.payments_per_hour, basic.requires) == (5, ("name", "phone"))
    assert (free.payment, free.day, free.month, free.holding, free.payments_per_hour) == (
        (None,) * 5
    )
    rules = {one.name: one for one in policy.rules}
    assert [one.kind for one in policy.rules] == [
        RuleKind.THRESHOLD,
        RuleKind.VELOCITY,
        RuleKind.STRUCTURING,
        RuleKind.FAN_OUT,
        RuleKind.FAN_IN,
        RuleKind.LISTED,
    ]
    assert rules["large"].directions == {Direction.OUT} and rules["large"].tiers == {"free"}
    assert rules["often"].directions == set(Direction) and not rules["often"].tiers
    assert rules["in"].directions == {Direction.IN}
    assert rules["split"].consequence is Consequence.REFUSE
    assert spell_known(NAMES, "ivan the TERRIBLE") in rules["wanted"].listed
    assert spell_known(NAMES, "Somebody Else") in rules["wanted"].listed
    assert len(rules["wanted"].listed) == 4


def test_the_built_in_one_is_one() -> None:
    policy = parse_policy(builtin.TEXT)
    assert set(policy.tiers) == {"basic", "person", "business"}
    assert policy.get_tier("person").payment is not None


def test_an_unknown_tier_names_those_that_there_are() -> None:
    with pytest.raises(SpecieError, match="basic, free") as caught:
        parse_policy(WHOLE).get_tier("gold")
    assert caught.value.code is ErrorCode.TIER_UNKNOWN


WRONG = {
    "misspelled limit": ("payment = 10", "paymant = 10", "tier[1].limits.paymant: no such key"),
    "helpful": ("payment = 10", "paymant = 10", "did you mean payment?"),
    "float": ("day = 20", "day = 20.5", "tier[1].limits.day: a whole number"),
    "text": ("day = 20", 'day = "20"', "tier[1].limits.day: a whole number"),
    "truth": ("day = 20", "day = true", "tier[1].limits.day: a whole number"),
    "negative": ("day = 20", "day = -1", "tier[1].limits.day: a whole number"),
    "too much": ("day = 20", f"day = {AMOUNT_MAX + 1}", "tier[1].limits.day: a whole number"),
    "default": ('default_tier = "basic"', 'default_tier = "gold"', "default_tier: no [[tier]]"),
    "no default": ('default_tier = "basic"', "", "default_tier: missing"),
    "twice": ('name = "free"', 'name = "basic"', "tier.name: basic is there twice"),
    "kind": ('"threshold"', '"treshold"', "rule[1].kind: one of threshold, velocity"),
    "consequence": (
        'consequence = "sign"',
        'consequence = "warn"',
        "rule[2].consequence: one of sign, hold, refuse",
    ),
    "no consequence": ('consequence = "sign"', "", "rule[2].consequence: missing"),
    "of another kind": ("payments = 5", "payments = 5\namount = 3", "rule[2].amount: no such key"),
    "tier of a rule": ('tiers = ["free"]', 'tiers = ["gold"]', "rule[1].tiers: no [[tier]]"),
    "margin": ("margin = 10", "margin = 101", "rule[3].margin: a whole number, 1 to 100"),
    "window": ("window_minutes = 1440", "window_minutes = 0", "rule[3].window_minutes"),
    "phone": ("+7 701 555 01 02", "701 555", "rule[6].phones: a number with its country"),
    "hash": ("sha256:", "sha256:zz", "rule[6].names: sha256: and 64 hexadecimal digits"),
    "data": ('"phone"]', '"Phone number"]', "tier[1].requires: names of data"),
    "travel": ("[[tier]]", "[travel_rule]\nfrom = 0\n[[tier]]", "travel_rule.from"),
    "table": ("[cases]", "[case]", "case: no such key"),
    "rule without a list": ('addresses = ["spc1qqq"]', "addresses = 5", "rule[6].addresses"),
    "name": ('name = "often"', 'name = "Often!"', "rule[2].name: a small letter"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_by_its_key(what: str) -> None:
    before, after, said = WRONG[what]
    assert before in WHOLE
    with pytest.raises(SpecieError) as caught:
        parse_policy(WHOLE.replace(before, after, 1))
    assert caught.value.code is ErrorCode.POLICY_INVALID
    assert said in caught.value.message


def test_one_error_names_all_that_is_wrong() -> None:
    text = WHOLE.replace("day = 20", "day = -1").replace("payments = 3", "payments = 1")
    with pytest.raises(SpecieError) as caught:
        parse_policy(text)
    assert "tier[1].limits.day" in caught.value.message
    assert "rule[3].payments" in caught.value.message


def test_what_is_no_policy_at_all() -> None:
    deep = "a=" + "[" * 100_000
    for text in ("", "[[", "tier = 3", deep, "x" * (POLICY_BYTES_MAX + 1), "name = '\udc80'"):
        with pytest.raises(SpecieError) as caught:
            parse_policy(text)
        assert caught.value.code in (ErrorCode.POLICY_INVALID, ErrorCode.TEXT_INVALID)


def test_as_many_tiers_and_rules_as_the_limits_say() -> None:
    head = 'default_tier = "t0"\n'
    rule = '[[rule]]\nname = "r{}"\nkind = "threshold"\namount = 1\nconsequence = "sign"\n'

    def write(tiers: int, rules: int) -> str:
        text = "".join(f'[[tier]]\nname = "t{number}"\n' for number in range(tiers))
        return head + text + "".join(rule.format(number) for number in range(rules))

    parse_policy(write(POLICY_TIERS_MAX, POLICY_RULES_MAX))
    for tiers, rules in ((POLICY_TIERS_MAX + 1, 1), (1, POLICY_RULES_MAX + 1), (0, 0)):
        with refused(ErrorCode.POLICY_INVALID):
            parse_policy(write(tiers, rules))


def test_from_where_on_banks_tell_who_pays() -> None:  # T20
    assert parse_policy(WHOLE).travel_from is None, "what is not there is not asked for"
    told = WHOLE.replace("[[tier]]", "[travel_rule]\nfrom = 7\n[[tier]]", 1)
    assert parse_policy(told).travel_from == 7
