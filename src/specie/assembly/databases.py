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
_SCHEMA: Final = re.compile("[?&]schema=")
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
            place: Path | str = folder / f"{kind}.db"
            if self.server is not None:
                given_as = "--database"
                place = make_schema_url(self.server, self.network, institution, given_as=given_as)
            self.opened[institution] = Database(place)
        return self.opened[institution]

    def close(self) -> None:
        """All connections."""
        for database in self.opened.values():
            database.close()

    def clear(self) -> None:
        """Everything in them, for good."""
        for database in self.opened.values():
            database.clear()


def make_schema_url(server: str, network: NetworkId, institution: str, *, given_as: str) -> str:
    """The schema of one institution: those of many institutions and networks share a server.

    `setting_invalid`, with the name by which the URL was given, if it is not of such a server.
    """
    if not server.startswith(_SERVER):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{given_as} begins with {_SERVER}")
    if _SCHEMA.search(server):
        reason = f"{given_as} names no schema: each institution has one of its own"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    name = re.sub("[^a-z0-9]", "_", institution)
    schema = f"specie_{network[:_NAME_BYTES].hex()}_{name}"
    return f"{server}{'&' if '?' in server else '?'}schema={schema}"
