"""Applications to issue or redeem, their store, and the desk that works on them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.crypto.addresses import Address
from specie.ledger.records import Attestation, ReserveReference
from specie.ledger.state import SupplyState
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ports.notary import NotaryPort
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId, ParticipantNumber, Signature, TransactionId


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
    ENDED = "ended"  # given up: nothing of it will ever be final


@dataclass(frozen=True, slots=True)
class SupplyPlace:
    """Where a change of the supply stands: its number, and the total after it."""

    serial: int
    total_after: int


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

    def count_completed(self) -> int:
        """How many changes of the supply have come to their end, in both directions."""
        ...

    def find(self, order: OrderId) -> Application | None:
        """None if nobody applied."""
        ...

    def get(self, order: OrderId) -> Application:
        """`application_unknown` if there is none."""
        ...

    def record_approval(self, order: OrderId, officer: int, signature: bytes) -> int:
        """The newest signature of each officer counts; gives how many officers have signed."""
        ...

    def load_approvals(self, order: OrderId) -> dict[int, Signature]:
        """Signatures by officer, as recorded; whoever counts on them verifies them."""
        ...

    def record_authorisation(
        self, txid: TransactionId, place: SupplyPlace, officer: int, signature: Signature
    ) -> None:
        """An officer's word for one change at one place; the newest counts."""
        ...

    def load_authorisations(self, txid: TransactionId, place: SupplyPlace) -> dict[int, Signature]:
        """Signatures by officer, as recorded; the notary's contract verifies them."""
        ...

    def advance(self, order: OrderId, state: ApplicationState) -> None:
        """States only move forward."""
        ...

    def load_vaults(self, participant: ParticipantNumber) -> list[Address]:
        """Where what was issued to it has gone."""
        ...

    def load_in_state(self, direction: Direction, state: ApplicationState) -> list[Application]:
        """All that have come just so far."""
        ...

    def record_produced(
        self, order: OrderId, built: BuiltTransaction, after: TransactionId | None = None
    ) -> BuiltTransaction:
        """The first production counts, and the first that follows on `after`; gives the newest.

        `order_conflict` if the transaction serves another order, or another one voids this order.
        """
        ...

    def find_produced(self, order: OrderId) -> BuiltTransaction | None:
        """The newest that was produced."""
        ...

    def load_produced(self, order: OrderId) -> list[TransactionId]:
        """All that was ever produced for it, oldest first: any of them may have become final."""
        ...


class ApplicationDesk(Protocol):
    """The central bank's part of any change of the supply."""

    def apply(
        self,
        order: OrderId,
        direction: Direction,
        participant: ParticipantNumber,
        vault: Address,
        amount: Minor,
    ) -> Application:
        """Record an application of an active participant; a known one is compared only."""
        ...

    def find_promise(self, order: OrderId, notary: NotaryPort) -> Promise | None:
        """The promise for whatever was produced for this order, if one of it is final."""
        ...

    def approve(self, order: OrderId) -> None:
        """Officers look at it and approve; `approvals_missing` if too few do."""
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
        """Final, and everything that follows from it is done."""
        ...


class IssuanceDesk(ApplicationDesk, Protocol):
    """What the central bank asks of its own desk for new money."""

    def check_issuable(self, order: OrderId, supply: SupplyState) -> None:
        """Before any reserve is touched: the participant is active, the cap of the day holds."""
        ...

    def produce(self, order: OrderId, notary: NotaryPort) -> BuiltTransaction:
        """The currency for an approved issue; anew only once the last one can never be final."""
        ...

    def give_up(self, order: OrderId) -> None:
        """Nothing that was produced for it can be final any more."""
        ...


class RedemptionDesk(ApplicationDesk, Protocol):
    """What a bank asks of the central bank for money that it gives back."""

    def accept_void(self, order: OrderId, built: BuiltTransaction) -> BuiltTransaction:
        """The participant's own voiding transaction for an approved redemption, once."""
        ...

    def check_final(self, order: OrderId, promise: Promise) -> Application:
        """What was applied for, if the promise is for what was produced for it."""
        ...
