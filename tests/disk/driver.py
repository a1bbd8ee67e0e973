"""As much of Python's database interface over `apsw` as SQLAlchemy asks of SQLite's driver.

`open_database` puts the stores' own `Database` on a `Disk`; nothing of them is replaced.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Final

import apsw
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from specie.store.database import Database
from specie.store.sqlite import prepare_engine
from tests.disk.layer import Disk

_SYNC: Final = "PRAGMA synchronous=FULL"
_CHECKPOINT: Final = "PRAGMA wal_autocheckpoint"


class Cursor:
    """Reads all rows at once."""

    arraysize = 1

    def __init__(self, owner: "DriverConnection") -> None:
        self.connection = owner
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, statement: str, values: Sequence[Any] = ()) -> "Cursor":
        """One statement."""
        statement = self.connection.change(statement)
        cursor = self.connection.raw.cursor()
        self.description = None
        cursor.exec_trace = self._note_description
        try:
            self._rows = list(cursor.execute(statement, tuple(values)))
        except apsw.ConstraintError as error:
            raise sqlite3.IntegrityError(str(error)) from None
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from None
        self.rowcount = self.connection.raw.changes()
        self.lastrowid = self.connection.raw.last_insert_rowid()
        return self

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> "Cursor":
        """One after the other."""
        changed = 0
        for row in rows:
            changed += self.execute(statement, row).rowcount
        self.rowcount = changed
        return self

    def fetchone(self) -> Any:
        """The next, or None."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        """The next ones."""
        found, self._rows = self._rows[:size], self._rows[size:]
        return found

    def fetchall(self) -> list[Any]:
        """The rest."""
        found, self._rows = self._rows, []
        return found

    def close(self) -> None:
        """Nothing is open."""

    def _note_description(self, cursor: Any, _statement: str, _values: Any) -> bool:
        described = cursor.get_description()
        if described:
            self.description = [(name, None, None, None, None, None, None) for name, _ in described]
        return True


class DriverConnection:
    """The one connection to a disk."""

    isolation_level: str | None = ""

    def __init__(self, disk: Disk, change: Callable[[str], str]) -> None:
        self.raw = apsw.Connection("store.db", vfs=disk.name)
        self.change = change
        for pragma in ("locking_mode=EXCLUSIVE", "wal_autocheckpoint=30"):
            list(self.raw.execute(f"PRAGMA {pragma}"))

    @property
    def in_transaction(self) -> bool:
        """Since BEGIN."""
        return self.raw.in_transaction

    def cursor(self) -> Cursor:
        """A new one."""
        return Cursor(self)

    def create_function(self, *_what: Any, **_more: Any) -> None:
        """SQLAlchemy offers some; our SQL calls none of them."""

    def commit(self) -> None:
        """If there is anything to."""
        if self.in_transaction:
            self.cursor().execute("COMMIT")

    def rollback(self) -> None:
        """If there is anything to."""
        if self.in_transaction:
            self.cursor().execute("ROLLBACK")

    def close(self) -> None:
        """The file as well."""
        self.raw.close()


def open_database(disk: Disk, synchronous: str = "FULL") -> Database:
    """On this disk; another `synchronous` than ours is a mutant."""

    def change(statement: str) -> str:
        if statement.startswith(_CHECKPOINT):
            statement = f"{_CHECKPOINT}=200"  # often: what is moved then must not be lost either
        return statement.replace(_SYNC, f"PRAGMA synchronous={synchronous}")

    module = SimpleNamespace(**{**vars(sqlite3), "sqlite_version_info": (3, 40, 0)})
    engine = create_engine(
        "sqlite://",
        module=module,
        creator=lambda: DriverConnection(disk, change),
        poolclass=StaticPool,
    )
    return Database(prepare_engine(engine))
