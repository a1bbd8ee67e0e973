"""One database for each institution: files below the network's folder, or schemas of a server."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from specie.store.database import Database
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId

_SERVER: Final = "postgresql://"
_NAME_BYTES: Final = 8  # of the network's id, in the names of its schemas


@dataclass(slots=True, repr=False)
class Databases:
    """Opened once each, by the institution's name (`bank-2`); many networks may share a server."""

    data: Path
    network: NetworkId
    server: str | None = None
    opened: dict[str, Database] = field(default_factory=dict)

    def open(self, institution: str) -> Database:
        """In the institution's own folder, which nobody else of this machine may open."""
        if institution not in self.opened:
            folder = self.data / institution
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            kind = institution.split("-", maxsplit=1)[0]
            self.opened[institution] = Database(
                folder / f"{kind}.db" if self.server is None else self._make_url(institution)
            )
        return self.opened[institution]

    def close(self) -> None:
        """All connections."""
        for database in self.opened.values():
            database.close()

    def clear(self) -> None:
        """Everything in them, for good."""
        for database in self.opened.values():
            database.clear()

    def _make_url(self, institution: str) -> str:
        assert self.server is not None, "files have no URL"
        if not self.server.startswith(_SERVER):
            raise SpecieError(ErrorCode.SETTING_INVALID, f"--database begins with {_SERVER}")
        name = re.sub("[^a-z0-9]", "_", institution)
        schema = f"specie_{self.network[:_NAME_BYTES].hex()}_{name}"
        return f"{self.server}{'&' if '?' in self.server else '?'}schema={schema}"
