"""`BooksStore`: entries once, all lines or none, balances that follow."""

import pytest

from specie.books.entries import Account, Entry, Posting, Side, check_trial_balance, credit, debit
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import AccountName, EntryId
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine

CASH, LOANS, DEPOSIT = AccountName("cash"), AccountName("loans"), AccountName("deposit")
AMOUNT_MAX = Minor(2**64 - 1)


def open_books(engine: Engine) -> SqliteBooksStore:
    """Two assets and a debt."""
    store = engine.open_books()
    for name in (CASH, LOANS):
        store.open_account(Account(name, Side.DEBIT))
    store.open_account(Account(DEPOSIT, Side.CREDIT))
    return store


def build_entry(number: int, *postings: Posting, text: str = "text") -> Entry:
    """An entry of this number."""
    return Entry(EntryId(bytes([number]) * 16), Timestamp(number), text, postings)


def lend(number: int, amount: int) -> Entry:
    """A loan that makes a deposit."""
    return build_entry(number, debit(LOANS, Minor(amount)), credit(DEPOSIT, Minor(amount)))


def test_accounts_open_once(engine: Engine) -> None:
    store = open_books(engine)
    store.post(lend(1, 7))
    store.open_account(Account(LOANS, Side.DEBIT))
    assert store.get_balance(LOANS) == 7
    with refused(ErrorCode.ACCOUNT_EXISTS):
        store.open_account(Account(LOANS, Side.CREDIT))
    assert engine.open_books().load_accounts() == {
        CASH: Account(CASH, Side.DEBIT),
        LOANS: Account(LOANS, Side.DEBIT),
        DEPOSIT: Account(DEPOSIT, Side.CREDIT),
    }


def test_posting_moves_both_sides_and_lasts(engine: Engine) -> None:
    store = open_books(engine)
    entry = lend(1, 7)
    store.post(entry)
    store = engine.open_books()
    assert store.load_balances() == {CASH: 0, LOANS: 7, DEPOSIT: 7}
    assert store.load_entry(entry.id) == entry
    assert store.load_entry(EntryId(bytes(16))) is None


def test_the_same_entry_again_is_nothing_and_another_is_refused(engine: Engine) -> None:
    store = open_books(engine)
    store.post(lend(1, 7))
    later = Entry(lend(1, 7).id, Timestamp(99), "told again", lend(1, 7).postings)
    store.post(later)
    assert store.get_balance(DEPOSIT) == 7
    for other in (lend(1, 8), build_entry(1, debit(CASH, Minor(7)), credit(DEPOSIT, Minor(7)))):
        with refused(ErrorCode.ENTRY_CONFLICT):
            store.post(other)
    assert store.load_balances() == {CASH: 0, LOANS: 7, DEPOSIT: 7}


@pytest.mark.parametrize(
    ("code", "postings"),
    [
        (ErrorCode.ENTRY_UNBALANCED, (debit(LOANS, Minor(2)), credit(DEPOSIT, Minor(1)))),
        (ErrorCode.ACCOUNT_OVERDRAWN, (debit(DEPOSIT, Minor(8)), credit(LOANS, Minor(8)))),
        (
            ErrorCode.ACCOUNT_UNKNOWN,
            (debit(LOANS, Minor(2)), credit(AccountName("nobody"), Minor(2))),
        ),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, (debit(LOANS, Minor(0)), credit(DEPOSIT, Minor(0)))),
        (
            ErrorCode.AMOUNT_OUT_OF_RANGE,
            (debit(LOANS, AMOUNT_MAX), credit(DEPOSIT, AMOUNT_MAX)),
        ),
        (ErrorCode.LIMIT_EXCEEDED, (debit(LOANS, Minor(2)),)),
        (
            ErrorCode.LIMIT_EXCEEDED,
            (*[debit(LOANS, Minor(1))] * 64, credit(DEPOSIT, Minor(64))),
        ),
    ],
)
def test_a_refused_entry_leaves_no_trace(
    engine: Engine, code: ErrorCode, postings: tuple[Posting, ...]
) -> None:
    store = open_books(engine)
    store.post(lend(1, 7))
    entry = build_entry(2, *postings)
    with refused(code):
        store.post(entry)
    assert store.load_entry(entry.id) is None
    assert store.load_balances() == {CASH: 0, LOANS: 7, DEPOSIT: 7}
    check_trial_balance(store.load_accounts(), store.load_balances())


def test_one_account_on_both_sides_counts_as_its_difference(engine: Engine) -> None:
    store = open_books(engine)
    store.post(lend(1, 7))
    lines = (debit(DEPOSIT, Minor(9)), credit(DEPOSIT, Minor(4)), credit(LOANS, Minor(5)))
    store.post(build_entry(2, *lines))
    assert store.load_balances() == {CASH: 0, LOANS: 2, DEPOSIT: 2}


def test_the_largest_amount_is_kept_exactly(engine: Engine) -> None:
    store = open_books(engine)
    store.post(lend(1, AMOUNT_MAX))
    assert engine.open_books().get_balance(DEPOSIT) == AMOUNT_MAX


def test_an_account_that_does_not_exist_has_no_balance(engine: Engine) -> None:
    with refused(ErrorCode.ACCOUNT_UNKNOWN):
        open_books(engine).get_balance(AccountName("nobody"))


def test_a_failure_inside_posting_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_books(engine)
    store.post(lend(1, 7))

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("specie.store.books_store.update", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        store.post(lend(2, 5))
    monkeypatch.undo()
    assert store.load_entry(lend(2, 5).id) is None
    assert store.load_balances() == {CASH: 0, LOANS: 7, DEPOSIT: 7}
    store.post(lend(2, 5))
    assert store.get_balance(LOANS) == 12
