"""What a workload looks like in figures, and what its profile asks for, in one form (T26)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from specie.workload.kinds import KIND_OF_ACTION, OrderKind
from specie.workload.orders import WorkloadOrder, WorkloadPlan
from specie.workload.profile import HOURS, NO_PAYMENTS, AmountStatistics, iterate_cells, pool

_EMPTY: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Summary:
    """Shares of kinds and hours (each adds up to 1) and amounts by kind, in minor units."""

    count: int
    kind_shares: Mapping[OrderKind, float]
    hour_shares: tuple[float, ...]
    amounts: Mapping[OrderKind, AmountStatistics]


@dataclass(frozen=True, slots=True)
class Deviations:
    """The largest differences between two summaries.

    Shares differ absolutely. A mean differs in standard errors of a mean of as many amounts.
    """

    kind_share: float
    hour_share: float
    amount_standard_errors: float


def summarise(orders: Iterable[WorkloadOrder]) -> Summary:
    """Count a stream of orders through, in one pass and exact integers."""
    hours = [0] * HOURS
    sums: dict[OrderKind, tuple[int, int, int]] = {}
    for order in orders:
        hours[order.hour] += 1
        count, total, squares = sums.get(order.kind, _EMPTY)
        sums[order.kind] = (count + 1, total + order.amount, squares + order.amount**2)
    return _build_summary(hours, {kind: _compute_statistics(*sums[kind]) for kind in sums})


def compute_expected_summary(plan: WorkloadPlan) -> Summary:
    """What the orders of a plan should look like, from its profile; the cap is not considered."""
    hours = [0] * HOURS
    amounts: dict[OrderKind, AmountStatistics] = {}
    factor = 10**plan.decimals
    for action, hour, cell in iterate_cells(plan.profile):
        kind = KIND_OF_ACTION[action]
        hours[hour] += cell.count
        minor = AmountStatistics(cell.count, cell.mean * factor, cell.std * factor)
        amounts[kind] = pool(amounts.get(kind, NO_PAYMENTS), minor)
    return _build_summary(hours, amounts)


def compare(found: Summary, expected: Summary) -> Deviations:
    """How far what was found is from what was expected."""
    kinds = expected.kind_shares.keys() | found.kind_shares.keys()
    hours = zip(found.hour_shares, expected.hour_shares, strict=True)
    return Deviations(
        max(
            abs(found.kind_shares.get(kind, 0.0) - expected.kind_shares.get(kind, 0.0))
            for kind in kinds
        ),
        max(abs(one - other) for one, other in hours),
        max(
            (
                _compute_standard_errors(found.amounts[kind], expected.amounts[kind])
                for kind in found.amounts.keys() & expected.amounts.keys()
            ),
            default=0.0,
        ),
    )


def _build_summary(hours: list[int], amounts: dict[OrderKind, AmountStatistics]) -> Summary:
    count = sum(hours)
    total = max(1, count)
    return Summary(
        count,
        {kind: statistics.count / total for kind, statistics in amounts.items()},
        tuple(hour / total for hour in hours),
        amounts,
    )


def _compute_statistics(count: int, total: int, squares: int) -> AmountStatistics:
    variance = (count * squares - total**2) / count**2
    return AmountStatistics(count, total / count, math.sqrt(variance))


def _compute_standard_errors(found: AmountStatistics, expected: AmountStatistics) -> float:
    """A rounding of half a minor unit is no difference, also where amounts do not vary at all."""
    error = max(expected.std / math.sqrt(max(1, found.count)), 0.5)
    return abs(found.mean - expected.mean) / error
