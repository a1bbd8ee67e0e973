"""A small ledger as the public sees it, and ways to make its batches anew.

Four batches: an issue, two payments, a redemption, another issue. The forger of these tests runs
the notary: it may write any leaves and sign any checkpoint, but has nobody else's keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from specie.crypto.proofs import get_proof_size
from specie.crypto.sums import sum_scalars
from specie.identity.genesis import ProofMode
from specie.ledger.audit import PublicAudit, Totals
from specie.ledger.state import SupplyState
from specie.ledger.transactions import AttestedTransaction
from specie.log.leaves import (
    CreatedLeaf,
    HeaderLeaf,
    KernelLeaf,
    Leaf,
    SpentLeaf,
    SupplyChange,
    order_batch,
    unpack_leaf,
)
from specie.values.identifiers import Digest
from tests.building import (
    NORTH,
    NOW,
    SOUTH,
    Draft,
    Holding,
    World,
    build,
    build_issue,
    build_redemption,
    hold,
    make_world,
    sign,
)

SomeLeaf = TypeVar("SomeLeaf", bound=Leaf)
ISSUE, PAYMENTS, REDEMPTION, SECOND_ISSUE = range(4)


@dataclass(frozen=True, slots=True)
class History:
    """Batches of leaves, with the drafts behind them."""

    world: World
    drafts: tuple[tuple[Draft, ...], ...]
    batches: tuple[tuple[bytes, ...], ...]

    def audit(self) -> Totals:
        """What anyone does with the published log."""
        audit = PublicAudit(self.world.genesis, self.world.members)
        for batch in self.batches:
            audit.add_batch(batch)
        return audit.finish()

    def unpack(self, number: int) -> list[Leaf]:
        """The leaves of a batch."""
        size = get_proof_size(1) if self.world.genesis.proof_mode is ProofMode.PUBLISHED else 0
        return [unpack_leaf(leaf, size) for leaf in self.batches[number]]

    def with_batch(self, number: int, leaves: Sequence[bytes]) -> "History":
        """The same but for one batch, byte for byte as given."""
        batches = list(self.batches)
        batches[number] = tuple(leaves)
        return replace(self, batches=tuple(batches))

    def append(self, draft: Draft) -> "History":
        """One more batch with this transaction alone."""
        leaves = publish(self.world, len(self.batches), [sign(draft)])
        return replace(self, batches=(*self.batches, leaves))

    def edit(
        self, number: int, kind: type[SomeLeaf], change: Callable[[SomeLeaf], SomeLeaf]
    ) -> "History":
        """A batch made anew with its first leaf of this kind changed."""
        leaves = self.unpack(number)
        place, leaf = find_leaf(leaves, kind)
        leaves[place] = change(leaf)
        return self.with_batch(number, arrange(leaves))

    def drop(self, number: int, kind: type[SomeLeaf]) -> "History":
        """A batch made anew without its first leaf of this kind."""
        leaves = self.unpack(number)
        place, _ = find_leaf(leaves, kind)
        return self.with_batch(number, arrange([*leaves[:place], *leaves[place + 1 :]]))

    def add(self, number: int, leaf: Leaf) -> "History":
        """A batch made anew with one leaf more."""
        return self.with_batch(number, arrange([*self.unpack(number), leaf]))

    def edit_header(self, batch: int, /, **changes: object) -> "History":
        """A batch whose header says something else; counts are not made to fit."""
        header = self.unpack(batch)[0]
        assert isinstance(header, HeaderLeaf)
        changed = replace(header, **changes)  # type: ignore[arg-type]  # names are the header's
        return self.with_batch(batch, [changed.pack(), *self.batches[batch][1:]])


def find_leaf(leaves: Sequence[Leaf], kind: type[SomeLeaf]) -> tuple[int, SomeLeaf]:
    """The first leaf of a kind, with its place."""
    for place, leaf in enumerate(leaves):
        if isinstance(leaf, kind):
            return place, leaf
    raise AssertionError(f"no {kind.__name__} in this batch")


def arrange(leaves: Sequence[Leaf]) -> list[bytes]:
    """A batch of these leaves with the counts that they have."""
    [header] = [leaf for leaf in leaves if isinstance(leaf, HeaderLeaf)]
    created = [leaf for leaf in leaves if isinstance(leaf, CreatedLeaf)]
    spent = [leaf for leaf in leaves if isinstance(leaf, SpentLeaf)]
    kernels = [leaf for leaf in leaves if isinstance(leaf, KernelLeaf)]
    counted = replace(header, created=len(created), spent=len(spent), kernels=len(kernels))
    return order_batch(counted, created, spent, kernels)


def publish(
    world: World, number: int, transactions: Sequence[AttestedTransaction]
) -> tuple[bytes, ...]:
    """The leaves of batch `number`, counted from 0; put together here, not by the notary."""
    is_published = world.genesis.proof_mode is ProofMode.PUBLISHED
    leaves: list[Leaf] = []
    for one in transactions:
        body = one.body
        for index, output in enumerate(body.outputs):
            proof = body.proofs[index].data if is_published else b""
            leaves.append(CreatedLeaf(output.data, proof))
        leaves += [SpentLeaf(ref) for ref in body.inputs]
        leaves.append(make_kernel_leaf(one))
    offset = sum_scalars([one.body.offset for one in transactions])
    header = HeaderLeaf(number + 1, NOW, 0, 0, 0, offset, Digest(bytes(32)))
    return tuple(arrange([header, *leaves]))


def make_kernel_leaf(transaction: AttestedTransaction) -> KernelLeaf:
    """Kernels and what officers have signed."""
    signed, section = transaction.signed, transaction.signed.supply
    supply = (
        None
        if section is None
        else SupplyChange(
            section.serial,
            section.total_after,
            tuple((one.officer, one.signature) for one in section.authorisations),
        )
    )
    kernels = tuple((kernel.public, kernel.signature) for kernel in signed.kernels)
    return KernelLeaf(signed.txid, signed.body.supply_change, kernels, supply)


def hold_output(draft: Draft, index: int) -> Holding:
    """Output `index` of a draft as its owner's holding."""
    opening = draft.openings[index]
    owners = [
        one
        for bank in draft.world.institutions.values()
        for one in (bank.alice, bank.bob, bank.vault)
    ]
    [owner] = [one for one in owners if one.address.spend == opening.spend]
    return hold(draft.world, owner, opening)


@cache
def make_history(mode: ProofMode = ProofMode.PUBLISHED) -> History:
    """10,000 issued, 3,000 redeemed, 500 issued again: 7,500 in the end."""
    world = make_world(mode)
    north, south = world.institutions[NORTH], world.institutions[SOUTH]
    issue = build_issue(
        world, SupplyState(), [(north.alice, 700), (north.alice, 300), (north.vault, 9_000)]
    )
    first = build(
        world,
        [hold_output(issue, 0), hold_output(issue, 1)],
        [(south.bob, 900), (north.alice, 100)],
    )
    second = build(world, [hold_output(first, 0)], [(south.alice, 250), (south.bob, 650)])
    redemption = build_redemption(world, SupplyState(1, 10_000), [hold_output(issue, 2)], 3_000)
    again = build_issue(world, SupplyState(2, 7_000), [(south.vault, 500), (south.vault, 0)])
    drafts = ((issue,), (first, second), (redemption,), (again,))
    batches = tuple(
        publish(world, number, [sign(draft) for draft in batch])
        for number, batch in enumerate(drafts)
    )
    return History(world, drafts, batches)
