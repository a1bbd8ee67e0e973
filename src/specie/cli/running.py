"""Runs a workload on a network: orders in the profile's order, as many at once as are independent.

A round is a run of orders none of whose payers takes part in another order of the round as a
payer or as a payee; a round's orders run side by side, rounds one after the other. So everybody
can spend what was received in an earlier round, and amounts are always there (workload/orders.py).
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from specie.assembly.network import InProcessNetwork
from specie.bank.service import Bank
from specie.cli.people import (
    Person,
    draw_order,
    fund_bank,
    issue_to_bank,
    lend_to,
    register,
)
from specie.cli.stopping import give_way
from specie.flows.distribution import deposit, withdraw
from specie.flows.payment import complete_payment, pay
from specie.flows.receiving import collect
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import ParticipantNumber
from specie.workload.kinds import OrderKind
from specie.workload.orders import StartingBalance, WorkloadOrder

ROUND_ORDERS_MAX: Final = 64
_PAYEES_MAX: Final = 15  # of one distribution, the 16th output is the change
WORKERS: Final = 4


@dataclass(slots=True, repr=False)
class Town:
    """The clients of a workload, each with a wallet at one of the banks."""

    network: InProcessNetwork
    people: list[Person]
    merges: int = 0
    turnover: int = 0


def open_town(network: InProcessNetwork, starting: Sequence[StartingBalance]) -> Town:
    """Wallets and deposits for everybody, and vaults filled for what they may withdraw."""
    banks = list(network.banks.values())
    people = []
    for place, start in enumerate(starting):
        bank = banks[place % len(banks)]
        person = register(network, f"client {place}", bank)
        if start.deposit:
            lend_to(network, person, start.deposit)
        people.append(person)
        give_way()
    for offset, bank in enumerate(banks):
        total = sum(start.deposit for start in starting[offset :: len(banks)])
        if total:
            fund_bank(network, bank, Minor(total))
            issue_to_bank(network, bank, Minor(total))
    return Town(network, people)


def distribute(town: Town, orders: Iterable[WorkloadOrder]) -> Iterator[int]:
    """First withdrawals, up to 15 clients of a bank at once; yields how many were served."""
    waiting: dict[ParticipantNumber, list[WorkloadOrder]] = {}
    for order in orders:
        number = town.people[order.payer].bank.number
        waiting.setdefault(number, []).append(order)
    for queue in waiting.values():
        for start in range(0, len(queue), _PAYEES_MAX):
            part = queue[start : start + _PAYEES_MAX]
            _withdraw(town, part)
            yield len(part)


def run_orders(town: Town, orders: Iterable[WorkloadOrder]) -> Generator[WorkloadOrder, None, None]:
    """Everything else; yields each order that was carried out. Close it if you stop early."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for round_ in split_rounds(orders):
            for order in pool.map(lambda one: _run_order(town, one), round_):
                town.turnover += order.amount
                yield order
    finally:
        pool.shutdown(cancel_futures=True)


def split_rounds(orders: Iterable[WorkloadOrder]) -> Iterator[list[WorkloadOrder]]:
    """Cut the day where somebody would take part who pays, or is paid, earlier in the round."""
    round_: list[WorkloadOrder] = []
    payers: set[int] = set()
    payees: set[int] = set()
    for order in orders:
        payee = order.payer if order.kind is OrderKind.WITHDRAW else order.payee
        is_bound = order.payer in payers or order.payer in payees or payee in payers
        if round_ and (is_bound or len(round_) >= ROUND_ORDERS_MAX):
            yield round_
            round_, payers, payees = [], set(), set()
        round_.append(order)
        payers.add(order.payer)
        if payee is not None:
            payees.add(payee)
    if round_:
        yield round_


def _run_order(town: Town, order: WorkloadOrder) -> WorkloadOrder:
    network = town.network
    person = town.people[order.payer]
    if order.kind is OrderKind.WITHDRAW:
        _withdraw(town, [order])
        return order
    collect(person.client, person.wallet, person.bank)
    _merge_if_needed(town, person, order.amount)
    if order.payee is None:
        with town.network.vault_locks[person.bank.number]:
            deposit(
                draw_order(network),
                person.client,
                person.wallet,
                order.amount,
                person.bank,
                network,
                network.notary,
            )
        return order
    payee = town.people[order.payee]
    request = PaymentOrder(payee.wallet.keys.address, order.amount, Memo())
    identifier = network.surroundings.identifiers.draw()
    pay(person.wallet, [request], identifier, person.bank, network, network.notary)
    return order


def _withdraw(town: Town, orders: Sequence[WorkloadOrder]) -> None:
    """A vault pays one after the other: its change must be back before it pays again."""
    network = town.network
    people = [town.people[order.payer] for order in orders]
    requests = [
        (person.client, PaymentOrder(person.wallet.keys.address, order.amount, Memo()))
        for person, order in zip(people, orders, strict=True)
    ]
    bank = people[0].bank
    with town.network.vault_locks[bank.number]:
        _merge_vault_if_needed(town, bank, Minor(sum(order.amount for order in orders)))
        withdraw(draw_order(network), requests, bank, network, network.notary)


def _merge_vault_if_needed(town: Town, bank: Bank, amount: Minor) -> None:
    """A vault that was split for filler, and now pays out nearly all it has."""
    network = town.network
    while not bank.vault.can_pay(amount):
        prepared = bank.vault.prepare_merge(network.surroundings.identifiers.draw())
        promise = complete_payment(prepared.built, bank, network, network.notary)
        bank.vault.settle(prepared.payment_id, promise)


def _merge_if_needed(town: Town, person: Person, amount: Minor) -> None:
    """Money in more than 16 small tokens is paid to oneself first, until 16 are enough."""
    while not person.wallet.can_pay(amount):
        network = town.network
        prepared = person.wallet.prepare_merge(network.surroundings.identifiers.draw())
        promise = complete_payment(prepared.built, person.bank, network, network.notary)
        person.wallet.settle(prepared.payment_id, promise)
        town.merges += 1
