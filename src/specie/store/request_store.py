"""On a device: requests that its holder made or paid, and names that payers have shown; sealed.

request_made.sealed  link        request_paid.sealed  link        shown_name.sealed  bank ‖ name
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.store.database import Place, open_store
from specie.tokens.name_claims import ShownName
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u32
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId, OutputRef, ParticipantNumber
from specie.values.limits import REQUESTS_MAX
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_MADE = Table(
    "request_made",
    _METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("holder", String, nullable=False, index=True),
    Column("order_id", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    UniqueConstraint("holder", "order_id"),
)
_PAID = Table(
    "request_paid",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("payment", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
_SHOWN = Table(
    "shown_name",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("ref", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
_LOAD_PAID: Final = select(_PAID).where(_PAID.c.holder == bindparam("holder"))
_LOAD_SHOWN: Final = select(_SHOWN).where(_SHOWN.c.holder == bindparam("holder"))


class SqliteRequestStore:
    """One holder's, in the device's database."""

    def __init__(self, place: Place, holder: str, key: SealingKey) -> None:
        self._database = open_store(place, "requests", _VERSION, _METADATA)
        self._holder = holder
        self._key = key
        self._aad = encode_text(holder) + b"\0request\0"

    def add_made(self, order: OrderId, link: str, time: Timestamp) -> None:
        """Durable before anybody sees it; the order is the request's own."""
        mine = _MADE.c.holder == self._holder
        row = {"holder": self._holder, "order_id": order, "time": time}
        row["sealed"] = self._seal(order, link.encode())
        with self._database.transaction() as connection:
            count = connection.execute(select(func.count()).where(mine)).scalar_one()
            if count >= REQUESTS_MAX:
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many requests on this device")
            known = select(_MADE.c.sequence).where(mine, _MADE.c.order_id == order)
            if connection.execute(known).first() is not None:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this order is another request's")
            connection.execute(insert(_MADE).values(row))

    def load_made(self) -> list[str]:
        """Links, the oldest first."""
        query = select(_MADE).where(_MADE.c.holder == self._holder).order_by(_MADE.c.sequence)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [self._open(row.order_id, row.sealed).decode() for row in rows]

    def record_paid(self, payment_id: bytes, link: str) -> None:
        """Which request a payment is for, before it is signed; again is the same."""
        sealed = self._seal(payment_id, link.encode())
        values = {"holder": self._holder, "payment": payment_id, "sealed": sealed}
        with self._database.transaction() as connection:
            query = select(_PAID).where(
                _PAID.c.holder == self._holder, _PAID.c.payment == payment_id
            )
            row = connection.execute(query).first()
            if row is None:
                connection.execute(insert(_PAID).values(values))
            elif self._open(payment_id, row.sealed) != link.encode():
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this id pays another request")

    def load_paid(self) -> dict[bytes, str]:
        """Payment → link."""
        return self._load(_LOAD_PAID, "payment", bytes.decode)

    def record_name(self, ref: OutputRef, shown: ShownName) -> None:
        """As it was judged when the money arrived, by the list of then; the first word counts."""
        plain = u32(shown.bank or 0) + shown.name.encode()
        mine = select(_SHOWN.c.ref).where(_SHOWN.c.holder == self._holder, _SHOWN.c.ref == ref)
        values = {"holder": self._holder, "ref": ref, "sealed": self._seal(ref, plain)}
        with self._database.transaction() as connection:
            if connection.execute(mine).first() is None:
                connection.execute(insert(_SHOWN).values(values))

    def load_names(self) -> Mapping[bytes, ShownName]:
        """Output → who says that he paid."""
        return self._load(_LOAD_SHOWN, "ref", _read_name)

    def _load(
        self, query: Select[Any], name: str, read: Callable[[bytes], Any]
    ) -> dict[bytes, Any]:
        with self._database.reading() as connection:
            rows = connection.execute(query, {"holder": self._holder}).all()
        found = [(bytes(getattr(row, name)), row.sealed) for row in rows]
        return {one: read(self._open(one, sealed)) for one, sealed in found}

    def _seal(self, name: bytes, plain: bytes) -> bytes:
        return self._key.seal(plain, self._aad + name)

    def _open(self, name: bytes, sealed: bytes) -> bytes:
        return open_sealed(self._key, sealed, self._aad + name)


def _read_name(plain: bytes) -> ShownName:
    bank = int.from_bytes(plain[:4], "little")
    return ShownName(plain[4:].decode(), ParticipantNumber(bank) if bank else None)
