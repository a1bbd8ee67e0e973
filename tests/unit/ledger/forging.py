"""Consistent forgeries of a published history, by somebody who holds the log's key."""

from collections.abc import Callable
from dataclasses import replace

from specie.crypto.proofs import prove_range
from specie.identity.genesis import ProofMode
from specie.ledger.state import SupplyState
from specie.log.leaves import CreatedLeaf, KernelLeaf, SupplyChange
from specie.values.amounts import Minor
from specie.values.identifiers import PublicKey
from tests.building import NORTH, build_issue
from tests.reference import commitment, ristretto
from tests.reference.hashing import ORDER
from tests.unit.ledger.history import PAYMENTS, History, arrange


def shift(point: bytes, value: int) -> bytes:
    """The point + value·H."""
    moved = ristretto.multiply(value % ORDER, commitment.value_generator())
    return ristretto.encode(ristretto.add(ristretto.decode(point), moved))


def inflate(history: History, more: int) -> History:
    """The payee's 650 become more, with a fresh proof: the forger and the payee act together."""
    draft = history.drafts[PAYMENTS][1]
    output, mask = draft.body.outputs[1].data, draft.masks[1]
    amount = Minor(draft.openings[1].amount + more)
    changed = output[:65] + mask.commit(amount) + output[97:]
    is_published = history.world.genesis.proof_mode is ProofMode.PUBLISHED
    proof = prove_range([amount], [mask]) if is_published else b""
    leaves = [
        CreatedLeaf(changed, proof)
        if isinstance(leaf, CreatedLeaf) and leaf.output == output
        else leaf
        for leaf in history.unpack(PAYMENTS)
    ]
    return history.with_batch(PAYMENTS, arrange(leaves))


def shift_kernel(history: History, value: int) -> History:
    """K + value·H in the kernel of the payments' first leaf."""

    def change(leaf: KernelLeaf) -> KernelLeaf:
        public, signature = leaf.kernels[0]
        return replace(leaf, kernels=((PublicKey(shift(public, value)), signature),))

    return history.edit(PAYMENTS, KernelLeaf, change)


def append_issue(history: History, change: Callable[[SupplyChange], SupplyChange]) -> History:
    """A third issue, otherwise in order, whose public section says something else."""
    vault = history.world.institutions[NORTH].vault
    draft = build_issue(history.world, SupplyState(3, 7_500), [(vault, 100)])
    extended = history.append(draft)

    def edit(leaf: KernelLeaf) -> KernelLeaf:
        assert leaf.supply is not None
        return replace(leaf, supply=change(leaf.supply))

    return extended.edit(len(history.batches), KernelLeaf, edit)
