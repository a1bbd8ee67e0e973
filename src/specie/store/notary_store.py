"""The notary's database: outputs, spends, kernels, promises, supply, leaves.

The primary key of `spend` makes a second spend impossible even if a check were wrong.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    select,
    update,
)

from specie.ledger.batches import PrivateBatch
from specie.ledger.records import Kind, Output
from specie.ledger.state import LedgerOutput, OverlayView, Spend, SupplyState
from specie.ledger.transactions import Promise, VoidPromise
from specie.ledger.voids import VoidRequest
from specie.ledger.wire import decode_attested
from specie.log.leaves import VoidLeaf
from specie.ports.notary import (
    LookUp,
    RecordedBatch,
    RecordedOther,
    RecordedTransaction,
    Waiting,
)
from specie.store.database import Place, chunked, open_store
from specie.values.identifiers import (
    EntryId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
    TransactionId,
)
from specie.values.times import Timestamp

_VERSION: Final = 3
_METADATA: Final = MetaData()

_OUTPUT = Table(
    "output",
    _METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("bank", Integer, nullable=False),
)
_SPEND = Table(
    "spend",
    _METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("txid", LargeBinary, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
_KERNEL = Table("kernel", _METADATA, Column("public", LargeBinary, primary_key=True))
_RESERVE = Table("reserve", _METADATA, Column("entry", LargeBinary, primary_key=True))
_NOTARISED = Table(
    "notarised",
    _METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("txid", LargeBinary, nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("publish_by", BigInteger, nullable=False),
    Column("promise", LargeBinary, nullable=False),
    Column("members", Integer, nullable=False),  # version of the participant list judged by
    Column("batch", Integer, nullable=True, index=True),
)
_OTHER = Table(
    "other",
    _METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=True),  # of a void: signature64 ‖ wire form
    Column("publish_by", BigInteger, nullable=True),
    Column("promise", LargeBinary, nullable=True),
    Column("first", LargeBinary, nullable=True, index=True),  # input of what was cancelled
    Column("batch", Integer, nullable=True, index=True),
)
_SUPPLY = Table(
    "supply",
    _METADATA,
    Column("serial", BigInteger, primary_key=True),
    Column("total", LargeBinary, nullable=False),  # u64, big-endian
    Column("day", Integer, nullable=False),
    Column("issued_on_day", LargeBinary, nullable=False),
)
_BATCH = Table(
    "batch",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("first_leaf", BigInteger, nullable=False),
    Column("leaves", Integer, nullable=False),
    Column("published", BigInteger, nullable=False),  # by the notary's clock
)
_LEAF = Table(
    "leaf",
    _METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)


class SqliteNotaryStore:
    """`NotaryStore` on SQLite."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "notary", _VERSION, _METADATA)

    def find_promises(self, txids: Sequence[TransactionId]) -> dict[TransactionId, Promise]:
        """Promises given before."""
        found: dict[TransactionId, Promise] = {}
        with self._database.reading() as connection:
            for part in chunked(list(txids)):
                query = select(
                    _NOTARISED.c.txid, _NOTARISED.c.publish_by, _NOTARISED.c.promise
                ).where(_NOTARISED.c.txid.in_(part))
                for row in connection.execute(query):
                    found[TransactionId(row.txid)] = _read_promise(row)
        return found

    def load_view(self, wanted: LookUp) -> OverlayView:
        """The state of the ledger restricted to what is asked."""
        view = OverlayView(base=None, supply=SupplyState())
        with self._database.reading() as connection:
            view.supply = _load_supply(connection)
            for part in chunked(list(wanted.refs)):
                _load_outputs(connection, part, view)
            for part in chunked(list(wanted.kernels)):
                query = select(_KERNEL.c.public).where(_KERNEL.c.public.in_(part))
                view.kernels.update(PublicKey(row.public) for row in connection.execute(query))
            for part in chunked(list(wanted.reserves)):
                entries = select(_RESERVE.c.entry).where(_RESERVE.c.entry.in_(part))
                view.reserves.update(EntryId(row.entry) for row in connection.execute(entries))
            for part in chunked([VoidLeaf(txid).key for txid in wanted.txids]):
                keys = select(_OTHER.c.key).where(_OTHER.c.key.in_(part))
                view.voids.update(TransactionId(row.key[1:]) for row in connection.execute(keys))
        return view

    def record_batch(self, batch: Sequence[RecordedTransaction], supply: SupplyState) -> None:
        """One durable database transaction: outputs, spends, kernels, promises, supply."""
        with self._database.transaction() as connection:
            before = _load_supply(connection)
            for table, rows in _build_rows(batch):
                if rows:
                    connection.execute(insert(table), rows)
            if supply != before:
                connection.execute(insert(_SUPPLY).values(**_supply_row(supply)))

    def load_supply(self) -> SupplyState:
        """The supply as recorded."""
        with self._database.reading() as connection:
            return _load_supply(connection)

    def load_waiting(self, limit: int) -> list[RecordedTransaction]:
        """Notarised but not yet published, the oldest first."""
        query = (
            select(_NOTARISED)
            .where(_NOTARISED.c.batch.is_(None))
            .order_by(_NOTARISED.c.sequence)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [_read_recorded(row) for row in connection.execute(query)]

    def count_waiting(self) -> Waiting:
        """How much waits to be published, and since when, without reading it."""
        payments = select(func.count(), func.min(_NOTARISED.c.time)).where(
            _NOTARISED.c.batch.is_(None)
        )
        others = select(func.count(), func.min(_OTHER.c.time)).where(_OTHER.c.batch.is_(None))
        with self._database.reading() as connection:
            paid, paid_since = connection.execute(payments).one()
            other, other_since = connection.execute(others).one()
        since = min((one for one in (paid_since, other_since) if one is not None), default=0)
        return Waiting(paid, other, Timestamp(since))

    def load_batch(self, number: int) -> PrivateBatch:
        """Time, transactions in the order of notarisation, and voids of a published batch."""
        query = (
            select(_NOTARISED).where(_NOTARISED.c.batch == number).order_by(_NOTARISED.c.sequence)
        )
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
        """A conflict or void leaf waits for the next batch; once for each key."""
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
        query = select(_OTHER).where(_OTHER.c.key == VoidLeaf(txid).key)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read_other(row).promise

    def load_waiting_others(
        self, limit: int, before: Timestamp | None = None
    ) -> list[RecordedOther]:
        """Conflict leaves not yet published, then void leaves: a key begins with the type."""
        query = select(_OTHER).where(_OTHER.c.batch.is_(None))
        if before is not None:
            query = query.where(_OTHER.c.time < before)
        query = query.order_by(_OTHER.c.key).limit(limit)
        with self._database.reading() as connection:
            return [_read_other(row) for row in connection.execute(query)]

    def load_batch_time(self) -> Timestamp:
        """Time of the last published batch, 0 if none."""
        query = select(_BATCH.c.time).order_by(_BATCH.c.number.desc()).limit(1)
        with self._database.reading() as connection:
            return Timestamp(connection.execute(query).scalar() or 0)

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
            rows = [
                {"position": first + place, "data": leaf} for place, leaf in enumerate(batch.leaves)
            ]
            connection.execute(insert(_LEAF), rows)
            connection.execute(
                insert(_BATCH).values(
                    number=batch.number,
                    time=batch.time,
                    first_leaf=first,
                    leaves=len(rows),
                    published=batch.published,
                )
            )
            for part in chunked(list(batch.txids)):
                change = update(_NOTARISED).where(_NOTARISED.c.txid.in_(part))
                connection.execute(change.values(batch=batch.number))
            for part in chunked(list(batch.others)):
                other = update(_OTHER).where(_OTHER.c.leaf.in_(part))
                connection.execute(other.values(batch=batch.number))

    def restore_batch(
        self,
        batch: RecordedBatch,
        fresh: Sequence[RecordedTransaction],
        others: Sequence[RecordedOther],
        supply: SupplyState,
    ) -> None:
        """A published batch that is not here, and what is new of it: one durable transaction."""
        with self._database.transaction():
            self.record_batch(fresh, supply)
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

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _load_outputs(connection: Connection, refs: list[bytes], view: OverlayView) -> None:
    for row in connection.execute(select(_OUTPUT).where(_OUTPUT.c.ref.in_(refs))):
        view.outputs[OutputRef(row.ref)] = LedgerOutput(
            Output(row.data), Kind(row.kind), ParticipantNumber(row.bank)
        )
    for row in connection.execute(select(_SPEND).where(_SPEND.c.ref.in_(refs))):
        view.spends[OutputRef(row.ref)] = Spend(
            TransactionId(row.txid),
            Timestamp(row.not_before),
            Timestamp(row.not_after),
            Signature(row.signature),
        )


def _build_rows(
    batch: Sequence[RecordedTransaction],
) -> list[tuple[Table, list[dict[str, Any]]]]:
    outputs: list[dict[str, Any]] = []
    spends: list[dict[str, Any]] = []
    kernels: list[dict[str, Any]] = []
    reserves: list[dict[str, Any]] = []
    notarised: list[dict[str, Any]] = []
    for recorded in batch:
        signed, body = recorded.transaction.signed, recorded.transaction.body
        for output, terms in zip(body.outputs, body.terms, strict=True):
            outputs.append(
                {
                    "ref": output.ref,
                    "data": output.data,
                    "kind": int(terms.kind),
                    "bank": terms.bank,
                }
            )
        for ref, signature in zip(body.inputs, signed.owner_signatures, strict=True):
            spends.append(
                {
                    "ref": ref,
                    "txid": body.txid,
                    "not_before": body.not_before,
                    "not_after": body.not_after,
                    "signature": signature,
                }
            )
        kernels += [{"public": kernel.public} for kernel in signed.kernels]
        if signed.supply and signed.supply.reserve:
            reserves.append({"entry": signed.supply.reserve.entry})
        notarised.append(
            {
                "txid": body.txid,
                "data": recorded.data,
                "time": recorded.time,
                "publish_by": recorded.promise.publish_by,
                "promise": recorded.promise.signature,
                "members": recorded.members,
            }
        )
    return [
        (_OUTPUT, outputs),
        (_SPEND, spends),
        (_KERNEL, kernels),
        (_RESERVE, reserves),
        (_NOTARISED, notarised),
    ]


def _load_supply(connection: Connection) -> SupplyState:
    row = connection.execute(select(_SUPPLY).order_by(_SUPPLY.c.serial.desc()).limit(1)).first()
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
    query = select(_BATCH).order_by(_BATCH.c.number.desc()).limit(1)
    row = connection.execute(query).first()
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
        "publish_by": promise.publish_by if promise else None,
        "promise": promise.signature if promise else None,
        "first": other.first,
    }


def _read_other(row: Any) -> RecordedOther:
    time = Timestamp(row.time)
    if row.request is None:
        return RecordedOther(row.key, row.leaf, time)
    request = VoidRequest(time, row.request[64:], Signature(row.request[:64]))
    txid = TransactionId(row.leaf[1:])
    promise = VoidPromise(txid, Timestamp(row.publish_by), Signature(row.promise))
    return RecordedOther(row.key, row.leaf, time, request, promise, OutputRef(row.first))


def _read_promise(row: Any) -> Promise:
    return Promise(TransactionId(row.txid), Timestamp(row.publish_by), Signature(row.promise))
