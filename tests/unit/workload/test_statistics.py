"""Over many orders, kinds, hours and amounts follow the profile they were drawn from."""

import math

import pytest

from specie.store.profile_folder import read_profile
from specie.values.amounts import Minor
from specie.workload.builtin import build_builtin_profile
from specie.workload.kinds import Action, OrderKind
from specie.workload.orders import (
    WorkloadOrder,
    WorkloadPlan,
    build_distribution,
    compute_starting_balances,
    generate_orders,
)
from specie.workload.population import ClientIndex
from specie.workload.profile import AmountStatistics, Profile, parse_profile
from specie.workload.summary import compare, compute_expected_summary, summarise
from tests.unit.workload.samples import assert_sound, build_folder, get_paysim_folder, replay

PAYMENTS = 50_000
KIND_SHARE_TOLERANCE = 3 / PAYMENTS  # two kinds of action in one of order, each rounded
HOUR_SHARE_TOLERANCE = 6 / PAYMENTS  # five kinds of action in an hour, each rounded
STANDARD_ERRORS_MAX = 4.0


def assert_follows(profile: Profile, clients: int, seed: int) -> None:
    plan = WorkloadPlan(profile, clients, PAYMENTS, seed)
    found, expected = summarise(generate_orders(plan)), compute_expected_summary(plan)
    assert found.count == PAYMENTS
    assert found.kind_shares.keys() == expected.kind_shares.keys()
    deviations = compare(found, expected)
    assert deviations.kind_share <= KIND_SHARE_TOLERANCE
    assert deviations.hour_share <= HOUR_SHARE_TOLERANCE
    assert deviations.amount_standard_errors <= STANDARD_ERRORS_MAX
    for kind, amounts in found.amounts.items():
        assert amounts.mean == pytest.approx(expected.amounts[kind].mean, rel=0.12)
        assert amounts.std == pytest.approx(expected.amounts[kind].std, rel=0.4)  # heavy tails


def test_orders_follow_the_builtin_profile() -> None:  # T26
    assert_follows(build_builtin_profile(), 5_000, seed=1)


def test_orders_follow_a_folder() -> None:  # T26
    assert_follows(parse_profile(build_folder()), 1_000, seed=2)


@pytest.mark.parametrize("seed", [1, 2])
def test_orders_follow_the_real_statistics(seed: int) -> None:  # T26
    assert_follows(read_profile(get_paysim_folder()), 5_000, seed)


def test_orders_of_the_real_statistics_are_feasible() -> None:  # T26
    profile = read_profile(get_paysim_folder())
    for clients, payments in ((3, 200), (200, 1_000), (5_000, 20_000)):
        plan = WorkloadPlan(profile, clients, payments, 3)
        starting = compute_starting_balances(plan)
        replay(plan, starting, [*build_distribution(starting), *generate_orders(plan)])


def test_real_statistics_are_read_whole() -> None:  # T26
    """Totals counted by a separate few lines of script over the same public files."""
    profile = read_profile(get_paysim_folder())
    assert_sound(profile)
    counts = {kind.action: sum(cell.count for cell in kind.hours) for kind in profile.actions}
    assert counts == {
        Action.CASH_IN: 4_916_346,
        Action.CASH_OUT: 8_969_793,
        Action.DEBIT: 112_953,
        Action.PAYMENT: 8_578_837,
        Action.TRANSFER: 1_998_756,
    }
    assert profile.actions[0].hours[19].count == 667_992
    assert [kind.occurrences_max for kind in profile.actions] == [1924, 1400, 106_088, 769, 4341]
    assert len(profile.balances) == 302


@pytest.mark.parametrize("payments", [1, 7, 100, 1_000])
def test_small_workloads_keep_the_proportions_too(payments: int) -> None:
    """No kind is further than one order from its share, however few there are."""
    profile = build_builtin_profile()
    for seed in range(5):
        plan = WorkloadPlan(profile, 20, payments, seed)
        deviations = compare(summarise(generate_orders(plan)), compute_expected_summary(plan))
        assert deviations.kind_share <= 2 / payments


def test_rare_hours_get_their_share_in_the_long_run() -> None:
    """Rounding is fair: a cell of less than one order still comes up in some workloads."""
    profile = build_builtin_profile()
    night = 0
    for seed in range(200):
        orders = generate_orders(WorkloadPlan(profile, 5, 50, seed))
        night += sum(order.hour in {2, 3, 4} for order in orders)
    expected = sum(compute_expected_summary(WorkloadPlan(profile, 5, 50, 0)).hour_shares[2:5])
    assert night / (200 * 50) == pytest.approx(expected, rel=0.35)


def test_amounts_of_an_hour_follow_that_hour() -> None:
    plan = WorkloadPlan(parse_profile(build_folder()), 1_000, PAYMENTS, 4)
    orders = list(generate_orders(plan))
    for hour, mean, std in ((8, 950, 400), (12, 1_225, 1_200), (20, 2_000, 3_000)):
        one_hour = [o for o in orders if o.hour == hour and o.kind is OrderKind.PURCHASE]
        found = summarise(one_hour).amounts[OrderKind.PURCHASE]
        error = std / math.sqrt(found.count)
        assert abs(found.mean - mean) <= STANDARD_ERRORS_MAX * error
        assert found.std == pytest.approx(std, rel=0.15)
    fixed = {o.amount for o in orders if o.hour == 12 and o.kind is OrderKind.WITHDRAW}
    assert fixed == {8_000}  # no deviation there, so one amount


def test_amounts_are_skewed_to_the_right() -> None:
    plan = WorkloadPlan(build_builtin_profile(), 1_000, 20_000, 4)
    amounts = sorted(o.amount for o in generate_orders(plan) if o.kind is OrderKind.PURCHASE)
    assert amounts[len(amounts) // 2] < 0.75 * sum(amounts) / len(amounts)


def test_builtin_profile_is_sound() -> None:
    profile = build_builtin_profile()
    assert_sound(profile)
    assert [kind.action for kind in profile.actions] == list(Action)
    assert sum(cell.count for kind in profile.actions for cell in kind.hours) == 1_000_000
    assert sum(r.share for r in profile.balances) == pytest.approx(1)
    for kind in profile.actions:
        assert sum(band.share for band in kind.activity) == pytest.approx(1)


def test_builtin_profile_has_the_shape_of_retail_payments() -> None:
    expected = compute_expected_summary(WorkloadPlan(build_builtin_profile(), 3, 0, 0))
    assert sum(expected.hour_shares[1:6]) < 0.02  # the night
    assert max(expected.hour_shares) == expected.hour_shares[18]
    purchases, transfers = OrderKind.PURCHASE, OrderKind.TRANSFER
    assert expected.kind_shares[purchases] > 5 * expected.kind_shares[transfers]
    assert expected.amounts[transfers].mean > 3 * expected.amounts[purchases].mean


def test_summary_of_known_orders() -> None:
    one, two = ClientIndex(0), ClientIndex(1)
    orders = [
        WorkloadOrder(OrderKind.WITHDRAW, 8, one, None, Minor(100)),
        WorkloadOrder(OrderKind.WITHDRAW, 8, two, None, Minor(300)),
        WorkloadOrder(OrderKind.TRANSFER, 9, one, two, Minor(50)),
        WorkloadOrder(OrderKind.DEPOSIT, 23, two, None, Minor(7)),
    ]
    summary = summarise(iter(orders))
    assert summary.count == 4
    assert summary.kind_shares[OrderKind.WITHDRAW] == 0.5
    assert summary.hour_shares[8:10] == (0.5, 0.25)
    assert summary.amounts[OrderKind.WITHDRAW] == AmountStatistics(2, 200.0, 100.0)
    assert OrderKind.PURCHASE not in summary.kind_shares


def test_comparing_sees_each_difference() -> None:
    plan = WorkloadPlan(build_builtin_profile(), 100, 5_000, 1)
    expected = compute_expected_summary(plan)
    orders = list(generate_orders(plan))
    fewer = [o for o in orders if o.kind is not OrderKind.TRANSFER]
    assert compare(summarise(fewer), expected).kind_share > 0.04
    earlier = [o for o in orders if o.hour < 12]
    assert compare(summarise(earlier), expected).hour_share > 0.04
    larger = [WorkloadOrder(o.kind, o.hour, o.payer, o.payee, Minor(o.amount * 2)) for o in orders]
    assert compare(summarise(larger), expected).amount_standard_errors > 8


def test_nothing_summarises_to_nothing() -> None:
    summary = summarise(iter(()))
    assert summary.count == 0 and not summary.amounts
    expected = compute_expected_summary(WorkloadPlan(build_builtin_profile(), 3, 0, 0))
    assert compare(summary, expected).amount_standard_errors == 0
