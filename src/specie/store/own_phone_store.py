"""On a device: a holder's own number, entries signed here, and what was relied on (T8).

The number is sealed under the device's key; hashes and positions are of the public log.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.directory.entries import SignedEntry, unpack_signed_entry
from specie.directory.watching import OwnVersion, Seen, WatchedNumber
from specie.ports.directory import OwnNumber
from specie.store.database import Place, open_store
from specie.values.encoding import encode_text
from specie.values.identifiers import Digest, PublicKey
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_NUMBER = Table(
    "own_number",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("sealed_phone", LargeBinary, nullable=False),
    Column("index", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),  # of the directory
)
_ENTRY = Table(
    "own_entry",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("index", LargeBinary, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_entry", LargeBinary, nullable=False),
    Column("publish_by", BigInteger, nullable=True),  # empty until the answer was heard
)
_RELIED = Table(
    "relied_leaf",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("leaf_hash", LargeBinary, primary_key=True),
    Column("publish_by", BigInteger, nullable=False),
)
_SEEN = Table(
    "seen_log",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)


class SqliteOwnPhoneStore:
    """`OwnPhoneStore`: one holder's part of a device's store."""

    def __init__(self, place: Place, holder: str, key: SealingKey) -> None:
        self._database = open_store(place, "own_phones", _VERSION, _METADATA)
        self._holder = holder
        self._key = key

    def record_number(self, number: OwnNumber) -> None:
        """The device's own from now on; entries of another one are kept beside it."""
        sealed = self._key.seal(number.phone.encode(), self._bind(b"phone"))
        values = {"sealed_phone": sealed, "index": number.index, "key": number.key}
        self._put(_NUMBER, values)

    def find_number(self) -> OwnNumber | None:
        """None if this device has put no entry."""
        row = self._find(_NUMBER)
        if row is None:
            return None
        phone = open_sealed(self._key, row.sealed_phone, self._bind(b"phone")).decode()
        return OwnNumber(PhoneNumber(phone), Digest(row.index), PublicKey(row.key))

    def record_entry(self, signed: SignedEntry) -> None:
        """Durable before it leaves; what had its place was refused and never stood."""
        entry = signed.entry
        which = (_ENTRY.c.holder == self._holder) & (_ENTRY.c.index == entry.index)
        sealed = self._key.seal(signed.pack(), self._bind(b"entry"))
        with self._database.transaction() as connection:
            connection.execute(delete(_ENTRY).where(which, _ENTRY.c.version == entry.version))
            connection.execute(
                insert(_ENTRY).values(
                    holder=self._holder,
                    index=entry.index,
                    version=entry.version,
                    hash=entry.hash,
                    sealed_entry=sealed,
                )
            )

    def record_promise(self, signed: SignedEntry, publish_by: Timestamp) -> None:
        """The log will have it."""
        entry = signed.entry
        change = update(_ENTRY).where(
            _ENTRY.c.holder == self._holder,
            _ENTRY.c.index == entry.index,
            _ENTRY.c.version == entry.version,
        )
        with self._database.transaction() as connection:
            connection.execute(change.values(publish_by=publish_by))

    def find_last(self, index: Digest) -> tuple[SignedEntry, Timestamp | None] | None:
        """The newest signed here, and its promise if the answer was heard."""
        query = select(_ENTRY).where(_ENTRY.c.holder == self._holder, _ENTRY.c.index == index)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(_ENTRY.c.version.desc()).limit(1)).first()
        if row is None:
            return None
        packed = open_sealed(self._key, row.sealed_entry, self._bind(b"entry"))
        publish_by = None if row.publish_by is None else Timestamp(row.publish_by)
        return unpack_signed_entry(packed), publish_by

    def rely(self, leaf_hash: Digest, publish_by: Timestamp) -> None:
        """Paid by an entry that was only promised."""
        values = {"holder": self._holder, "leaf_hash": leaf_hash, "publish_by": publish_by}
        query = select(_RELIED).where(
            _RELIED.c.holder == self._holder, _RELIED.c.leaf_hash == leaf_hash
        )
        with self._database.transaction() as connection:
            if connection.execute(query).first() is None:
                connection.execute(insert(_RELIED).values(**values))

    def forget_relied(self, leaf_hashes: Sequence[Digest]) -> None:
        """They are in the log."""
        mine = _RELIED.c.holder == self._holder
        with self._database.transaction() as connection:
            for one in leaf_hashes:
                connection.execute(delete(_RELIED).where(mine, _RELIED.c.leaf_hash == one))

    def record_seen(self, seen: Seen) -> None:
        """How much of the log was looked at."""
        self._put(_SEEN, {"size": seen.size, "root": seen.root})

    def load_watched(self) -> WatchedNumber:
        """All that the log is compared with."""
        number, seen = self.find_number(), self._find(_SEEN)
        index = number.index if number else None
        mine = (_ENTRY.c.holder == self._holder) & (_ENTRY.c.index == index)
        relied = select(_RELIED).where(_RELIED.c.holder == self._holder)
        with self._database.reading() as connection:
            entries = connection.execute(select(_ENTRY).where(mine)).all() if number else []
            others = connection.execute(relied).all()
        own = {int(one.version): _read_own(one) for one in entries}
        return WatchedNumber(
            index=index,
            key=number.key if number else None,
            own=own,
            relied={Digest(one.leaf_hash): Timestamp(one.publish_by) for one in others},
            seen=None if seen is None else Seen(int(seen.size), Digest(seen.root)),
        )

    def _find(self, table: Table) -> Any:
        with self._database.reading() as connection:
            return connection.execute(select(table).where(table.c.holder == self._holder)).first()

    def _put(self, table: Table, values: dict[str, Any]) -> None:
        change = update(table).where(table.c.holder == self._holder).values(**values)
        with self._database.transaction() as connection:
            if connection.execute(change).rowcount == 0:
                connection.execute(insert(table).values(holder=self._holder, **values))

    def _bind(self, what: bytes) -> bytes:
        return b"own-" + what + b"\0" + encode_text(self._holder)


def _read_own(row: Any) -> OwnVersion:
    publish_by = None if row.publish_by is None else Timestamp(row.publish_by)
    return OwnVersion(Digest(row.hash), publish_by)
