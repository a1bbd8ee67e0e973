"""Institutions go on by themselves: stopped at any step, nobody asks again (T15, X12)."""

import itertools
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from specie.bank.service import VAULT_CLIENT
from specie.books.stock import Stock
from specie.flows.distribution import transfer_vault_money, withdraw
from specie.flows.issuance import end_issue, issue
from specie.flows.redemption import end_redemption, redeem
from specie.flows.resuming import Refusals, resume_bank, resume_central_bank
from specie.flows.stocktaking import take_stock
from specie.ledger.transactions import Promise
from specie.ports.journal import FlowState, Journal
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OrderId
from specie.values.limits import RESERVE_AGE_MS_MAX, WINDOW_MS_DEFAULT
from specie.wallet.releasing import LogView
from tests.country import NORTH, Country, Person, build_country, refused
from tests.faults import run_killed, stop
from tests.stateful.reopening import close_network, reopen_network, reopen_wallet

AMOUNT: Final = Minor(5)
DEPOSIT: Final = 10_000


def run(kind: str, country: Country, person: Person, order: OrderId) -> object:
    """One order of bank 2, or of the central bank for it."""
    network, north = country.network, country.north
    desk, accounting, notary = network.desk, network.accounting, network.notary
    if kind == "issue":
        return issue(order, AMOUNT, north, desk, accounting, notary)
    if kind == "redeem":
        return redeem(order, AMOUNT, north.vault, north, desk, accounting, notary)
    if kind == "withdraw":
        requests = [(person.id, country.order(person, AMOUNT))]
        return withdraw(order, requests, north, network, notary)
    return transfer_vault_money(order, AMOUNT, north, country.south, network, notary)


def start_again(country: Country, path: Path) -> None:
    """Every machine lost power: what is there is what its files have."""
    old = country.network
    network = reopen_network(old, path, country.clock, country.identifiers)
    close_network(old)
    country.network = network
    country.people = [
        Person(one.id, reopen_wallet(network, one.id, one.bank.number), network.banks[NORTH])
        for one in country.people
    ]


def resume(country: Country) -> Refusals:
    """Each institution looks into its journal."""
    network = country.network
    desk, accounting, notary = network.desk, network.accounting, network.notary
    refusals = resume_central_bank(desk, network, accounting, notary)
    for bank in network.banks.values():
        refusals |= resume_bank(bank, network, desk, accounting, notary)
    return refusals


def count(country: Country) -> Stock:
    """A stock-taking, which checks the invariant."""
    network = country.network
    numbers = list(network.banks)
    return take_stock(numbers, network.desk, network.accounting, network.notary, network)


def get_journal(country: Country, kind: str) -> Journal:
    """Of whoever owns this kind of order."""
    return country.network.desk.journal if kind == "issue" else country.north.journal


def measure(country: Country, person: Person) -> tuple[int, ...]:
    """Reserves, fund, in transit, supply; vaults and what the books say of them; deposits."""
    accounting, north = country.network.accounting, country.north
    return (
        accounting.get_reserves(NORTH),
        accounting.get_fund(),
        accounting.get_in_transit(),
        country.network.notary.get_supply().total,
        north.vault.get_balance(),
        north.books.get_vault(),
        country.south.books.get_vault(),
        north.books.get_deposit(person.id),
        north.books.get_in_transit(),
    )


MOVES: Final = {
    "issue": (-5, 5, 0, 5, 5, 5, 0, 0, 0),
    "redeem": (5, -5, 0, -5, -5, -5, 0, 0, 0),
    "withdraw": (0, 0, 0, 0, -5, -5, 0, -5, 0),
    "transfer": (0, 0, 0, 0, -5, -5, 5, 0, 0),
}


@pytest.mark.parametrize("kind", sorted(MOVES))
def test_what_was_begun_is_finished_by_its_institution(kind: str, tmp_path: Path) -> None:
    country = build_country(tmp_path / "first")
    person = country.open_person(country.north)
    country.lend_deposit(person, DEPOSIT)
    stopped = []
    for place in itertools.count():
        before, order = measure(country, person), country.draw_order()
        told = run_killed(partial(run, kind, country, person, order), place)
        is_begun = get_journal(country, kind).find_state(order) is not None
        assert count(country).in_transit <= AMOUNT  # and design §5, 1 holds wherever it stopped
        if place % 8 == 0:
            start_again(country, tmp_path / f"life {place}")
        assert resume(country) == {}
        moves = MOVES[kind] if is_begun else (0,) * len(before)
        expected = tuple(a + b for a, b in zip(before, moves, strict=True))
        assert measure(country, person) == expected, told
        if is_begun:
            assert get_journal(country, kind).find_state(order) is FlowState.COMPLETED
        assert not get_journal(country, kind).list_open()
        if not told:
            break
        stopped.append(told)
    assert {"before SqliteJournal.begin", "before SqliteJournal.end"} <= set(stopped)
    country.check_money()


def test_what_is_refused_stays_open_and_in_transit_until_it_can_go_on(  # P8, X1
    country: Country,
) -> None:
    order = country.draw_order()
    country.north.block(VAULT_CLIENT)
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.issue(country.north, 700, order)
    stock = count(country)
    assert (stock.in_transit, stock.issuance_vault) == (700, 700)
    refusals = resume(country)
    assert [(one, error.code) for one, error in refusals.items()] == [
        (order, ErrorCode.CLIENT_BLOCKED)
    ]
    country.north.unblock(VAULT_CLIENT)
    assert resume(country) == {}
    stock = count(country)
    assert (stock.in_transit, stock.issuance_vault) == (0, 0)
    country.check_money()


def refuse_for_two_days(country: Country) -> OrderId:
    """An issue whose debit is too old by now, and the log says so."""
    order = country.draw_order()
    country.north.block(VAULT_CLIENT)
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.issue(country.north, 700, order)
    country.clock.advance(RESERVE_AGE_MS_MAX + 1)
    country.north.unblock(VAULT_CLIENT)
    country.lend_reserves(country.south)
    country.issue(country.south, 3)
    country.network.notary.publish(is_forced=True)
    return order


def test_an_issue_that_was_refused_for_two_days_gives_the_reserves_back(  # P8
    country: Country,
) -> None:
    network, north = country.network, country.north
    reserves, vault = network.accounting.get_reserves(NORTH), north.vault.get_balance()
    order = refuse_for_two_days(country)
    assert network.accounting.get_reserves(NORTH) == reserves - 700
    assert [error.code for error in resume(country).values()] == [ErrorCode.ORDER_CONFLICT]
    assert network.desk.journal.find_state(order) is FlowState.ENDED
    assert network.accounting.get_reserves(NORTH) == reserves
    stock = count(country)
    assert (stock.in_transit, stock.issuance_vault) == (0, 0)
    assert north.vault.get_balance() == vault
    with refused(ErrorCode.ORDER_CONFLICT):
        country.issue(north, 700, order)
    end_issue(order, network.desk, network.accounting, network.notary)  # again is the same
    assert network.accounting.get_reserves(NORTH) == reserves
    assert resume(country) == {}
    country.check_money()


def test_an_issue_that_may_be_final_is_not_ended(country: Country) -> None:  # P8
    network, order = country.network, country.draw_order()
    desk, accounting, notary = network.desk, network.accounting, network.notary
    with refused(ErrorCode.ORDER_CONFLICT):  # nothing was debited for it
        end_issue(order, desk, accounting, notary)
    country.north.block(VAULT_CLIENT)
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.issue(country.north, 700, order)
    country.north.unblock(VAULT_CLIENT)
    country.clock.advance(RESERVE_AGE_MS_MAX + 1)  # our clock alone says nothing
    with refused(ErrorCode.ORDER_CONFLICT):
        end_issue(order, desk, accounting, notary)
    with refused(ErrorCode.RESERVE_REFERENCE_EXPIRED):  # the notary's says it
        country.issue(country.north, 700, order)
    final = country.draw_order()
    country.issue(country.north, 7, final)
    country.clock.advance(RESERVE_AGE_MS_MAX + 1)
    country.issue(country.north, 2)
    notary.publish(is_forced=True)
    with refused(ErrorCode.TRANSACTION_FINAL):
        end_issue(final, desk, accounting, notary)
    assert isinstance(country.issue(country.north, 7, final), Promise)
    assert [error.code for error in resume(country).values()] == [ErrorCode.ORDER_CONFLICT]
    country.check_money()


def test_ending_an_issue_is_stopped_anywhere(tmp_path: Path) -> None:  # X12
    country = build_country(tmp_path / "first")
    stopped = []
    for place in itertools.count():
        reserves = country.network.accounting.get_reserves(NORTH)
        order = refuse_for_two_days(country)
        told = run_killed(lambda: resume(country), place)
        count(country)  # design §5, 1 holds wherever it stopped
        if place % 4 == 0:
            start_again(country, tmp_path / f"life {place}")
        resume(country)
        assert country.network.desk.journal.find_state(order) is FlowState.ENDED
        assert country.network.accounting.get_reserves(NORTH) == reserves
        assert (count(country).in_transit, count(country).issuance_vault) == (0, 0)
        if not told:
            break
        stopped.append(told)
    ways = ("CentralBankDesk.give_up", "Accounting.release_issue", "SqliteJournal.end")
    assert {f"before {one}" for one in ways} <= set(stopped)
    country.check_money()


def test_a_redemption_that_was_given_up_is_in_the_fund_again(country: Country) -> None:  # P9
    network, north, order = country.network, country.north, country.draw_order()
    fund, vault = network.accounting.get_fund(), north.vault.get_balance()
    north.block(VAULT_CLIENT)
    for _ in range(2):
        with refused(ErrorCode.CLIENT_BLOCKED):
            run("redeem", country, Person(VAULT_CLIENT, north.vault, north), order)
        assert (network.accounting.get_fund(), network.accounting.get_in_transit()) == (fund, 5)
    with refused(ErrorCode.ORDER_CONFLICT):  # it may still become final
        end_redemption(order, north.vault, north, network.accounting, network.notary)
    country.clock.advance(2 * WINDOW_MS_DEFAULT)
    north.vault.release_expired(LogView(country.clock.now(), frozenset()))
    north.unblock(VAULT_CLIENT)
    assert [error.code for error in resume(country).values()] == [ErrorCode.ORDER_CONFLICT]
    assert north.journal.find_state(order) is FlowState.ENDED
    assert (network.accounting.get_fund(), network.accounting.get_in_transit()) == (fund, 0)
    assert north.vault.get_balance() == vault
    with refused(ErrorCode.ORDER_CONFLICT):
        run("redeem", country, Person(VAULT_CLIENT, north.vault, north), order)
    assert resume(country) == {}
    country.check_money()


def test_a_withdrawal_that_was_given_up_is_over(country: Country) -> None:  # T6
    person, north, order = country.open_person(country.north), country.north, country.draw_order()
    country.lend_deposit(person, 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(country.network.notary, "notarise", stop)
        with pytest.raises(KeyboardInterrupt):
            run("withdraw", country, person, order)
    assert north.books.get_in_transit() == AMOUNT
    country.clock.advance(2 * WINDOW_MS_DEFAULT)
    north.vault.release_expired(LogView(country.clock.now(), frozenset()))
    assert [error.code for error in resume(country).values()] == [ErrorCode.ORDER_CONFLICT]
    assert north.journal.find_state(order) is FlowState.ENDED
    assert (north.books.get_deposit(person.id), north.books.get_in_transit()) == (50, 0)
    assert resume(country) == {}


def test_what_cannot_be_held_was_never_begun(country: Country) -> None:
    person, order = country.open_person(country.north), country.draw_order()
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        run("withdraw", country, person, order)
    assert country.north.journal.find_state(order) is None
    assert resume(country) == {}
