"""Where a device keeps what it is withdrawing for a payment, before the bank hears of it."""

from dataclasses import dataclass
from typing import Protocol

from specie.values.amounts import Minor
from specie.values.identifiers import OrderId


@dataclass(frozen=True, slots=True, repr=False)
class TopUp:
    """A withdrawal that a payment waits for."""

    order: OrderId
    amount: Minor


class TopUps(Protocol):
    """Of one holder, one at a time for a payment."""

    def find(self, payment: bytes) -> TopUp | None:
        """What was begun for this payment and is not over."""
        ...

    def begin(self, payment: bytes, top_up: TopUp) -> None:
        """Durable."""
        ...

    def end(self, payment: bytes) -> None:
        """The money is on the device, or never will be; idempotent."""
        ...
