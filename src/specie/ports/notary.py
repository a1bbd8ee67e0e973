"""The notary as everyone else sees it, and its store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.ledger.state import LedgerView, SupplyState
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.values.identifiers import (
    EntryId,
    InstitutionPublicKey,
    OutputRef,
    PublicKey,
    TransactionId,
)
from specie.values.times import Timestamp


class NotaryPort(Protocol):
    """Gives uniqueness and finality."""

    public_key: InstitutionPublicKey

    def notarise(self, data: bytes) -> Promise:
        """Final and durable once this returns; the same bytes again give the same answer."""
        ...

    def get_supply(self) -> SupplyState:
        """Serial and total, for who prepares the next change."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """What the notary records of one transaction, all in one database transaction."""

    transaction: AttestedTransaction
    data: bytes
    time: Timestamp
    promise: Promise


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """A publication batch: its leaves in order and what later appends need."""

    number: int
    time: Timestamp
    leaves: tuple[bytes, ...]
    txids: tuple[TransactionId, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Everything that a batch needs to know of the ledger, asked at once."""

    refs: tuple[OutputRef, ...]
    kernels: tuple[PublicKey, ...]
    reserves: tuple[EntryId, ...]


class NotaryStore(Protocol):
    """Spent set, outputs, transactions and leaves in one database."""

    def find_promises(self, txids: Sequence[TransactionId]) -> dict[TransactionId, Promise]:
        """Promises given before."""
        ...

    def load_view(self, wanted: LookUp) -> LedgerView:
        """The state of the ledger restricted to what is asked."""
        ...

    def record_batch(self, batch: Sequence[RecordedTransaction], supply: SupplyState) -> None:
        """One durable database transaction: outputs, spends, kernels, promises, supply."""
        ...

    def load_supply(self) -> SupplyState:
        """The supply as recorded."""
        ...

    def load_waiting(self, limit: int) -> list[RecordedTransaction]:
        """Notarised but not yet published, the oldest first."""
        ...

    def load_batch_number(self) -> int:
        """Number of the last published batch, 0 if none."""
        ...

    def record_publication(self, batch: RecordedBatch) -> None:
        """One durable database transaction: leaves appended, transactions marked published."""
        ...

    def count_leaves(self) -> int:
        """Size of the log."""
        ...

    def load_leaves(self, start: int, limit: int) -> list[bytes]:
        """Leaves from `start` on."""
        ...


class LogWriter(Protocol):
    """Puts leaves and checkpoint where the public reads them; always to the same bytes."""

    def write_leaves(self, first: int, leaves: Sequence[bytes]) -> None:
        """Leaves from position `first` on, with the hashes above them."""
        ...

    def write_checkpoint(self, note: str) -> None:
        """Last, once everything it covers is there."""
        ...
