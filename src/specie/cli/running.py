"""Runs a workload on a network: orders in the profile's order, as many at once as are independent.

A round is a run of orders none of whose payers takes part in another order of the round as a
payer or as a payee; a round's orders run side by side, rounds one after the other. So everybody
can spend what was received in an earlier round, and amounts are always there (workload/orders.py).
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from specie.assembly.network import Network
from specie.cli.story import Person, draw_order, fund_bank, issue_to_bank, register
from specie.flows.distribution import deposit, withdraw
from specie.flows.payment import complete_payment, pay
from specie.flows.receiving import collect
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId, ParticipantNumber
from specie.workload.kinds import OrderKind
from specie.workload.orders import Opening, WorkloadOrder

_ROUND_ORDERS_MAX: Final = 64
_PAYEES_MAX: Final = 15  # of one distribution, the 16th output is the change
WORKERS: Final = 4


@dataclass(slots=True, repr=False)
class Population:
    """The clients of a workload, each with a wallet at one of the banks."""

    network: Network
    people: list[Person]
    vault_locks: dict[ParticipantNumber, threading.Lock]
    done: Counter[OrderKind] = field(default_factory=Counter)
    merges: int = 0
    turnover: int = 0


def open_population(network: Network, openings: Sequence[Opening]) -> Population:
    """Wallets and deposits for everybody, and vaults filled for what they may withdraw."""
    banks = list(network.banks.values())
    people = []
    for place, opening in enumerate(openings):
        bank = banks[place % len(banks)]
        name = f"client {place}"
        person = register(name, bank, network.make_wallet(name, bank.number))
        if opening.deposit:
            entry = EntryId(network.surroundings.identifiers.draw())
            bank.books.lend_to_client(entry, person.client, opening.deposit)
        people.append(person)
    for offset, bank in enumerate(banks):
        total = sum(opening.deposit for opening in openings[offset :: len(banks)])
        if total:
            fund_bank(network, bank, Minor(total))
            issue_to_bank(network, bank, Minor(total))
    return Population(network, people, {bank.number: threading.Lock() for bank in banks})


def distribute(population: Population, orders: Iterable[WorkloadOrder]) -> Iterator[int]:
    """First withdrawals, up to 15 clients of a bank at once; yields how many were served."""
    waiting: dict[ParticipantNumber, list[WorkloadOrder]] = {}
    for order in orders:
        number = population.people[order.payer].bank.number
        waiting.setdefault(number, []).append(order)
    for queue in waiting.values():
        for start in range(0, len(queue), _PAYEES_MAX):
            part = queue[start : start + _PAYEES_MAX]
            _withdraw(population, part)
            population.network.notary.publish()
            yield len(part)


def run_orders(population: Population, orders: Iterable[WorkloadOrder]) -> Iterator[int]:
    """Everything else; yields how many orders each round did."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for round_ in _split_rounds(orders):
            for order in pool.map(lambda one: _run_order(population, one), round_):
                population.done[order.kind] += 1
                population.turnover += order.amount
            population.network.notary.publish()
            yield len(round_)


def _split_rounds(orders: Iterable[WorkloadOrder]) -> Iterator[list[WorkloadOrder]]:
    round_: list[WorkloadOrder] = []
    payers: set[int] = set()
    payees: set[int] = set()
    for order in orders:
        payee = order.payer if order.kind is OrderKind.WITHDRAW else order.payee
        is_bound = order.payer in payers or order.payer in payees or payee in payers
        if round_ and (is_bound or len(round_) >= _ROUND_ORDERS_MAX):
            yield round_
            round_, payers, payees = [], set(), set()
        round_.append(order)
        payers.add(order.payer)
        if payee is not None:
            payees.add(payee)
    if round_:
        yield round_


def _run_order(population: Population, order: WorkloadOrder) -> WorkloadOrder:
    network = population.network
    person = population.people[order.payer]
    if order.kind is OrderKind.WITHDRAW:
        _withdraw(population, [order])
        return order
    collect(person.client, person.wallet, person.bank)
    _merge_if_needed(population, person, order.amount)
    if order.payee is None:
        with population.vault_locks[person.bank.number]:
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
    payee = population.people[order.payee]
    request = PaymentOrder(payee.wallet.keys.address, order.amount, Memo())
    identifier = network.surroundings.identifiers.draw()
    pay(person.wallet, [request], identifier, person.bank, network, network.notary)
    return order


def _withdraw(population: Population, orders: Sequence[WorkloadOrder]) -> None:
    """A vault pays one after the other: its change must be back before it pays again."""
    network = population.network
    people = [population.people[order.payer] for order in orders]
    requests = [
        (person.client, PaymentOrder(person.wallet.keys.address, order.amount, Memo()))
        for person, order in zip(people, orders, strict=True)
    ]
    bank = people[0].bank
    with population.vault_locks[bank.number]:
        withdraw(draw_order(network), requests, bank, network, network.notary)


def _merge_if_needed(population: Population, person: Person, amount: Minor) -> None:
    """Money in more than 16 small tokens is paid to oneself first, until 16 are enough."""
    while not person.wallet.can_pay(amount):
        network = population.network
        prepared = person.wallet.prepare_merge(network.surroundings.identifiers.draw())
        promise = complete_payment(prepared.built, person.bank, network, network.notary)
        person.wallet.settle(prepared.payment_id, promise)
        population.merges += 1


def check_workload(population: Population, expected: int) -> None:
    """Every order was carried out."""
    if sum(population.done.values()) != expected:
        raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "not every order was carried out")
