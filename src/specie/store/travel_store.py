"""Travel-rule data of a bank's payments, and what it knows of its clients for it; sealed."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.travel import Identity, TravelRecord
from specie.store.database import Place, Steps, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u8
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber, Signature, TransactionId
from specie.values.times import Timestamp

_VERSION: Final = 2  # 1: one record of a payment on each side
_METADATA: Final = MetaData()
_IDENTITY_AAD: Final = b"identity\0"

_RECORD = Table(
    "travel_record",
    _METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("txid", LargeBinary, nullable=False, index=True),
    Column("client", String, nullable=False, index=True),
    Column("is_originating", Integer, nullable=False),
    Column("bank", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
_IDENTITY = Table(
    "travel_identity",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


def _allow_many(connection: Connection) -> None:
    """One payment may go to several, at one bank or more: each is told of its payer."""
    before = Table("travel_data", MetaData(), autoload_with=connection)
    _RECORD.create(connection, checkfirst=True)
    names = [one.name for one in before.c if one.name != "sequence"]
    rows = select(*(before.c[name] for name in names)).order_by(before.c.sequence)
    connection.execute(insert(_RECORD).from_select(names, rows))
    before.drop(connection)


_STEPS: Final[Steps] = {1: _allow_many}


class SqliteTravelStore:
    """`TravelStore`, in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "travel data", _VERSION, _METADATA, _STEPS)
        self._key = key

    def add(self, record: TravelRecord) -> None:
        """Of what we are told the first counts; `order_conflict` if another bank has told it.

        What we tell is kept once for each payee.
        """
        side = int(record.is_originating)
        with self._database.transaction() as connection:
            query = select(_RECORD).where(_is(record.txid, record.client, side))
            if self._is_known(record, [self._open(row) for row in connection.execute(query)]):
                return
            sealed = self._key.seal(record.data.encode(), _bind(record.txid, side, record.client))
            row = {"txid": record.txid, "client": record.client, "is_originating": side}
            row |= {"bank": record.bank, "time": record.time, "signature": record.signature}
            connection.execute(insert(_RECORD).values(**row, sealed=sealed))

    def has(self, txid: TransactionId, client: ClientId) -> bool:
        """Whether the payer's bank has told who pays this client."""
        query = select(_RECORD.c.sequence).where(_is(txid, client, 0))
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def find_tellers(self, txid: TransactionId) -> frozenset[ParticipantNumber]:
        """Banks that have told who pays this; at most one for each payee."""
        is_told = and_(_RECORD.c.txid == txid, _RECORD.c.is_originating == 0)
        with self._database.reading() as connection:
            rows = connection.execute(select(_RECORD.c.bank).where(is_told)).all()
        return frozenset(ParticipantNumber(row.bank) for row in rows)

    def load(
        self, client: ClientId | None, txid: TransactionId | None, limit: int
    ) -> Sequence[TravelRecord]:
        """The newest first."""
        query = select(_RECORD)
        if client is not None:
            query = query.where(_RECORD.c.client == client)
        if txid is not None:
            query = query.where(_RECORD.c.txid == txid)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_RECORD.c.sequence.desc()).limit(limit)).all()
        return [self._open(row) for row in rows]

    def put_identity(self, client: ClientId, identity: Identity) -> None:
        """In the place of an earlier one."""
        plain = json.dumps(asdict(identity)).encode()
        sealed = self._key.seal(plain, _IDENTITY_AAD + encode_text(client))
        with self._database.transaction() as connection:
            connection.execute(delete(_IDENTITY).where(_IDENTITY.c.client == client))
            connection.execute(insert(_IDENTITY).values(client=client, sealed=sealed))

    def find_identity(self, client: ClientId) -> Identity | None:
        """None: the bank knows the registered name alone."""
        query = select(_IDENTITY.c.sealed).where(_IDENTITY.c.client == client)
        with self._database.reading() as connection:
            sealed = connection.execute(query).scalar()
        if sealed is None:
            return None
        plain = open_sealed(self._key, sealed, _IDENTITY_AAD + encode_text(client))
        return Identity(**json.loads(plain))

    def _is_known(self, record: TravelRecord, kept: Sequence[TravelRecord]) -> bool:
        if record.is_originating:
            return (record.bank, record.data) in {(one.bank, one.data) for one in kept}
        others = [one.bank for one in kept if one.bank != record.bank]
        if others:
            reason = f"bank {others[0]} has told something of this payment before"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
        return bool(kept)

    def _open(self, row: Any) -> TravelRecord:
        txid, client = TransactionId(row.txid), ClientId(row.client)
        aad = _bind(txid, row.is_originating, client)
        return TravelRecord(
            txid=txid,
            client=client,
            is_originating=bool(row.is_originating),
            bank=ParticipantNumber(row.bank),
            time=Timestamp(row.time),
            data=open_sealed(self._key, row.sealed, aad).decode(),
            signature=Signature(row.signature),
        )


def _is(txid: TransactionId, client: ClientId, side: int) -> Any:
    is_payment = and_(_RECORD.c.txid == txid, _RECORD.c.client == client)
    return and_(is_payment, _RECORD.c.is_originating == side)


def _bind(txid: TransactionId, side: int, client: ClientId) -> bytes:
    return b"travel\0" + txid + u8(side) + encode_text(client)
