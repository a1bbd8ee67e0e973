"""The engines that the store suite runs on: one contract, whatever keeps the rows.

A second engine is a class with these methods and a line in `ENGINES`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from specie.crypto.secrets import SealingKey
from specie.store.application_store import SqliteApplicationStore
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import SqliteVaultStore, VaultDatabase


class SqliteEngine:
    """Each call opens the store anew, as after a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = SealingKey.generate()

    def open_notary(self) -> SqliteNotaryStore:
        """The notary's."""
        return SqliteNotaryStore(self._folder / "notary.db")

    def open_books(self) -> SqliteBooksStore:
        """Somebody's books."""
        return SqliteBooksStore(self._folder / "books.db")

    def open_vault(self, holder: str = "holder") -> SqliteVaultStore:
        """One holder's part of the vault."""
        return VaultDatabase(self._folder / "vault.db").open_holder(holder, self._key)

    def open_clients(self) -> SqliteClientStore:
        """A bank's clients."""
        return SqliteClientStore(self._folder / "clients.db", self._key)

    def open_applications(self) -> SqliteApplicationStore:
        """The central bank's applications."""
        return SqliteApplicationStore(self._folder / "applications.db", self._key)


Engine = SqliteEngine
ENGINES: Final[dict[str, Callable[[Path], Engine]]] = {"sqlite": SqliteEngine}
