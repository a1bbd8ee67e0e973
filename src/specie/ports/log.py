"""The published log as its readers see it, and the index that finds things in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignedLine
from specie.values.identifiers import Digest, OutputRef, TransactionId


class LogReader(Protocol):
    """Leaves, hashes and the checkpoint that covers them."""

    def read_checkpoint(self) -> str:
        """The signed note."""
        ...

    def iterate_leaves(self, size: int, start: int = 0) -> Iterator[bytes]:
        """Leaves start … size - 1 in order, one bundle in memory at a time."""
        ...

    def read_hash(self, level: int, number: int, size: int) -> Digest:
        """Hash of the complete subtree of 2**level leaves from leaf number·2**level on."""
        ...


class CosignedLog(LogReader, Protocol):
    """The same, where cosignatures are put beside the log's own signature."""

    def add_lines(self, checkpoint: Checkpoint, lines: Sequence[SignedLine]) -> str:
        """More lines under this very checkpoint, gives the note; `log_invalid` if it is another."""
        ...


@dataclass(frozen=True, slots=True)
class Indexed:
    """What one leaf adds to the index."""

    position: int
    created: OutputRef | None = None
    spent: OutputRef | None = None
    kernels: TransactionId | Digest | None = None  # of the directory: hash of the leaf
    is_header: bool = False


class LogIndex(Protocol):
    """Where an output was created and spent, where a transaction's kernels stand."""

    def get_tip(self) -> tuple[int, Digest]:
        """How many leaves are indexed, and the root of the tree over them."""
        ...

    def find_last_header(self) -> int | None:
        """Position of the newest header; None if nothing is indexed."""
        ...

    def record(self, size: int, root: Digest, leaves: Sequence[Indexed]) -> None:
        """Add leaves, the new size and its root in one database transaction."""
        ...

    def find_created(self, refs: Sequence[OutputRef]) -> dict[OutputRef, int]:
        """Positions of created leaves."""
        ...

    def find_spent(self, refs: Sequence[OutputRef]) -> dict[OutputRef, int]:
        """Positions of spent leaves."""
        ...

    def find_kernels(self, txid: TransactionId | Digest) -> int | None:
        """Position of a transaction's kernels, or of the directory's leaf of this hash."""
        ...
