"""The files below every store: durable, of one kind, and silent about what they hold."""

import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from specie.crypto.secrets import KeyTree, SealingKey
from specie.ports.clients import Client, ClientStatus
from specie.store.application_store import SqliteApplicationStore
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.index_store import SqliteLogIndex
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import VaultDatabase
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId
from tests.country import refused
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
    "notary": SqliteNotaryStore,
    "vault": VaultDatabase,
    "witness": SqliteWitnessStore,
}
VERSIONS = {"clients": 2, "index": 2}
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
    assert run(path, "SELECT name, version FROM schema") == [(name, VERSIONS.get(name, 1))]


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
def test_another_version_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "store.db"
    OPENERS[name](path).close()
    for version in (0, 9):
        run(path, f"UPDATE schema SET version = {version}")
        before = run(path, "SELECT name, sql FROM sqlite_master ORDER BY name")
        with refused(ErrorCode.STORE_UNUSABLE):
            OPENERS[name](path)
        assert run(path, "SELECT name, sql FROM sqlite_master ORDER BY name") == before


@every_store
def test_tables_of_somebody_else_are_not_taken_for_ours(tmp_path: Path, name: str) -> None:
    """A store whose row is gone, or another store with a table of the same name."""
    path = tmp_path / "store.db"
    OPENERS[name](path).close()
    run(path, "DELETE FROM schema")
    with refused(ErrorCode.STORE_UNUSABLE):
        OPENERS[name](path)
    assert run(path, "SELECT name FROM schema") == []


def test_all_stores_have_room_in_one_file(tmp_path: Path) -> None:
    """An institution has one database: no two stores have a table of one name."""
    path = tmp_path / "store.db"
    for name in sorted(OPENERS):
        OPENERS[name](path)
    assert run(path, "SELECT name FROM schema ORDER BY name") == [(one,) for one in sorted(OPENERS)]


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


def test_a_damaged_file_is_refused_when_used(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteBooksStore(path)
    store.close()
    run(path, "DROP TABLE account")
    with refused(ErrorCode.STORE_UNUSABLE):
        store.load_balances()


def test_a_refusal_does_not_say_what_was_in_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # X5
    samples = Samples()
    store = SqliteNotaryStore(tmp_path / "store.db")
    recorded = samples.recorded()
    supply = store.load_supply()
    store.record_batch([recorded], supply)
    with refused(ErrorCode.STORE_UNUSABLE) as caught:
        store.record_batch([recorded], supply)
    told = "".join(traceback.format_exception(caught.value))
    body = recorded.transaction.body
    assert "UNIQUE constraint failed" in told
    assert "[parameters" not in told and "INSERT" not in told
    for secret in (body.txid, body.outputs[0].data, recorded.data):
        assert secret.hex() not in told and repr(secret)[2:40] not in told


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """A writer has its lock from the beginning, so that what it read is still true."""
    path = tmp_path / "store.db"
    database = SqliteNotaryStore(path)._database  # noqa: SLF001  # two transactions by hand
    with closing(sqlite3.connect(path, timeout=0)) as other, database.transaction():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM spend").fetchall() == [(0,)]


def test_a_changed_row_does_not_open(tmp_path: Path) -> None:
    """Sealed fields are bound to their row: swapping two of them opens neither."""
    path, samples = tmp_path / "store.db", Samples()
    store = SqliteClientStore(path, KEY)
    tokens = [samples.token(), samples.token()]
    store.add_found([(ClientId("anna"), token) for token in tokens])
    run(
        path,
        "UPDATE client_token SET sealed_opening = (SELECT other.sealed_opening"
        " FROM client_token AS other WHERE other.ref != client_token.ref)",
    )
    with refused(ErrorCode.SEALED_INVALID):
        store.find_tokens([token.ref for token in tokens])


def test_a_client_cannot_take_the_place_of_another(tmp_path: Path) -> None:
    path, samples = tmp_path / "store.db", Samples()
    store = SqliteClientStore(path, KEY)
    view = KeyTree.generate().view_key(0)
    client = Client(ClientId("anna"), "Anna", samples.address(), view, ClientStatus.GOOD)
    store.add_client(client)
    run(path, "UPDATE client SET id = 'boris'")
    with refused(ErrorCode.SEALED_INVALID):
        store.find_client(ClientId("boris"))
