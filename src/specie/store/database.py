"""One SQLite database: WAL, `synchronous=FULL`, writers take their lock when they begin.

A committed transaction survives power loss; a second writer waits instead of failing later.
Stores of one institution share its database, so their effects can be one transaction.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import DATABASE_BUSY_MS_MAX

_PARAMETERS_MAX: Final = 500  # SQLite's limit on bound parameters is far above
_SCHEMA: Final = Table(
    "schema",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("version", Integer, nullable=False),
)


class Database:
    """The database of one institution: each of its stores has its own tables in it."""

    def __init__(self, path: Path) -> None:
        """Open or create; `store_unusable` if the file is not one of ours."""
        self._reader = create_engine(
            f"sqlite:///{path}", connect_args={"timeout": DATABASE_BUSY_MS_MAX / 1e3}
        )
        event.listen(self._reader, "connect", _prepare_connection)
        event.listen(self._reader, "begin", _begin)
        event.listen(self._reader, "before_cursor_execute", _check_alive)
        event.listen(self._reader, "commit", _check_alive)
        self._writer = self._reader.execution_options(writes=True)
        self._mine = _Mine()
        try:
            self._create()
        except SpecieError:
            self.close()
            raise

    def furnish(self, store: str, version: int, metadata: MetaData) -> None:
        """Make a store's tables or find them; `store_unusable` if they are of another version."""
        with self.transaction() as connection:
            query = select(_SCHEMA.c.version).where(_SCHEMA.c.name == store)
            found = connection.execute(query).scalar()
            if found is None:
                _check_free(connection, metadata)
                metadata.create_all(connection, checkfirst=False)
                connection.execute(insert(_SCHEMA).values(name=store, version=version))
            elif found != version:
                reason = f"{store}: version {found} is there, {version} is needed"
                raise SpecieError(ErrorCode.STORE_UNUSABLE, reason)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; durable when the outermost block of this thread ends without an error.

        A block inside another one joins it: an error that is caught between the two undoes the
        inner one, an error that leaves the outer one undoes both.
        """
        outer = self._mine.connection
        with _translated():
            if outer is not None:
                with _savepoint(outer):
                    yield outer
                return
            with self._writer.begin() as connection:
                self._mine.connection = connection
                try:
                    yield connection
                finally:
                    self._mine.connection = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; does not block writers. Within a transaction, what that has done."""
        outer = self._mine.connection
        with _translated():
            if outer is not None:
                yield outer
                return
            with self._reader.begin() as connection:
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()

    def _create(self) -> None:
        with self.transaction() as connection:
            tables = inspect(connection).get_table_names()
            if tables and _SCHEMA.name not in tables:
                raise SpecieError(ErrorCode.STORE_UNUSABLE, "not a database of ours")
            _SCHEMA.create(connection, checkfirst=True)


def open_store(place: Path | Database, name: str, version: int, metadata: MetaData) -> Database:
    """A store's part of its institution's database, or of a file of its own."""
    database = Database(place) if isinstance(place, Path) else place
    try:
        database.furnish(name, version, metadata)
    except SpecieError:
        if database is not place:
            database.close()
        raise
    return database


class _Mine(threading.local):
    """This thread's open transaction: a connection belongs to the thread that began with it."""

    connection: Connection | None = None


@contextmanager
def _translated() -> Iterator[None]:
    """A full disk, a damaged file, a broken constraint: one code, and the transaction is undone."""
    try:
        yield
    except DBAPIError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"the database says: {error.orig}") from None
    except PoolTimeoutError:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, "too many wait for the database") from None


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """A part that can be undone alone; unless SQLite has undone everything itself (disk full)."""
    savepoint = connection.begin_nested()
    try:
        yield
    except BaseException:
        if _is_alive(connection):
            savepoint.rollback()
        raise
    savepoint.commit()


def chunked(items: list[Any], size: int = _PARAMETERS_MAX) -> Iterator[list[Any]]:
    """Slices short enough for one IN (...)."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _is_alive(connection: Connection) -> bool:
    raw: Any = connection.connection.dbapi_connection
    return bool(raw.in_transaction)


def _check_alive(connection: Connection, *what: Any) -> None:
    """After SQLite's own rollback a statement would count alone, and a commit would say yes."""
    is_beginning = len(what) > 1 and str(what[1]).startswith("BEGIN")
    if not is_beginning and not _is_alive(connection):
        raise SpecieError(ErrorCode.STORE_UNUSABLE, "the database has undone the transaction")


def _check_free(connection: Connection, metadata: MetaData) -> None:
    """No two stores have a table of one name, and nobody else's table is taken for ours."""
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if taken:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"table {min(taken)} is somebody else's")
