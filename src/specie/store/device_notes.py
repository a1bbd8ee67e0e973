"""What a device remembers of a holder besides money: one sealed note of each kind.

An application that waits, a move that has begun, for whom it signs, its certificate and the key of
it: durable before anybody else hears of it, so that the same command goes on after a stop.
"""

import json
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, insert, select

from specie.crypto.secrets import SealingKey, open_sealed
from specie.store.database import Place, open_store
from specie.values.encoding import encode_text

_VERSION: Final = 1
_METADATA: Final = MetaData()
_CURRENT: Final = "subwallet"

_NOTE = Table(
    "device_note",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


class SqliteDeviceNotes:
    """In the device's store, sealed under the holder's key."""

    def __init__(self, place: Place, holder: str, key: SealingKey) -> None:
        self._database = open_store(place, "device notes", _VERSION, _METADATA)
        self._holder = holder
        self._key = key

    def put(self, kind: str, note: dict[str, Any]) -> None:
        """In the place of an earlier one."""
        sealed = self._key.seal(json.dumps(note).encode(), self._bind(kind))
        with self._database.transaction() as connection:
            connection.execute(delete(_NOTE).where(self._is(kind)))
            row = insert(_NOTE).values(holder=self._holder, kind=kind, sealed=sealed)
            connection.execute(row)

    def find(self, kind: str) -> dict[str, Any] | None:
        """None if there is none."""
        query = select(_NOTE.c.sealed).where(self._is(kind))
        with self._database.reading() as connection:
            sealed = connection.execute(query).scalar()
        if sealed is None:
            return None
        found: dict[str, Any] = json.loads(open_sealed(self._key, sealed, self._bind(kind)))
        return found

    def remove(self, kind: str) -> None:
        """Again is nothing."""
        with self._database.transaction() as connection:
            connection.execute(delete(_NOTE).where(self._is(kind)))

    def _is(self, kind: str) -> Any:
        return (_NOTE.c.holder == self._holder) & (_NOTE.c.kind == kind)

    def _bind(self, kind: str) -> bytes:
        return b"device-note\0" + encode_text(self._holder) + b"\0" + encode_text(kind)


def get_current(notes: SqliteDeviceNotes) -> int:
    """The sub-wallet that is in use: 0, and one more with each move to another bank."""
    found = notes.find(_CURRENT)
    return 0 if found is None else int(found["number"])


def set_current(notes: SqliteDeviceNotes, number: int) -> None:
    """The last step of a move."""
    notes.put(_CURRENT, {"number": number})
