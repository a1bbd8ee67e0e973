"""The files below every store: durable, of one kind, and silent about what they hold."""

import sqlite3
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import TextClause, text

from specie.books.entries import Account, Side
from specie.crypto.secrets import KeyTree, SealingKey
from specie.ports.clients import Client, ClientStatus
from specie.store.application_store import SqliteApplicationStore
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.index_store import SqliteLogIndex
from specie.store.journal_store import SqliteJournal
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import VaultDatabase
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import AccountName, ClientId
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples

KEY = SealingKey.generate()


class Store(Protocol):
    """Any of them."""

    def close(self) -> None:
        """Close the file."""
        ...


OPENERS: dict[str, Callable[[Path | Database], Store]] = {
    "applications": lambda path: SqliteApplicationStore(path, KEY),
    "books": SqliteBooksStore,
    "clients": lambda path: SqliteClientStore(path, KEY),
    "index": SqliteLogIndex,
    "journal": lambda path: SqliteJournal(path, KEY),
    "notary": SqliteNotaryStore,
    "vault": VaultDatabase,
    "witness": SqliteWitnessStore,
}
every_store = pytest.mark.parametrize("name", sorted(OPENERS))


def run(path: Path, statement: str) -> list[tuple[object, ...]]:
    """One statement, committed, from outside."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


@every_store
def test_files_are_in_wal_mode(tmp_path: Path, name: str) -> None:
    path = tmp_path / "store.db"
    OPENERS[name](path)
    assert run(path, "PRAGMA journal_mode") == [("wal",)]
    assert run(path, "PRAGMA integrity_check") == [("ok",)]
    assert run(path, "SELECT name FROM schema WHERE version > 0") == [(name,)]


@pytest.mark.parametrize("access", ["transaction", "reading"])
def test_every_connection_syncs_fully(tmp_path: Path, access: str) -> None:
    """`synchronous` belongs to the connection: FULL (2) survives power loss in WAL mode."""
    store = SqliteNotaryStore(tmp_path / "store.db")
    database = store._database  # noqa: SLF001  # the pragmas of what the store itself uses
    with getattr(database, access)() as connection:
        pragmas = ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == [2, "wal", 1, 30_000]


@every_store
def test_another_version_is_refused(engine: Engine, name: str) -> None:
    OPENERS[name](engine.open())
    for version in (0, 99):
        engine.run(f"UPDATE schema SET version = {version}")
        with refused(ErrorCode.STORE_UNUSABLE):
            OPENERS[name](engine.open())
        assert engine.run("SELECT name, version FROM schema") == [(name, version)]


@every_store
def test_tables_of_somebody_else_are_not_taken_for_ours(engine: Engine, name: str) -> None:
    """A store whose row is gone, or another store with a table of the same name."""
    OPENERS[name](engine.open())
    engine.run("DELETE FROM schema")
    with refused(ErrorCode.STORE_UNUSABLE):
        OPENERS[name](engine.open())
    assert engine.run("SELECT name FROM schema") == []


def test_what_is_not_our_database_is_left_alone(engine: Engine) -> None:
    engine.open()
    engine.run("DROP TABLE schema")
    engine.run("CREATE TABLE somebody_elses (id INTEGER)")
    with refused(ErrorCode.STORE_UNUSABLE):
        engine.open()
    engine.run("CREATE TABLE schema (id INTEGER)")  # so nobody has made one


def test_all_stores_have_room_in_one_database(engine: Engine) -> None:
    """An institution has one database: no two stores have a table of one name."""
    for name in sorted(OPENERS):
        OPENERS[name](engine.open())
    found = engine.run("SELECT name FROM schema ORDER BY name")
    assert found == [(one,) for one in sorted(OPENERS)]


def test_what_is_cleared_is_gone(engine: Engine) -> None:
    database = engine.open()
    SqliteBooksStore(database).open_account(Account(AccountName("a"), Side.DEBIT))
    database.clear()
    assert SqliteBooksStore(engine.open()).load_accounts() == {}


@every_store
@pytest.mark.parametrize("kind", ["text", "random", "truncated", "folder", "no folder", "foreign"])
def test_what_is_not_our_database_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / ("nowhere/store.db" if kind == "no folder" else "store.db")
    if kind == "text":
        path.write_text("this is not a database, whatever its name says\n" * 100)
    elif kind == "random":
        path.write_bytes(Samples().draw(8_192))
    elif kind == "truncated":
        OPENERS[name](path).close()
        run(path, "PRAGMA journal_mode=DELETE")
        path.write_bytes(path.read_bytes()[:700])
    elif kind == "folder":
        path.mkdir()
    elif kind == "foreign":
        run(path, "CREATE TABLE somebody_elses (id INTEGER)")
    before = path.read_bytes() if path.is_file() else b""
    with refused(ErrorCode.STORE_UNUSABLE):
        OPENERS[name](path)
    if kind in {"text", "random", "truncated"}:
        assert path.read_bytes() == before
    if kind == "foreign":
        assert run(path, "SELECT name FROM sqlite_master") == [("somebody_elses",)]


def test_a_damaged_database_is_refused_when_used(engine: Engine) -> None:
    engine.open_books()
    engine.run("DROP TABLE account")
    store = engine.open_books()  # it does not make an empty one in its place
    with refused(ErrorCode.STORE_UNUSABLE):
        store.load_balances()


def test_a_refusal_does_not_say_what_was_in_the_row(engine: Engine) -> None:  # X5
    samples = Samples()
    store = engine.open_notary()
    recorded = samples.recorded()
    supply = store.load_supply()
    store.record_batch([recorded], supply)
    with refused(ErrorCode.STORE_UNUSABLE) as caught:
        store.record_batch([recorded], supply)
    told = "".join(traceback.format_exception(caught.value))
    body = recorded.transaction.body
    assert "unique constraint" in told.lower()
    assert "[parameters" not in told and "INSERT" not in told
    for secret in (body.txid, body.outputs[0].ref, body.outputs[0].data, recorded.data):
        assert secret.hex() not in told and repr(secret)[2:40] not in told


def insert_account(name: str) -> TextClause:
    """As it stands in the table."""
    return text("INSERT INTO account VALUES (:name, 1, :balance)").bindparams(
        name=name, balance=bytes(8)
    )


def test_writers_wait_for_each_other(engine: Engine) -> None:
    """A writer has its lock from the beginning, so that what it read is still true."""
    books, other = engine.open_books(), engine.open()
    is_reading = threading.Event()

    def count_again() -> int:
        is_reading.set()
        with other.transaction() as connection:
            return int(connection.execute(text("SELECT count(*) FROM account")).scalar_one())

    with ThreadPoolExecutor(1) as pool:
        with engine.open().transaction() as connection:
            beside = pool.submit(count_again)
            is_reading.wait()
            assert books.load_accounts() == {}  # who only reads does not wait
            connection.execute(insert_account("a"))
            assert not beside.done()
        assert beside.result() == 1


def test_no_update_is_lost(engine: Engine) -> None:
    """Read, add one, write: eight at once, each with connections of its own."""
    engine.open_books()
    engine.run("INSERT INTO account VALUES ('a', 0, 'x')")

    def add(_number: int) -> None:
        with engine.open().transaction() as connection:
            (normal,) = connection.execute(text("SELECT normal FROM account")).one()
            connection.execute(text(f"UPDATE account SET normal = {normal + 1}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    assert engine.run("SELECT normal FROM account") == [(40,)]


def test_a_changed_row_does_not_open(engine: Engine) -> None:
    """Sealed fields are bound to their row: swapping two of them opens neither."""
    samples = Samples()
    store = engine.open_clients()
    tokens = [samples.token(), samples.token()]
    store.add_found([(ClientId("anna"), token) for token in tokens])
    engine.run(
        "UPDATE client_token SET sealed_opening = (SELECT other.sealed_opening"
        " FROM client_token AS other WHERE other.ref != client_token.ref)"
    )
    with refused(ErrorCode.SEALED_INVALID):
        store.find_tokens([token.ref for token in tokens])


def test_a_client_cannot_take_the_place_of_another(engine: Engine) -> None:
    samples = Samples()
    store = engine.open_clients()
    view = KeyTree.generate().view_key(0)
    client = Client(ClientId("anna"), "Anna", samples.address(), view, ClientStatus.GOOD)
    store.add_client(client)
    engine.run("UPDATE client SET id = 'boris'")
    with refused(ErrorCode.SEALED_INVALID):
        store.find_client(ClientId("boris"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://host/db",
        "postgresql+asyncpg://host/db",
        "sqlite://",
        "postgresql://host/db?schema=a;b",
        "postgresql://host/db?schema=A",
    ],
)
def test_a_malformed_url_is_refused(url: str) -> None:
    with refused(ErrorCode.SETTING_INVALID):
        Database(url)


def test_a_url_names_a_file(tmp_path: Path) -> None:
    SqliteBooksStore(f"sqlite:///{tmp_path}/books.db").close()
    assert run(tmp_path / "books.db", "SELECT name FROM schema") == [("books",)]
