"""Two ledgers, random stops between them, and money in the end where it has to be (T6, X12).

Whatever is lost, stopped or doubled at whichever call: what was begun is asked for again, by a bank
that has started anew, until both sides say the same and nothing is in transit.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specie.bank.control_books import is_reconciled
from specie.bank.teller import CoreSystem, Teller
from specie.flows.distribution import deposit, withdraw
from specie.flows.resuming import resume_bank
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId
from tests.core_banks import CoredBank, answer, connect_core_bank, lose_answer, lose_request
from tests.country import Person, build_country

STEPS = 12
STOPS = 0.25  # of the calls of the core bank, each way it can go wrong
REFUSALS = {
    ErrorCode.CORE_BANK_UNREACHABLE,
    ErrorCode.FUNDS_INSUFFICIENT,
    ErrorCode.ORDER_CONFLICT,
}


class Killed(BaseException):
    """The bank's process is gone: nobody catches it."""


def kill_before(_name: str, _perform: Callable[[], Any]) -> Any:
    raise Killed


def kill_after(_name: str, perform: Callable[[], Any]) -> Any:
    perform()
    raise Killed


def double(_name: str, perform: Callable[[], Any]) -> Any:
    """The message comes twice; the answer to the second is heard."""
    perform()
    return perform()


WAYS = (lose_request, lose_answer, kill_before, kill_after, double)


def restart(cored: CoredBank) -> None:
    """A teller that remembers nothing but what is on the disk."""
    system = CoreSystem(cored.core, cored.links, cored.control)
    cored.bank.teller = cored.desk.bank.teller = Teller(cored.bank.books, system)


def act(cored: CoredBank, random: Random, people: list[Person]) -> None:
    """One thing that somebody wants."""
    network, person = cored.country.network, random.choice(people)
    order, amount = cored.country.draw_order(), random.randrange(1, 60)
    match random.choice(("withdraw", "withdraw", "deposit", "lend", "pay in", "resume")):
        case "withdraw":
            who = people if random.random() < 0.3 else [person]
            asked = [(one.id, cored.country.order(one, amount)) for one in who]
            withdraw(order, asked, cored.bank, network, network.notary)
        case "deposit":
            person.collect()
            args = (person.wallet, Minor(amount), cored.bank, network, network.notary)
            deposit(order, person.id, *args)
            cored.bank.teller.tell_due()
        case "lend":
            cored.bank.teller.lend(EntryId(order), person.id, Minor(amount))
        case "pay in":
            cored.pay_in(person, amount)
        case _:
            resume(cored)


def resume(cored: CoredBank) -> None:
    network = cored.country.network
    resume_bank(cored.bank, network, network.desk, network.accounting, network.notary)
    cored.bank.teller.tell_due()


def try_act(cored: CoredBank, random: Random, people: list[Person]) -> None:
    """It may be cut off at any call, in any way; only known codes come out of it."""

    def fault(name: str, perform: Callable[[], Any]) -> Any:
        way = random.choice(WAYS) if random.random() < STOPS else answer
        return way(name, perform)

    cored.core.fault = fault
    try:
        act(cored, random, people)
    except Killed:
        restart(cored)
    except SpecieError as error:
        if error.code not in REFUSALS:
            raise
    cored.core.fault = answer


def play(cored: CoredBank, seed: int) -> None:
    random = Random(seed)
    people = [cored.open_person(amount) for amount in (100, 20)]
    for _ in range(STEPS):
        try_act(cored, random, people)
        assert is_reconciled(cored.desk.reconcile())
        held = cored.service.count_position().held
        assert held <= cored.count_booked(), "nothing is held that is not there"
    resume(cored)
    for person in people:
        person.collect()
    cored.check_settled()


def run_seed(seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="specie-") as folder:
        country = build_country(Path(folder))
        cored = connect_core_bank(country, country.north, Path(folder))
        try:
            play(cored, seed)
        finally:
            cored.database.close()
            country.network.databases.close()


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_money_is_conserved_between_two_ledgers(seed: int) -> None:
    run_seed(seed)


@pytest.mark.soak
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_money_is_conserved_however_often_it_is_tried(seed: int) -> None:
    run_seed(seed)
