"""Orders: reproducible, in order, feasible, streamed; and settings out of range are refused."""

import hashlib
import tracemalloc
from collections import Counter
from itertools import pairwise
from random import Random
from types import GeneratorType

import pytest

from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import (
    DEMO_CLIENTS_MAX,
    DEMO_PAYMENTS_MAX,
    SUPPLY_CHANGE_MAX,
)
from specie.workload.builtin import build_builtin_profile
from specie.workload.kinds import Action, OrderKind
from specie.workload.limits import ORDER_AMOUNT_MAX
from specie.workload.orders import (
    StartingBalance,
    WorkloadPlan,
    build_distribution,
    compute_starting_balances,
    generate_orders,
)
from specie.workload.population import ClientIndex, Weights, build_population, draw_balances
from specie.workload.profile import Profile, parse_profile
from tests.unit.workload.samples import build_folder, replay

BUILTIN = build_builtin_profile()
SMALL = parse_profile(build_folder())


def assert_feasible(plan: WorkloadPlan) -> None:
    starting = compute_starting_balances(plan)
    assert len(starting) == plan.clients
    assert all(start.deposit >= start.tokens for start in starting)
    deposits, tokens = replay(plan, starting, build_distribution(starting))
    assert tokens == [start.tokens for start in starting]
    assert all(left >= 0 for left in deposits)
    replay(plan, starting, [*build_distribution(starting), *generate_orders(plan)])


@pytest.mark.parametrize("profile", [BUILTIN, SMALL], ids=["builtin", "small"])
@pytest.mark.parametrize(
    ("clients", "payments"), [(3, 0), (3, 1), (3, 500), (40, 1), (200, 2_000), (5_000, 5_000)]
)
def test_every_order_is_feasible(profile: Profile, clients: int, payments: int) -> None:  # T26
    for seed in range(3):
        assert_feasible(WorkloadPlan(profile, clients, payments, seed))


def test_exactly_as_many_orders_as_asked_hour_by_hour() -> None:
    orders = list(generate_orders(WorkloadPlan(SMALL, 50, 1_234, 5)))
    assert len(orders) == 1_234
    assert [order.hour for order in orders] == sorted(order.hour for order in orders)
    assert {order.hour for order in orders} == {8, 12, 20}


def test_kinds_of_an_hour_are_mixed() -> None:
    orders = [o for o in generate_orders(WorkloadPlan(SMALL, 50, 2_000, 5)) if o.hour == 12]
    changes = sum(a.kind is not b.kind for a, b in pairwise(orders))
    assert changes > len(orders) / 4


def test_same_seed_same_orders_other_seed_others() -> None:  # T26
    plan = WorkloadPlan(BUILTIN, 100, 1_000, 7)
    again = WorkloadPlan(build_builtin_profile(), 100, 1_000, 7)
    assert list(generate_orders(plan)) == list(generate_orders(again))
    assert compute_starting_balances(plan) == compute_starting_balances(again)
    others = [WorkloadPlan(BUILTIN, 100, 1_000, seed) for seed in (8, -7, 0)]
    for other in others:
        assert list(generate_orders(other)) != list(generate_orders(plan))
        assert compute_starting_balances(other) != compute_starting_balances(plan)


def test_orders_of_a_seed_never_change() -> None:
    """Golden: figures measured on a workload stay comparable from version to version."""
    orders = generate_orders(WorkloadPlan(BUILTIN, 100, 1_000, 1))
    lines = (f"{o.kind} {o.hour} {o.payer} {o.payee} {o.amount}\n" for o in orders)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert digest == "ca52b2af6310cf886193d5808d28a20028024e9bd660e77867f25550d22e465f"


def test_two_streams_do_not_disturb_each_other() -> None:
    plan = WorkloadPlan(BUILTIN, 60, 300, 3)
    one, two = generate_orders(plan), generate_orders(plan)
    woven = [(next(one), next(two)) for _ in range(300)]
    assert all(a == b for a, b in woven)


def test_starting_deposits_are_the_distribution_unless_the_day_takes_more() -> None:
    plan = WorkloadPlan(BUILTIN, 2_000, 4_000, 9)
    drawn = draw_balances(BUILTIN.balances, plan.clients, 100, Random("specie/workload/balances/9"))
    starting = compute_starting_balances(plan)
    pairs = list(zip(starting, drawn, strict=True))
    assert all(start.deposit >= balance for start, balance in pairs)
    assert sum(start.deposit == balance for start, balance in pairs) > 0.9 * plan.clients
    richest = max(r.end for r in BUILTIN.balances) * 100
    assert max(drawn) <= richest
    middle = sum(5_000 <= balance < 25_000 for balance in drawn) / plan.clients
    assert middle == pytest.approx(0.3, abs=0.04)


def test_starting_balances_of_nothing_to_do_are_the_distribution() -> None:
    starting = compute_starting_balances(WorkloadPlan(SMALL, 500, 0, 2))
    assert all(start.tokens == 0 for start in starting)
    assert sum(start.deposit <= 9_900 for start in starting) / 500 == pytest.approx(0.7, abs=0.1)


def test_no_starting_balance_holds_more_tokens_than_the_orders_take() -> None:
    """Tight: with one minor unit less for one client, one of the orders fails."""
    plan = WorkloadPlan(SMALL, 30, 600, 4)
    starting = compute_starting_balances(plan)
    orders = list(generate_orders(plan))
    for index, start in enumerate(starting):
        if start.tokens:
            less = list(starting)
            less[index] = StartingBalance(start.deposit, Minor(start.tokens - 1))
            with pytest.raises(AssertionError):
                replay(plan, less, [*build_distribution(less), *orders])


def test_tokens_circulate() -> None:
    """What is received is spent again: clients start with less than half of what tokens pay."""
    plan = WorkloadPlan(BUILTIN, 200, 4_000, 6)
    opened = sum(start.tokens for start in compute_starting_balances(plan))
    paid = sum(o.amount for o in generate_orders(plan) if o.kind is not OrderKind.WITHDRAW)
    assert opened < paid / 2


def test_busy_clients_pay_more_often_than_others() -> None:
    """Two fifths of the people make 40 to 50 payments, the others one or two."""
    plan = WorkloadPlan(SMALL, 500, 20_000, 3)
    purchases = Counter(
        order.payer for order in generate_orders(plan) if order.kind is OrderKind.PURCHASE
    )
    busiest = sum(count for _, count in purchases.most_common(plan.clients * 2 // 5))
    assert busiest / purchases.total() > 0.9


def test_shops_are_the_last_clients_and_some_are_visited_more() -> None:
    plan = WorkloadPlan(BUILTIN, 400, 8_000, 3)
    assert plan.shops == range(380, 400)
    visits = Counter(
        order.payee for order in generate_orders(plan) if order.kind is OrderKind.PURCHASE
    )
    assert visits.keys() <= set(plan.shops)
    assert visits[ClientIndex(380)] > 5 * visits[ClientIndex(399)] > 0


def test_amounts_keep_to_minor_units_and_the_cap() -> None:
    plan = WorkloadPlan(SMALL, 50, 3_000, 3, decimals=0, amount_max=60)
    amounts = [order.amount for order in generate_orders(plan)]
    assert min(amounts) >= 1
    assert max(amounts) == 60
    assert_feasible(plan)


def test_tiny_amounts_are_at_least_one_minor_unit() -> None:
    files = build_folder()
    name = "aggregatedTransactions.csv"
    files[name] = files[name].replace("500,6125.0,12.25,12.0", "500,5e-7,1e-9,0")
    plan = WorkloadPlan(parse_profile(files), 50, 2_000, 1)
    at_noon = [o for o in generate_orders(plan) if o.hour == 12 and o.kind is OrderKind.PURCHASE]
    assert {order.amount for order in at_noon} == {1}


def test_orders_are_streamed() -> None:  # T26
    """Ten times the orders take no more memory: nothing but running balances is kept."""
    assert isinstance(generate_orders(WorkloadPlan(BUILTIN, 3, 1, 1)), GeneratorType)
    peaks = []
    for payments in (2_000, 20_000):
        plan = WorkloadPlan(BUILTIN, 500, payments, 1)
        tracemalloc.start()
        for _ in generate_orders(plan):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 2_000_000


@pytest.mark.parametrize(
    ("clients", "payments", "decimals", "amount_max", "name"),
    [
        (2, 1, 2, 100, "clients"),
        (DEMO_CLIENTS_MAX + 1, 1, 2, 100, "clients"),
        (True, 1, 2, 100, "clients"),
        (3, -1, 2, 100, "payments"),
        (3, DEMO_PAYMENTS_MAX + 1, 2, 100, "payments"),
        (3, 1, -1, 100, "decimals"),
        (3, 1, 9, 100, "decimals"),
        (3, 1, 2, 0, "amount_max"),
        (3, 1, 2, ORDER_AMOUNT_MAX + 1, "amount_max"),
    ],
)
def test_settings_out_of_range_are_refused(
    clients: int, payments: int, decimals: int, amount_max: int, name: str
) -> None:
    with pytest.raises(SpecieError, match=f"{name} is not within") as caught:
        WorkloadPlan(BUILTIN, clients, payments, 1, decimals, amount_max)
    assert caught.value.code is ErrorCode.SETTING_INVALID


def test_the_largest_workload_fits_the_supply() -> None:
    assert (DEMO_PAYMENTS_MAX + DEMO_CLIENTS_MAX) * ORDER_AMOUNT_MAX <= SUPPLY_CHANGE_MAX


def test_drawing_another_client_never_draws_the_same_and_keeps_the_proportions() -> None:
    weights = Weights(10, (1, 4, 5, 15))  # 1, 3, 1, 10
    random = Random(1)
    for client, others in ((10, {11: 3, 12: 1, 13: 10}), (13, {10: 1, 11: 3, 12: 1})):
        drawn = Counter(weights.draw_other(random, ClientIndex(client)) for _ in range(6_000))
        assert drawn.keys() == others.keys()
        for other, weight in others.items():
            share = drawn[ClientIndex(other)] / 6_000
            assert share == pytest.approx(weight / sum(others.values()), abs=0.03)


def test_weights_keep_to_the_most_occurrences() -> None:
    population = build_population(SMALL, 1_000, Random(2))
    cumulative = population.payers[Action.PAYMENT].cumulative
    weights = [b - a for a, b in zip((0, *cumulative), cumulative, strict=False)]
    assert max(weights) == 50  # the band says 60, the sheet of occurrences 50
    assert min(weights) == 1
