"""Where a bank keeps its clients and the outputs it watches for them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.crypto.addresses import Address
from specie.crypto.secrets import ViewKey
from specie.ledger.records import Output
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.identifiers import (
    ZERO16,
    ClientId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    TransactionId,
)
from specie.values.times import Timestamp


class ClientStatus(StrEnum):
    """Standing of a client."""

    GOOD = "good"
    BLOCKED = "blocked"
    LOST = "lost"  # its keys may be a thief's: it pays nobody but the client's new address
    LOST_BLOCKED = "lost-blocked"  # the same; and the client's new wallet is blocked
    CLOSED = "closed"  # for good; what is on record stays

    @property
    def is_lost(self) -> bool:
        """Blocked or not."""
        return self in (ClientStatus.LOST, ClientStatus.LOST_BLOCKED)


@dataclass(frozen=True, slots=True, repr=False)
class Client:
    """A customer with a wallet here. The view key is a copy; the spend key stays on the device."""

    id: ClientId
    name: str
    address: Address
    view_key: ViewKey
    status: ClientStatus


@dataclass(frozen=True, slots=True, repr=False)
class WatchedToken:
    """An output of a client, as its bank knows it."""

    client: ClientId
    token: Token
    is_final: bool
    spent_by: TransactionId | None


@dataclass(frozen=True, slots=True, repr=False)
class Movement:
    """One side of a payment for one client: what the bank keeps and can search (T20)."""

    txid: TransactionId
    client: ClientId
    amount: Minor
    time: Timestamp
    is_incoming: bool
    is_final: bool
    until: Timestamp = Timestamp(0)  # its window's end; not final then, it never will be
    parties: tuple[Address, ...] = ()  # of the other side, as far as this bank knows them
    is_own_bank: bool = False  # the other side is the bank's own vault
    order: OrderId = OrderId(ZERO16)
    names: tuple[str, ...] = ()  # of the other side: its clients', or what a payer says of itself
    end_to_end: bytes = ZERO16  # of the memo, as is what follows
    told: str = ""  # what the payer calls itself there, to whom it pays


@dataclass(frozen=True, slots=True, repr=False)
class MovementQuery:
    """Which movements; what is None does not matter."""

    client: ClientId | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None  # up to it, without it
    least: Minor | None = None
    most: Minor | None = None
    party: Address | None = None
    is_incoming: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MovementPage:
    """Newest first; `after` is where the next page goes on, 0 if there is none."""

    movements: Sequence[Movement]
    after: int


@dataclass(frozen=True, slots=True)
class ExpectedArrival:
    """What tokens that arrive in the bank's vault under an order are for: one of the two."""

    order: OrderId
    client: ClientId | None = None  # a deposit of this client
    sender: ParticipantNumber | None = None  # vault money of this bank


@dataclass(frozen=True, slots=True)
class Left:
    """What keeps an account open: tokens that are not spent, payments that are under way."""

    tokens: int
    payments: int


@dataclass(frozen=True, slots=True)
class PendingPayment:
    """Attested, not known to be final, and perhaps still to become so: with its inputs."""

    txid: TransactionId
    time: Timestamp  # of the attestation
    inputs: frozenset[OutputRef]


class ClientStore(Protocol):
    """Clients, watched tokens, movements of one bank; secrets sealed at rest."""

    def recording(self) -> AbstractContextManager[object]:
        """What is looked at within, and what is recorded, belong together: no other writer."""
        ...

    def add_client(self, client: Client) -> None:
        """`client_exists` if the id or the address is taken."""
        ...

    def set_status(self, client: ClientId, status: ClientStatus) -> None:
        """Block or unblock; never moves money."""
        ...

    def retire(self, client: ClientId, retired: ClientId) -> None:
        """A lost wallet gets an id of its own, with its tokens; the client's is free for a new one.

        Its status is `LOST`; movements stay the client's.
        """
        ...

    def list_pending(self, client: ClientId, since: Timestamp) -> list[PendingPayment]:
        """What was attested of this payer later than that, and is not known to be final."""
        ...

    def count_left(self, client: ClientId, since: Timestamp) -> Left:
        """Unspent tokens of an amount; payments either way that were attested later than that."""
        ...

    def find_client(self, client: ClientId) -> Client | None:
        """By the bank's own id."""
        ...

    def find_by_address(self, address: Address) -> Client | None:
        """By its own address, or by one at which it takes money back."""
        ...

    def list_return_addresses(self, client: ClientId) -> list[Address]:
        """All that are this client's."""
        ...

    def add_return_address(self, client: ClientId, address: Address) -> None:
        """Again is nothing; `client_exists` if it is somebody's, `limit_exceeded`."""
        ...

    def load_clients(self) -> list[Client]:
        """All clients."""
        ...

    def load_client_page(self, after: ClientId, limit: int, but: ClientId) -> list[Client]:
        """Those of greater ids, in their order; without `but`."""
        ...

    def find_tokens(self, refs: Sequence[OutputRef]) -> dict[OutputRef, WatchedToken]:
        """Watched tokens by reference."""
        ...

    def record_attested(
        self,
        txid: TransactionId,
        inputs: Sequence[OutputRef],
        tokens: Sequence[tuple[ClientId, Token]],
        movements: Sequence[Movement],
    ) -> None:
        """Durable before the attestation leaves; idempotent by txid.

        `order_conflict` if it was recorded with other inputs or outputs: what is signed later
        would otherwise not be on record.
        """
        ...

    def is_attested(self, txid: TransactionId) -> bool:
        """Whether an attestation of it may have left."""
        ...

    def finalise(self, txid: TransactionId) -> list[WatchedToken]:
        """The transaction is final: inputs spent, tokens final; gives these tokens. Idempotent."""
        ...

    def add_found(self, tokens: Sequence[tuple[ClientId, Token]]) -> int:
        """Tokens found in the public log; gives how many were new."""
        ...

    def load_undelivered(self, client: ClientId) -> list[Output]:
        """Final, unspent outputs that the client's device has not fetched; at most a page."""
        ...

    def load_outputs(self, client: ClientId) -> list[Output]:
        """Everything final that was ever this client's, for a device that restores."""
        ...

    def mark_delivered(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has them."""
        ...

    def expect(self, arrival: ExpectedArrival, now: Timestamp | None = None) -> None:
        """Durable before the payer is asked to pay; `order_conflict` if the order is another's.

        `limit_exceeded` for too many of one client; those that it did not use end after a while.
        """
        ...

    def find_expected(self, order: OrderId) -> ExpectedArrival | None:
        """What arrives under this order is for; None if nobody said."""
        ...

    def find_movements(self, txid: TransactionId) -> list[Movement]:
        """Of one transaction."""
        ...

    def load_movements(
        self,
        client: ClientId,
        start: int = 0,
        limit: int | None = None,
        since: Timestamp | None = None,
    ) -> list[Movement]:
        """Oldest first, from the place `start` on; all that follow unless `limit` says how many.

        With `since` those of that time and later, and places are counted among them.
        """
        ...

    def load_recent(
        self, client: ClientId, since: Timestamp, *, is_incoming: bool
    ) -> list[Movement]:
        """Of one client and direction, later than `since`, oldest first."""
        ...

    def count_holding(self, client: ClientId) -> Minor:
        """What is final and not spent."""
        ...

    def load_pending(self, client: ClientId, since: Timestamp) -> list[Movement]:
        """Incoming, not final, with a window that ends at `since` or later."""
        ...

    def search(self, query: MovementQuery, before: int, limit: int) -> MovementPage:
        """Movements of all clients, newest first, that were recorded before the place `before`."""
        ...

    def load_all(self, start: int, limit: int) -> list[Movement]:
        """A page of everything in the order in which it was recorded."""
        ...
