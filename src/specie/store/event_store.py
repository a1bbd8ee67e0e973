"""A bank's events for its clients, and their way to webhooks; one outbox, sealed at rest.

client_event   client, number → sealed JSON           written with what it tells of
webhook        client → sealed url ‖ 0x00 ‖ secret
delivery       client, number → attempts, when it is due, how it ended
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
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.events import Delivery, DeliveryState, Event, EventKind, Webhook
from specie.store.database import Place, chunked, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId
from specie.values.limits import EVENTS_KEPT_MAX, PAGE_ITEMS_MAX
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_EVENT = Table(
    "client_event",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
_INSERT_EVENT: Final = insert(_EVENT)
_FIND_HEAD: Final = select(func.max(_EVENT.c.number)).where(_EVENT.c.client == bindparam("client"))
_LOAD_EVENTS: Final = (
    select(_EVENT)
    .where(_EVENT.c.client == bindparam("client"), _EVENT.c.number > bindparam("after"))
    .order_by(_EVENT.c.number)
    .limit(bindparam("most"))
)
_LOAD_HEADS: Final = (
    select(_EVENT.c.client, func.max(_EVENT.c.number))
    .where(_EVENT.c.client.in_(bindparam("clients", expanding=True)))
    .group_by(_EVENT.c.client)
)

_WEBHOOK = Table(
    "webhook",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
_FIND_HOOKED: Final = select(_WEBHOOK.c.client).where(_WEBHOOK.c.client == bindparam("client"))

_DELIVERY = Table(
    "delivery",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False, index=True),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("said", String, nullable=False),
)
_DELIVERIES: Final = select(
    _EVENT,
    _DELIVERY.c.attempts,
    _DELIVERY.c.state,
    _DELIVERY.c.said,
    _WEBHOOK.c.sealed.label("hook"),
).select_from(
    _DELIVERY.join(
        _EVENT,
        and_(_EVENT.c.client == _DELIVERY.c.client, _EVENT.c.number == _DELIVERY.c.number),
    ).join(_WEBHOOK, _WEBHOOK.c.client == _DELIVERY.c.client)
)
_FIRST: Final = (  # of each webhook, the oldest that waits
    select(_DELIVERY.c.client, func.min(_DELIVERY.c.number).label("number"))
    .where(_DELIVERY.c.state == DeliveryState.WAITING.value)
    .group_by(_DELIVERY.c.client)
    .subquery()
)
_LIST_DUE: Final = (
    _DELIVERIES.join(
        _FIRST,
        and_(_FIRST.c.client == _DELIVERY.c.client, _FIRST.c.number == _DELIVERY.c.number),
    )
    .where(_DELIVERY.c.due <= bindparam("now"))
    .order_by(_DELIVERY.c.due)
    .limit(bindparam("most"))
)


class SqliteEventStore:
    """`EventStore`, and the outbox of webhooks, in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "events", _VERSION, _METADATA)
        self._key = key

    def add(self, client: ClientId, kind: EventKind, time: Timestamp, data: str) -> int:
        """Within the transaction of what it tells of; the oldest make room."""
        whose = {"client": client}
        with self._database.transaction() as connection:
            number = (connection.execute(_FIND_HEAD, whose).scalar() or 0) + 1
            sealed = self._key.seal(data.encode(), _bind(client, number))
            row = {"client": client, "number": number, "kind": kind.value}
            connection.execute(_INSERT_EVENT, {**row, "time": time, "sealed": sealed})
            if connection.execute(_FIND_HOOKED, whose).first() is not None:
                _add_delivery(connection, client, number, time)
            if number > EVENTS_KEPT_MAX:
                _drop_old(connection, client, number - EVENTS_KEPT_MAX)
        return number

    def load(self, client: ClientId, after: int, limit: int) -> list[Event]:
        """Those with a higher number, in order."""
        page = {"client": client, "after": after, "most": limit}
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_EVENTS, page).all()
        return [self._open_event(row) for row in rows]

    def load_heads(self, clients: Sequence[ClientId]) -> dict[ClientId, int]:
        """The newest number of each that has one."""
        found: dict[ClientId, int] = {}
        with self._database.reading() as connection:
            for part in chunked(list(clients)):
                rows = connection.execute(_LOAD_HEADS, {"clients": part})
                found |= {ClientId(client): number for client, number in rows}
        return found

    def set_webhook(self, webhook: Webhook) -> None:
        """From now on; one for each client, the newest counts."""
        client = webhook.client
        plain = webhook.url.encode() + b"\0" + webhook.secret
        sealed = self._key.seal(plain, _bind(client, 0))
        with self._database.transaction() as connection:
            connection.execute(delete(_WEBHOOK).where(_WEBHOOK.c.client == client))
            connection.execute(insert(_WEBHOOK).values(client=client, sealed=sealed))

    def remove_webhook(self, client: ClientId) -> None:
        """With everything that is on its way there; `webhook_unknown` if there is none."""
        with self._database.transaction() as connection:
            gone = connection.execute(delete(_WEBHOOK).where(_WEBHOOK.c.client == client))
            if not gone.rowcount:
                raise SpecieError(ErrorCode.WEBHOOK_UNKNOWN, "this client has no webhook")
            connection.execute(delete(_DELIVERY).where(_DELIVERY.c.client == client))

    def load_webhooks(self) -> list[Webhook]:
        """By client."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_WEBHOOK).order_by(_WEBHOOK.c.client)).all()
        return [self._open_webhook(row.client, row.sealed) for row in rows]

    def list_due(self, now: Timestamp, limit: int) -> list[Delivery]:
        """Of each webhook its oldest that waits, if that is due: events arrive in their order."""
        with self._database.reading() as connection:
            rows = connection.execute(_LIST_DUE, {"now": now, "most": limit}).all()
        return [self._open_delivery(row) for row in rows]

    def list_dead(self) -> list[Delivery]:
        """Tried as often as they may be; a page of them, the oldest first."""
        query = _DELIVERIES.where(_DELIVERY.c.state == DeliveryState.DEAD.value)
        query = query.order_by(_EVENT.c.time, _EVENT.c.client, _EVENT.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(PAGE_ITEMS_MAX)).all()
        return [self._open_delivery(row) for row in rows]

    def record_attempt(self, event: Event, state: DeliveryState, due: Timestamp, said: str) -> None:
        """How it ended, and when it is tried next if it waits on."""
        change = update(_DELIVERY).where(_is_delivery(event.client, event.number))
        values = {"state": state.value, "due": due, "said": said}
        with self._database.transaction() as connection:
            connection.execute(change.values(**values, attempts=_DELIVERY.c.attempts + 1))

    def replay(self, client: ClientId, now: Timestamp) -> int:
        """Dead ones are on their way again, under the same ids; gives how many."""
        is_dead = _DELIVERY.c.state == DeliveryState.DEAD.value
        values = {"state": DeliveryState.WAITING.value, "due": now, "attempts": 0}
        with self._database.transaction() as connection:
            change = update(_DELIVERY).where(_DELIVERY.c.client == client, is_dead)
            return connection.execute(change.values(**values)).rowcount

    def _open_event(self, row: Any) -> Event:
        client, number = ClientId(row.client), int(row.number)
        data = open_sealed(self._key, row.sealed, _bind(client, number)).decode()
        return Event(client, number, EventKind(row.kind), Timestamp(row.time), data)

    def _open_webhook(self, client: str, sealed: bytes) -> Webhook:
        plain = open_sealed(self._key, sealed, _bind(ClientId(client), 0))
        url, _, secret = plain.partition(b"\0")
        return Webhook(ClientId(client), url.decode(), secret)

    def _open_delivery(self, row: Any) -> Delivery:
        return Delivery(
            event=self._open_event(row),
            webhook=self._open_webhook(row.client, row.hook),
            attempts=row.attempts,
            state=DeliveryState(row.state),
            said=row.said,
        )


def _add_delivery(connection: Connection, client: ClientId, number: int, due: Timestamp) -> None:
    row = {"client": client, "number": number, "state": DeliveryState.WAITING.value}
    connection.execute(insert(_DELIVERY).values(**row, due=due, attempts=0, said=""))


def _drop_old(connection: Connection, client: ClientId, last: int) -> None:
    for table in (_EVENT, _DELIVERY):
        is_old = and_(table.c.client == client, table.c.number <= last)
        connection.execute(delete(table).where(is_old))


def _is_delivery(client: ClientId, number: int) -> Any:
    return and_(_DELIVERY.c.client == client, _DELIVERY.c.number == number)


def _bind(client: ClientId, number: int) -> bytes:
    return b"event\0" + u64(number) + encode_text(client)
