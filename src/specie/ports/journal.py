"""Where an institution's flows keep how far they have come (rows T15, X12).

The journal lies in the institution's own database, so that the first effect of an order and the
word that it was begun are one transaction, as are its last effect and the word that it has ended.
What lies between is where its effect is: the vault's payment, the desk's application, an entry.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.values.identifiers import OrderId


class FlowKind(StrEnum):
    """Which script an order runs."""

    ISSUE = "issue"
    REDEEM = "redeem"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"


class FlowState(StrEnum):
    """Open until one of the two ends; an end is for ever."""

    OPEN = "open"
    COMPLETED = "completed"
    ENDED = "ended"  # compensated: what was held is given back, nothing of it happens any more


@dataclass(frozen=True, slots=True, repr=False)
class FlowRecord:
    """What was begun, with what it takes to run it again."""

    order: OrderId
    kind: FlowKind
    request: bytes  # as `flows/requests.py` packs it
    state: FlowState


class Journal(Protocol):
    """Flows of one institution."""

    def transaction(self) -> AbstractContextManager[object]:
        """What this institution's stores write within is one transaction, the journal's too."""
        ...

    def begin(self, kind: FlowKind, order: OrderId, request: bytes) -> FlowState:
        """Durable; a known order gives how it stands, `order_conflict` with another content."""
        ...

    def end(self, order: OrderId, state: FlowState) -> None:
        """Idempotent; `order_conflict` if it has ended otherwise."""
        ...

    def find_state(self, order: OrderId) -> FlowState | None:
        """None if it was never begun."""
        ...

    def get(self, order: OrderId) -> FlowRecord:
        """`application_unknown` if it was never begun."""
        ...

    def list_open(self) -> list[FlowRecord]:
        """What a start has to go on with, oldest first."""
        ...
