"""Who pays and who is paid, as two banks tell each other of large payments (FATF R.16, T20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.values.identifiers import ClientId, ParticipantNumber, Signature, TransactionId
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """What a bank knows of a client, as far as it tells another bank."""

    primary: str  # surname, or the whole name; of a legal person its name
    secondary: str = ""  # given names
    is_legal: bool = False
    birth_date: str = ""  # 1990-12-31
    birth_place: str = ""
    national_id: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class TravelRecord:
    """What was said of one payment for one payee, as this bank has it."""

    txid: TransactionId
    client: ClientId  # ours
    is_originating: bool  # our client pays; else it is paid
    bank: ParticipantNumber  # of the other side
    time: Timestamp
    data: str  # IVMS101, JSON
    signature: Signature  # of the payer's bank, over what was sent


class TravelStore(Protocol):
    """Sealed at rest."""

    def add(self, record: TravelRecord) -> None:
        """The first one counts; `order_conflict` if another bank has told it."""
        ...

    def has(self, txid: TransactionId, client: ClientId) -> bool:
        """Whether the payer's bank has told who pays this client."""
        ...

    def find_tellers(self, txid: TransactionId) -> frozenset[ParticipantNumber]:
        """Banks that have told who pays this; at most one for each payee."""
        ...

    def load(
        self, client: ClientId | None, txid: TransactionId | None, limit: int
    ) -> Sequence[TravelRecord]:
        """The newest first."""
        ...

    def put_identity(self, client: ClientId, identity: Identity) -> None:
        """In the place of an earlier one."""
        ...

    def find_identity(self, client: ClientId) -> Identity | None:
        """None: the bank knows the registered name alone."""
        ...
