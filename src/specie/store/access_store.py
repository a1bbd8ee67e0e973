"""The access log: who looked at or decided what, in a chain of hashes, sealed at rest (T20).

    hash_n = H("access", hash_(n-1) 32 ‖ n u64 ‖ time u64 ‖ salt 16 ‖ entry)      hash_0 = zeros
    entry  = JSON: action, client, officer, reason, subject; keys sorted, without spaces, ASCII

What is changed no longer hashes to what stands beside it, what is taken out leaves a gap. Of the
last entries only who was told a later head misses any: the newest one is kept sealed here, and
whoever may write to the database can put back the one of before. So heads belong with somebody
outside. The salt makes the head say nothing of short entries.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    delete,
    insert,
    select,
)

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.supervision import AccessEntry
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u64
from specie.values.errors import SpecieError
from specie.values.identifiers import ZERO32, Digest
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_SALT: Final = 16
_HEAD_AAD: Final = b"access head"
_PAGE: Final = 1_000

_ENTRY = Table(
    "access_entry",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # salt ‖ entry
    Column("hash", LargeBinary, nullable=False),
)
_HEAD = Table(
    "access_head",
    _METADATA,
    Column("only", Integer, primary_key=True, autoincrement=False),  # 1
    Column("sealed", LargeBinary, nullable=False),  # number u64 ‖ hash
)


class SqliteAccessStore:
    """`AccessStore` in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "access", _VERSION, _METADATA)
        self._key = key

    def append(
        self, time: Timestamp, officer: str, action: str, about: tuple[str, str], reason: str
    ) -> AccessEntry:
        """`about` is client and subject; one entry after the other, whoever writes at once."""
        client, subject = about
        with self._database.transaction() as connection:
            number, previous = self._find_head(connection)
            entry = AccessEntry(
                number=number + 1,
                time=time,
                officer=officer,
                action=action,
                client=client,
                subject=subject,
                reason=reason,
            )
            plain = secrets.token_bytes(_SALT) + _pack(entry)
            digest = _compute_hash(previous, entry.number, time, plain)
            sealed = self._key.seal(plain, _name(entry.number))
            connection.execute(
                insert(_ENTRY).values(number=entry.number, time=time, sealed=sealed, hash=digest)
            )
            connection.execute(delete(_HEAD))
            head = self._key.seal(u64(entry.number) + digest, _HEAD_AAD)
            connection.execute(insert(_HEAD).values(only=1, sealed=head))
        return entry

    def load(self, start: int, limit: int) -> Sequence[AccessEntry]:
        """A page from number `start` on, oldest first."""
        query = select(_ENTRY).where(_ENTRY.c.number >= start).order_by(_ENTRY.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [_unpack(row, self._open(row)) for row in rows]

    def get_head(self) -> tuple[int, Digest]:
        """How many entries there are, and the hash of the last."""
        with self._database.reading() as connection:
            return self._find_head(connection)

    def find_hash(self, number: int) -> Digest | None:
        """Of the entry of this number, as it stands there; that of 0 is zeros."""
        if not number:
            return Digest(ZERO32)
        query = select(_ENTRY.c.hash).where(_ENTRY.c.number == number)
        with self._database.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Digest(bytes(found))

    def verify(self, pinned: Sequence[tuple[int, Digest]]) -> int:
        """From the first entry to the last, and that heads told before lie on it; gives how many.

        `access_log_invalid` if an entry is gone or changed.
        """
        wanted = dict(pinned)
        if len(wanted) < len(set(pinned)):
            raise _complain("two heads of one number were pinned, and they differ")
        with self._database.reading() as connection:
            head = self._find_head(connection)
            number, digest = 0, Digest(ZERO32)
            _check_pinned(wanted, number, digest)
            for row in _iterate(connection):
                number += 1
                if row.number != number or row.time < 0:
                    raise _complain(f"entry {number} is not there, or not what was written")
                digest = _compute_hash(digest, number, row.time, self._open(row))
                if digest != bytes(row.hash):
                    raise _complain(f"entry {number} is not what was written")
                _check_pinned(wanted, number, digest)
        if (number, digest) != head:
            raise _complain(f"entries up to {head[0]} were written, {number} are there")
        if wanted:
            raise _complain(f"entry {min(wanted)} was pinned, {number} are there")
        return number

    def _find_head(self, connection: Connection) -> tuple[int, Digest]:
        row = connection.execute(select(_HEAD)).first()
        if row is None:
            return 0, Digest(ZERO32)
        try:
            data = open_sealed(self._key, row.sealed, _HEAD_AAD)
        except SpecieError:
            raise _complain("the head is not what was written") from None
        return int.from_bytes(data[:8], "little"), Digest(data[8:])

    def _open(self, row: Any) -> bytes:
        try:
            return open_sealed(self._key, row.sealed, _name(row.number))
        except SpecieError:
            raise _complain(f"entry {row.number} is not what was written") from None


def _iterate(connection: Connection) -> Iterator[Any]:
    last = 0
    while True:
        query = select(_ENTRY).where(_ENTRY.c.number > last).order_by(_ENTRY.c.number)
        rows = connection.execute(query.limit(_PAGE)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].number


def _check_pinned(wanted: dict[int, Digest], number: int, digest: Digest) -> None:
    pinned = wanted.pop(number, digest)
    if pinned != digest:
        raise _complain(f"up to entry {number} it is another log than the one that was pinned")


def _compute_hash(previous: Digest, number: int, time: int, plain: bytes) -> Digest:
    return tagged_hash("access", previous, u64(number), u64(time), plain)


def _pack(entry: AccessEntry) -> bytes:
    fields = {
        "action": entry.action,
        "client": entry.client,
        "officer": entry.officer,
        "reason": entry.reason,
        "subject": entry.subject,
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _unpack(row: Any, plain: bytes) -> AccessEntry:
    fields = json.loads(plain[_SALT:])
    return AccessEntry(number=row.number, time=Timestamp(row.time), **fields)


def _name(number: int) -> bytes:
    return b"access\0" + str(number).encode()


def _complain(reason: str) -> SpecieError:
    return SpecieError(ErrorCode.ACCESS_LOG_INVALID, reason)
