"""What a server brings with it: settings that forget, connections that break, a crash (X12)."""

import signal
import traceback
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import text

from specie.books.entries import Account, Side
from specie.store.books_store import SqliteBooksStore
from specie.store.database import Database
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import AccountName
from tests.country import refused
from tests.postgres import PostgresServer, open_server
from tests.unit.store.engines import Engine, make_postgres

BREAK_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def open_account(store: SqliteBooksStore, name: str) -> None:
    """One effect."""
    store.open_account(Account(AccountName(name), Side.DEBIT))


@pytest.fixture
def bank(postgres: PostgresServer) -> Iterator[Engine]:
    """A schema of its own."""
    made = make_postgres(postgres)
    yield made
    made.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """One that the test may stop."""
    with open_server() as server:
        yield server


def count_connections(server: PostgresServer) -> int:
    """Of others than us."""
    (row,) = server.run(BREAK_ALL.replace("pg_terminate_backend(pid)", "count(*)"))
    return int(row[0])


def test_a_broken_connection_is_told_and_the_next_call_works(
    bank: Engine, postgres: PostgresServer
) -> None:
    store = bank.open_books()
    open_account(store, "a")
    store.load_accounts()
    postgres.run(BREAK_ALL)
    with refused(ErrorCode.STORE_UNUSABLE):
        open_account(store, "b")
    open_account(store, "b")
    assert sorted(store.load_accounts()) == ["a", "b"]


@pytest.mark.parametrize("is_caught", [False, True])
def test_a_connection_broken_midway_undoes_all(
    bank: Engine, postgres: PostgresServer, is_caught: bool
) -> None:
    database = bank.open()
    store = SqliteBooksStore(database)
    with refused(ErrorCode.STORE_UNUSABLE), database.transaction():
        open_account(store, "a")
        postgres.run(BREAK_ALL)
        with suppress(*[SpecieError] * is_caught):
            open_account(store, "b")
    assert store.load_accounts() == {}
    open_account(store, "c")
    assert list(store.load_accounts()) == ["c"]


def test_what_was_acknowledged_survives_a_crash(own_server: PostgresServer) -> None:
    bank = make_postgres(own_server)
    store = bank.open_books()
    for number in range(20):
        open_account(store, f"{number:02}")
    with refused(ErrorCode.STORE_UNUSABLE), bank.open().transaction() as connection:
        connection.execute(text("INSERT INTO account VALUES ('half', 1, 'x')"))
        own_server.stop(signal.SIGQUIT)  # as when one of its processes dies: nothing is finished
    with refused(ErrorCode.STORE_UNUSABLE):
        store.load_accounts()
    own_server.start()
    assert sorted(store.load_accounts()) == [f"{number:02}" for number in range(20)]
    open_account(store, "20")
    bank.close()


@pytest.mark.parametrize(
    "setting", ["fsync=off", "synchronous_commit=off", "synchronous_commit=local"]
)
def test_a_server_that_forgets_is_refused(own_server: PostgresServer, setting: str) -> None:
    own_server.stop()
    own_server.start(setting)
    with refused(ErrorCode.STORE_UNUSABLE) as caught:
        Database(own_server.make_url())
    assert setting.replace("=", " is ") in str(caught.value)


def test_a_setting_that_changes_later_is_met_by_the_next_connection(bank: Engine) -> None:
    store = bank.open_books()
    store.close()
    bank.run("ALTER ROLE specie SET synchronous_commit = off")
    try:
        with refused(ErrorCode.STORE_UNUSABLE):
            open_account(store, "a")
    finally:
        bank.run("ALTER ROLE specie RESET synchronous_commit")
    open_account(store, "a")


def test_nobody_answers(own_server: PostgresServer) -> None:
    url = own_server.make_url().replace("specie@", "specie:very-secret@")
    own_server.stop()
    with refused(ErrorCode.STORE_UNUSABLE) as caught:
        Database(url)
    assert "very-secret" not in "".join(traceback.format_exception(caught.value))  # X5


def test_connections_are_given_back(bank: Engine, postgres: PostgresServer) -> None:
    store = bank.open_books()
    assert count_connections(postgres) > 0
    store.close()
    assert count_connections(postgres) == 0


def test_two_institutions_of_one_server_do_not_wait_for_each_other(
    postgres: PostgresServer,
) -> None:
    north, south = make_postgres(postgres), make_postgres(postgres)
    with north.open().transaction(), south.open().transaction():
        assert north.place != south.place
        ((locks,),) = postgres.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert locks == 2  # both hold theirs
    north.close()
    south.close()
