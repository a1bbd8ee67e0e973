"""Transactions that join: several stores' effects are all there or none is, by thread."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from specie.books.entries import Account, Side
from specie.log.checkpoint import Checkpoint
from specie.log.tree import EMPTY_ROOT
from specie.store.books_store import SqliteBooksStore
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import AccountName
from tests.country import refused
from tests.unit.store.engines import Engine, make_sqlite

TIP = Checkpoint("log.example/1", 0, EMPTY_ROOT)


class _Stop(Exception):
    """Something of the caller's own."""


class House:
    """Two stores of one institution."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.database = engine.open()
        self.books = SqliteBooksStore(self.database)
        self.witness = SqliteWitnessStore(self.database)

    def open_account(self, name: str) -> None:
        """One effect of the one store."""
        self.books.open_account(Account(AccountName(name), Side.DEBIT))

    def see_from_outside(self) -> tuple[list[str], int]:
        """Account names and witnessed logs, as another process sees them: what is committed."""
        names = self.engine.run("SELECT name FROM account ORDER BY name")
        ((seen,),) = self.engine.run("SELECT count(*) FROM last")
        return [name for (name,) in names], seen


@contextmanager
def stopped() -> Iterator[None]:
    """The block ends with the caller's own error, whatever it did before."""
    with pytest.raises(_Stop):
        yield


@pytest.fixture
def house(engine: Engine) -> House:
    """Empty."""
    return House(engine)


def test_effects_of_two_stores_are_one_transaction(house: House) -> None:  # P11
    with house.database.transaction():
        house.open_account("a")
        house.witness.replace(None, TIP)
        assert house.see_from_outside() == ([], 0)
        assert list(house.books.load_accounts()) == ["a"]  # what we wrote, we read
    assert house.see_from_outside() == (["a"], 1)


def test_an_error_undoes_everything(house: House) -> None:  # P11
    with stopped(), house.database.transaction():
        house.open_account("a")
        with house.database.transaction():
            house.witness.replace(None, TIP)
        raise _Stop
    assert house.see_from_outside() == ([], 0)
    house.open_account("b")
    assert house.see_from_outside() == (["b"], 0)


def test_a_nested_error_that_nobody_catches_undoes_everything(house: House) -> None:
    with refused(ErrorCode.LOG_INVALID), house.database.transaction():
        house.open_account("a")
        house.witness.replace(TIP, TIP)
    assert house.see_from_outside() == ([], 0)


def test_a_nested_error_that_is_caught_leaves_no_half(house: House) -> None:
    with house.database.transaction():
        house.open_account("a")
        with stopped(), house.database.transaction():
            house.open_account("b")
            house.witness.replace(None, TIP)
            raise _Stop
        with refused(ErrorCode.STORE_UNUSABLE), house.database.transaction() as connection:
            house.open_account("c")
            connection.execute(text("INSERT INTO account (name) VALUES ('z')"))
        house.open_account("d")
    assert house.see_from_outside() == (["a", "d"], 0)


def test_blocks_nest_as_deep_as_one_likes(house: House) -> None:
    with house.database.transaction(), house.database.transaction():
        with house.database.transaction():
            house.open_account("a")
        with stopped(), house.database.transaction():
            with house.database.transaction():
                house.open_account("b")
            raise _Stop
    assert house.see_from_outside() == (["a"], 0)


def test_a_thread_joins_its_own_transaction_only(house: House) -> None:
    """Another thread's writes wait, its reads see what is committed, and its error is its own."""
    is_started = threading.Event()

    def write_beside() -> None:
        is_started.set()
        house.open_account("theirs")
        raise _Stop

    with ThreadPoolExecutor(1) as pool:
        with house.database.transaction():
            house.open_account("ours")
            assert pool.submit(house.books.load_accounts).result() == {}
            beside = pool.submit(write_beside)
            is_started.wait()
            assert not beside.done()
        with pytest.raises(_Stop):
            beside.result()
    assert house.see_from_outside() == (["ours", "theirs"], 0)


def test_two_databases_are_two_transactions(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = House(make_sqlite(tmp_path_factory.mktemp("other")))
    with stopped(), house.database.transaction():
        house.open_account("a")
        other.open_account("a")
        raise _Stop
    assert house.see_from_outside() == ([], 0)
    assert other.see_from_outside() == (["a"], 0)
    other.engine.close()


def test_what_sqlite_has_undone_itself_is_not_acknowledged(tmp_path: Path) -> None:  # X12
    """It may roll back alone, on a full disk: the rest of the block must not count as its own."""
    house = House(make_sqlite(tmp_path))
    with refused(ErrorCode.STORE_UNUSABLE), house.database.transaction() as connection:
        house.open_account("a")
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.rollback()
        with refused(ErrorCode.STORE_UNUSABLE):
            house.open_account("b")
        with refused(ErrorCode.STORE_UNUSABLE):
            connection.execute(text("INSERT INTO account VALUES ('c', 1, x'00')"))
    assert house.see_from_outside() == ([], 0)
    house.open_account("d")
    assert house.see_from_outside() == (["d"], 0)
    house.engine.close()
