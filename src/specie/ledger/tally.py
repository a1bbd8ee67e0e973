"""What an audit must remember of a log: which outputs are there to spend, what must be unique.

`MemoryTally` remembers everything at once; `store/tally_files.py` does the same from disk in
bounded memory. Both hold the same rules: an output is created once and spent once, after it was
created, in the same batch at the earliest; transaction ids and kernels are there once; what is
void accuses nobody.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Commitment, OutputRef, TransactionId


class Place(NamedTuple):
    """Where a leaf stands: number of its batch, and place in it; the header has place 0."""

    batch: int
    leaf: int

    def locate(self, code: ErrorCode, message: str) -> SpecieError:
        """An error that says where."""
        return SpecieError(code, f"batch {self.batch}, leaf {self.leaf}: {message}")


class Tally(Protocol):
    """Fed in the order of the log; may find a broken rule at once or at the end."""

    def create(self, ref: OutputRef, commitment: Commitment, place: Place) -> None:
        """`output_exists` if it was created before."""
        ...

    def spend(self, ref: OutputRef, place: Place) -> None:
        """`input_unknown` or `input_spent` if it is not there to spend."""
        ...

    def add_unique(self, item: bytes, place: Place) -> None:
        """`kernel_exists` if this txid or kernel was there before."""
        ...

    def add_void(self, txid: TransactionId, place: Place) -> None:
        """Unique as well; `evidence_invalid` if a conflict names it."""
        ...

    def add_accused(self, txid: TransactionId, place: Place) -> None:
        """Named by a conflict, any number of times; `evidence_invalid` if it is void."""
        ...

    def iterate_spent(self) -> Iterator[list[Commitment]]:
        """At the end: commitments of all spent outputs, in groups; raises what is still wrong."""
        ...


class MemoryTally:
    """`Tally` in memory, about 300 bytes an output."""

    def __init__(self) -> None:
        self._unspent: dict[OutputRef, Commitment] = {}
        self._spent: set[OutputRef] = set()
        self._unique: set[bytes] = set()
        self._void: set[TransactionId] = set()
        self._accused: set[TransactionId] = set()
        self._spent_commitments: list[Commitment] = []

    def create(self, ref: OutputRef, commitment: Commitment, place: Place) -> None:
        """At once."""
        if ref in self._unspent or ref in self._spent:
            raise place.locate(ErrorCode.OUTPUT_EXISTS, "an output is created twice")
        self._unspent[ref] = commitment

    def spend(self, ref: OutputRef, place: Place) -> None:
        """At once."""
        commitment = self._unspent.pop(ref, None)
        if commitment is None:
            is_again = ref in self._spent
            code = ErrorCode.INPUT_SPENT if is_again else ErrorCode.INPUT_UNKNOWN
            raise place.locate(code, "an output is spent that is not there to spend")
        self._spent.add(ref)
        self._spent_commitments.append(commitment)

    def add_unique(self, item: bytes, place: Place) -> None:
        """At once."""
        if item in self._unique:
            raise place.locate(ErrorCode.KERNEL_EXISTS, "a kernel or transaction is there twice")
        self._unique.add(item)

    def add_void(self, txid: TransactionId, place: Place) -> None:
        """At once."""
        self.add_unique(txid, place)
        self._void.add(txid)
        self._refuse_void_evidence(txid, place)

    def add_accused(self, txid: TransactionId, place: Place) -> None:
        """At once."""
        self._accused.add(txid)
        self._refuse_void_evidence(txid, place)

    def iterate_spent(self) -> Iterator[list[Commitment]]:
        """One group."""
        yield self._spent_commitments

    def _refuse_void_evidence(self, txid: TransactionId, place: Place) -> None:
        if txid in self._void and txid in self._accused:
            raise place.locate(ErrorCode.EVIDENCE_INVALID, "a void transaction is in a conflict")
