"""A bank's own books: deposits are its debt, the vault its asset (T6, T19, P11)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specie.bank.deposits import IN_TRANSIT, DepositBooks
from specie.books.entries import check_trial_balance
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, EntryId, ParticipantNumber
from tests.clocks import ManualClock
from tests.country import refused

ANNA, BORIS, OTHER_BANK = ClientId("anna"), ClientId("boris"), ParticipantNumber(3)
Act = Callable[[DepositBooks, EntryId], None]

# What may happen to a bank's books, in an order that its balances allow.
STORY: dict[str, Act] = {
    "borrow": lambda books, entry: books.borrow_reserves(entry, Minor(1_000)),
    "lend": lambda books, entry: books.lend_to_client(entry, ANNA, Minor(300)),
    "lend more": lambda books, entry: books.lend_to_client(entry, BORIS, Minor(50)),
    "issue": lambda books, entry: books.receive_issue(entry, Minor(600)),
    "hold": lambda books, entry: books.hold_withdrawal(
        entry, [(ANNA, Minor(120)), (BORIS, Minor(30))]
    ),
    "complete": lambda books, entry: books.complete_withdrawal(entry, Minor(150)),
    "deposit": lambda books, entry: books.credit_deposit(entry, BORIS, Minor(70)),
    "send": lambda books, entry: books.send_vault_money(entry, OTHER_BANK, Minor(20)),
    "receive": lambda books, entry: books.receive_vault_money(entry, OTHER_BANK, Minor(25)),
    "redeem": lambda books, entry: books.complete_redemption(entry, Minor(500)),
}


@pytest.fixture
def store(tmp_path: Path) -> SqliteBooksStore:
    """Empty books."""
    return SqliteBooksStore(tmp_path / "books.db")


@pytest.fixture
def books(store: SqliteBooksStore) -> DepositBooks:
    """A bank with two clients."""
    made = DepositBooks(store, ManualClock())
    for client in (ANNA, BORIS):
        made.open_deposit(client)
    return made


def tell(books: DepositBooks, upto: str = "redeem") -> None:
    """The story up to a chapter, each with its own entry."""
    for number, (name, act) in enumerate(STORY.items()):
        act(books, EntryId(bytes([number + 1]) * 16))
        if name == upto:
            return


def test_the_story_ends_with_these_balances(books: DepositBooks, store: SqliteBooksStore) -> None:
    tell(books)
    assert books.get_deposit(ANNA) == 300 - 120
    assert books.get_deposit(BORIS) == 50 - 30 + 70
    assert books.get_vault() == 600 - 150 + 70 - 20 + 25 - 500
    assert books.get_reserves() == 1_000 - 600 + 500
    assert store.get_balance(IN_TRANSIT) == 0
    check_trial_balance(store.load_accounts(), store.load_balances())


@pytest.mark.parametrize("name", STORY)
def test_each_entry_counts_once(books: DepositBooks, store: SqliteBooksStore, name: str) -> None:
    tell(books, name)
    before = store.load_balances()
    check_trial_balance(store.load_accounts(), before)
    number = list(STORY).index(name) + 1
    STORY[name](books, EntryId(bytes([number]) * 16))
    assert store.load_balances() == before
    other = "borrow" if name != "borrow" else "lend"
    with refused(ErrorCode.ENTRY_CONFLICT):
        STORY[other](books, EntryId(bytes([number]) * 16))
    assert store.load_balances() == before


def test_one_overdraft_refuses_all_withdrawals_of_an_order(
    books: DepositBooks, store: SqliteBooksStore
) -> None:
    tell(books, "lend more")
    before = store.load_balances()
    entry = EntryId(bytes(16))
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        books.hold_withdrawal(entry, [(ANNA, Minor(10)), (BORIS, Minor(51))])
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        books.hold_withdrawal(entry, [(BORIS, Minor(30)), (BORIS, Minor(30))])
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        books.hold_withdrawal(entry, [(ANNA, Minor(10)), (ClientId("nobody"), Minor(1))])
    with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
        books.hold_withdrawal(entry, [(ANNA, Minor(10)), (BORIS, Minor(0))])
    assert store.load_balances() == before
    books.hold_withdrawal(entry, [(BORIS, Minor(25)), (BORIS, Minor(25))])
    assert books.get_deposit(BORIS) == 0


def test_more_than_there_is_cannot_leave(books: DepositBooks, store: SqliteBooksStore) -> None:
    tell(books, "issue")
    before, entry = store.load_balances(), EntryId(bytes(16))
    acts: list[Callable[[], None]] = [
        lambda: books.receive_issue(entry, Minor(401)),
        lambda: books.complete_redemption(entry, Minor(601)),
        lambda: books.complete_withdrawal(entry, Minor(1)),
        lambda: books.send_vault_money(entry, OTHER_BANK, Minor(601)),
    ]
    for act in acts:
        with refused(ErrorCode.ACCOUNT_OVERDRAWN):
            act()
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        books.credit_deposit(entry, ClientId("nobody"), Minor(1))
    assert {name: store.load_balances()[name] for name in before} == before
    check_trial_balance(store.load_accounts(), store.load_balances())


def test_books_open_again_with_their_balances(books: DepositBooks, store: SqliteBooksStore) -> None:
    tell(books)
    again = DepositBooks(store, ManualClock())
    again.open_deposit(ANNA)
    assert again.get_deposit(ANNA) == 180
