"""An audit says where: number of the batch, place of the leaf in it (X1).

At once with everything in memory, or at the end with a tally on disk: the words are the same.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from specie.identity.genesis import ProofMode
from specie.ledger.audit import PublicAudit
from specie.ledger.tally import MemoryTally, Place
from specie.log.leaves import (
    CreatedLeaf,
    HeaderLeaf,
    KernelLeaf,
    Leaf,
    SpentLeaf,
    unpack_leaf,
)
from specie.store.tally_files import TallyFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Commitment, OutputRef, PublicKey, Scalar, Signature
from specie.values.times import Timestamp
from tests.unit.ledger.history import (
    ISSUE,
    PAYMENTS,
    REDEMPTION,
    SECOND_ISSUE,
    History,
    find_leaf,
    make_history,
)

Forge = Callable[[History], History]


def audit_on_disk(history: History, folder: Path) -> None:
    """As the command does it."""
    folder.mkdir()
    tally = TallyFolder(folder)
    try:
        audit = PublicAudit(history.world.genesis, history.world.members, tally=tally)
        for batch in history.batches:
            audit.add_batch(batch)
        audit.finish()
    finally:
        tally.close()


def spend_again(history: History) -> History:
    _, spent = find_leaf(history.unpack(REDEMPTION), SpentLeaf)
    return history.add(SECOND_ISSUE, spent)


def create_again(history: History) -> History:
    _, created = find_leaf(history.unpack(ISSUE), CreatedLeaf)
    return history.add(SECOND_ISSUE, created)


def repeat_kernel(history: History) -> History:
    _, kernel = find_leaf(history.unpack(PAYMENTS), KernelLeaf)
    return history.add(REDEMPTION, kernel)


def spoil_proof(history: History) -> History:
    def change(leaf: CreatedLeaf) -> CreatedLeaf:
        return replace(leaf, proof=leaf.proof[:-1] + bytes([leaf.proof[-1] ^ 1]))

    return history.edit(PAYMENTS, CreatedLeaf, change)


def spoil_kernel(history: History) -> History:
    def change(leaf: KernelLeaf) -> KernelLeaf:
        return replace(leaf, kernels=((leaf.kernels[0][0], Signature(bytes(63) + b"\x80")),))

    return history.edit(REDEMPTION, KernelLeaf, change)


def put_identity(history: History) -> History:
    def change(leaf: KernelLeaf) -> KernelLeaf:
        return replace(leaf, kernels=((PublicKey(bytes(32)), leaf.kernels[0][1]),))

    return history.edit(SECOND_ISSUE, KernelLeaf, change)


def drop_officer(history: History) -> History:
    def change(leaf: KernelLeaf) -> KernelLeaf:
        assert leaf.supply is not None
        return replace(leaf, supply=replace(leaf.supply, authorisations=()))

    return history.edit(REDEMPTION, KernelLeaf, change)


def cut_leaf(history: History) -> History:
    leaves = list(history.batches[PAYMENTS])
    leaves[2] = leaves[2][:-1]
    return history.with_batch(PAYMENTS, leaves)


def turn_leaves(history: History) -> History:
    leaves = list(history.batches[PAYMENTS])
    leaves[2], leaves[3] = leaves[3], leaves[2]
    return history.with_batch(PAYMENTS, leaves)


CASES: dict[ErrorCode, tuple[Forge, int, type[Leaf]]] = {
    ErrorCode.INPUT_SPENT: (spend_again, SECOND_ISSUE, SpentLeaf),
    ErrorCode.OUTPUT_EXISTS: (create_again, SECOND_ISSUE, CreatedLeaf),
    ErrorCode.KERNEL_EXISTS: (repeat_kernel, REDEMPTION, KernelLeaf),
    ErrorCode.PROOF_INVALID: (spoil_proof, PAYMENTS, CreatedLeaf),
    ErrorCode.KERNEL_SIGNATURE_INVALID: (spoil_kernel, REDEMPTION, KernelLeaf),
    ErrorCode.IDENTITY_POINT: (put_identity, SECOND_ISSUE, KernelLeaf),
    ErrorCode.AUTHORISATION_MISSING: (drop_officer, REDEMPTION, KernelLeaf),
    ErrorCode.TRUNCATED: (cut_leaf, PAYMENTS, CreatedLeaf),
    ErrorCode.LOG_INVALID: (turn_leaves, PAYMENTS, CreatedLeaf),
}


@pytest.mark.parametrize("code", CASES, ids=lambda code: code.value)
def test_errors_name_batch_and_leaf(tmp_path: Path, code: ErrorCode) -> None:
    forge, batch, kind = CASES[code]
    forged = forge(make_history())
    words = []
    with pytest.raises(SpecieError) as at_once:
        forged.audit()
    with pytest.raises(SpecieError) as at_the_end:
        audit_on_disk(forged, tmp_path / "tally")
    for error in (at_once, at_the_end):
        assert error.value.code is code
        words.append(error.value.message)
    assert words[0] == words[1]
    found = re.match(r"batch (\d+), leaf (\d+): ", words[0])
    assert found and int(found[1]) == batch + 1
    packed = forged.batches[batch][int(found[2])]
    assert packed[0] == {CreatedLeaf: 1, SpentLeaf: 2, KernelLeaf: 3}[kind]


def test_the_leaf_is_the_wrong_one() -> None:
    """Not only one of its kind."""
    place, _ = find_leaf(make_history().unpack(PAYMENTS), CreatedLeaf)
    with pytest.raises(SpecieError, match=rf"^proof_invalid: batch 2, leaf {place}: "):
        spoil_proof(make_history()).audit()
    with pytest.raises(SpecieError, match=r"^truncated: batch 2, leaf 2: "):
        cut_leaf(make_history()).audit()
    with pytest.raises(SpecieError, match=r"^log_invalid: batch 2, leaf 3: "):
        turn_leaves(make_history()).audit()


def test_headers_are_leaf_0() -> None:
    history = make_history()
    header = unpack_leaf(history.batches[PAYMENTS][0], 577)
    assert isinstance(header, HeaderLeaf)
    order = bytes.fromhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
    for changes in (
        {"number": 7},
        {"time": Timestamp(1)},
        {"kernels": 99},
        {"others": 1},
        {"offset": Scalar(order)},
    ):
        forged = history.edit_header(PAYMENTS, **changes)
        with pytest.raises(SpecieError, match="batch 2, leaf 0: "):
            forged.audit()


def test_a_point_that_is_none_is_found_among_many() -> None:
    """Aggregated networks have no proof in a leaf that would fail first."""

    def change(leaf: CreatedLeaf) -> CreatedLeaf:
        return replace(leaf, output=leaf.output[:65] + b"\xff" * 32 + leaf.output[97:])

    forged = make_history(ProofMode.AGGREGATED).edit(SECOND_ISSUE, CreatedLeaf, change)
    places = [n for n, leaf in enumerate(forged.batches[SECOND_ISSUE]) if b"\xff" * 32 in leaf]
    with pytest.raises(SpecieError, match=rf"^point_invalid: batch 4, leaf {places[0]}: "):
        forged.audit()


def test_both_tallies_say_the_same(tmp_path: Path) -> None:
    ref, point = OutputRef(bytes(range(32))), Commitment(bytes(32))

    def create(tally: MemoryTally | TallyFolder) -> None:
        tally.create(ref, point, Place(1, 4))
        tally.create(ref, point, Place(1, 5))

    def spend(tally: MemoryTally | TallyFolder) -> None:
        tally.spend(ref, Place(1, 5))

    def add(tally: MemoryTally | TallyFolder) -> None:
        tally.add_unique(ref, Place(1, 4))
        tally.add_unique(ref, Place(1, 5))

    for code, act in (
        (ErrorCode.OUTPUT_EXISTS, create),
        (ErrorCode.INPUT_UNKNOWN, spend),
        (ErrorCode.KERNEL_EXISTS, add),
    ):
        folder = tmp_path / code.value
        folder.mkdir()
        for tally in (MemoryTally(), TallyFolder(folder)):
            error = find_error(act, tally)
            assert (error.code, error.message[:17]) == (code, "batch 1, leaf 5: ")


def find_error(
    act: Callable[[MemoryTally | TallyFolder], None], tally: MemoryTally | TallyFolder
) -> SpecieError:
    """At once or at the end."""
    try:
        act(tally)
        list(tally.iterate_spent())
    except SpecieError as error:
        return error
    raise AssertionError("nothing was found")
