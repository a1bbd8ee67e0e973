"""The notary's database: outputs, spends, kernels, promises, supply, leaves.

The primary key of `spend` makes a second spend impossible even if a check were wrong.

What is looked up by a hash lies anywhere in its table, so the rows of `output`, `spend` and
`kernel` are short: they say in which transaction the bytes stand, and those are there once, in the
order in which they came (ADR 0022).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    func,
    insert,
    select,
)

from specie.crypto.outputs import OUTPUT_BYTES
from specie.ledger.batches import PrivateBatch
from specie.ledger.records import Kind, Output
from specie.ledger.state import LedgerOutput, OverlayView, Spend, SupplyState
from specie.ledger.transactions import Promise, VoidPromise
from specie.ledger.voids import VoidRequest
from specie.ledger.wire import decode_attested
from specie.log.leaves import DIRECTORY, DirectoryLeaf, VoidLeaf, unpack_leaf
from specie.ports.notary import (
    LookUp,
    RecordedBatch,
    RecordedOther,
    RecordedTransaction,
    Waiting,
)
from specie.store.database import (
    Place,
    chunked,
    insert_rows,
    open_store,
    select_by_keys,
    select_rows,
    set_rows,
)
from specie.values.identifiers import (
    OutputRef,
    PublicKey,
    Signature,
    TransactionId,
)
from specie.values.limits import PUBLICATION_TRANSACTIONS_MAX
from specie.values.times import Timestamp

SCHEMA_VERSION: Final = 4
METADATA: Final = MetaData()
_ROWID: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number

_OUTPUT = Table(
    "output",
    METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),  # of its bytes in the wire form
    Column("kind", Integer, nullable=False),
    Column("bank", Integer, nullable=False),
    sqlite_with_rowid=False,
)
_SPEND = Table(
    "spend",
    METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_KERNEL = Table(
    "kernel",
    METADATA,
    Column("public", LargeBinary, primary_key=True),
    sqlite_with_rowid=False,
)
_RESERVE = Table("reserve", METADATA, Column("entry", LargeBinary, primary_key=True))
_NOTARISED = Table(
    "notarised",
    METADATA,
    Column("sequence", _ROWID, primary_key=True, autoincrement=False),
    Column("txid", LargeBinary, nullable=False, unique=True),
    Column("time", BigInteger, nullable=False),
    Column("publish_by", BigInteger, nullable=False),
    Column("promise", LargeBinary, nullable=False),
    Column("members", Integer, nullable=False),  # version of the participant list judged by
    Column("batch", Integer, nullable=True, index=True),
)
_WIRE = Table(  # apart from what changes when it is published: a page of its own for each
    "wire",
    METADATA,
    Column("sequence", _ROWID, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
_IS_WAITING: Final = _NOTARISED.c.batch.is_(None)
_COUNT_WAITING: Final = select(func.count()).where(_IS_WAITING)
_FIND_OLDEST: Final = (  # the notary's time never goes back
    select(_NOTARISED.c.time).where(_IS_WAITING).order_by(_NOTARISED.c.sequence).limit(1)
)
_LOAD_WAITING: Final = (
    select(_NOTARISED.c.txid)
    .where(_IS_WAITING)
    .order_by(_NOTARISED.c.sequence)
    .limit(bindparam("most"))
)
_FIND_LAST: Final = select(func.max(_NOTARISED.c.sequence))
_OTHER = Table(
    "other",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=True),  # of a void: signature64 ‖ wire form
    Column("publish_by", BigInteger, nullable=True),
    Column("promise", LargeBinary, nullable=True),
    Column("first", LargeBinary, nullable=True, index=True),  # input of what was cancelled
    Column("batch", Integer, nullable=True, index=True),
)
_COUNT_OTHERS: Final = select(func.count(), func.min(_OTHER.c.time)).where(_OTHER.c.batch.is_(None))
_FIND_OTHER: Final = select(_OTHER).where(_OTHER.c.key == bindparam("which"))
_SUPPLY = Table(
    "supply",
    METADATA,
    Column("serial", BigInteger, primary_key=True),
    Column("total", LargeBinary, nullable=False),  # u64, big-endian
    Column("day", Integer, nullable=False),
    Column("issued_on_day", LargeBinary, nullable=False),
)
_LOAD_SUPPLY: Final = select(_SUPPLY).order_by(_SUPPLY.c.serial.desc()).limit(1)
_BATCH = Table(
    "batch",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("first_leaf", BigInteger, nullable=False),
    Column("leaves", Integer, nullable=False),
    Column("published", BigInteger, nullable=False),  # by the notary's clock
)
_LOAD_LAST_BATCH: Final = select(_BATCH).order_by(_BATCH.c.number.desc()).limit(1)
_LEAF = Table(
    "leaf",
    METADATA,
    Column("position", _ROWID, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

_RECORDED: Final = (
    select(_NOTARISED, _WIRE.c.data)
    .join_from(_NOTARISED, _WIRE, _NOTARISED.c.sequence == _WIRE.c.sequence)
    .order_by(_NOTARISED.c.sequence)
)

_OUTPUT_QUERY: Final = f"""
    SELECT output.ref, substr(wire.data, output.place + 1, {OUTPUT_BYTES}), kind, bank
    FROM output JOIN wire ON wire.sequence = output.sequence WHERE output.ref IN
"""  # noqa: S608  # a number of our own
_SPEND_QUERY: Final = """
    SELECT spend.ref, wire.data
    FROM spend JOIN wire ON wire.sequence = spend.sequence WHERE spend.ref IN
"""


class SqliteNotaryStore:
    """`NotaryStore` on SQLite."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "notary", SCHEMA_VERSION, METADATA)
        self._recent: dict[TransactionId, RecordedTransaction] = {}

    def find_promises(self, txids: Sequence[TransactionId]) -> dict[TransactionId, Promise]:
        """Promises given before."""
        found: dict[TransactionId, Promise] = {}
        columns = (_NOTARISED.c.txid, _NOTARISED.c.publish_by, _NOTARISED.c.promise)
        with self._database.reading() as connection:
            for txid, publish_by, signature in select_rows(connection, columns, txids):
                found[txid] = Promise(txid, publish_by, signature)
        return found

    def load_view(
        self, wanted: LookUp, known: Mapping[OutputRef, LedgerOutput] | None = None
    ) -> OverlayView:
        """The state of the ledger restricted to what is asked, and outputs that are known."""
        view = OverlayView(base=None, supply=SupplyState(), outputs=dict(known or {}))
        with self._database.reading() as connection:
            view.supply = _load_supply(connection)
            _load_outputs(connection, wanted, view)
            view.kernels.update(_find(connection, _KERNEL.c.public, wanted.kernels))
            view.reserves.update(_find(connection, _RESERVE.c.entry, wanted.reserves))
            keys = [VoidLeaf(txid).key for txid in wanted.txids]
            view.voids.update(key[1:] for key in _find(connection, _OTHER.c.key, keys))
        return view

    def record_batch(self, batch: Sequence[RecordedTransaction], supply: SupplyState) -> None:
        """One durable database transaction: outputs, spends, kernels, promises, supply."""
        self._record(batch, supply)
        for one in batch:  # what is durable now is published next, and need not be read for that
            self._recent[one.transaction.txid] = one
        while len(self._recent) > PUBLICATION_TRANSACTIONS_MAX:
            del self._recent[next(iter(self._recent))]

    def load_supply(self) -> SupplyState:
        """The supply as recorded."""
        with self._database.reading() as connection:
            return _load_supply(connection)

    def load_waiting(self, limit: int) -> list[RecordedTransaction]:
        """Notarised but not yet published, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_WAITING, {"most": limit})
            txids = [TransactionId(txid) for txid in rows.scalars()]
            found = {txid: self._recent[txid] for txid in txids if txid in self._recent}
            for part in chunked([txid for txid in txids if txid not in found]):
                rest = _RECORDED.where(_NOTARISED.c.txid.in_(part))
                found |= {row.txid: _read_recorded(row) for row in connection.execute(rest)}
        return [found[txid] for txid in txids]

    def count_waiting(self) -> Waiting:
        """How much waits to be published, and since when, without reading it."""
        with self._database.reading() as connection:
            paid = connection.execute(_COUNT_WAITING).scalar_one()
            paid_since = connection.execute(_FIND_OLDEST).scalar() if paid else None
            other, other_since = connection.execute(_COUNT_OTHERS).one()
        since = min((one for one in (paid_since, other_since) if one is not None), default=0)
        return Waiting(paid, other, Timestamp(since))

    def load_batch(self, number: int) -> PrivateBatch:
        """Time, transactions in the order of notarisation, and voids of a published batch."""
        query = _RECORDED.where(_NOTARISED.c.batch == number)
        others = select(_OTHER).where(_OTHER.c.batch == number).order_by(_OTHER.c.key)
        with self._database.reading() as connection:
            time = connection.execute(select(_BATCH.c.time).where(_BATCH.c.number == number))
            recorded = [_read_recorded(row) for row in connection.execute(query)]
            found = [_read_other(row) for row in connection.execute(others)]
            return PrivateBatch(
                number,
                Timestamp(time.scalar_one()),
                tuple(one.get_judged() for one in recorded),
                tuple(one.request for one in found if one.request),
            )

    def record_other(self, other: RecordedOther) -> None:
        """A leaf besides payments waits for the next batch; once for each key."""
        with self._database.transaction() as connection:
            query = select(_OTHER.c.key).where(_OTHER.c.key == other.key)
            if connection.execute(query).first() is None:
                connection.execute(insert(_OTHER).values(**_build_other(other)))

    def count_voids(self, first: OutputRef) -> int:
        """How many transactions with this first input were cancelled."""
        query = select(func.count()).where(_OTHER.c.first == first)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def find_void(self, txid: TransactionId) -> VoidPromise | None:
        """What was promised when it was cancelled; None if it was not."""
        found = self.find_other(VoidLeaf(txid).key)
        return None if found is None else found.promise

    def find_other(self, key: bytes) -> RecordedOther | None:
        """The leaf of this key, published or not."""
        with self._database.reading() as connection:
            row = connection.execute(_FIND_OTHER, {"which": key}).first()
        return None if row is None else _read_other(row)

    def find_directory_key(self) -> PublicKey | None:
        """Of the directory's secret function, as any of its leaves names it."""
        is_entry = _OTHER.c.key.between(bytes([DIRECTORY]), bytes([DIRECTORY + 1]))
        with self._database.reading() as connection:
            leaf = connection.execute(select(_OTHER.c.leaf).where(is_entry).limit(1)).scalar()
        found = unpack_leaf(leaf, 0) if leaf else None
        return found.key if isinstance(found, DirectoryLeaf) else None

    def load_waiting_others(
        self, limit: int, before: Timestamp | None = None
    ) -> list[RecordedOther]:
        """Not yet published, by type: conflicts, voids, the directory's; a key begins with it."""
        query = select(_OTHER).where(_OTHER.c.batch.is_(None))
        if before is not None:
            query = query.where(_OTHER.c.time < before)
        query = query.order_by(_OTHER.c.key).limit(limit)
        with self._database.reading() as connection:
            return [_read_other(row) for row in connection.execute(query)]

    def load_batch_time(self) -> Timestamp:
        """Time of the last published batch, 0 if none."""
        with self._database.reading() as connection:
            row = connection.execute(_LOAD_LAST_BATCH).first()
        return Timestamp(0 if row is None else row.time)

    def load_last_time(self) -> Timestamp:
        """The latest time recorded, of a transaction or a publication; 0 if none."""
        last = select(_NOTARISED.c.time).order_by(_NOTARISED.c.sequence.desc()).limit(1)
        others = select(func.max(_OTHER.c.time))
        batches = select(func.max(_BATCH.c.time), func.max(_BATCH.c.published))
        with self._database.reading() as connection:
            recorded = connection.execute(last).scalar() or 0
            other = connection.execute(others).scalar() or 0
            header, published = connection.execute(batches).one()
            return Timestamp(max(recorded, other, header or 0, published or 0))

    def count_broken(self, now: Timestamp) -> int:
        """Promises that were published late, or are late now and not published yet."""
        broken = 0
        with self._database.reading() as connection:
            for table in (_NOTARISED, _OTHER):
                query = (
                    select(func.count())
                    .select_from(table.outerjoin(_BATCH, table.c.batch == _BATCH.c.number))
                    .where(func.coalesce(_BATCH.c.published, now) > table.c.publish_by)
                )
                broken += connection.execute(query).scalar_one()
        return broken

    def load_batch_number(self) -> int:
        """Number of the last published batch, 0 if none."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(_BATCH.c.number))).scalar() or 0

    def record_publication(self, batch: RecordedBatch) -> None:
        """One durable database transaction: leaves appended, transactions marked published."""
        with self._database.transaction() as connection:
            first = _count_leaves(connection)
            insert_rows(connection, _LEAF, list(enumerate(batch.leaves, first)))
            connection.execute(
                insert(_BATCH).values(
                    number=batch.number,
                    time=batch.time,
                    first_leaf=first,
                    leaves=len(batch.leaves),
                    published=batch.published,
                )
            )
            set_rows(connection, _NOTARISED.c.batch, batch.number, _NOTARISED.c.txid, batch.txids)
            set_rows(connection, _OTHER.c.batch, batch.number, _OTHER.c.leaf, batch.others)

    def restore_batch(
        self,
        batch: RecordedBatch,
        fresh: Sequence[RecordedTransaction],
        others: Sequence[RecordedOther],
        supply: SupplyState,
    ) -> None:
        """A published batch that is not here, and what is new of it: one durable transaction."""
        with self._database.transaction():
            self._record(fresh, supply)
            for other in others:
                self.record_other(other)
            self.record_publication(batch)

    def count_leaves(self) -> int:
        """Size of the log."""
        with self._database.reading() as connection:
            return _count_leaves(connection)

    def load_leaves(self, start: int, limit: int) -> list[bytes]:
        """Leaves from `start` on."""
        query = (
            select(_LEAF.c.data)
            .where(_LEAF.c.position >= start, _LEAF.c.position < start + limit)
            .order_by(_LEAF.c.position)
        )
        with self._database.reading() as connection:
            return [row.data for row in connection.execute(query)]

    def tidy(self) -> None:
        """Housekeeping, while nobody waits for it."""
        self._database.tidy()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _record(self, batch: Sequence[RecordedTransaction], supply: SupplyState) -> None:
        with self._database.transaction() as connection:
            before = _load_supply(connection)
            last = connection.execute(_FIND_LAST).scalar() or 0
            for table, rows in _build_rows(batch, last + 1):
                insert_rows(connection, table, rows)
            if supply != before:
                connection.execute(insert(_SUPPLY).values(**_supply_row(supply)))


def _load_outputs(connection: Connection, wanted: LookUp, view: OverlayView) -> None:
    for ref, data, kind, bank in select_by_keys(connection, _OUTPUT_QUERY, wanted.outputs):
        view.outputs[ref] = LedgerOutput(Output(data), Kind(kind), bank)
    for ref, data in select_by_keys(connection, _SPEND_QUERY, wanted.spends):
        view.spends[ref] = _read_spend(ref, data)


def _read_spend(ref: OutputRef, data: bytes) -> Spend:
    signed = decode_attested(data).signed
    body, place = signed.body, signed.body.inputs.index(ref)
    return Spend(body.txid, body.not_before, body.not_after, signed.owner_signatures[place])


def _find(connection: Connection, column: Column[Any], keys: Sequence[Any]) -> Iterator[Any]:
    """Those of the keys that are there."""
    return (key for (key,) in select_rows(connection, (column,), keys))


def _build_rows(
    batch: Sequence[RecordedTransaction], first: int
) -> Iterator[tuple[Table, list[tuple[Any, ...]]]]:
    """In the order of each table's columns; numbered from `first` on."""
    numbered = list(enumerate(batch, first))
    bodies = [(number, one.data, one.transaction.body) for number, one in numbered]
    yield (
        _OUTPUT,
        [
            (output.ref, number, data.index(output.data), int(terms.kind), terms.bank)
            for number, data, body in bodies
            for output, terms in zip(body.outputs, body.terms, strict=True)
        ],
    )
    yield _SPEND, [(ref, number) for number, _, body in bodies for ref in body.inputs]
    signed = [one.transaction.signed for one in batch]
    yield _KERNEL, [(kernel.public,) for one in signed for kernel in one.kernels]
    supplies = [one.supply for one in signed if one.supply]
    yield _RESERVE, [(one.reserve.entry,) for one in supplies if one.reserve]
    yield _WIRE, [(number, one.data) for number, one in numbered]
    yield _NOTARISED, [(number, *_describe(one)) for number, one in numbered]


def _describe(one: RecordedTransaction) -> tuple[Any, ...]:
    txid, promise = one.transaction.txid, one.promise
    return (txid, one.time, promise.publish_by, promise.signature, one.members, None)


def _load_supply(connection: Connection) -> SupplyState:
    row = connection.execute(_LOAD_SUPPLY).first()
    if row is None:
        return SupplyState()
    return SupplyState(
        row.serial,
        int.from_bytes(row.total, "big"),
        row.day,
        int.from_bytes(row.issued_on_day, "big"),
    )


def _supply_row(supply: SupplyState) -> dict[str, Any]:
    return {
        "serial": supply.serial,
        "total": supply.total.to_bytes(8, "big"),
        "day": supply.day,
        "issued_on_day": supply.issued_on_day.to_bytes(8, "big"),
    }


def _count_leaves(connection: Connection) -> int:
    row = connection.execute(_LOAD_LAST_BATCH).first()
    return 0 if row is None else int(row.first_leaf + row.leaves)


def _read_recorded(row: Any) -> RecordedTransaction:
    return RecordedTransaction(
        decode_attested(row.data),
        row.data,
        Timestamp(row.time),
        _read_promise(row),
        row.members,
    )


def _build_other(other: RecordedOther) -> dict[str, Any]:
    request, promise = other.request, other.promise
    return {
        "key": other.key,
        "leaf": other.leaf,
        "time": other.time,
        "request": request.signature + request.data if request else None,
        "publish_by": promise.publish_by if promise else other.publish_by,
        "promise": promise.signature if promise else None,
        "first": other.first,
    }


def _read_other(row: Any) -> RecordedOther:
    time = Timestamp(row.time)
    if row.request is None:
        publish_by = None if row.publish_by is None else Timestamp(row.publish_by)
        return RecordedOther(row.key, row.leaf, time, publish_by=publish_by)
    request = VoidRequest(time, row.request[64:], Signature(row.request[:64]))
    txid = TransactionId(row.leaf[1:])
    promise = VoidPromise(txid, Timestamp(row.publish_by), Signature(row.promise))
    return RecordedOther(row.key, row.leaf, time, request, promise, OutputRef(row.first))


def _read_promise(row: Any) -> Promise:
    return Promise(TransactionId(row.txid), Timestamp(row.publish_by), Signature(row.promise))
