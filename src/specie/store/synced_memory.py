"""A disk for one database of a simulated machine: in memory, and it forgets what was not synced.

A commit with `synchronous=FULL` keeps the whole database as the image that a loss of power leaves;
a commit with less changes what is read, not the image. Around each commit the machine may stop.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from specie.store import sqlite
from specie.store.database import Database

_FULL: Final = 2  # of PRAGMA synchronous: less may lose what was committed


class SyncedMemory:
    """The image, and whatever runs on it since power came back."""

    def __init__(self, pass_commit: Callable[[], None]) -> None:
        """`pass_commit` is called before and after every commit that changes something."""
        self._pass_commit = pass_commit
        self._image = b""
        self._connection: _Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The one that is open."""
        assert self._connection is not None, "the machine runs"
        return self._connection

    def open(self) -> Database:
        """Power is back: the database as it was last synced."""
        self.close()
        connection = sqlite3.connect(":memory:", check_same_thread=False, factory=_Connection)
        if self._image:
            connection.deserialize(self._image)
        self._connection = connection
        connection.disk = self
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        return Database(sqlite.prepare_engine(engine))

    def copy(self, pass_commit: Callable[[], None]) -> "SyncedMemory":
        """Another disk with the same bytes."""
        other = SyncedMemory(pass_commit)
        other._image = self._image
        return other

    def close(self) -> None:
        """What was not synced is gone."""
        if self._connection is not None:
            self._connection.disk = None
            self._connection.close()
            self._connection = None

    def pass_commit(self) -> None:
        """The machine may stop here."""
        self._pass_commit()

    def sync(self, connection: sqlite3.Connection) -> None:
        """Keep the image, if this connection syncs what it commits."""
        [level] = connection.execute("PRAGMA synchronous").fetchone()
        if level >= _FULL:
            self._image = connection.serialize()


class _Connection(sqlite3.Connection):
    """Tells its disk of every commit."""

    disk: SyncedMemory | None = None
    _seen = 0

    def commit(self) -> None:
        """Nothing, or all of it and then, if it syncs, for good."""
        disk, is_change = self.disk, self.in_transaction and self.total_changes != self._seen
        if disk is not None and is_change:
            disk.pass_commit()
        super().commit()
        self._seen = self.total_changes
        if disk is not None and is_change:
            disk.sync(self)
            disk.pass_commit()
