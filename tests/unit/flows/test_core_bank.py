"""Withdrawals and deposits through a bank's core system: cut off, refused (T6, T19, P13)."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specie.assembly.alarms import CORE_BANK_MISMATCH, CORE_BANK_SILENT
from specie.bank.control_books import check_reconciled, is_reconciled
from specie.crypto.secrets import SealingKey
from specie.flows.distribution import deposit, withdraw
from specie.flows.holding import hold_deposits, release_deposits
from specie.flows.resuming import resume_bank
from specie.ports.core_bank import CreditReason
from specie.ports.journal import FlowState
from specie.store.core_link_store import SqliteCoreLinks
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId, EntryId, OrderId
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.wallet.releasing import LogView
from tests.core_banks import CoredBank, answer, connect_core_bank, lose_answer, lose_request
from tests.country import Person, build_country, refused
from tests.faults import stop


@pytest.fixture
def cored(tmp_path: Path) -> Iterator[CoredBank]:
    """Bank 2 with a core bank of its own."""
    country = build_country(tmp_path)
    made = connect_core_bank(country, country.north, tmp_path)
    yield made
    made.database.close()


def run_withdrawal(cored: CoredBank, order: OrderId, *pairs: tuple[Person, int]) -> object:
    network, country = cored.country.network, cored.country
    asked = [(person.id, country.order(person, amount)) for person, amount in pairs]
    return withdraw(order, asked, cored.bank, network, network.notary)


def run_deposit(cored: CoredBank, order: OrderId, person: Person, amount: int) -> None:
    network = cored.country.network
    args = (person.id, person.wallet, Minor(amount), cored.bank, network, network.notary)
    deposit(order, *args)
    cored.bank.teller.tell_due()


def resume(cored: CoredBank) -> list[ErrorCode]:
    """The bank's worker: what was begun, and what is due to the core bank."""
    network = cored.country.network
    ports = (network, network.desk, network.accounting, network.notary)
    refusals = list(resume_bank(cored.bank, *ports).values())
    return [error.code for error in (*refusals, *cored.bank.teller.tell_due())]


def reconcile(cored: CoredBank) -> bool:
    """As the bank does it, with what is open; the alarm says the same."""
    cored.core.fault = answer
    is_right = is_reconciled(cored.desk.reconcile())
    assert is_right is (CORE_BANK_MISMATCH not in cored.desk.alarms.list())
    return is_right


def break_at(number: int, broken: Callable[[str, Callable[[], Any]], Any]) -> Any:
    """The call of this number, and no other."""
    count = 0

    def fault(name: str, perform: Callable[[], Any]) -> Any:
        nonlocal count
        count += 1
        return broken(name, perform) if count == number else perform()

    return fault


# --- both ways -----------------------------------------------------------------------------------


def test_deposit_money_of_the_core_bank_becomes_tokens_and_back(cored: CoredBank) -> None:
    anna, order = cored.open_person(100), cored.country.draw_order()
    promise = run_withdrawal(cored, order, (anna, 30))
    assert run_withdrawal(cored, order, (anna, 30)) == promise
    anna.collect()
    assert (cored.get_available(anna), anna.wallet.get_balance()) == (70, 30)
    assert cored.bank.books.get_deposit(anna.id) == 0, "nothing is in the bank's own books"
    again = cored.country.draw_order()
    for _ in range(2):
        run_deposit(cored, again, anna, 12)
        assert (cored.get_available(anna), anna.wallet.get_balance()) == (82, 18)
    cored.check_settled()
    assert reconcile(cored)


def test_several_clients_withdraw_at_once(cored: CoredBank) -> None:
    people = [cored.open_person(100) for _ in range(3)]
    pairs = [(one, 10 * place + 10) for place, one in enumerate(people)]
    run_withdrawal(cored, cored.country.draw_order(), *pairs)
    assert [cored.get_available(one) for one in people] == [90, 80, 70]
    cored.check_settled()


def test_one_who_cannot_pay_stops_the_whole_order(cored: CoredBank) -> None:
    """What was held before it is free again, and the order is over."""
    anna, boris = cored.open_person(100), cored.open_person(5)
    order = cored.country.draw_order()
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        run_withdrawal(cored, order, (anna, 30), (boris, 6))
    assert [cored.get_available(one) for one in (anna, boris)] == [100, 5]
    assert cored.bank.journal.find_state(order) is FlowState.ENDED
    cored.pay_in(boris, 10)
    with refused(ErrorCode.ORDER_CONFLICT):
        run_withdrawal(cored, order, (anna, 30), (boris, 6))
    cored.check_settled()


def test_a_hold_that_comes_after_its_refusal_holds_nothing(cored: CoredBank) -> None:
    """A message that was late: the same id was refused, and released, meanwhile."""
    anna, order = cored.open_person(5), cored.country.draw_order()
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        run_withdrawal(cored, order, (anna, 6))
    cored.pay_in(anna, 100)
    with refused(ErrorCode.CORE_BANK_REFUSED):
        cored.service.hold(EndToEndId(order), cored.accounts[anna.id], Minor(6))
    assert cored.get_available(anna) == 105
    cored.check_settled()


def test_a_client_without_an_account_is_told_so(cored: CoredBank) -> None:
    anna, order = cored.country.open_person(cored.bank), cored.country.draw_order()
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        run_withdrawal(cored, order, (anna, 6))
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        cored.bank.expect_deposit(cored.country.draw_order(), anna.id)
    assert cored.bank.teller.get_balance(anna.id) == 0
    cored.check_settled()


def test_a_loan_is_made_at_the_core_bank(cored: CoredBank) -> None:
    anna, entry = cored.open_person(), EntryId(cored.country.draw_order())
    for _ in range(2):
        cored.bank.teller.lend(entry, anna.id, Minor(40))
        assert cored.get_available(anna) == 40
    with refused(ErrorCode.ENTRY_CONFLICT):
        cored.bank.teller.lend(entry, anna.id, Minor(41))
    cored.service.close_account(cored.accounts[anna.id])
    with refused(ErrorCode.CORE_BANK_REFUSED):
        cored.bank.teller.lend(EntryId(cored.country.draw_order()), anna.id, Minor(1))
    assert cored.control.get_due() == 0, "asked before anything was recorded"
    cored.check_settled()


# --- cut off, at every call --------------------------------------------------------------------


@pytest.mark.parametrize("broken", [lose_request, lose_answer], ids=["request", "answer"])
def test_a_withdrawal_that_is_cut_off_at_any_call_ends_in_the_same(
    cored: CoredBank, broken: Any
) -> None:
    anna, done = cored.open_person(1_000), 0
    for number in range(1, 4):  # hold, settle, and one that does not come
        order = cored.country.draw_order()
        cored.core.fault = break_at(number, broken)
        is_held = number > 1  # who is paid is not told that it failed
        with nullcontext() if is_held else refused(ErrorCode.CORE_BANK_UNREACHABLE):
            run_withdrawal(cored, order, (anna, 10))
        assert reconcile(cored)
        assert resume(cored) == []
        done += 10
        anna.collect()
        assert (cored.get_available(anna), anna.wallet.get_balance()) == (1_000 - done, done)
        assert cored.bank.journal.find_state(order) is FlowState.COMPLETED
        cored.check_settled()


@pytest.mark.parametrize("broken", [lose_request, lose_answer], ids=["request", "answer"])
def test_a_deposit_is_credited_once_whatever_is_lost(cored: CoredBank, broken: Any) -> None:
    anna = cored.open_person(100)
    run_withdrawal(cored, cored.country.draw_order(), (anna, 100))
    anna.collect()
    cored.core.fault = broken
    order = cored.country.draw_order()
    run_deposit(cored, order, anna, 60)
    assert anna.wallet.get_balance() == 40, "the vault has it, whatever the core bank says"
    assert cored.control.get_due() == 60
    assert cored.bank.teller.trouble == "core_bank_unreachable"
    for _ in range(3):
        assert resume(cored) == [ErrorCode.CORE_BANK_UNREACHABLE]
    assert reconcile(cored)
    for _ in range(2):
        assert resume(cored) == []
        assert cored.get_available(anna) == 60
    assert cored.bank.teller.trouble == ""
    cored.check_settled()


def test_a_core_bank_that_is_down_for_a_while_stops_nobody_for_ever(cored: CoredBank) -> None:
    """Nothing is paid that is not held; what is paid is settled later."""
    anna, order = cored.open_person(100), cored.country.draw_order()
    cored.core.fault = lose_request
    for _ in range(3):
        with refused(ErrorCode.CORE_BANK_UNREACHABLE):
            run_withdrawal(cored, order, (anna, 30))
    assert cored.bank.vault.find_payment(order) is None
    cored.core.fault = lambda name, run: run() if name == "hold" else lose_request(name, run)
    run_withdrawal(cored, order, (anna, 30))
    assert cored.bank.journal.find_state(order) is FlowState.OPEN
    cored.desk.work()
    assert CORE_BANK_SILENT in cored.desk.alarms.list()
    cored.core.fault = answer
    assert resume(cored) == []
    cored.desk.work()
    assert cored.desk.alarms.list() == {}
    assert cored.bank.journal.find_state(order) is FlowState.COMPLETED
    cored.check_settled()


def test_a_withdrawal_that_the_vault_gives_up_is_released(cored: CoredBank) -> None:
    anna, order = cored.open_person(100), cored.country.draw_order()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cored.country.network.notary, "notarise", stop)
        with pytest.raises(KeyboardInterrupt):
            run_withdrawal(cored, order, (anna, 30))
    assert (cored.get_available(anna), cored.bank.books.get_in_transit()) == (70, 30)
    cored.country.clock.advance(2 * WINDOW_MS_DEFAULT)
    cored.bank.vault.release_expired(LogView(cored.country.clock.now(), frozenset()))
    cored.core.fault = break_at(1, lose_answer)
    assert resume(cored) == [ErrorCode.CORE_BANK_UNREACHABLE]
    assert cored.bank.journal.find_state(order) is FlowState.OPEN
    cored.core.fault = answer
    assert resume(cored) == [ErrorCode.ORDER_CONFLICT]
    assert cored.bank.journal.find_state(order) is FlowState.ENDED
    assert cored.get_available(anna) == 100
    assert resume(cored) == []
    cored.check_settled()


def test_a_closed_account_keeps_a_credit_due_until_it_is_linked_anew(cored: CoredBank) -> None:
    """Tokens are in the vault already: the credit is the client's whatever happens there."""
    anna = cored.open_person(50)
    run_withdrawal(cored, cored.country.draw_order(), (anna, 50))
    anna.collect()
    cored.bank.expect_deposit(order := cored.country.draw_order(), anna.id)
    cored.service.close_account(cored.accounts[anna.id])
    run_deposit(cored, order, anna, 50)
    assert cored.bank.teller.trouble == "core_bank_refused"
    assert cored.control.get_due() == 50
    with refused(ErrorCode.CORE_BANK_REFUSED):
        cored.desk.unlink(anna.id)
    fresh = cored.service.open_account(anna.id)
    assert cored.bank.teller.link(anna.id) == fresh
    cored.accounts[ClientId("closed")] = cored.accounts[anna.id]
    cored.accounts[anna.id] = fresh
    assert resume(cored) == []
    assert cored.get_available(anna) == 50
    cored.check_settled()


# --- linking -------------------------------------------------------------------------------------


def test_the_core_bank_says_whose_an_account_is(cored: CoredBank) -> None:
    anna, boris = cored.open_person(), cored.open_person()
    teller = cored.bank.teller
    for account, code in (
        (cored.accounts[boris.id], ErrorCode.CORE_BANK_REFUSED),
        (CoreAccount("XX00"), ErrorCode.ACCOUNT_UNKNOWN),
        (cored.service.open_account(anna.id), ErrorCode.ORDER_CONFLICT),
    ):
        with refused(code):
            teller.link(anna.id, account)
        assert teller.find_account(anna.id) == cored.accounts[anna.id]
    with refused(ErrorCode.ACCOUNT_UNKNOWN):  # there are two: somebody has to name one
        cored.desk.unlink(anna.id)
        teller.link(anna.id)
    teller.link(anna.id, cored.accounts[anna.id])


def test_unlinking_waits_until_nothing_is_in_transit(cored: CoredBank) -> None:
    anna, order = cored.open_person(100), cored.country.draw_order()
    cored.desk.switch(anna.id, waterfall=True)
    cored.core.fault = break_at(2, lose_request)
    run_withdrawal(cored, order, (anna, 30))
    with refused(ErrorCode.CORE_BANK_REFUSED):
        cored.desk.unlink(anna.id)
    cored.core.fault = answer
    assert resume(cored) == []
    for _ in range(2):
        cored.desk.unlink(anna.id)
    assert cored.bank.teller.find_account(anna.id) is None
    assert not cored.desk.is_waterfall_on(anna.id)
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        cored.desk.switch(anna.id, waterfall=True)


def test_a_bank_with_its_own_books_has_nothing_to_link(cored: CoredBank) -> None:
    south = cored.country.south
    boris = cored.country.open_person(south)
    with refused(ErrorCode.SETTING_INVALID):
        south.teller.link(boris.id)
    with refused(ErrorCode.SETTING_INVALID):
        south.teller.reconcile(lambda: Minor(0))
    assert south.teller.tell_due() == []


def test_a_refused_request_meets_another_one_of_the_same_order(cored: CoredBank) -> None:
    """One is refused; meanwhile money comes in and the other one holds it: paid once, or not."""
    anna, order = cored.open_person(0), cored.country.draw_order()
    asked = (anna.id, cored.country.order(anna, 30))
    cored.desk.hold_first(order, *asked)  # refused: that is decided with the vault's lock
    assert cored.bank.journal.find_state(order) is FlowState.OPEN
    cored.pay_in(anna, 30)
    cored.desk.hold_first(order, *asked)
    run_withdrawal(cored, order, (anna, 30))
    anna.collect()
    assert (anna.wallet.get_balance(), cored.get_available(anna)) == (30, 0)
    cored.check_settled()


@pytest.mark.parametrize("call", [1, 2])
def test_what_was_released_is_not_held_when_it_goes_on(cored: CoredBank, call: int) -> None:
    """Stopped between the core system's release and the end of the order, or before it."""
    anna, order = cored.open_person(100), cored.country.draw_order()
    asked = [(anna.id, cored.country.order(anna, 30))]
    hold_deposits(order, asked, cored.bank)
    cored.core.fault = break_at(1, lose_answer if call == 1 else lose_request)
    with refused(ErrorCode.CORE_BANK_UNREACHABLE):
        release_deposits(order, asked, cored.bank)
    cored.core.fault = answer
    assert cored.bank.journal.find_state(order) is FlowState.OPEN
    assert resume(cored) == [ErrorCode.ORDER_CONFLICT]
    assert cored.bank.vault.find_payment(order) is None
    assert (cored.get_available(anna), anna.collect()) == (100, 0)
    assert cored.bank.journal.find_state(order) is FlowState.ENDED
    cored.check_settled()


# --- both counts ---------------------------------------------------------------------------------


def test_a_difference_that_nothing_explains_is_found(cored: CoredBank) -> None:
    """Somebody has used the gateway's id at the core bank, or its books came from an old copy."""
    anna = cored.open_person(100)
    run_withdrawal(cored, cored.country.draw_order(), (anna, 30))
    assert reconcile(cored)
    for deed in (cored.service.credit, cored.service.hold):
        before = cored.service.count_position()
        deed(EndToEndId(cored.country.draw_order()), cored.accounts[anna.id], Minor(1))
        assert cored.service.count_position() != before
        assert not reconcile(cored)


def test_what_is_in_transit_explains_a_difference_and_no_more(cored: CoredBank) -> None:
    anna, order = cored.open_person(100), cored.country.draw_order()
    cored.core.fault = lose_answer
    asked = [(anna.id, cored.country.order(anna, 30))]
    with refused(ErrorCode.CORE_BANK_UNREACHABLE):
        hold_deposits(order, asked, cored.bank)
    cored.core.fault = answer
    found = cored.desk.reconcile()
    assert (found.theirs.held, found.ours.held, found.unconfirmed) == (30, 0, 30)
    assert is_reconciled(found)
    with refused(ErrorCode.CORE_BANK_MISMATCH):
        check_reconciled(replace(found, unconfirmed=Minor(29)))


def test_names_accounts_and_amounts_are_sealed_in_the_banks_database(cored: CoredBank) -> None:
    anna = cored.open_person(100)
    cored.bank.teller.credit(EntryId(bytes(16)), anna.id, Minor(0x1234567812345678))
    own = cored.country.network.databases.open(f"bank-{cored.bank.number}")
    values = list(own.iterate_values())
    assert not [one for one in values if cored.accounts[anna.id].encode() in one]
    (due,) = cored.links.list_due()
    assert (due.amount, due.reason) == (0x1234567812345678, CreditReason.DEPOSIT)
    other = SqliteCoreLinks(own, SealingKey.generate())
    with refused(ErrorCode.SEALED_INVALID):
        other.find_account(anna.id)
