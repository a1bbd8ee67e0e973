"""A dry run finds what the policy would have stopped, and for whom (X9)."""

from specie.policy.checks import Side
from specie.policy.policies import MONTH_MS, Consequence, Direction, parse_policy
from specie.policy.rehearsing import PastPayment, rehearse
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, TransactionId
from specie.values.times import DAY_MS, Timestamp

ANNA, BORIS = ClientId("anna"), ClientId("boris")
POLICY = parse_policy("""
default_tier = "one"
[[tier]]
name = "one"
limits = { day = 100, holding = 150 }
[[tier]]
name = "free"
[[rule]]
name = "large"
kind = "threshold"
amount = 90
direction = "out"
consequence = "hold"
""")


def pay(
    amount: int, day: int = 0, payer: ClientId = ANNA, payee: ClientId | None = None
) -> PastPayment:
    """From a client of ours to somebody elsewhere or, if named, to another of ours."""
    time = Timestamp(MONTH_MS + day * DAY_MS)
    sides = [Side(payer, Direction.OUT, Minor(amount), time, (b"x",))]
    if payee is not None:
        sides.append(Side(payee, Direction.IN, Minor(amount), time, (b"a",)))
    return PastPayment(TransactionId(bytes(32)), tuple(sides))


def test_what_is_refused_does_not_count_and_what_is_held_does() -> None:
    found = rehearse(POLICY, {}, [pay(60), pay(60), pay(40), pay(1), pay(95, day=2), pay(6, day=2)])
    assert (found.judged.payments, found.judged.amount) == (6, 262)
    assert (found.refused.payments, found.refused.amount) == (3, 67)
    assert (found.held.payments, found.held.amount, found.held.clients) == (1, 95, {ANNA})
    rows = {key: tally.payments for key, tally in found.rows.items()}
    assert rows == {
        ("one", "limit:day", Consequence.REFUSE): 3,
        ("one", "large", Consequence.HOLD): 1,
    }


def test_one_refused_side_refuses_the_payment() -> None:
    past = [pay(100, payee=BORIS), pay(60, day=2, payee=BORIS), pay(100, day=2)]
    found = rehearse(POLICY, {}, past)
    assert found.rows["one", "limit:holding", Consequence.REFUSE].clients == {BORIS}
    assert found.rows["one", "limit:holding", Consequence.REFUSE].amount == 60
    assert found.refused.clients == {ANNA, BORIS}
    assert ("one", "limit:day", Consequence.REFUSE) not in found.rows


def test_clients_are_in_their_tiers_and_money_paid_is_no_longer_held() -> None:
    past = [pay(120, payer=BORIS, payee=ANNA), pay(60, payee=BORIS), pay(90, payee=BORIS)]
    found = rehearse(POLICY, {BORIS: "free"}, past)
    assert found.rows["one", "limit:day", Consequence.REFUSE].payments == 1
    assert {tier for tier, _, _ in found.rows} == {"one", "free"}
    assert rehearse(POLICY, {}, []).judged.payments == 0
