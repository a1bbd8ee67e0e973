"""The notary as everyone else sees it, and its store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.ledger.batches import PrivateBatch, RecordedBatch, RecordedTransaction
from specie.ledger.state import LedgerOutput, OverlayView, SupplyState
from specie.ledger.transactions import Promise, VoidPromise
from specie.ledger.voids import VoidRequest
from specie.values.identifiers import (
    Digest,
    EntryId,
    InstitutionPublicKey,
    OutputRef,
    PublicKey,
    Signature,
    TransactionId,
)
from specie.values.times import Timestamp

__all__ = [
    "BatchArchive",
    "LogWriter",
    "LookUp",
    "NotaryLog",
    "NotaryPort",
    "NotaryStore",
    "RecordedBatch",
    "RecordedTransaction",
]


class NotaryPort(Protocol):
    """Gives uniqueness and finality."""

    @property
    def public_key(self) -> InstitutionPublicKey:
        """Its own, by the participant list."""
        ...

    def notarise(self, data: bytes) -> Promise:
        """Final and durable once this returns; the same bytes again give the same answer."""
        ...

    def find_promise(self, txid: TransactionId) -> Promise | None:
        """The promise given for it; None if it is not final now."""
        ...

    def get_supply(self) -> SupplyState:
        """Serial and total, for who prepares the next change."""
        ...

    def get_published_time(self) -> Timestamp:
        """What the last header says, 0 before the first: nothing older becomes final any more."""
        ...

    def find_void(self, txid: TransactionId) -> VoidPromise | None:
        """The promise that it is never final, if it was cancelled."""
        ...

    def void(self, data: bytes, signature: Signature) -> VoidPromise:
        """Cancel a transaction that is not final, for good; signed by the owner of its inputs."""
        ...


@dataclass(frozen=True, slots=True)
class LookUp:
    """Everything that a batch needs to know of the ledger, asked at once."""

    outputs: tuple[OutputRef, ...] = ()
    spends: tuple[OutputRef, ...] = ()
    kernels: tuple[PublicKey, ...] = ()
    reserves: tuple[EntryId, ...] = ()
    txids: tuple[TransactionId, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class RecordedOther:
    """A leaf besides payments that waits to be published; a void with its request and promise.

    Of the directory's, which are promised too, the time is kept: the promise follows from it.
    """

    key: bytes
    leaf: bytes
    time: Timestamp
    request: VoidRequest | None = None
    promise: VoidPromise | None = None
    first: OutputRef | None = None  # of a void: the first input of what was cancelled
    publish_by: Timestamp | None = None  # of a directory leaf


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits to be published, and since when."""

    payments: int
    others: int
    since: Timestamp


class NotaryStore(Protocol):
    """Spent set, outputs, transactions and leaves in one database."""

    def find_promises(self, txids: Sequence[TransactionId]) -> dict[TransactionId, Promise]:
        """Promises given before."""
        ...

    def load_view(
        self, wanted: LookUp, known: Mapping[OutputRef, LedgerOutput] | None = None
    ) -> OverlayView:
        """The state of the ledger restricted to what is asked, and outputs that are known."""
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

    def count_waiting(self) -> Waiting:
        """How much `load_waiting` and `load_waiting_others` would give, without reading it."""
        ...

    def record_other(self, other: RecordedOther) -> None:
        """A leaf besides payments waits for the next batch; once for each key."""
        ...

    def count_voids(self, first: OutputRef) -> int:
        """How many transactions with this first input were cancelled."""
        ...

    def find_void(self, txid: TransactionId) -> VoidPromise | None:
        """What was promised when it was cancelled; None if it was not."""
        ...

    def find_other(self, key: bytes) -> RecordedOther | None:
        """The leaf of this key, published or not."""
        ...

    def find_directory_key(self) -> PublicKey | None:
        """Of the directory's secret function, as any of its leaves names it."""
        ...

    def load_waiting_others(
        self, limit: int, before: Timestamp | None = None
    ) -> list[RecordedOther]:
        """Leaves besides payments not yet published, of those recorded earlier than that."""
        ...

    def load_batch(self, number: int) -> PrivateBatch:
        """Time, transactions in the order of notarisation, and voids of a published batch."""
        ...

    def load_batch_time(self) -> Timestamp:
        """Time of the last published batch, 0 if none."""
        ...

    def load_last_time(self) -> Timestamp:
        """The latest time recorded, of a transaction or a publication; 0 if none."""
        ...

    def count_broken(self, now: Timestamp) -> int:
        """Promises that were published late, or are late now and not published yet."""
        ...

    def load_batch_number(self) -> int:
        """Number of the last published batch, 0 if none."""
        ...

    def record_publication(self, batch: RecordedBatch) -> None:
        """One durable database transaction: leaves appended, transactions marked published."""
        ...

    def restore_batch(
        self,
        batch: RecordedBatch,
        fresh: Sequence[RecordedTransaction],
        others: Sequence[RecordedOther],
        supply: SupplyState,
    ) -> None:
        """A published batch that is not here, and what is new of it: one durable transaction."""
        ...

    def count_leaves(self) -> int:
        """Size of the log."""
        ...

    def load_leaves(self, start: int, limit: int) -> list[bytes]:
        """Leaves from `start` on."""
        ...

    def tidy(self) -> None:
        """Housekeeping that otherwise a later call would have to wait for."""
        ...


class BatchArchive(Protocol):
    """Full private batches, for auditors, and for a database that came back from an old copy."""

    def write(self, number: int, data: bytes) -> None:
        """Durable; again is the same."""
        ...

    def read(self, number: int) -> bytes:
        """`log_invalid` if it is not there."""
        ...

    def count(self) -> int:
        """How many are there, without a gap from 1."""
        ...


class LogWriter(Protocol):
    """Puts leaves and checkpoint where the public reads them; always to the same bytes."""

    def write_leaves(self, first: int, leaves: Sequence[bytes]) -> list[Digest]:
        """Leaves from position `first` on, with the hashes above them; gives the leaves' hashes."""
        ...

    def write_checkpoint(self, note: str, size: int) -> None:
        """Last, once everything it covers is there."""
        ...


class NotaryLog(LogWriter, Protocol):
    """The same, and what was put there before."""

    def find_checkpoint(self) -> str | None:
        """The signed note; None if nothing was published."""
        ...

    def iterate_leaves(self, size: int, start: int = 0) -> Iterator[bytes]:
        """Leaves start … size - 1 in order."""
        ...
