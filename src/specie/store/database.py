"""One SQLite database: WAL, `synchronous=FULL`, writers take their lock when they begin.

A committed transaction survives power loss; a second writer waits instead of failing later.
"""

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


class Database:
    """A database file with the tables of one store."""

    def __init__(self, path: Path, metadata: MetaData, name: str, version: int) -> None:
        """Open or create; `store_unusable` if the file is of another store or version."""
        self._schema = Table(
            "schema",
            metadata,
            Column("name", String, primary_key=True),
            Column("version", Integer, nullable=False),
            extend_existing=True,
        )
        self._reader = create_engine(
            f"sqlite:///{path}", connect_args={"timeout": DATABASE_BUSY_MS_MAX / 1e3}
        )
        event.listen(self._reader, "connect", _prepare_connection)
        event.listen(self._reader, "begin", _begin)
        self._writer = self._reader.execution_options(writes=True)
        try:
            self._create(metadata, name, version)
        except SpecieError:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; durable when the block ends without an exception."""
        with _translated(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; does not block writers."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()

    def _create(self, metadata: MetaData, name: str, version: int) -> None:
        with self.transaction() as connection:
            tables = inspect(connection).get_table_names()
            if tables and self._schema.name not in tables:
                raise SpecieError(ErrorCode.STORE_UNUSABLE, "not a database of ours")
            metadata.create_all(connection)
            found = connection.execute(select(self._schema)).all()
            if not found:
                connection.execute(insert(self._schema).values(name=name, version=version))
            elif [(row.name, row.version) for row in found] != [(name, version)]:
                raise SpecieError(ErrorCode.STORE_UNUSABLE, "database of another store or version")


@contextmanager
def _translated() -> Iterator[None]:
    """A full disk, a damaged file, a broken constraint: one code, and the transaction is undone."""
    try:
        yield
    except DBAPIError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"the database says: {error.orig}") from None
    except PoolTimeoutError:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, "too many wait for the database") from None


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
