"""On a device: what it is withdrawing for a payment, durable before the bank hears of it (T6).

So a payment that is cut off and repeated asks for the same withdrawal again, and for no second one.
"""

from typing import Final

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, insert, select

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.top_ups import TopUp
from specie.store.database import Place, open_store
from specie.values.amounts import Minor
from specie.values.encoding import Reader, u64
from specie.values.identifiers import OrderId

_VERSION: Final = 1
_METADATA: Final = MetaData()

_TOP_UP = Table(
    "top_up",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("payment", LargeBinary, primary_key=True),
    Column("order_id", LargeBinary, nullable=False),
    Column("sealed_amount", LargeBinary, nullable=False),
)


class SqliteTopUps:
    """`TopUps` in the device's store."""

    def __init__(self, place: Place, holder: str, key: SealingKey) -> None:
        self._database = open_store(place, "top-ups", _VERSION, _METADATA)
        self._holder = holder
        self._key = key

    def find(self, payment: bytes) -> TopUp | None:
        """What was begun for this payment and is not over."""
        query = select(_TOP_UP).where(
            _TOP_UP.c.holder == self._holder, _TOP_UP.c.payment == payment
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        reader = Reader(open_sealed(self._key, row.sealed_amount, row.order_id))
        found = TopUp(OrderId(row.order_id), Minor(reader.u64()))
        reader.finish()
        return found

    def begin(self, payment: bytes, top_up: TopUp) -> None:
        """Durable; there is one at a time for a payment."""
        sealed = self._key.seal(u64(top_up.amount), top_up.order)
        values = {"holder": self._holder, "payment": payment, "order_id": top_up.order}
        with self._database.transaction() as connection:
            connection.execute(insert(_TOP_UP).values(**values, sealed_amount=sealed))

    def end(self, payment: bytes) -> None:
        """The money is on the device, or never will be; idempotent."""
        is_it = (_TOP_UP.c.holder == self._holder) & (_TOP_UP.c.payment == payment)
        with self._database.transaction() as connection:
            connection.execute(delete(_TOP_UP).where(is_it))
