"""Follows the log, indexes it, and proves what it says (P5, P6, X2).

Every batch of new leaves is hashed and checked against the checkpoint before it is indexed; a
log that goes back or differs is refused and nothing changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from specie.crypto.outputs import compute_refs
from specie.crypto.proofs import get_proof_size
from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import ProofMode
from specie.identity.roster import Roster
from specie.ledger.receipts import PaymentPart, ReceiptTrust, build_receipt
from specie.ledger.states import OutputState, StateStatement, sign_states
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import CreatedLeaf, KernelLeaf, Leaf, SpentLeaf, unpack_leaf
from specie.log.notes import VerifierKey, verify_note
from specie.log.proofs import prove_consistency, prove_inclusion
from specie.log.tree import Frontier, compute_leaf_hash
from specie.ports.log import Indexed, LogIndex, LogReader
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, OutputRef, TransactionId
from specie.values.limits import LEAVES_AT_ONCE_MAX


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
        key: InstitutionKey,
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
        self._frontier = self._rebuild_frontier()

    def read_checkpoint(self) -> Checkpoint:
        """The newest checkpoint, every signature on it verified."""
        trust = ReceiptTrust(self._roster.genesis, self._roster.current, self._cosigners)
        note = self._log.read_checkpoint()
        return verify_note(note, trust.get_log_key(), self._cosigners).checkpoint

    def catch_up(self) -> Checkpoint:
        """Index what is new, once it is certain that it belongs to the checkpoint."""
        checkpoint = self.read_checkpoint()
        start = self._index.get_size()
        if checkpoint.size < start:
            raise SpecieError(ErrorCode.LOG_INVALID, "the log has become shorter")
        frontier = self._check_root(checkpoint)
        source = self._log.iterate_leaves(checkpoint.size, start)
        while part := list(islice(source, LEAVES_AT_ONCE_MAX)):
            end = start + len(part)
            self._index.record(end, self._build_index(start, part))
            start = end
        self._frontier = frontier
        return checkpoint

    def find_created(self, refs: Sequence[OutputRef]) -> list[LocatedLeaf]:
        """The created leaves of these outputs, as far as they are published."""
        places = sorted(self._index.find_created(refs).values())
        return [LocatedLeaf(place, self._read_leaf(place)) for place in places]

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """Signed: which of these are unspent as of the newest checkpoint."""
        checkpoint = self.catch_up()
        created, spent = self._index.find_created(refs), self._index.find_spent(refs)
        states = [(ref, _get_state(ref, created, spent)) for ref in refs]
        return sign_states(self._roster.genesis.network, checkpoint, states, self._key)

    def prove_leaf(self, position: int) -> str:
        """A receipt of one leaf, whatever its kind."""
        return self._build_receipt(position, None)

    def prove_payment(self, payment: PaymentPart) -> str:
        """A receipt of one output of a payment; `not_published` while it is only promised."""
        txid: TransactionId = payment.outline.compute_id()
        position = self._index.find_kernels(txid)
        if position is None:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "not in the log yet")
        return self._build_receipt(position, payment)

    def prove_growth(self, old: int) -> tuple[Digest, ...]:
        """That today's log continues the one of `old` leaves, for witnesses."""
        size = self.read_checkpoint().size
        return prove_consistency(old, size, lambda level, one: self._hash(level, one, size))

    def _build_receipt(self, position: int, payment: PaymentPart | None) -> str:
        note = self._log.read_checkpoint()
        size = self.read_checkpoint().size
        path = prove_inclusion(position, size, lambda level, one: self._hash(level, one, size))
        return build_receipt(self._read_leaf(position), position, path, note, payment)

    def _hash(self, level: int, number: int, size: int) -> Digest:
        return self._log.read_hash(level, number, size)

    def _read_leaf(self, position: int) -> bytes:
        return next(iter(self._log.iterate_leaves(self._index.get_size(), position)))

    def _check_root(self, checkpoint: Checkpoint) -> Frontier:
        frontier = self._frontier
        source = self._log.iterate_leaves(checkpoint.size, frontier.size)
        while part := list(islice(source, LEAVES_AT_ONCE_MAX)):
            frontier = frontier.append(compute_leaf_hash(leaf) for leaf in part)
        if frontier.compute_root() != checkpoint.root:
            raise SpecieError(ErrorCode.LOG_INVALID, "the leaves are not those of the checkpoint")
        return frontier

    def _rebuild_frontier(self) -> Frontier:
        size = self._index.get_size()
        hashes = (compute_leaf_hash(leaf) for leaf in self._log.iterate_leaves(size))
        return Frontier().append(hashes) if size else Frontier()

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
    return Indexed(position)


def _get_state(
    ref: OutputRef, created: dict[OutputRef, int], spent: dict[OutputRef, int]
) -> OutputState:
    if ref in spent:
        return OutputState.SPENT
    return OutputState.UNSPENT if ref in created else OutputState.UNKNOWN
