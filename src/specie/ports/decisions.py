"""Decisions of the central bank that are no single payment: proposed, signed, carried out, kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.values.amounts import Minor
from specie.values.identifiers import Digest, EntryId, ParticipantNumber, Signature
from specie.values.times import Timestamp


class DecisionState(StrEnum):
    """How far a decision has come."""

    PROPOSED = "proposed"
    BEGUN = "begun"  # somebody did not answer: part of it may be done, it goes on
    DONE = "done"
    REFUSED = "refused"  # a rule was against it when it was to be carried out
    EXPIRED = "expired"  # too few officers had signed it in time
    WITHDRAWN = "withdrawn"  # by an officer who had signed it


@dataclass(frozen=True, slots=True)
class Decision:
    """What was proposed, and by whom it is signed so far."""

    id: bytes  # 16, drawn by who proposes
    kind: str
    parameters: str  # JSON, as it was signed
    state: DecisionState
    time: Timestamp
    signatures: tuple[tuple[int, Signature], ...] = ()

    @property
    def signed_by(self) -> list[int]:
        """Officers."""
        return [officer for officer, _ in self.signatures]


class DecisionStore(Protocol):
    """The history of decisions, and what is in force by them."""

    def sign(self, decision: Decision, officer: int, signature: Signature) -> Decision:
        """Record it with the first signature, add further ones; `order_conflict` if it differs."""
        ...

    def find(self, identifier: bytes) -> Decision | None:
        """None if nobody proposed it."""
        ...

    def finish(self, identifier: bytes, settings: dict[str, int]) -> None:
        """It is carried out; with it, in one transaction, what is in force from now on."""
        ...

    def begin(self, identifier: bytes) -> None:
        """Part of it may be done: from now on no rule refuses it, it goes on."""
        ...

    def load_open(self) -> Sequence[Decision]:
        """Proposed or begun, oldest first."""
        ...

    def refuse(self, identifier: bytes) -> None:
        """It will not be carried out, also not later, when nobody expects it any more."""
        ...

    def expire(self, identifier: bytes) -> None:
        """The same, because its signatures did not come in time."""
        ...

    def withdraw(self, identifier: bytes) -> None:
        """The same, because who has signed it does not want it any more."""
        ...

    def load(self, start: int, limit: int) -> Sequence[Decision]:
        """A page of the history, oldest first."""
        ...

    def load_done(self, kind: str) -> Sequence[Decision]:
        """All of one kind that were carried out, oldest first."""
        ...

    def load_settings(self) -> dict[str, int]:
        """What decisions have set so far."""
        ...

    def invite(self, code_hash: Digest, name: str, officer: int, expires: Timestamp) -> None:
        """A one-time code is out; idempotent."""
        ...

    def find_invitation(self, code_hash: Digest) -> "Invitation | None":
        """None for a code that nobody gave out."""
        ...

    def record_enrolment(self, code_hash: Digest, enrolment: bytes) -> bytes:
        """The first that comes with the code counts; gives what is recorded."""
        ...


@dataclass(frozen=True, slots=True)
class Loan:
    """Reserves against collateral, as a decision of two officers gave them."""

    entry: EntryId  # the decision's id
    participant: ParticipantNumber
    amount: Minor


class LoanStore(Protocol):
    """What was lent, a list for each participant that only grows."""

    def record_loan(self, loan: Loan) -> None:
        """At the end of the participant's list; idempotent by entry."""
        ...

    def load_loans(self, participant: ParticipantNumber, start: int, limit: int) -> list[Loan]:
        """At most `limit` of one participant's list, from the place `start` on."""
        ...


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is expected, invited by whom, and what came."""

    code_hash: Digest
    name: str
    officer: int
    expires: Timestamp
    enrolment: bytes = b""
