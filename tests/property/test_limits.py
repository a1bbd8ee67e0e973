"""For any history, no accepted set of payments exceeds a limit; a rehearsal agrees (T20, X9)."""

from hypothesis import given
from hypothesis import strategies as st

from specie.policy.checks import Before, Side, judge
from specie.policy.policies import HOUR_MS, MONTH_MS, Direction, Policy, Tier
from specie.policy.rehearsing import PastPayment, rehearse
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, TransactionId
from specie.values.times import DAY_MS, Timestamp

ANNA = ClientId("anna")
AMOUNTS = st.integers(1, 60)
LIMITS = st.none() | st.integers(0, 150).map(Minor)
STEPS = st.one_of(
    st.integers(0, HOUR_MS), st.sampled_from([HOUR_MS, DAY_MS - 1, DAY_MS, 10 * DAY_MS, MONTH_MS])
)
EVENTS = st.lists(st.tuples(st.sampled_from(Direction), AMOUNTS, STEPS, st.booleans()), max_size=25)


@st.composite
def tiers(draw: st.DrawFn) -> Tier:
    """Any limits."""
    payment, day, month, holding = (draw(LIMITS) for _ in range(4))
    per_hour = draw(st.none() | st.integers(0, 4))
    return Tier("one", (), payment, day, month, holding, per_hour)


def make_sides(events: list[tuple[Direction, int, int, bool]]) -> list[Side]:
    """One after the other, so many milliseconds apart."""
    now, sides = 2 * MONTH_MS, []
    for direction, amount, step, is_own_bank in events:
        now += step
        side = Side(ANNA, direction, Minor(amount), Timestamp(now), (b"b",), is_own_bank)
        sides.append(side)
    return sides


def play(tier: Tier, sides: list[Side]) -> list[Side]:
    """Those that are accepted."""
    policy = Policy("p", "one", Minor(0), 1, {"one": tier}, ())
    accepted: list[Side] = []
    for side in sides:
        before = Before(accepted, Minor(max(0, count_holding(accepted))))
        if not judge(policy, tier, side, before):
            accepted.append(side)
    return accepted


def count_holding(sides: list[Side]) -> int:
    return sum(one.amount if one.direction is Direction.IN else -one.amount for one in sides)


def is_paid(side: Side) -> bool:
    return side.direction is Direction.OUT and not side.is_own_bank


@given(tiers(), EVENTS)
def test_no_window_ever_holds_more_than_its_limit(
    tier: Tier, events: list[tuple[Direction, int, int, bool]]
) -> None:
    """Every window that ends with an accepted payment, counted here anew."""
    accepted = play(tier, make_sides(events))
    paid = [one for one in accepted if is_paid(one)]
    for last in paid:
        assert tier.payment is None or last.amount <= tier.payment
        until = [one for one in paid if one.time <= last.time]
        for limit, window_ms in ((tier.day, DAY_MS), (tier.month, MONTH_MS)):
            inside = sum(one.amount for one in until if last.time - one.time < window_ms)
            assert limit is None or inside <= limit
        often = sum(1 for one in until if last.time - one.time < HOUR_MS)
        assert tier.payments_per_hour is None or often <= tier.payments_per_hour
    for place, one in enumerate(accepted):
        if one.direction is Direction.IN and tier.holding is not None:
            assert max(0, count_holding(accepted[:place])) + one.amount <= tier.holding


@given(tiers(), EVENTS)
def test_what_is_refused_would_have_exceeded_a_limit(
    tier: Tier, events: list[tuple[Direction, int, int, bool]]
) -> None:
    """Nothing is refused for nothing: where there is room, it passes."""
    sides = make_sides(events)
    accepted = play(tier, sides)
    if tier == Tier("one"):
        assert accepted == sides
    small = Side(ANNA, Direction.OUT, Minor(1), Timestamp(9 * MONTH_MS + 2**40))
    limits = (tier.payment, tier.day, tier.month, tier.payments_per_hour)
    has_room = all(one is None or one >= 1 for one in limits)
    assert (play(tier, [*sides, small])[-1:] == [small]) is has_room


@given(tiers(), EVENTS)
def test_a_rehearsal_stops_what_the_policy_would_have_stopped(
    tier: Tier, events: list[tuple[Direction, int, int, bool]]
) -> None:
    sides = make_sides(events)
    accepted = play(tier, sides)
    policy = Policy("p", "one", Minor(0), 1, {"one": tier}, ())
    past = [PastPayment(TransactionId(bytes(32)), (one,)) for one in sides]
    found = rehearse(policy, {}, past)
    assert found.judged.payments == len(sides)
    assert found.refused.payments == len(sides) - len(accepted)
