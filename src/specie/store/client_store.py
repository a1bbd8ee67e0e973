"""A bank's clients, the tokens it watches for them, and their movements, on SQLite.

View keys, names and openings are sealed under the bank's storage key.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Table,
    and_,
    delete,
    insert,
    or_,
    select,
    text,
    update,
)

from specie.crypto.addresses import Address
from specie.crypto.outputs import unpack_opening
from specie.crypto.secrets import SealingKey, ViewKey, open_sealed, unseal
from specie.ledger.records import Output
from specie.ports.clients import (
    Client,
    ClientStatus,
    ExpectedArrival,
    Left,
    Movement,
    MovementPage,
    MovementQuery,
    PendingPayment,
    WatchedToken,
)
from specie.store import arrivals, client_tables, movement_search, return_addresses
from specie.store.client_tables import CLIENT, TOKEN
from specie.store.database import Place, Steps, chunked, open_store
from specie.store.kept_amounts import KeptAmounts
from specie.store.movement_search import METADATA, MOVEMENT
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    TransactionId,
)
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.times import Timestamp

_VERSION: Final = 8


def _widen(connection: Connection) -> None:
    """Version 3: an address is unique, no longer a spend key; tables cannot lose a constraint."""
    connection.execute(text("ALTER TABLE client RENAME TO client_before"))
    CLIENT.create(connection)
    before = Table("client_before", MetaData(), *[Column(one.name, one.type) for one in CLIENT.c])
    connection.execute(insert(CLIENT).from_select(list(before.c.keys()), select(before)))
    before.drop(connection)


TellFinal = Callable[[Sequence[Movement], Sequence[WatchedToken]], None]
"""Movements that are final from now on, and the outputs of their transaction."""
_STEPS: Final[Steps] = {
    2: _widen,
    3: movement_search.add_details,
    4: movement_search.add_places,
    5: return_addresses.create_table,
    6: arrivals.add_times,
    7: movement_search.add_memos,
}


class SqliteClientStore:
    """`ClientStore` on SQLite."""

    def __init__(self, place: Place, key: SealingKey, tell: TellFinal | None = None) -> None:
        """`tell` hears of what becomes final, once, within that transaction."""
        self._database = open_store(place, "clients", _VERSION, METADATA, _STEPS)
        self._key = key
        self._tell = tell
        self._opened = movement_search.Opened(key)
        self._amounts = KeptAmounts(key)

    def add_client(self, client: Client) -> None:
        """`client_exists` if the id or the address is taken."""
        aad = encode_text(client.id)
        with self._database.transaction() as connection:
            address = client.address
            is_address = and_(CLIENT.c.bank == address.bank, CLIENT.c.spend == address.spend)
            query = select(CLIENT.c.id).where(or_(CLIENT.c.id == client.id, is_address))
            is_given = return_addresses.find_owner(connection, address) is not None
            if is_given or connection.execute(query).first() is not None:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "this client or address is known")
            connection.execute(
                insert(CLIENT).values(
                    id=client.id,
                    bank=client.address.bank,
                    view=client.address.view,
                    spend=client.address.spend,
                    sealed_view_key=client.view_key.seal(self._key, aad),
                    sealed_name=self._key.seal(encode_text(client.name), aad),
                    status=client.status.value,
                )
            )

    def set_status(self, client: ClientId, status: ClientStatus) -> None:
        """Block or unblock; never moves money."""
        with self._database.transaction() as connection:
            change = update(CLIENT).where(CLIENT.c.id == client).values(status=status.value)
            if connection.execute(change).rowcount != 1:
                raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no such client")

    def recording(self) -> AbstractContextManager[object]:
        """What is looked at within, and what is recorded, belong together: no other writer."""
        return self._database.transaction()

    def retire(self, client: ClientId, retired: ClientId) -> None:
        """A lost wallet gets an id of its own, with its tokens; the client's is free again."""
        known = self.find_client(client)
        if known is None:
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no such client")
        with self._database.transaction() as connection:
            connection.execute(delete(CLIENT).where(CLIENT.c.id == client))
            self.add_client(replace(known, id=retired, status=ClientStatus.LOST))
            moved = update(TOKEN).where(TOKEN.c.client == client)
            connection.execute(moved.values(client=retired))
            return_addresses.retire_addresses(connection, client, retired)

    def add_return_address(self, client: ClientId, address: Address) -> None:
        """Again is nothing; `client_exists` if it is somebody's, `limit_exceeded`."""
        is_own = and_(CLIENT.c.bank == address.bank, CLIENT.c.spend == address.spend)
        with self._database.transaction() as connection:
            if connection.execute(select(CLIENT.c.id).where(is_own)).first() is not None:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "this address is a client's own")
            return_addresses.add_address(connection, client, address)

    def list_return_addresses(self, client: ClientId) -> list[Address]:
        """All that are this client's."""
        with self._database.reading() as connection:
            return return_addresses.list_addresses(connection, client)

    def list_pending(self, client: ClientId, since: Timestamp) -> list[PendingPayment]:
        """What was attested of this payer later than that, and is not known to be final."""
        is_payer = and_(MOVEMENT.c.client == client, MOVEMENT.c.is_incoming == 0)
        is_open = and_(MOVEMENT.c.is_final == 0, MOVEMENT.c.time > since)
        with self._database.reading() as connection:
            rows = connection.execute(select(MOVEMENT).where(is_payer, is_open)).all()
            found = []
            for row in rows:
                txid = TransactionId(row.txid)
                inputs = connection.execute(client_tables.LOAD_INPUTS, {"which": txid})
                refs = frozenset(OutputRef(one.ref) for one in inputs)
                found.append(PendingPayment(txid, Timestamp(row.time), refs))
        return found

    def count_left(self, client: ClientId, since: Timestamp) -> Left:
        """Unspent tokens of an amount; payments either way that were attested later than that."""
        is_open = and_(MOVEMENT.c.is_final == 0, MOVEMENT.c.time > since)
        moving = select(MOVEMENT.c.sequence).where(MOVEMENT.c.client == client, is_open)
        with self._database.reading() as connection:
            held = connection.execute(client_tables.LOAD_HELD, {"owner": client})
            tokens = [self._open_token(row) for row in held]
            payments = len(connection.execute(moving).all())
        return Left(sum(1 for one in tokens if one.token.amount), payments)

    def find_client(self, client: ClientId) -> Client | None:
        """By the bank's own id."""
        with self._database.reading() as connection:
            row = connection.execute(client_tables.FIND_CLIENT, {"client": client}).first()
        return None if row is None else self._open_client(row)

    def find_by_address(self, address: Address) -> Client | None:
        """By its own address, or by one at which it takes money back."""
        keys = return_addresses.spell_address(address)
        with self._database.reading() as connection:
            row = connection.execute(client_tables.FIND_BY_ADDRESS, keys).first()
            if row is None:
                owner = return_addresses.find_owner(connection, address)
                row = connection.execute(client_tables.FIND_CLIENT, {"client": owner}).first()
        return None if row is None else self._open_client(row)

    def load_clients(self) -> list[Client]:
        """All clients."""
        with self._database.reading() as connection:
            rows = connection.execute(select(CLIENT)).all()
        return [self._open_client(row) for row in sorted(rows, key=lambda row: str(row.id))]

    def load_client_page(self, after: ClientId, limit: int, but: ClientId) -> list[Client]:
        """Those of greater ids, in their order; only what is asked for is read and opened."""
        query = select(CLIENT).where(CLIENT.c.id > after, CLIENT.c.id != but)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(CLIENT.c.id).limit(limit)).all()
        return [self._open_client(row) for row in rows]

    def find_tokens(self, refs: Sequence[OutputRef]) -> dict[OutputRef, WatchedToken]:
        """Watched tokens by reference."""
        found: dict[OutputRef, WatchedToken] = {}
        with self._database.reading() as connection:
            for part in chunked(list(refs)):
                for row in connection.execute(client_tables.LOAD_TOKENS, {"refs": part}):
                    found[OutputRef(row.ref)] = self._open_token(row)
        return found

    def record_attested(
        self,
        txid: TransactionId,
        inputs: Sequence[OutputRef],
        tokens: Sequence[tuple[ClientId, Token]],
        movements: Sequence[Movement],
    ) -> None:
        """Durable before the attestation leaves; idempotent by txid, with the same content."""
        parts = {(ref, 1) for ref in inputs} | {(token.ref, 0) for _, token in tokens}
        with self._database.transaction() as connection:
            found = connection.execute(client_tables.LOAD_PARTS, {"which": txid})
            known = {(row.ref, row.is_input) for row in found}
            if known and known != parts:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "attested for other parts before")
            if known:
                return
            connection.execute(
                client_tables.INSERT_PARTS,
                [{"txid": txid, "ref": ref, "is_input": is_input} for ref, is_input in parts],
            )
            self._insert_tokens(connection, tokens, is_final=False)
            if movements:
                arrivals.mark_used(connection, movements)
                rows = [self._seal_movement(one) for one in movements]
                connection.execute(client_tables.INSERT_MOVEMENTS, rows)

    def is_attested(self, txid: TransactionId) -> bool:
        """Whether an attestation of it may have left."""
        with self._database.reading() as connection:
            found = connection.execute(client_tables.FIND_ATTESTED, {"which": txid})
            return found.first() is not None

    def finalise(self, txid: TransactionId) -> list[WatchedToken]:
        """The transaction is final: inputs spent, tokens final; gives these tokens. Idempotent."""
        which = {"which": txid}
        with self._database.transaction() as connection:
            fresh = connection.execute(client_tables.LOAD_OPEN_MOVES, which).all()
            connection.execute(client_tables.MARK_INPUTS_SPENT, which)
            connection.execute(client_tables.MARK_OUTPUTS_FINAL, which)
            connection.execute(client_tables.MARK_MOVES_FINAL, which)
            rows = connection.execute(client_tables.LOAD_ITS_OUTPUTS, which).all()
            found = [self._open_token(row) for row in rows]
            if fresh and self._tell is not None:
                self._tell([self._open_movement(row) for row in fresh], found)
        return found

    def add_found(self, tokens: Sequence[tuple[ClientId, Token]]) -> int:
        """Tokens found in the public log; gives how many were new."""
        with self._database.transaction() as connection:
            fresh = self._insert_tokens(connection, tokens, is_final=True)
            for part in chunked([token.ref for _, token in tokens]):
                connection.execute(client_tables.MARK_FOUND, {"refs": part})
        return fresh

    def load_undelivered(self, client: ClientId) -> list[Output]:
        """Final, unspent outputs that the client's device has not fetched; a page of them."""
        page = {"owner": client, "most": PAGE_ITEMS_MAX}
        with self._database.reading() as connection:
            rows = connection.execute(client_tables.LOAD_UNDELIVERED, page)
            return [Output(row.output) for row in rows]

    def load_outputs(self, client: ClientId) -> list[Output]:
        """Everything final that was ever this client's, for a device that restores."""
        with self._database.reading() as connection:
            rows = connection.execute(client_tables.LOAD_OUTPUTS, {"owner": client})
            return [Output(row.output) for row in rows]

    def mark_delivered(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has them."""
        with self._database.transaction() as connection:
            for part in chunked(list(refs)):
                which = {"owner": client, "refs": part}
                connection.execute(client_tables.MARK_DELIVERED, which)

    def expect(self, arrival: ExpectedArrival, now: Timestamp | None = None) -> None:
        """Durable before the payer is asked to pay; see `store/arrivals.py`."""
        with self._database.transaction() as connection:
            arrivals.expect(connection, arrival, Timestamp(0) if now is None else now)

    def find_expected(self, order: OrderId) -> ExpectedArrival | None:
        """What arrives under this order is for; None if nobody said."""
        with self._database.reading() as connection:
            return arrivals.find(connection, order)

    def find_movements(self, txid: TransactionId) -> list[Movement]:
        """Of one transaction."""
        with self._database.reading() as connection:
            rows = connection.execute(client_tables.LOAD_MOVES, {"which": txid})
            return [self._open_movement(row) for row in rows]

    def load_movements(
        self,
        client: ClientId,
        start: int = 0,
        limit: int | None = None,
        since: Timestamp | None = None,
    ) -> list[Movement]:
        """Oldest first, from the place `start` on; only what is asked for is read and opened."""
        page = (start, limit)
        with self._database.reading() as connection:
            return movement_search.load_client(connection, self._key, client, page, since)

    def load_recent(
        self, client: ClientId, since: Timestamp, *, is_incoming: bool
    ) -> list[Movement]:
        """Of one client and direction, later than `since`, oldest first."""
        with self._database.reading() as connection:
            return self._opened.load_recent(connection, client, since, is_incoming=is_incoming)

    def count_holding(self, client: ClientId) -> Minor:
        """What is final and not spent."""
        with self._database.reading() as connection:
            rows = connection.execute(client_tables.LOAD_HELD_REFS, {"owner": client})
            refs = [OutputRef(bytes(row.ref)) for row in rows]
            return self._amounts.sum(refs, partial(_load_sealed, connection))

    def load_pending(self, client: ClientId, since: Timestamp) -> list[Movement]:
        """Incoming, not final, with a window that ends at `since` or later."""
        with self._database.reading() as connection:
            return movement_search.load_pending(connection, self._key, client, since)

    def search(self, query: MovementQuery, before: int, limit: int) -> MovementPage:
        """Movements of all clients, newest first, that were recorded before the place `before`."""
        with self._database.reading() as connection:
            return movement_search.search(connection, self._key, query, before, limit)

    def load_all(self, start: int, limit: int) -> list[Movement]:
        """A page of everything in the order in which it was recorded."""
        with self._database.reading() as connection:
            return movement_search.load_all(connection, self._key, start, limit)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _insert_tokens(
        self,
        connection: Connection,
        tokens: Sequence[tuple[ClientId, Token]],
        *,
        is_final: bool,
    ) -> int:
        known: set[bytes] = set()
        for part in chunked([token.ref for _, token in tokens]):
            rows = connection.execute(client_tables.LOAD_REFS, {"refs": part})
            known.update(row.ref for row in rows)
        fresh = [
            {
                "ref": token.ref,
                "client": client,
                "output": token.output.data,
                "sealed_opening": self._key.seal(token.opening.pack(), token.ref),
                "is_final": int(is_final),
                "spent_by": None,
                "is_delivered": 0,
            }
            for client, token in tokens
            if token.ref not in known
        ]
        if fresh:
            connection.execute(client_tables.INSERT_TOKENS, fresh)
        return len(fresh)

    def _open_client(self, row: Any) -> Client:
        aad = str(row.id).encode()
        address = Address(ParticipantNumber(row.bank), PublicKey(row.view), PublicKey(row.spend))
        return Client(
            id=ClientId(row.id),
            name=open_sealed(self._key, row.sealed_name, aad).decode(),
            address=address,
            view_key=unseal(ViewKey.unseal, self._key, row.sealed_view_key, aad),
            status=ClientStatus(row.status),
        )

    def _open_token(self, row: Any) -> WatchedToken:
        opening = unpack_opening(open_sealed(self._key, row.sealed_opening, row.ref))
        return WatchedToken(
            client=ClientId(row.client),
            token=Token(Output(row.output), opening),
            is_final=bool(row.is_final),
            spent_by=None if row.spent_by is None else TransactionId(row.spent_by),
        )

    def _seal_movement(self, movement: Movement) -> dict[str, Any]:
        return movement_search.seal_movement(self._key, movement)

    def _open_movement(self, row: Any) -> Movement:
        return movement_search.open_movement(self._key, row)


def _load_sealed(
    connection: Connection, refs: Sequence[OutputRef]
) -> Iterator[tuple[OutputRef, bytes]]:
    for part in chunked(list(refs)):
        for row in connection.execute(client_tables.LOAD_OPENINGS, {"refs": part}):
            yield OutputRef(bytes(row.ref)), bytes(row.sealed_opening)
