"""A simulated day of payments, drawn from a profile, streamed, and always feasible (T26).

How many orders of each kind fall into each hour is the profile's proportion, rounded up or down by
one draw for all (systematic sampling: every kind's and hour's total is off by less than a few).
Amounts are log-normal with the mean and standard deviation of their kind and hour.

**Feasibility.** In real statistics the payments do not carry themselves: salaries arrive from
outside, tokens left over from earlier days are spent. Clipping amounts or inserting withdrawals
would bend the very figures that are to be reproduced, so the day is carried by what clients hold
when it begins. The same draws are walked twice: `compute_starting_balances` keeps every client's
holdings and notes what was short; `generate_orders` then yields the orders. Neither keeps a list.
A client begins with the balance drawn from the distribution, or with what the day takes if that
is more, on the deposit account; and withdraws `StartingBalance.tokens` of it before the first order
(`build_distribution`). From there each order succeeds if those before it did. Of a few payers
drawn for an order the first who can pay from what he holds pays, so that money circulates.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import DEMO_CLIENTS_MAX, DEMO_PAYMENTS_MAX
from specie.workload.kinds import KIND_OF_ACTION, Action, OrderKind
from specie.workload.limits import CLIENTS_MIN, DECIMALS_MAX, ORDER_AMOUNT_MAX
from specie.workload.population import (
    ClientIndex,
    Population,
    build_population,
    count_shops,
    draw_balances,
)
from specie.workload.profile import HOURS, AmountStatistics, Profile, iterate_cells

PAYER_DRAWS: Final = 4  # payers drawn for an order before the last one starts with more


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """What fixes a workload entirely. `decimals`: of the minor unit, for the profile's amounts."""

    profile: Profile
    clients: int
    payments: int
    seed: int
    decimals: int = 2
    amount_max: int = ORDER_AMOUNT_MAX

    def __post_init__(self) -> None:
        _check_setting("clients", self.clients, CLIENTS_MIN, DEMO_CLIENTS_MAX)
        _check_setting("payments", self.payments, 0, DEMO_PAYMENTS_MAX)
        _check_setting("decimals", self.decimals, 0, DECIMALS_MAX)
        _check_setting("amount_max", self.amount_max, 1, ORDER_AMOUNT_MAX)

    @property
    def shops(self) -> range:
        """Which clients are shops: the last ones."""
        return range(self.clients - count_shops(self.clients), self.clients)


@dataclass(frozen=True, slots=True)
class WorkloadOrder:
    """One business intent. Between tokens and deposit money of one client there is no payee."""

    kind: OrderKind
    hour: int
    payer: ClientIndex
    payee: ClientIndex | None
    amount: Minor


@dataclass(frozen=True, slots=True)
class StartingBalance:
    """What a client begins with: deposit money, and how much of it to withdraw as tokens first."""

    deposit: Minor
    tokens: Minor


def compute_starting_balances(plan: WorkloadPlan) -> tuple[StartingBalance, ...]:
    """Of every client, by index; starting with them, all orders of the plan are feasible."""
    holdings = _open_holdings(plan)
    for _ in _walk(plan, holdings):
        pass
    return holdings.compute_starting_balances()


def build_distribution(starting: Sequence[StartingBalance]) -> Iterator[WorkloadOrder]:
    """The withdrawals that go before the orders: from the first deposits to the first tokens."""
    for index, start in enumerate(starting):
        if start.tokens:
            client = ClientIndex(index)
            yield WorkloadOrder(OrderKind.WITHDRAW, 0, client, None, start.tokens)


def generate_orders(plan: WorkloadPlan) -> Iterator[WorkloadOrder]:
    """Exactly `plan.payments` orders, hour by hour; the same for the same plan."""
    return _walk(plan, _open_holdings(plan))


class _Holdings:
    """Running balances from zero, and by how much each fell short: that must be there before."""

    __slots__ = ("balances", "deposits", "deposits_short", "tokens", "tokens_short")

    def __init__(self, balances: list[int]) -> None:
        self.balances = balances
        self.deposits = [0] * len(balances)
        self.tokens = [0] * len(balances)
        self.deposits_short = [0] * len(balances)
        self.tokens_short = [0] * len(balances)

    def can_pay(self, kind: OrderKind, client: ClientIndex, amount: Minor) -> bool:
        """Whether it needs no higher starting balance than the balance drawn."""
        held = self.deposits if kind is OrderKind.WITHDRAW else self.tokens
        spare = self.balances[client] - self.tokens_short[client] - self.deposits_short[client]
        return held[client] + max(0, spare) >= amount

    def apply(self, order: WorkloadOrder) -> None:
        """Move the money of one order."""
        if order.kind is OrderKind.WITHDRAW:
            _take(self.deposits, self.deposits_short, order)
            self.tokens[order.payer] += order.amount
            return
        _take(self.tokens, self.tokens_short, order)
        if order.payee is None:
            self.deposits[order.payer] += order.amount
        else:
            self.tokens[order.payee] += order.amount

    def compute_starting_balances(self) -> tuple[StartingBalance, ...]:
        """The balance drawn, or all that fell short if that is more."""
        rows = zip(self.balances, self.tokens_short, self.deposits_short, strict=True)
        return tuple(
            StartingBalance(Minor(max(balance, tokens + deposit)), Minor(tokens))
            for balance, tokens, deposit in rows
        )


@dataclass(frozen=True, slots=True)
class _LogNormal:
    """Amounts in minor units: the logarithm's mean and standard deviation, and the cap."""

    mu: float
    sigma: float
    amount_max: int

    def draw(self, random: Random) -> Minor:
        exponent = min(random.gauss(self.mu, self.sigma), math.log(self.amount_max))
        return Minor(min(self.amount_max, max(1, round(math.exp(exponent)))))


def _walk(plan: WorkloadPlan, holdings: _Holdings) -> Iterator[WorkloadOrder]:
    """Draw the orders and apply each to the holdings. Who and what are separate random streams."""
    population = build_population(plan.profile, plan.clients, _build_random(plan, "population"))
    random = _build_random(plan, "orders")
    for hour, counts in enumerate(_apportion(plan, random)):
        amounts = _build_amounts(plan, hour)
        for action in _mix(counts, random):
            kind = KIND_OF_ACTION[action]
            amount = amounts[action].draw(random)
            payer = _draw_payer(action, amount, population, holdings, random)
            payee = _draw_payee(kind, payer, population, random)
            order = WorkloadOrder(kind, hour, payer, payee, amount)
            holdings.apply(order)
            yield order


def _open_holdings(plan: WorkloadPlan) -> _Holdings:
    random = _build_random(plan, "balances")
    drawn = draw_balances(plan.profile.balances, plan.clients, 10**plan.decimals, random)
    return _Holdings([min(balance, plan.amount_max) for balance in drawn])


def _build_random(plan: WorkloadPlan, stream: str) -> Random:
    return Random(f"specie/workload/{stream}/{plan.seed}")


def _apportion(plan: WorkloadPlan, random: Random) -> list[dict[Action, int]]:
    """Orders by hour and kind. All cells lie end to end on a line, on which as many points as
    there are payments are set at equal distances from one random start; a cell gets its points."""
    cells = list(iterate_cells(plan.profile))
    total = sum(statistics.count for _, _, statistics in cells)
    start = random.randrange(total)
    hours: list[dict[Action, int]] = [{} for _ in range(HOURS)]
    passed = 0
    for action, hour, statistics in cells:
        before = (passed * plan.payments + start) // total
        passed += statistics.count
        hours[hour][action] = (passed * plan.payments + start) // total - before
    return hours


def _mix(counts: dict[Action, int], random: Random) -> Iterator[Action]:
    """The kinds of one hour in random order, each as often as counted."""
    left = dict(counts)
    for remaining in range(sum(left.values()), 0, -1):
        point = random.randrange(remaining)
        action = _find_at(left, point)
        left[action] -= 1
        yield action


def _find_at(counts: dict[Action, int], point: int) -> Action:
    for action, count in counts.items():
        if point < count:
            return action
        point -= count
    raise AssertionError("the point lies beyond the counts")


def _build_amounts(plan: WorkloadPlan, hour: int) -> dict[Action, _LogNormal]:
    return {
        kind.action: _build_log_normal(kind.hours[hour], plan)
        for kind in plan.profile.actions
        if kind.hours[hour].count
    }


def _build_log_normal(statistics: AmountStatistics, plan: WorkloadPlan) -> _LogNormal:
    """By moments: a log-normal with mean m and deviation s has sigma² = ln(1 + s²/m²)."""
    variance = math.log1p((statistics.std / statistics.mean) ** 2)
    mean = math.log(statistics.mean) + plan.decimals * math.log(10)
    return _LogNormal(mean - variance / 2, math.sqrt(variance), plan.amount_max)


def _draw_payer(
    action: Action, amount: Minor, population: Population, holdings: _Holdings, random: Random
) -> ClientIndex:
    kind = KIND_OF_ACTION[action]
    payers = population.payers[action]
    payer = payers.draw(random)
    for _ in range(PAYER_DRAWS - 1):
        if holdings.can_pay(kind, payer, amount):
            break
        payer = payers.draw(random)
    return payer


def _draw_payee(
    kind: OrderKind, payer: ClientIndex, population: Population, random: Random
) -> ClientIndex | None:
    if kind is OrderKind.PURCHASE:
        return population.shops.draw(random)
    if kind is OrderKind.TRANSFER:
        return population.payers[Action.TRANSFER].draw_other(random, payer)
    return None


def _take(held: list[int], short: list[int], order: WorkloadOrder) -> None:
    left = held[order.payer] - order.amount
    held[order.payer] = max(0, left)
    short[order.payer] += max(0, -left)


def _check_setting(name: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{name} is not within {low} to {high}")
