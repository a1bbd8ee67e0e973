"""The database of an institution, on SQLite or PostgreSQL.

A committed transaction survives power loss; a second writer waits instead of failing later.
Stores of one institution share its database, so their effects can be one transaction.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from specie.store import postgres, sqlite
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName

_PARAMETERS_MAX: Final = 1_000  # the engines' limits on bound parameters are far above
_SCHEMA: Final = Table(
    "schema",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("version", Integer, nullable=False),
)
_OWNER: Final = Table(
    "owner",
    MetaData(),
    Column("network", LargeBinary, primary_key=True),
    Column("service", String, nullable=False),
)


Steps = Mapping[int, Callable[[Connection], None]]
"""What brings a store from a version to the next one."""


class Database:
    """The database of one institution: each of its stores has its own tables in it."""

    def __init__(self, place: Path | str | Engine, *, is_migrating: bool = False) -> None:
        """Open or create a file, what a URL names, or what an engine opens.

        `is_migrating` brings stores of an older version up to ours (`specie migrate`).
        `store_unusable` if it is not one of ours, `setting_invalid` if the URL is malformed.
        """
        self._is_migrating = is_migrating
        self.upgraded: list[tuple[str, int, int]] = []  # store, from version, to version
        self._engine = place if isinstance(place, Engine) else _make_engine(place)
        self._kind = postgres if self._engine.dialect.name == postgres.DIALECT else sqlite
        self._reader = self._kind.make_reader(self._engine)
        self._writer = self._kind.make_writer(self._engine)
        self._mine = _Mine()
        try:
            self._create()
        except SpecieError:
            self.close()
            raise

    def claim(self, network: NetworkId, service: ServiceName) -> None:
        """For this service, whose it stays; `store_unusable` if it is another's.

        A file that was copied to another folder, or one schema for two services, is found so.
        """
        with self.transaction() as connection:
            _OWNER.create(connection, checkfirst=True)
            found = connection.execute(select(_OWNER)).first()
            if found is None:
                connection.execute(insert(_OWNER).values(network=network, service=service))
            elif (found.network, found.service) != (network, service):
                whose = f"{found.service} of network {found.network.hex()}"
                reason = f"the database is of {whose}, not of {service} of network {network.hex()}"
                raise SpecieError(ErrorCode.STORE_UNUSABLE, reason)

    def furnish(
        self, store: str, version: int, metadata: MetaData, steps: Steps | None = None
    ) -> None:
        """Make a store's tables or find them; `store_unusable` if they are of another version.

        `steps[n]` makes version n + 1 out of version n, in the transaction of all steps.
        """
        with self.transaction() as connection:
            query = select(_SCHEMA.c.version).where(_SCHEMA.c.name == store)
            found = connection.execute(query).scalar()
            if found is None:
                _check_free(connection, metadata)
                metadata.create_all(connection, checkfirst=False)
                connection.execute(insert(_SCHEMA).values(name=store, version=version))
            elif found != version:
                self._upgrade(connection, (store, found, version), steps or {})

    def _upgrade(self, connection: Connection, which: tuple[str, int, int], steps: Steps) -> None:
        store, found, version = which
        wanted = range(found, version)
        can_be = found < version and all(one in steps for one in wanted)
        if not can_be or not self._is_migrating:
            reason = f"{store}: version {found} is there, {version} is needed"
            hint = "; `specie migrate` brings it up" if can_be else ""
            raise SpecieError(ErrorCode.STORE_UNUSABLE, reason + hint)
        for one in wanted:
            steps[one](connection)
        change = update(_SCHEMA).where(_SCHEMA.c.name == store).values(version=version)
        connection.execute(change)
        self.upgraded.append((store, found, version))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; durable when the outermost block of this thread ends without an error.

        A block inside another one joins it: an error that is caught between the two undoes the
        inner one, an error that leaves the outer one undoes both.
        """
        outer = self._mine.connection
        with _translated():
            if outer is not None:
                with _savepoint(outer, self._kind.is_alive):
                    yield outer
                return
            with self._writer.begin() as connection:
                self._kind.begin_writing(connection)
                self._mine.connection = connection
                try:
                    yield connection
                finally:
                    self._mine.connection = None
                self._kind.check_alive(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; does not block writers. Within a transaction, what that has done."""
        outer = self._mine.connection
        with _translated():
            if outer is not None:
                yield outer
                return
            with self._reader.begin() as connection:
                self._kind.begin_reading(connection)
                yield connection

    def tidy(self) -> None:
        """Housekeeping that a commit would do sooner or later, while nobody waits for it."""
        self._kind.tidy(self._engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def iterate_values(self) -> Iterator[bytes]:
        """Every value of every row, text as UTF-8: for who searches it as others search a file."""
        found = MetaData()
        with self.reading() as connection:
            found.reflect(connection)
            for table in found.sorted_tables:
                for row in connection.execute(select(table)):
                    yield from (_spell(value) for value in row if value is not None)

    def clear(self) -> None:
        """Everything that is in it is gone, for good."""
        with self.transaction() as connection:
            self._kind.clear(connection)

    def _create(self) -> None:
        with self.transaction() as connection:
            self._kind.make_room(connection)
            tables = inspect(connection).get_table_names()
            if tables and _SCHEMA.name not in tables:
                raise SpecieError(ErrorCode.STORE_UNUSABLE, "not a database of ours")
            _SCHEMA.create(connection, checkfirst=True)


Place = Path | str | Database
"""A file, a URL, or a database that is open already."""


def open_store(
    place: Place, name: str, version: int, metadata: MetaData, steps: Steps | None = None
) -> Database:
    """A store's part of its institution's database, or of one of its own."""
    database = place if isinstance(place, Database) else Database(place)
    try:
        database.furnish(name, version, metadata, steps)
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
    """A full disk, a damaged file, a lost connection, a broken constraint: one code, all undone."""
    try:
        yield
    except DBAPIError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"the database says: {_tell(error)}") from None
    except PendingRollbackError:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, "the database has undone all of it") from None
    except PoolTimeoutError:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, "too many wait for the database") from None


def _tell(error: DBAPIError) -> str:
    """PostgreSQL tells the row's values in a detail of its own: those stay where they are."""
    details = getattr(error.orig, "diag", None)
    told = str((details and details.message_primary) or error.orig)
    return told.split("\n", maxsplit=1)[0]


def _spell(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _make_engine(place: Path | str) -> Engine:
    if isinstance(place, Path):
        return sqlite.make_engine(place)
    try:
        url = make_url(place)
    except ArgumentError:
        raise SpecieError(ErrorCode.SETTING_INVALID, "not the URL of a database") from None
    if url.drivername == sqlite.DIALECT and url.database and not url.query:
        return sqlite.make_engine(Path(url.database))
    if url.drivername == postgres.DIALECT:
        return postgres.make_engine(url)
    raise SpecieError(ErrorCode.SETTING_INVALID, "the URL of a database: sqlite or postgresql")


@contextmanager
def _savepoint(connection: Connection, is_alive: Callable[[Connection], bool]) -> Iterator[None]:
    """A part that can be undone alone; unless everything is undone already.

    All have one name: the engines mean the innermost. SQLAlchemy's own savepoints have a new name
    each, so each would be compiled anew.
    """
    connection.exec_driver_sql("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if is_alive(connection):
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
            connection.exec_driver_sql("RELEASE SAVEPOINT part")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT part")


def chunked(items: list[Any], size: int = _PARAMETERS_MAX) -> Iterator[list[Any]]:
    """Slices short enough for one IN (...)."""
    return (items[start : start + size] for start in range(0, len(items), size))


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows as the driver takes them, in the order of the table's columns.

    For values that need no translation: integers and bytes. Going through each value once more
    costs more than the database itself.
    """
    if rows:
        names = [f'"{column.name}"' for column in table.columns]
        marks = [_get_mark(connection)] * len(names)
        into = f'"{table.name}" ({", ".join(names)})'
        query = f"INSERT INTO {into} VALUES ({', '.join(marks)})"  # noqa: S608  # our own names
        connection.exec_driver_sql(query, list(rows))


def select_rows(
    connection: Connection, columns: Sequence[Column[Any]], keys: Sequence[bytes]
) -> Iterator[tuple[Any, ...]]:
    """The rows whose first column is one of the keys, as the driver gives them."""
    names = ", ".join(f'"{column.name}"' for column in columns)
    where = f'"{columns[0].table}" WHERE "{columns[0].name}" IN'
    query = f"SELECT {names} FROM {where}"  # noqa: S608  # our own names
    return select_by_keys(connection, query, keys)


def select_by_keys(
    connection: Connection, query: str, keys: Sequence[bytes]
) -> Iterator[tuple[Any, ...]]:
    """The same for a query of our own, which ends with IN."""
    for part in chunked(list(keys)):
        marks = ", ".join([_get_mark(connection)] * len(part))
        yield from connection.exec_driver_sql(f"{query} ({marks})", tuple(part)).cursor.fetchall()


def set_rows(
    connection: Connection,
    column: Column[Any],
    value: int,
    where: Column[Any],
    keys: Sequence[bytes],
) -> None:
    """One integer for the rows of these keys."""
    mark = _get_mark(connection)
    for part in chunked(list(keys)):
        marks = ", ".join([mark] * len(part))
        connection.exec_driver_sql(
            f'UPDATE "{column.table}" SET "{column.name}" = {mark}'  # noqa: S608  # our own names
            f' WHERE "{where.name}" IN ({marks})',
            (value, *part),
        )


def _get_mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def _check_free(connection: Connection, metadata: MetaData) -> None:
    """No two stores have a table of one name, and nobody else's table is taken for ours."""
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if taken:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"table {min(taken)} is somebody else's")
