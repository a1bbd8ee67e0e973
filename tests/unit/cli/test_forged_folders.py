"""`specie audit` over folders that somebody with the log's key forged from end to end (X1, X3).

Every file is made anew and the checkpoint signed by the true key, so no signature gives it away:
each forgery fails by its own rule, and the command says which.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from specie.cli.audit import audit_folder
from specie.crypto.sums import sum_scalars
from specie.identity.cosigners import CosignerList, sign_cosigners
from specie.identity.genesis import ProofMode, compute_origin, sign_genesis
from specie.identity.participants import sign_participants
from specie.log.leaves import CreatedLeaf, HeaderLeaf, KernelLeaf, SpentLeaf
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Scalar
from tests.press import Press
from tests.unit.cli.conftest import run
from tests.unit.ledger.forging import append_issue, inflate, shift_kernel
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
MODES = pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)


def write(history: History, folder: Path) -> Path:
    """The whole public folder, as the holder of all of the log's keys writes it."""
    world = history.world
    press = Press(world, folder)
    folder.mkdir()
    (folder / "genesis").write_bytes(sign_genesis(world.genesis, world.list_key))
    (folder / "participants").write_bytes(sign_participants(world.members, world.list_key))
    nobody = CosignerList(compute_origin(world.genesis), 1, 0, 0)
    (folder / "cosigners").write_bytes(sign_cosigners(nobody, world.list_key))
    press.append([leaf for batch in history.batches for leaf in batch])
    return folder


def move_offset(history: History) -> History:
    header = history.unpack(PAYMENTS)[0]
    assert isinstance(header, HeaderLeaf)
    one = Scalar((1).to_bytes(32, "little"))
    return history.edit_header(PAYMENTS, offset=sum_scalars([header.offset, one]))


def spend_again(history: History) -> History:
    return history.add(SECOND_ISSUE, find_leaf(history.unpack(REDEMPTION), SpentLeaf)[1])


def replay_authorisations(history: History) -> History:
    _, earlier = find_leaf(history.unpack(SECOND_ISSUE), KernelLeaf)
    assert earlier.supply is not None
    signed = earlier.supply.authorisations
    return append_issue(history, lambda supply: replace(supply, authorisations=signed))


def replay_issue(history: History) -> History:
    """An old change of the supply once more, as it stands."""
    return history.add(SECOND_ISSUE, find_leaf(history.unpack(ISSUE), KernelLeaf)[1])


def leave_out_a_batch(history: History) -> History:
    renumbered = history.edit_header(SECOND_ISSUE, number=REDEMPTION + 1).batches[SECOND_ISSUE]
    return replace(history, batches=(*history.batches[:REDEMPTION], renumbered))


def sign_alone(history: History) -> History:
    return append_issue(
        history, lambda supply: replace(supply, authorisations=supply.authorisations[:1])
    )


def drop_created(history: History) -> History:
    return history.drop(REDEMPTION, CreatedLeaf)


def drop_spent(history: History) -> History:
    return history.drop(REDEMPTION, SpentLeaf)


def inflate_openly(history: History) -> History:
    return inflate(history, 1_000)


def inflate_in_kernel(history: History) -> History:
    return shift_kernel(inflate(history, 1_000), 1_000)


def borrow_proof(history: History) -> History:
    other = history.unpack(ISSUE)[1]
    assert isinstance(other, CreatedLeaf)
    return history.edit(SECOND_ISSUE, CreatedLeaf, lambda leaf: replace(leaf, proof=other.proof))


FORGERIES: tuple[tuple[Forge, ErrorCode, str], ...] = (
    (inflate_openly, ErrorCode.SUPPLY_NOT_VERIFIED, ""),
    (inflate_in_kernel, ErrorCode.KERNEL_SIGNATURE_INVALID, "batch 2, leaf "),
    (spend_again, ErrorCode.INPUT_SPENT, "batch 4, leaf 3: "),
    (replay_authorisations, ErrorCode.AUTHORISATION_INVALID, "batch 5, leaf "),
    (replay_issue, ErrorCode.SERIAL_WRONG, "batch 4, leaf "),
    (sign_alone, ErrorCode.AUTHORISATION_MISSING, "batch 5, leaf "),
    (leave_out_a_batch, ErrorCode.SERIAL_WRONG, "batch 3, leaf 3: "),
    (drop_created, ErrorCode.SUPPLY_NOT_VERIFIED, ""),
    (drop_spent, ErrorCode.SUPPLY_NOT_VERIFIED, ""),
    (move_offset, ErrorCode.SUPPLY_NOT_VERIFIED, ""),
)


@MODES
def test_what_the_forger_writes_is_otherwise_in_order(mode: ProofMode, tmp_path: Path) -> None:
    """The control: true leaves, written by the same hand, are verified."""
    folder = write(make_history(mode), tmp_path / "public")
    _, signed, totals = audit_folder(folder)
    assert (totals.supply, totals.batches) == (7_500, 4)
    assert signed.checkpoint.size == sum(len(one) for one in make_history(mode).batches)


@MODES
@pytest.mark.parametrize(
    ("forge", "code", "place"), FORGERIES, ids=[one.__name__ for one, _, _ in FORGERIES]
)
def test_a_forged_folder_fails_by_its_own_rule(  # X1, X3, T15, P2, P10
    mode: ProofMode, forge: Forge, code: ErrorCode, place: str, tmp_path: Path
) -> None:
    folder = write(forge(make_history(mode)), tmp_path / "public")
    done = run("audit", folder)
    assert done.code == 1 and done.lines == []
    [said] = done.errors
    assert said.startswith(f"specie: {code.value}: {place}"), said


def test_a_borrowed_range_proof(tmp_path: Path) -> None:  # X1
    folder = write(borrow_proof(make_history()), tmp_path / "public")
    assert run("audit", folder).errors == [
        "specie: proof_invalid: batch 4, leaf 1: proof does not hold"
    ]


def test_a_forked_history(tmp_path: Path) -> None:  # X3
    """Two histories, both in order and both signed: who kept a checkpoint of one sees the other."""
    history = make_history()
    whole = write(history, tmp_path / "whole")
    start = write(replace(history, batches=history.batches[:2]), tmp_path / "start")
    kept = tmp_path / "kept"
    kept.write_bytes((start / "checkpoint").read_bytes())
    assert run("audit", whole, "--earlier", kept).code == 0
    other = replace(history, batches=(history.batches[0],))
    other = other.append(history.drafts[PAYMENTS][0])
    fork = write(other, tmp_path / "fork")
    assert run("audit", fork).code == 0
    shorter = "specie: log_invalid: kept: the log has become shorter than it was"
    assert run("audit", fork, "--earlier", kept).errors == [shorter]
    kept.write_bytes((fork / "checkpoint").read_bytes())
    another = "specie: log_invalid: another history than your earlier checkpoint's"
    assert run("audit", whole, "--earlier", kept).errors == [another]
    first = replace(history, batches=history.batches[:1])
    same_size = first.edit_header(ISSUE, batch_hash=b"x" * 32)
    kept.write_bytes((write(same_size, tmp_path / "same") / "checkpoint").read_bytes())
    assert run("audit", whole, "--earlier", kept).errors == [another]


def test_an_earlier_checkpoint_that_is_none(tmp_path: Path) -> None:
    folder = write(make_history(), tmp_path / "public")
    other = write(make_history(ProofMode.AGGREGATED), tmp_path / "other")
    done = run("audit", folder, "--earlier", other / "checkpoint")
    assert done.errors == ["specie: checkpoint_invalid: checkpoint: not signed by the log"]
    done = run("audit", folder, "--earlier", tmp_path / "missing")
    assert done.errors == ["specie: setting_invalid: missing: No such file or directory"]
