"""Follows the log, indexes it, and proves what it says (P5, P6, X2).

Every batch of new leaves is hashed and checked against the checkpoint before it is indexed; a
log that goes back or differs is refused and nothing changes, after a restart as well: the index
keeps the root of what it has indexed.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from specie.crypto.outputs import compute_refs
from specie.crypto.proofs import get_proof_size
from specie.crypto.secrets import InstitutionSigner
from specie.identity.genesis import ProofMode
from specie.identity.roster import Roster
from specie.ledger.receipts import PaymentPart, ReceiptTrust, build_receipt
from specie.ledger.state_notes import sign_state_note
from specie.ledger.states import OutputState, StateStatement, sign_states
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import (
    CreatedLeaf,
    DirectoryLeaf,
    HeaderLeaf,
    KernelLeaf,
    Leaf,
    SpentLeaf,
    unpack_leaf,
)
from specie.log.notes import SignedCheckpoint, VerifierKey, drop_ml_dsa_lines, verify_note
from specie.log.proofs import prove_consistency, prove_inclusion
from specie.log.tiles import TILE_WIDTH
from specie.log.tree import Frontier, compute_leaf_hash
from specie.ports.log import Indexed, LogIndex, LogReader
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, OutputRef, TransactionId
from specie.values.limits import LEAVES_AT_ONCE_MAX


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where an output was created and spent, as of a checkpoint; None if it was not."""

    checkpoint: Checkpoint
    ref: OutputRef
    created: int | None
    spent: int | None

    @property
    def state(self) -> OutputState:
        """What follows from it."""
        if self.spent is not None:
            return OutputState.SPENT
        return OutputState.UNKNOWN if self.created is None else OutputState.UNSPENT


@dataclass(frozen=True, slots=True)
class LocatedLeaf:
    """A leaf with its place."""

    position: int
    leaf: bytes


class Registration:
    """The read side of one log."""

    def __init__(
        self,
        roster: Roster,
        key: InstitutionSigner,
        log: LogReader,
        index: LogIndex,
        cosigners: Sequence[VerifierKey] = (),
    ) -> None:
        self.public_key = InstitutionPublicKey(key.public)
        self._roster = roster
        self._key = key
        self._log = log
        self._index = index
        self._cosigners = tuple(cosigners)
        self._following = threading.Lock()  # one indexes, others wait for what it has indexed

    def replace_cosigners(self, cosigners: Sequence[VerifierKey]) -> None:
        """By a newer list: whose lines may stand under a checkpoint."""
        self._cosigners = tuple(cosigners)

    def read_checkpoint(self) -> Checkpoint:
        """The newest checkpoint, every signature on it verified."""
        return self.read_signed().checkpoint

    def read_signed(self) -> SignedCheckpoint:
        """The same, with who signed it."""
        return self._read_note()[1]

    def catch_up(self) -> Checkpoint:
        """Index what is new, once it is certain that it belongs to the checkpoint."""
        with self._following:
            return self._follow()

    def _follow(self) -> Checkpoint:
        checkpoint = self.read_checkpoint()
        start, root = self._index.get_tip()
        if checkpoint.size < start:
            raise SpecieError(ErrorCode.LOG_INVALID, "the log has become shorter")
        steps = self._check_growth(start, root, checkpoint)
        source = self._log.iterate_leaves(checkpoint.size, start)
        for step in steps:
            part = list(islice(source, LEAVES_AT_ONCE_MAX))
            self._index.record(step.size, step.compute_root(), self._build_index(start, part))
            start = step.size
        return checkpoint

    def find_created(self, refs: Sequence[OutputRef]) -> list[LocatedLeaf]:
        """The created leaves of these outputs, as far as they are published."""
        size = self.read_checkpoint().size
        places = sorted(self._index.find_created(refs).values())
        found: list[LocatedLeaf] = []
        for number, group in groupby(places, key=lambda place: place // TILE_WIDTH):
            start = number * TILE_WIDTH
            bundle = list(islice(self._log.iterate_leaves(size, start), TILE_WIDTH))
            found += [LocatedLeaf(place, bundle[place - start]) for place in group]
        return found

    def find_place(self, ref: OutputRef) -> OutputPlace:
        """Of one output, as of the newest checkpoint."""
        checkpoint = self.catch_up()
        created, spent = self._index.find_created([ref]), self._index.find_spent([ref])
        return OutputPlace(checkpoint, ref, created.get(ref), spent.get(ref))

    def sign_state(self, place: OutputPlace) -> str:
        """The same as a note that `openssl` verifies."""
        return sign_state_note(place.checkpoint, place.ref, place.state, self._key)

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """Signed: which of these are unspent as of the newest checkpoint."""
        checkpoint = self.catch_up()
        created, spent = self._index.find_created(refs), self._index.find_spent(refs)
        places = (OutputPlace(checkpoint, ref, created.get(ref), spent.get(ref)) for ref in refs)
        states = [(one.ref, one.state) for one in places]
        return sign_states(self._roster.genesis.network, checkpoint, states, self._key)

    def prove_leaf(self, position: int, *, is_quantum_safe: bool = False) -> str:
        """A receipt of one leaf, whatever its kind."""
        return self._build_receipt(position, None, is_quantum_safe)

    def prove_entry(self, leaf_hash: Digest) -> str:
        """A receipt of a leaf of the directory; `not_published` while it is only promised."""
        self.catch_up()
        position = self._index.find_kernels(leaf_hash)
        if position is None:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "not in the log yet")
        return self.prove_leaf(position)

    def prove_time(self) -> str:
        """A receipt of the newest header: what was final by its time is in the log."""
        self.catch_up()
        position = self._index.find_last_header()
        if position is None:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "nothing is in the log yet")
        return self.prove_leaf(position)

    def prove_payment(self, payment: PaymentPart, *, is_quantum_safe: bool = False) -> str:
        """A receipt of one output of a payment; `not_published` while it is only promised.

        `is_quantum_safe` keeps the ML-DSA-44 lines, 3.2 kB each, which a receipt of at most
        4 KiB has no room for.
        """
        txid: TransactionId = payment.outline.compute_id()
        position = self._index.find_kernels(txid)
        if position is None:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "not in the log yet")
        return self._build_receipt(position, payment, is_quantum_safe)

    def prove_growth(self, old: int, size: int) -> tuple[Digest, ...]:
        """That the log of `size` leaves continues the one of `old`, for witnesses.

        `log_invalid` if it has grown since: its partial tiles are gone.
        """
        return prove_consistency(old, size, lambda level, one: self._hash(level, one, size))

    def _build_receipt(
        self,
        position: int,
        payment: PaymentPart | None,
        is_quantum_safe: bool,  # noqa: FBT001  # passed on from a keyword
    ) -> str:
        whole, signed = self._read_note()
        note = whole if is_quantum_safe else drop_ml_dsa_lines(whole)
        size = signed.checkpoint.size
        path = prove_inclusion(position, size, lambda level, one: self._hash(level, one, size))
        leaf = next(iter(self._log.iterate_leaves(size, position)))
        return build_receipt(leaf, position, path, note, payment)

    def _read_note(self) -> tuple[str, SignedCheckpoint]:
        trust = ReceiptTrust(self._roster.genesis, self._roster.current, self._cosigners)
        note = self._log.read_checkpoint()
        return note, verify_note(note, trust.get_log_key(), self._cosigners)

    def _hash(self, level: int, number: int, size: int) -> Digest:
        return self._log.read_hash(level, number, size)

    def _check_growth(self, start: int, root: Digest, checkpoint: Checkpoint) -> list[Frontier]:
        """The tree after each part that is new; the old one is compared before it grows."""
        frontier = self._read_frontier(start, checkpoint.size)
        if frontier.compute_root() != root:
            raise SpecieError(ErrorCode.LOG_INVALID, "the log is not the one that was indexed")
        steps: list[Frontier] = []
        source = self._log.iterate_leaves(checkpoint.size, start)
        while part := list(islice(source, LEAVES_AT_ONCE_MAX)):
            frontier = frontier.append(compute_leaf_hash(leaf) for leaf in part)
            steps.append(frontier)
        if frontier.compute_root() != checkpoint.root:
            raise SpecieError(ErrorCode.LOG_INVALID, "the leaves are not those of the checkpoint")
        return steps

    def _read_frontier(self, size: int, log_size: int) -> Frontier:
        """The first `size` leaves' complete subtrees, from the tiles of a log that is longer."""
        roots: list[Digest] = []
        start = 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                roots.append(self._hash(level, start >> level, log_size))
                start += 1 << level
        return Frontier(size, tuple(roots))

    def _build_index(self, start: int, leaves: Sequence[bytes]) -> list[Indexed]:
        is_published = self._roster.genesis.proof_mode is ProofMode.PUBLISHED
        proof_size = get_proof_size(1) if is_published else 0
        return [
            _index_leaf(start + place, unpack_leaf(leaf, proof_size))
            for place, leaf in enumerate(leaves)
        ]


def _index_leaf(position: int, leaf: Leaf) -> Indexed:
    if isinstance(leaf, CreatedLeaf):
        return Indexed(position, created=compute_refs([leaf.output])[0])
    if isinstance(leaf, SpentLeaf):
        return Indexed(position, spent=leaf.ref)
    if isinstance(leaf, KernelLeaf):
        return Indexed(position, kernels=leaf.txid)
    if isinstance(leaf, DirectoryLeaf):
        return Indexed(position, kernels=compute_leaf_hash(leaf.pack()))
    return Indexed(position, is_header=isinstance(leaf, HeaderLeaf))
