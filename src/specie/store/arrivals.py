"""What a bank expects to arrive in its vault, by order; `store/client_store.py` keeps it.

A client says so for nothing, so those of its orders that nobody has paid are limited, and forgotten
after a while. What was attested is kept for ever. Money for a forgotten order is not signed for
until the client expects it again (`bank/arrivals.py`).
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from specie.ports.clients import ExpectedArrival, Movement
from specie.store.movement_search import METADATA
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OrderId, ParticipantNumber
from specie.values.limits import EXPECTED_DEPOSIT_MS_MAX, EXPECTED_DEPOSITS_MAX
from specie.values.times import Timestamp

_EXPECTED: Final = Table(
    "expected_arrival",
    METADATA,
    Column("order_id", LargeBinary, primary_key=True),
    Column("client", String, nullable=True, index=True),
    Column("sender", Integer, nullable=True),
    Column("time", BigInteger, nullable=False),  # of the last time that somebody said so
    Column("is_used", Integer, nullable=False, server_default="0"),  # attested: kept
)
_FIND: Final = select(_EXPECTED).where(_EXPECTED.c.order_id == bindparam("order"))
_MARK_USED: Final = (
    update(_EXPECTED)
    .where(_EXPECTED.c.order_id.in_(bindparam("orders", expanding=True)))
    .values(is_used=1)
)
_ADD: Final = "ALTER TABLE expected_arrival ADD COLUMN"
_INDEX: Final = "CREATE INDEX ix_expected_arrival_client ON expected_arrival (client)"


def add_times(connection: Connection) -> None:
    """Version 6: since when, and whether it was used; of older rows nobody knows: they are kept."""
    connection.execute(text(f"{_ADD} time BIGINT NOT NULL DEFAULT 0"))
    connection.execute(text(f"{_ADD} is_used INTEGER NOT NULL DEFAULT 0"))
    connection.execute(text("UPDATE expected_arrival SET is_used = 1"))
    connection.execute(text(_INDEX))


def expect(connection: Connection, arrival: ExpectedArrival, now: Timestamp) -> None:
    """`order_conflict` if the order is another's, `limit_exceeded` for many open ones of one."""
    which = _EXPECTED.c.order_id == arrival.order
    known = find(connection, arrival.order)
    if known not in (None, arrival):
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "this order is for something else")
    if known is not None:
        connection.execute(update(_EXPECTED).where(which).values(time=now))
        return
    if arrival.client is not None:
        _make_room(connection, arrival.client, now)
    row = {"order_id": arrival.order, "client": arrival.client, "sender": arrival.sender}
    connection.execute(insert(_EXPECTED).values(**row, time=now, is_used=0))


def find(connection: Connection, order: OrderId) -> ExpectedArrival | None:
    """What arrives under this order is for; None if nobody said."""
    row = connection.execute(_FIND, {"order": order}).first()
    if row is None:
        return None
    return ExpectedArrival(
        order,
        None if row.client is None else ClientId(row.client),
        None if row.sender is None else ParticipantNumber(row.sender),
    )


def mark_used(connection: Connection, movements: Sequence[Movement]) -> None:
    """Their payment may become final: what they are for is not forgotten."""
    orders = {one.order for one in movements if one.is_incoming}
    if orders:
        connection.execute(_MARK_USED, {"orders": list(orders)})


def _make_room(connection: Connection, client: ClientId, now: Timestamp) -> None:
    unused = (_EXPECTED.c.client == client) & (_EXPECTED.c.is_used == 0)
    is_over = _EXPECTED.c.time <= now - EXPECTED_DEPOSIT_MS_MAX
    connection.execute(delete(_EXPECTED).where(unused, is_over))
    query = select(func.count()).select_from(_EXPECTED).where(unused)
    if int(connection.execute(query).scalar_one()) >= EXPECTED_DEPOSITS_MAX:
        reason = f"{EXPECTED_DEPOSITS_MAX} deposits of this client are expected and not paid"
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)
