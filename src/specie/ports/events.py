"""Where a bank keeps what it tells its clients, and where it is to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.values.identifiers import ClientId
from specie.values.times import Timestamp


class EventKind(StrEnum):
    """What is told."""

    ARRIVED = "payment.arrived"  # money is the client's, final
    REFUNDED = "refund.arrived"  # the same, and it pays back what the client has paid
    SETTLED = "payment.settled"  # a payment of the client's is final
    RETURN_ASKED = "return.requested"  # a payer wants back what the client was paid
    RETURN_DECLINED = "return.declined"  # the payee of a payment of the client's keeps it
    REFUSED = "payment.refused"  # somebody said no; pending until its window is over
    WEBHOOK_REGISTERED = "webhook.registered"  # what follows is sent there
    WEBHOOK_REMOVED = "webhook.removed"
    WALLET_LOST = "wallet.lost"  # nothing is attested any more
    WALLET_REOPENED = "wallet.reopened"  # a code was given out for a new device


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One client's, in order: numbers from 1 on, none left out."""

    client: ClientId
    number: int
    kind: EventKind
    time: Timestamp
    data: str  # JSON


class DeliveryState(StrEnum):
    """Of one event on its way to a webhook."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # tried as often as it may be


@dataclass(frozen=True, slots=True, repr=False)
class Webhook:
    """Where a client's events are sent, and the secret that signs them."""

    client: ClientId
    url: str
    secret: bytes  # 32


@dataclass(frozen=True, slots=True, repr=False)
class Delivery:
    """One event for one webhook."""

    event: Event
    webhook: Webhook
    attempts: int
    state: DeliveryState
    said: str  # how the last attempt ended


class EventStore(Protocol):
    """Events are written in the transaction of what they tell of; all sealed at rest."""

    def add(self, client: ClientId, kind: EventKind, time: Timestamp, data: str) -> int:
        """Its number; if the client has a webhook, it is on its way there from this moment."""
        ...

    def load(self, client: ClientId, after: int, limit: int) -> list[Event]:
        """Those with a higher number, in order; of old ones only so many are kept."""
        ...

    def load_heads(self, clients: Sequence[ClientId]) -> dict[ClientId, int]:
        """The newest number of each that has one."""
        ...
