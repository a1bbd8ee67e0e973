"""Applications to issue or redeem, their store, and the desk that works on them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.crypto.addresses import Address
from specie.ledger.records import Attestation, ReserveReference
from specie.ledger.state import SupplyState
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId, ParticipantNumber


class Direction(StrEnum):
    """Into or out of circulation."""

    ISSUE = "issue"
    REDEEM = "redeem"


class ApplicationState(StrEnum):
    """How far an application has come (P8, P9)."""

    APPLIED = "applied"
    APPROVED = "approved"
    PRODUCED = "produced"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Application:
    """A participant asks for money, or gives it back."""

    order: OrderId
    direction: Direction
    participant: ParticipantNumber
    amount: Minor
    vault: Address
    state: ApplicationState


class ApplicationStore(Protocol):
    """Applications and what was produced for them."""

    def add(self, application: Application) -> Application:
        """Idempotent; `order_conflict` if the order exists with another content."""
        ...

    def get(self, order: OrderId) -> Application:
        """`application_unknown` if there is none."""
        ...

    def record_approval(self, order: OrderId, officer: int, signature: bytes) -> int:
        """Gives how many different officers have approved."""
        ...

    def advance(self, order: OrderId, state: ApplicationState) -> None:
        """States only move forward."""
        ...

    def record_produced(self, order: OrderId, built: BuiltTransaction) -> BuiltTransaction:
        """The first production counts; gives it."""
        ...

    def find_produced(self, order: OrderId) -> BuiltTransaction | None:
        """What was produced."""
        ...


class IssuanceDesk(Protocol):
    """The central bank's part of issuance and redemption."""

    def apply(
        self,
        order: OrderId,
        direction: Direction,
        participant: ParticipantNumber,
        vault: Address,
        amount: Minor,
    ) -> Application:
        """Record an application of an active participant."""
        ...

    def approve(self, order: OrderId) -> None:
        """Officers look at it and approve; `approvals_missing` if too few do."""
        ...

    def produce(self, order: OrderId) -> BuiltTransaction:
        """The currency for an approved issue, once."""
        ...

    def accept_void(self, order: OrderId, built: BuiltTransaction) -> BuiltTransaction:
        """The participant's own voiding transaction for an approved redemption, once."""
        ...

    def authorise(
        self,
        order: OrderId,
        attestation: Attestation,
        reserve: ReserveReference | None,
        supply: SupplyState,
    ) -> AttestedTransaction:
        """Officers verify what they see and sign this change of the supply."""
        ...

    def complete(self, order: OrderId, promise: Promise) -> None:
        """Final."""
        ...
