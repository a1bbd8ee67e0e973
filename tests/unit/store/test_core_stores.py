"""Stores of a gateway and of the sample core bank, on every engine (P13)."""

import pytest

from specie.core_bank.numbers import check_number, make_number
from specie.core_bank.service import SampleCoreBank
from specie.crypto.secrets import SealingKey
from specie.ports.core_accounts import Hold, HoldState
from specie.ports.core_bank import CreditReason, DueCredit, Switches
from specie.store.books_store import SqliteBooksStore
from specie.store.core_account_store import SqliteCoreAccounts
from specie.store.core_link_store import SqliteCoreLinks
from specie.store.switch_store import SqliteSwitchStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId
from specie.values.limits import AMOUNT_MAX
from tests.clocks import ManualClock
from tests.country import refused
from tests.unit.store.engines import Engine

ANNA, BORIS = ClientId("anna"), ClientId("boris")
FIRST, OTHER = CoreAccount("XX1"), CoreAccount("XX2")


def due(number: int, amount: int = 5, client: ClientId = ANNA) -> DueCredit:
    return DueCredit(EndToEndId(bytes([number] * 16)), client, Minor(amount), CreditReason.DEPOSIT)


def test_a_link_is_one_clients_until_it_is_unlinked(engine: Engine) -> None:
    key = SealingKey.generate()
    links = SqliteCoreLinks(engine.open(), key)
    for _ in range(2):
        links.link(ANNA, FIRST)
    with refused(ErrorCode.ORDER_CONFLICT):
        links.link(ANNA, OTHER)
    again = SqliteCoreLinks(engine.open(), key)
    assert (again.find_account(ANNA), again.find_account(BORIS)) == (FIRST, None)
    again.replace(ANNA, OTHER)
    assert links.find_account(ANNA) == OTHER
    for _ in range(2):
        links.unlink(ANNA)
        assert links.find_account(ANNA) is None


def test_credits_are_due_until_they_are_confirmed(engine: Engine) -> None:
    key = SealingKey.generate()
    links = SqliteCoreLinks(engine.open(), key)
    links.link(ANNA, FIRST)
    assert [links.add_due(due(1)), links.add_due(due(1)), links.add_due(due(2))] == [
        True,
        False,
        True,
    ]
    for other in (due(1, 6), due(1, client=BORIS)):
        with refused(ErrorCode.ENTRY_CONFLICT):
            links.add_due(other)
    assert list(SqliteCoreLinks(engine.open(), key).list_due()) == [due(1), due(2)]
    with refused(ErrorCode.CORE_BANK_REFUSED):
        links.unlink(ANNA)
    for number in (1, 1, 2):
        links.mark_credited(due(number).reference)
    assert list(links.list_due()) == []
    assert not links.add_due(due(1)), "what was credited is never due again"
    links.unlink(ANNA)


def test_switches_are_off_until_somebody_says_so(engine: Engine) -> None:
    switches = SqliteSwitchStore(engine.open())
    assert switches.get_switches(ANNA) == Switches(waterfall=False, reverse=False)
    for chosen in (Switches(waterfall=True), Switches(reverse=True), Switches()):
        switches.set_switches(ANNA, chosen)
        assert SqliteSwitchStore(engine.open()).get_switches(ANNA) == chosen
        assert switches.get_switches(BORIS) == Switches()


def test_holds_and_accounts_are_kept(engine: Engine) -> None:
    accounts = SqliteCoreAccounts(engine.open())
    for number, (account, amount) in enumerate([(FIRST, 5), (FIRST, AMOUNT_MAX - 9), (OTHER, 4)]):
        hold = Hold(EndToEndId(bytes([number] * 16)), account, Minor(amount), HoldState.HELD)
        accounts.put_hold(hold)
        assert SqliteCoreAccounts(engine.open()).find_hold(hold.reference) == hold
    assert accounts.count_held(FIRST) == AMOUNT_MAX - 4
    assert accounts.count_held() == AMOUNT_MAX
    gone = Hold(EndToEndId(bytes(16)), FIRST, Minor(5), HoldState.SETTLED)
    accounts.put_hold(gone)
    assert accounts.find_hold(gone.reference) == gone
    assert accounts.count_held(FIRST) == AMOUNT_MAX - 9


def test_a_statement_tells_every_entry_in_pages(engine: Engine) -> None:
    database, clock = engine.open(), ManualClock()
    books, accounts = SqliteBooksStore(database), SqliteCoreAccounts(database)
    core = SampleCoreBank(2, books, accounts, clock)
    number, other = core.open_account(ANNA), core.open_account(BORIS)
    core.pay_in(EndToEndId(b"a" * 16), number, Minor(100))
    core.pay_in(EndToEndId(b"b" * 16), other, Minor(1))
    clock.advance(1)
    core.hold(EndToEndId(b"c" * 16), number, Minor(30))
    core.settle(EndToEndId(b"c" * 16))
    clock.advance(1)
    core.credit(EndToEndId(b"d" * 16), number, Minor(7))
    lines = core.list_entries(number, 0, 10)
    assert [(one.amount, one.is_credit) for one in lines] == [(100, True), (30, False), (7, True)]
    assert [one.text for one in lines][1:] == ["to the wallet", "from the digital currency"]
    assert core.list_entries(number, 1, 1) == lines[1:2]
    found = core.describe(number)
    assert (found.booked, found.available, found.account.customer) == (77, 77, ANNA)
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        core.list_entries(make_number(2, 3), 0, 10)


@pytest.mark.parametrize("place", range(18))
def test_one_wrong_sign_is_found_in_an_account_number(place: int) -> None:
    number = make_number(2, 1_234_567)
    check_number(number)
    for sign in "0123456789AZaz ":
        if sign != number[place]:
            with refused(ErrorCode.ACCOUNT_UNKNOWN):
                check_number(CoreAccount(number[:place] + sign + number[place + 1 :]))


def test_two_digits_that_change_places_are_found() -> None:
    number = make_number(2, 1_234_567)
    for place in range(2, 17):
        one, two = number[place], number[place + 1]
        swapped = number[:place] + two + one + number[place + 2 :]
        if one != two:
            with refused(ErrorCode.ACCOUNT_UNKNOWN):
                check_number(CoreAccount(swapped))
