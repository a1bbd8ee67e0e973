"""The journal of an institution's flows, in its own database.

Requests name clients and amounts: they are sealed under the institution's storage key.
"""

from contextlib import AbstractContextManager
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.journal import FlowKind, FlowRecord, FlowState
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId

_VERSION: Final = 1
_METADATA: Final = MetaData()

_FLOW = Table(
    "flow",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("order_id", LargeBinary, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("sealed_request", LargeBinary, nullable=False),
    Column("state", String, nullable=False, index=True),
)
_INSERT: Final = insert(_FLOW)
_FIND: Final = select(_FLOW).where(_FLOW.c.order_id == bindparam("order"))
_SET_STATE: Final = (
    update(_FLOW).where(_FLOW.c.order_id == bindparam("order")).values(state=bindparam("to"))
)
_LIST_OPEN: Final = (
    select(_FLOW).where(_FLOW.c.state == FlowState.OPEN.value).order_by(_FLOW.c.number)
)


class SqliteJournal:
    """`Journal` on a database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "journal", _VERSION, _METADATA)
        self._key = key

    def transaction(self) -> AbstractContextManager[object]:
        """What this institution's stores write within is one transaction, the journal's too."""
        return self._database.transaction()

    def begin(self, kind: FlowKind, order: OrderId, request: bytes) -> FlowState:
        """Durable; a known order gives how it stands, `order_conflict` with another content."""
        with self._database.transaction() as connection:
            row = _find(connection, order)
            if row is None:
                values = {
                    "order_id": order,
                    "kind": kind.value,
                    "sealed_request": self._key.seal(request, order),
                    "state": FlowState.OPEN.value,
                }
                connection.execute(_INSERT, values)
                return FlowState.OPEN
        known = self._open(row)
        if (known.kind, known.request) != (kind, request):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this order has another content")
        return known.state

    def end(self, order: OrderId, state: FlowState) -> None:
        """Idempotent; `order_conflict` if it has ended otherwise."""
        with self._database.transaction() as connection:
            row = _get(connection, order)
            if row.state not in (FlowState.OPEN, state):
                raise SpecieError(ErrorCode.ORDER_CONFLICT, f"the order is {row.state}")
            connection.execute(_SET_STATE, {"order": order, "to": state.value})

    def find_state(self, order: OrderId) -> FlowState | None:
        """None if it was never begun."""
        with self._database.reading() as connection:
            row = _find(connection, order)
        return None if row is None else FlowState(row.state)

    def get(self, order: OrderId) -> FlowRecord:
        """`application_unknown` if it was never begun."""
        with self._database.reading() as connection:
            row = _get(connection, order)
        return self._open(row)

    def list_open(self) -> list[FlowRecord]:
        """What a start has to go on with, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_LIST_OPEN).all()
        return [self._open(row) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _open(self, row: Any) -> FlowRecord:
        order = OrderId(row.order_id)
        request = open_sealed(self._key, row.sealed_request, order)
        return FlowRecord(order, FlowKind(row.kind), request, FlowState(row.state))


def _find(connection: Connection, order: OrderId) -> Any:
    return connection.execute(_FIND, {"order": order}).first()


def _get(connection: Connection, order: OrderId) -> Any:
    row = _find(connection, order)
    if row is None:
        raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "no such order was begun")
    return row
