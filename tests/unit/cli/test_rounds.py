"""Rounds of a workload: what runs side by side is independent, and nobody is overtaken."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from specie.cli.running import ROUND_ORDERS_MAX, split_rounds
from specie.values.amounts import Minor
from specie.workload.kinds import OrderKind
from specie.workload.orders import WorkloadOrder
from specie.workload.population import ClientIndex

CLIENTS = st.integers(0, 200).map(ClientIndex)


@st.composite
def orders(draw: st.DrawFn) -> WorkloadOrder:
    """Any order; between a client's tokens and deposit there is no payee."""
    kind = draw(st.sampled_from(OrderKind))
    is_between_clients = kind in {OrderKind.PURCHASE, OrderKind.TRANSFER}
    payee = draw(CLIENTS) if is_between_clients else None
    return WorkloadOrder(kind, 0, draw(CLIENTS), payee, Minor(1))


@given(st.lists(orders(), max_size=300))
def test_rounds_keep_the_order_and_are_independent(day: list[WorkloadOrder]) -> None:
    rounds = list(split_rounds(day))
    assert list(chain.from_iterable(rounds)) == day
    assert all(1 <= len(round_) <= ROUND_ORDERS_MAX for round_ in rounds)
    for round_ in rounds:
        payers: set[int] = set()
        payees: set[int] = set()
        for order in round_:
            assert order.payer not in payers | payees
            payee = order.payer if order.kind is OrderKind.WITHDRAW else order.payee
            assert payee is None or payee not in payers
            payers.add(order.payer)
            payees |= set() if payee is None else {payee}


def build(kind: OrderKind, payer: int, payee: int | None = None) -> WorkloadOrder:
    other = None if payee is None else ClientIndex(payee)
    return WorkloadOrder(kind, 0, ClientIndex(payer), other, Minor(1))


def test_independent_orders_run_together() -> None:
    day = [build(OrderKind.TRANSFER, place, 1_000) for place in range(ROUND_ORDERS_MAX + 1)]
    assert [len(round_) for round_ in split_rounds(day)] == [ROUND_ORDERS_MAX, 1]


def test_who_was_paid_pays_in_the_next_round() -> None:
    day = [build(OrderKind.TRANSFER, 1, 2), build(OrderKind.PURCHASE, 2, 3)]
    assert [len(round_) for round_ in split_rounds(day)] == [1, 1]


def test_nothing_to_do_has_no_rounds() -> None:
    assert list(split_rounds([])) == []
