"""Movements of a bank's clients: what was paid to whom, sealed at rest, found again (T20).

    sealed_detail = order 16 ‖ own bank u8 ‖ n u8 ‖ n × (bank u32 ‖ A32 ‖ B32) ‖ n u8 ‖ n × text
    text          = length u16 ‖ UTF-8
    sealed_memo   = end-to-end id 16 ‖ what the payer calls itself, 48

Client, direction and time stand in the clear, as they did before. Amounts and counterparties are
opened row by row: a search looks at so many rows and says where it goes on.
"""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    select,
    text,
)

from specie.crypto.addresses import Address
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.clients import Movement, MovementPage, MovementQuery
from specie.store.database import chunked
from specie.values.amounts import Minor
from specie.values.encoding import Reader, encode_text, pad_text, u8, u16, u32, unpad_text
from specie.values.identifiers import (
    ClientId,
    OrderId,
    ParticipantNumber,
    PublicKey,
    TransactionId,
)
from specie.values.limits import MOVEMENTS_KEPT_MAX, SEARCHED_ROWS_MAX
from specie.values.times import Timestamp

METADATA: Final = MetaData()
MOVEMENT: Final = Table(
    "movement",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("txid", LargeBinary, nullable=False, index=True),
    Column("client", String, nullable=False),
    Column("sealed_amount", LargeBinary, nullable=False),
    Column("is_incoming", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("is_final", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("sealed_detail", LargeBinary, nullable=True),
    Column("sealed_memo", LargeBinary, nullable=True),
)
_BY_TIME: Final = Index("movement_by_time", MOVEMENT.c.client, MOVEMENT.c.time)
_BY_PLACE: Final = Index("movement_by_place", MOVEMENT.c.client, MOVEMENT.c.sequence)
_LOAD_RECENT: Final = (
    select(MOVEMENT.c.sequence, MOVEMENT.c.txid, MOVEMENT.c.is_final)
    .where(
        MOVEMENT.c.client == bindparam("client"),
        MOVEMENT.c.time > bindparam("since"),
        MOVEMENT.c.is_incoming == bindparam("is_incoming"),
    )
    .order_by(MOVEMENT.c.sequence)
)
_LOAD_NUMBERED: Final = select(MOVEMENT).where(
    MOVEMENT.c.sequence.in_(bindparam("numbers", expanding=True))
)
_LOAD_PENDING: Final = select(MOVEMENT).where(
    MOVEMENT.c.client == bindparam("client"),
    MOVEMENT.c.is_incoming == 1,
    MOVEMENT.c.is_final == 0,
    MOVEMENT.c.until >= bindparam("since"),
)
_DETAIL: Final = b"detail\0"
_MEMO: Final = b"memo\0"
_NAME_SIZE: Final = 48  # of a memo


def add_details(connection: Connection) -> None:
    """Version 4: until when it may become final, and the other side; older rows have neither."""
    binary = LargeBinary().compile(dialect=connection.dialect)
    connection.execute(text("ALTER TABLE movement ADD COLUMN until BIGINT NOT NULL DEFAULT 0"))
    connection.execute(text(f"ALTER TABLE movement ADD COLUMN sealed_detail {binary}"))
    _BY_TIME.create(connection)


def add_places(connection: Connection) -> None:
    """Version 5: a client's movements in their order, so that a page is read and nothing else."""
    connection.execute(text("DROP INDEX IF EXISTS ix_movement_client"))
    _BY_PLACE.create(connection)


def add_memos(connection: Connection) -> None:
    """Version 8: what stood in the memo; older rows do not have it."""
    binary = LargeBinary().compile(dialect=connection.dialect)
    connection.execute(text(f"ALTER TABLE movement ADD COLUMN sealed_memo {binary}"))


def seal_movement(key: SealingKey, movement: Movement) -> dict[str, Any]:
    """A row."""
    amount = movement.amount.to_bytes(8, "little")
    memo = movement.end_to_end + pad_text(movement.told, _NAME_SIZE)
    return {
        "txid": movement.txid,
        "client": movement.client,
        "sealed_amount": key.seal(amount, movement.txid),
        "is_incoming": int(movement.is_incoming),
        "time": movement.time,
        "is_final": int(movement.is_final),
        "until": movement.until,
        "sealed_detail": key.seal(_pack_detail(movement), _DETAIL + movement.txid),
        "sealed_memo": key.seal(memo, _MEMO + movement.txid),
    }


def open_movement(key: SealingKey, row: Any) -> Movement:
    """The inverse."""
    amount = int.from_bytes(open_sealed(key, row.sealed_amount, row.txid), "little")
    plain = Movement(
        txid=TransactionId(row.txid),
        client=ClientId(row.client),
        amount=Minor(amount),
        is_incoming=bool(row.is_incoming),
        time=Timestamp(row.time),
        is_final=bool(row.is_final),
        until=Timestamp(row.until),
    )
    if row.sealed_detail is None:
        return plain
    found = _unpack_detail(plain, open_sealed(key, row.sealed_detail, _DETAIL + row.txid))
    if row.sealed_memo is None:
        return found
    memo = open_sealed(key, row.sealed_memo, _MEMO + row.txid)
    return replace(found, end_to_end=memo[:16], told=unpad_text(memo[16:]))


class Opened:
    """Movements that were opened lately: what is sealed in a row never changes once it is there."""

    def __init__(self, key: SealingKey) -> None:
        self._key = key
        self._kept: dict[int, Movement] = {}

    def load_recent(
        self, connection: Connection, client: ClientId, since: Timestamp, *, is_incoming: bool
    ) -> list[Movement]:
        """Later than `since`, oldest first; only what is not kept is opened."""
        wanted = {"client": client, "since": since, "is_incoming": int(is_incoming)}
        rows = connection.execute(_LOAD_RECENT, wanted).all()
        kept = {row.sequence: self._find(row) for row in rows}
        missing = [sequence for sequence, one in kept.items() if one is None]
        for part in chunked(missing):
            for row in connection.execute(_LOAD_NUMBERED, {"numbers": part}):
                kept[row.sequence] = self._keep(row)
        return [one for one in kept.values() if one is not None]

    def _find(self, row: Any) -> Movement | None:
        """A rolled-back row's number may be another's now: the transaction tells."""
        one = self._kept.get(row.sequence)
        is_same = one is not None and one.txid == row.txid and one.is_final == bool(row.is_final)
        return one if is_same else None

    def _keep(self, row: Any) -> Movement:
        movement = open_movement(self._key, row)
        if len(self._kept) >= MOVEMENTS_KEPT_MAX:
            self._kept = {}
        self._kept[row.sequence] = movement
        return movement


def load_pending(
    connection: Connection, key: SealingKey, client: ClientId, since: Timestamp
) -> list[Movement]:
    """Incoming, not final, with a window that ends at `since` or later."""
    rows = connection.execute(_LOAD_PENDING, {"client": client, "since": since})
    return [open_movement(key, row) for row in rows]


def search(
    connection: Connection, key: SealingKey, query: MovementQuery, before: int, limit: int
) -> MovementPage:
    """A page; it may be short or empty and still tell of a next one."""
    found: list[Movement] = []
    last, seen = 0, 0
    for row in connection.execute(_select(query, before).limit(SEARCHED_ROWS_MAX)):
        last, seen = row.sequence, seen + 1
        movement = open_movement(key, row)
        if _is_wanted(movement, query):
            found.append(movement)
        if len(found) == limit:
            break
    is_over = len(found) < limit and seen < SEARCHED_ROWS_MAX
    return MovementPage(found, 0 if is_over else last)


def load_client(
    connection: Connection,
    key: SealingKey,
    client: ClientId,
    page: tuple[int, int | None],
    since: Timestamp | None,
) -> list[Movement]:
    """Of one client, oldest first, along the index of places; a page is its start and limit."""
    start, limit = page
    query = select(MOVEMENT).where(MOVEMENT.c.client == client).order_by(MOVEMENT.c.sequence)
    if since is not None:
        query = query.where(MOVEMENT.c.time >= since)
    rows = connection.execute(query.offset(start).limit(limit))
    return [open_movement(key, row) for row in rows]


def load_all(connection: Connection, key: SealingKey, start: int, limit: int) -> list[Movement]:
    """As they were recorded."""
    query = select(MOVEMENT).order_by(MOVEMENT.c.sequence).offset(start).limit(limit)
    return [open_movement(key, row) for row in connection.execute(query)]


def _select(query: MovementQuery, before: int) -> Select[Any]:
    """By what stands in the clear; the newest first."""
    found = select(MOVEMENT).order_by(MOVEMENT.c.sequence.desc())
    if before:
        found = found.where(MOVEMENT.c.sequence < before)
    if query.client is not None:
        found = found.where(MOVEMENT.c.client == query.client)
    if query.since is not None:
        found = found.where(MOVEMENT.c.time >= query.since)
    if query.until is not None:
        found = found.where(MOVEMENT.c.time < query.until)
    if query.is_incoming is not None:
        found = found.where(MOVEMENT.c.is_incoming == int(query.is_incoming))
    return found


def _is_wanted(movement: Movement, query: MovementQuery) -> bool:
    """By what is sealed."""
    is_enough = query.least is None or movement.amount >= query.least
    is_little = query.most is None or movement.amount <= query.most
    return is_enough and is_little and (query.party is None or query.party in movement.parties)


def _pack_detail(movement: Movement) -> bytes:
    parties = [u32(one.bank) + one.view + one.spend for one in movement.parties]
    names = [encode_text(one) for one in movement.names]
    return b"".join(
        (
            movement.order,
            u8(int(movement.is_own_bank)),
            u8(len(parties)),
            *parties,
            u8(len(names)),
            *(u16(len(one)) + one for one in names),
        )
    )


def _unpack_detail(plain: Movement, data: bytes) -> Movement:
    reader = Reader(data)
    order, is_own_bank = OrderId(reader.take(16)), bool(reader.u8())
    parties = tuple(_read_address(reader) for _ in range(reader.u8()))
    names = tuple(reader.take(reader.u16()).decode() for _ in range(reader.u8()))
    reader.finish()
    return Movement(
        txid=plain.txid,
        client=plain.client,
        amount=plain.amount,
        time=plain.time,
        is_incoming=plain.is_incoming,
        is_final=plain.is_final,
        until=plain.until,
        parties=parties,
        is_own_bank=is_own_bank,
        order=order,
        names=names,
    )


def _read_address(reader: Reader) -> Address:
    bank = ParticipantNumber(reader.u32())
    return Address(bank, PublicKey(reader.take(32)), PublicKey(reader.take(32)))
