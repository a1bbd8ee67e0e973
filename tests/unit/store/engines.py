"""The engines that the store suite runs on: one contract, whatever keeps the rows."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from specie.crypto.secrets import SealingKey
from specie.store.application_store import SqliteApplicationStore
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.contacts import SqliteContactStore
from specie.store.database import Database
from specie.store.decision_store import SqliteDecisionStore
from specie.store.journal_store import SqliteJournal
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import SqliteVaultStore, VaultDatabase
from tests.postgres import PostgresServer

Run = Callable[[str], list[tuple[Any, ...]]]
"""One statement, committed, from outside."""


class Engine:
    """An institution's database; each call opens the store anew, as after a restart."""

    def __init__(self, place: Path | str, run: Run) -> None:
        self.place = place
        self.run = run
        self._key = SealingKey.generate()
        self._opened: list[Database] = []

    def open(self, *, is_migrating: bool = False) -> Database:
        """Connections of their own, as another process has."""
        database = Database(self.place, is_migrating=is_migrating)
        self._opened.append(database)
        return database

    def close(self) -> None:
        """All that was opened."""
        for database in self._opened:
            database.close()

    def open_notary(self) -> SqliteNotaryStore:
        """The notary's."""
        return SqliteNotaryStore(self.open())

    def open_books(self) -> SqliteBooksStore:
        """Somebody's books."""
        return SqliteBooksStore(self.open())

    def open_vault(self, holder: str = "holder") -> SqliteVaultStore:
        """One holder's part of the vault."""
        return VaultDatabase(self.open()).open_holder(holder, self._key)

    def open_contacts(self, holder: str, prefix: str) -> SqliteContactStore:
        """One holder's address book."""
        return VaultDatabase(self.open()).open_contacts(holder, self._key, prefix)

    def open_clients(self, *, is_migrating: bool = False) -> SqliteClientStore:
        """A bank's clients."""
        return SqliteClientStore(self.open(is_migrating=is_migrating), self._key)

    def open_applications(self) -> SqliteApplicationStore:
        """The central bank's applications."""
        return SqliteApplicationStore(self.open(), self._key)

    def open_decisions(self, *, is_migrating: bool = False) -> SqliteDecisionStore:
        """The central bank's decisions, and what it has lent."""
        return SqliteDecisionStore(self.open(is_migrating=is_migrating))

    def open_journal(self) -> SqliteJournal:
        """An institution's journal."""
        return SqliteJournal(self.open(), self._key)


def make_sqlite(folder: Path) -> Engine:
    """A file of a folder."""
    path = folder / "store.db"
    return Engine(path, make_sqlite_runner(path))


def make_sqlite_runner(path: Path) -> Run:
    """Into a file, whoever else has it open."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement).fetchall()

    return run


def make_postgres(server: PostgresServer) -> Engine:
    """A new schema of a server."""
    url = server.make_url()
    return Engine(url, lambda statement: server.run(statement, url.rpartition("=")[2]))


ENGINES: Final[dict[str, Callable[[Path, Callable[[], PostgresServer]], Engine]]] = {
    "postgresql": lambda _folder, get_server: make_postgres(get_server()),
    "sqlite": lambda folder, _get_server: make_sqlite(folder),
}
