"""On a device: what institutions last said no to, payment by payment.

A payment's id is drawn at random and a code names a rule: neither says whom or what it is about.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_REFUSAL = Table(
    "payment_refusal",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("payment", LargeBinary, primary_key=True),
    Column("code", String, nullable=False),
    Column("time", BigInteger, nullable=False),
)


class SqliteRefusalStore:
    """One holder's, in the device's database."""

    def __init__(self, place: Place, holder: str) -> None:
        self._database = open_store(place, "refusals", _VERSION, _METADATA)
        self._holder = holder

    def record(self, payment_id: bytes, code: ErrorCode, time: Timestamp) -> None:
        """The last no counts."""
        mine = (_REFUSAL.c.holder == self._holder) & (_REFUSAL.c.payment == payment_id)
        row = {"holder": self._holder, "payment": payment_id, "code": code.value, "time": time}
        with self._database.transaction() as connection:
            connection.execute(delete(_REFUSAL).where(mine))
            connection.execute(insert(_REFUSAL).values(row))

    def load(self) -> dict[bytes, ErrorCode]:
        """Payment → code."""
        query = select(_REFUSAL).where(_REFUSAL.c.holder == self._holder)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {bytes(row.payment): ErrorCode(row.code) for row in rows}
