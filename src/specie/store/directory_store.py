"""The directory's entries, all versions, in the central bank's database (T8).

No phone number is here: an entry stands under its index. What it says (address, name) is sealed
under the desk's storage key; the leaf and the receipt are public.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.directory.entries import SIGNED_BYTES, SignedEntry, unpack_signed_entry
from specie.ledger.directory_leaves import LeafPromise
from specie.log.leaves import DirectoryLeaf, unpack_leaf
from specie.log.tree import compute_leaf_hash
from specie.ports.directory import StoredEntry
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u32
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, Signature
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_ENTRY = Table(
    "directory_entry",
    _METADATA,
    Column("index", LargeBinary, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sealed_entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("publish_by", BigInteger, nullable=True, index=True),
    Column("promise", LargeBinary, nullable=True),
    Column("receipt", String, nullable=False),  # empty until it is published
)


class SqliteDirectoryStore:
    """`DirectoryStore` on SQLite and PostgreSQL."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "directory", _VERSION, _METADATA)
        self._key = key
        self._decoy = key.seal(bytes(SIGNED_BYTES), b"")

    def find_newest(self, index: Digest, *, is_promised: bool = False) -> StoredEntry | None:
        """Of one number; the newest that may be told, if so asked.

        Where there is none, as much is opened: how long it takes does not tell.
        """
        query = select(_ENTRY).where(_ENTRY.c.index == index)
        if is_promised:
            query = query.where(_ENTRY.c.promise.is_not(None))
        query = query.order_by(_ENTRY.c.version.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            open_sealed(self._key, self._decoy, b"")
            return None
        return self._read(row)

    def find_version(self, index: Digest, version: int) -> StoredEntry | None:
        """One of them."""
        query = select(_ENTRY).where(_ENTRY.c.index == index, _ENTRY.c.version == version)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._read(row)

    def add(self, entry: StoredEntry) -> None:
        """`order_conflict` if there is another of this index and version."""
        leaf = entry.leaf
        query = select(_ENTRY.c.version).where(_is(leaf.index, leaf.version))
        with self._database.transaction() as connection:
            if connection.execute(query).first() is not None:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "another entry has this version")
            connection.execute(
                insert(_ENTRY).values(
                    index=leaf.index,
                    version=leaf.version,
                    sealed_entry=self._seal(entry.signed),
                    leaf=leaf.pack(),
                    receipt="",
                )
            )

    def forget(self, leaf: DirectoryLeaf) -> None:
        """A version that was never promised, and that the log has otherwise."""
        which = and_(_is(leaf.index, leaf.version), _ENTRY.c.promise.is_(None))
        with self._database.transaction() as connection:
            connection.execute(delete(_ENTRY).where(which))

    def replace_signatures(self, signed: SignedEntry) -> None:
        """Of an entry that stands: its bank has new keys."""
        which = _is(signed.entry.index, signed.entry.version)
        self._change(which, sealed_entry=self._seal(signed))

    def record_promise(self, leaf: DirectoryLeaf, promise: LeafPromise) -> None:
        """The log will have it."""
        which = _is(leaf.index, leaf.version)
        self._change(which, publish_by=promise.publish_by, promise=promise.signature)

    def record_receipt(self, leaf: DirectoryLeaf, receipt: str) -> None:
        """The log has it."""
        self._change(_is(leaf.index, leaf.version), receipt=receipt)

    def load_unpromised(self, limit: int) -> list[StoredEntry]:
        """What a stop has left."""
        query = select(_ENTRY).where(_ENTRY.c.promise.is_(None))
        return self._load(query.order_by(_ENTRY.c.index, _ENTRY.c.version).limit(limit))

    def load_unproven(self, limit: int) -> list[StoredEntry]:
        """Promised, and no receipt yet; the oldest promise first."""
        query = select(_ENTRY).where(_ENTRY.c.promise.is_not(None), _ENTRY.c.receipt == "")
        return self._load(query.order_by(_ENTRY.c.publish_by, _ENTRY.c.version).limit(limit))

    def count(self) -> int:
        """Versions of all entries."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(_ENTRY)).scalar_one())

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _load(self, query: Any) -> list[StoredEntry]:
        with self._database.reading() as connection:
            return [self._read(row) for row in connection.execute(query)]

    def _change(self, which: Any, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(_ENTRY).where(which).values(**values))

    def _seal(self, signed: SignedEntry) -> bytes:
        return self._key.seal(signed.pack(), _bind(signed.entry.index, signed.entry.version))

    def _read(self, row: Any) -> StoredEntry:
        packed = open_sealed(self._key, row.sealed_entry, _bind(row.index, row.version))
        leaf = unpack_leaf(row.leaf, 0)
        assert isinstance(leaf, DirectoryLeaf), "written by ourselves"
        promise = None
        if row.promise is not None:
            publish_by, signature = Timestamp(row.publish_by), Signature(row.promise)
            promise = LeafPromise(compute_leaf_hash(row.leaf), publish_by, signature)
        return StoredEntry(unpack_signed_entry(packed), leaf, promise, row.receipt)


def _is(index: Digest, version: int) -> Any:
    return and_(_ENTRY.c.index == index, _ENTRY.c.version == version)


def _bind(index: bytes, version: int) -> bytes:
    return b"directory\0" + index + u32(version)
