"""SQLite below a `Database`: WAL, `synchronous=FULL`, writers take their lock when they begin."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import DBAPIError

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import DATABASE_BUSY_MS_MAX

DIALECT: Final = "sqlite"
_UNDONE: Final = "the database has undone the transaction"
_CACHE_PAGES: Final = 16_000  # 64 MiB a connection at most, taken as it is needed
_CHECKPOINT_PAGES: Final = 16_000  # 64 MiB of log, then a commit does it; `tidy` comes before


def make_engine(path: Path) -> Engine:
    """Connections to one file; it is made when the first one is opened."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": DATABASE_BUSY_MS_MAX / 1e3},
        pool_use_lifo=True,  # the connection used last still has its pages in memory
    )
    return prepare_engine(engine)


def prepare_engine(engine: Engine) -> Engine:
    """Whatever opens its connections: they sync fully, and say BEGIN as we need it."""
    event.listen(engine, "connect", _prepare_connection)
    for execution in ("do_execute", "do_execute_no_params", "do_executemany"):
        event.listen(engine, execution, _check_open)
    return engine


def make_reader(engine: Engine) -> Engine:
    """The same connections; every transaction sees one state."""
    return engine


def make_writer(engine: Engine) -> Engine:
    """The same connections, for writing."""
    return engine


def begin_reading(connection: Connection) -> None:
    """All statements see one state."""
    _begin(connection, "BEGIN")


def begin_writing(connection: Connection) -> None:
    """With the write lock, or when its owner has ended."""
    _begin(connection, "BEGIN IMMEDIATE")


def check_alive(connection: Connection) -> None:
    """After SQLite's own rollback a commit would say yes."""
    if not is_alive(connection):
        raise SpecieError(ErrorCode.STORE_UNUSABLE, _UNDONE)


def is_alive(connection: Connection) -> bool:
    """Whether the transaction is still open: SQLite may undo all of it alone (disk full)."""
    raw: Any = connection.connection.dbapi_connection
    return bool(raw.in_transaction)


def make_room(_connection: Connection) -> None:
    """A file is one institution's own."""


def tidy(engine: Engine) -> None:
    """Move what is committed from the write-ahead log into the file; nobody waits for it.

    What cannot be moved stays where it is: it is durable there, and a later commit tries again.
    """
    with closing(engine.raw_connection()) as raw, suppress(sqlite3.Error):
        raw.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")


def clear(connection: Connection) -> None:
    """Every table; the file stays where it is."""
    found = MetaData()
    found.reflect(connection)
    found.drop_all(connection)


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    cursor.execute(f"PRAGMA cache_size={_CACHE_PAGES}")
    cursor.close()


def _begin(connection: Connection, statement: str) -> None:
    """By the driver itself: SQLAlchemy would look at it as at any other statement."""
    raw: Any = connection.connection.dbapi_connection
    try:
        raw.cursor().execute(statement)
    except sqlite3.Error as error:
        raise DBAPIError(statement, None, error) from None


def _check_open(cursor: Any, *_what: Any) -> None:
    """After SQLite's own rollback a statement would count alone."""
    if not cursor.connection.in_transaction:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, _UNDONE)
