"""The registration follows the log forward only, and all it says can be checked (P5, P6, X2)."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import ProofMode
from specie.ledger.receipts import verify_receipt
from specie.ledger.states import OutputState, verify_states
from specie.log.leaves import CreatedLeaf, KernelLeaf
from specie.log.notes import append_lines, cosign, get_verifier_key
from specie.log.proofs import verify_consistency
from specie.registration.service import Registration
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, OutputRef, Signature
from tests.building import make_world, sign
from tests.press import REGISTRATION_KEY, Press, press_history
from tests.refusing import refuse
from tests.unit.ledger.history import make_history
from tests.unit.ledger.test_receipts import make_part

NOWHERE = OutputRef(bytes(32))


@pytest.fixture(params=list(ProofMode), ids=lambda mode: mode.name.lower())
def press(request: pytest.FixtureRequest, tmp_path: Path) -> Press:
    """The first two of four batches."""
    return press_history(make_history(request.param), tmp_path / "log", batches=2)


def publish_rest(press: Press) -> None:
    """Batches three and four."""
    for drafts in make_history(press.world.genesis.proof_mode).drafts[2:]:
        press.publish_all(*(sign(draft) for draft in drafts))


def list_refs(press: Press, batch: int, transaction: int = 0) -> list[OutputRef]:
    """What a transaction of the history creates."""
    draft = make_history(press.world.genesis.proof_mode).drafts[batch][transaction]
    return [one.ref for one in draft.body.outputs]


def describe(registration: Registration, press: Press) -> tuple[object, ...]:
    """What it has indexed."""
    refs = [ref for batch in range(4) for ref in list_refs(press, batch)]
    index = registration._index  # noqa: SLF001  # that nothing has changed
    return index.get_tip(), index.find_created(refs), index.find_spent(refs)


# --- following ----------------------------------------------------------------------------------


def test_it_follows_and_is_asked_again(press: Press) -> None:
    registration = press.open_registration()
    assert registration.catch_up() == registration.catch_up() == press.checkpoint
    publish_rest(press)
    assert registration.catch_up() == registration.read_checkpoint() == press.checkpoint
    assert press.open_registration().catch_up() == press.checkpoint


def test_it_goes_on_after_a_restart(press: Press) -> None:
    """The log has grown meanwhile, and the edges it had are gone."""
    press.open_registration().catch_up()
    publish_rest(press)
    registration = press.open_registration()
    assert registration.catch_up() == press.checkpoint
    states = verify_states(
        registration.state_outputs(list_refs(press, 1, 0)),
        press.world.genesis.network,
        registration.public_key,
    )
    assert list(states.values()) == [OutputState.SPENT, OutputState.UNSPENT]


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("what", ["shorter", "same size", "longer", "leaf", "signature", "tile"])
def test_another_log_is_refused_and_changes_nothing(
    press: Press, what: str, is_restarted: bool
) -> None:
    registration = press.open_registration()
    registration.catch_up()
    before, leaves = describe(registration, press), list(press.leaves)
    expected = ErrorCode.LOG_INVALID
    if what in {"leaf", "tile"}:
        publish_rest(press)
        spoil_edge(press, "entries" if what == "leaf" else "0")
    elif what == "signature":
        stranger = replace(press.world, notary_key=InstitutionKey.generate())
        replace_log(replace(press, world=stranger), leaves)
        expected = ErrorCode.CHECKPOINT_INVALID
    else:
        forked = [leaves[0], leaves[2], leaves[1], *leaves[3:]]
        choices = {"shorter": leaves[:-1], "same size": forked, "longer": [*forked, leaves[-1]]}
        replace_log(press, choices[what])
    again = press.open_registration() if is_restarted else registration
    if what == "tile" and not is_restarted:
        again = press.open_registration()
    assert refuse(again.catch_up) is expected
    assert refuse(again.state_outputs, [NOWHERE]) is expected
    assert describe(again, press) == before


def replace_log(press: Press, leaves: list[bytes]) -> None:
    """Another history in the same folder, signed by the log."""
    shutil.rmtree(press.folder)
    press.leaves = []
    press.append(leaves)


def spoil_edge(press: Press, level: str) -> None:
    """One bit of the first leaf or hash in the partial file at the right edge."""
    [path] = list((press.folder / "tile" / level).rglob("000.p/*"))
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(bytes(data)) if level == "0" else spoil_last(path)


def spoil_last(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


# --- what it says -------------------------------------------------------------------------------


def test_receipts_of_all_leaves(press: Press) -> None:
    registration = press.open_registration()
    registration.catch_up()
    publish_rest(press)  # published, not yet indexed: proofs are under the newest checkpoint
    for position, leaf in enumerate(press.leaves):
        found = verify_receipt(registration.prove_leaf(position), press.trust)
        assert (found.leaf.pack(), found.index) == (leaf, position)
        assert found.checkpoint.checkpoint == press.checkpoint
    for position in (-1, len(press.leaves)):
        assert refuse(registration.prove_leaf, position) is ErrorCode.LOG_INVALID


def test_receipts_of_payments(press: Press) -> None:
    registration = press.open_registration()
    part = make_part(press, 0)
    assert refuse(registration.prove_payment, part) is ErrorCode.NOT_PUBLISHED
    registration.catch_up()
    found = verify_receipt(registration.prove_payment(part), press.trust)
    assert isinstance(found.leaf, KernelLeaf) and found.payment == part
    unpublished = replace(part, outline=replace(part.outline, certificate=b"\1" * 32))
    assert refuse(registration.prove_payment, unpublished) is ErrorCode.NOT_PUBLISHED


def test_created_leaves_are_found(press: Press) -> None:
    registration = press.open_registration()
    registration.catch_up()
    publish_rest(press)
    refs = [*list_refs(press, 0), NOWHERE, *list_refs(press, 3)]
    found = registration.find_created(refs)
    assert len(found) == 3
    for one in found:
        assert press.leaves[one.position] == one.leaf
    registration.catch_up()
    assert len(registration.find_created(refs)) == len(refs) - 1
    assert registration.find_created([]) == []


def test_states(press: Press) -> None:
    registration = press.open_registration()
    refs = [*list_refs(press, 0), *list_refs(press, 1, 0), NOWHERE]
    statement = registration.state_outputs(refs)
    states = verify_states(statement, press.world.genesis.network, registration.public_key)
    spent, unspent = OutputState.SPENT, OutputState.UNSPENT
    expected = [spent, spent, unspent, spent, unspent, OutputState.UNKNOWN]
    assert [states[ref] for ref in refs] == expected
    assert statement.checkpoint == press.checkpoint
    publish_rest(press)
    later = registration.state_outputs(refs)
    assert later.checkpoint == press.checkpoint != statement.checkpoint
    assert dict(later.states)[refs[2]] is spent


def test_forged_states_are_refused(press: Press) -> None:
    registration = press.open_registration()
    true = registration.state_outputs(list_refs(press, 0))
    network, key = press.world.genesis.network, registration.public_key
    first, *rest = true.states
    junk = bytearray(true.signature)
    junk[0] ^= 1
    for forged in (
        replace(true, states=((first[0], OutputState.UNSPENT), *rest)),
        replace(true, states=((NOWHERE, first[1]), *rest)),
        replace(true, states=tuple(rest)),
        replace(true, states=(*true.states, first)),
        replace(true, checkpoint=replace(true.checkpoint, size=1)),
        replace(true, checkpoint=replace(true.checkpoint, root=Digest(true.checkpoint.root[::-1]))),
        replace(true, signature=Signature(bytes(junk))),
    ):
        assert refuse(verify_states, forged, network, key) is ErrorCode.STATEMENT_INVALID
    stranger = press.world.members.notary_key
    assert refuse(verify_states, true, network, stranger) is ErrorCode.STATEMENT_INVALID
    foreign = make_world().with_genesis(name="another").genesis.network
    assert refuse(verify_states, true, foreign, key) is ErrorCode.NETWORK_MISMATCH


def test_growth(press: Press) -> None:
    registration = press.open_registration()
    old = registration.catch_up()
    publish_rest(press)
    new = registration.catch_up()
    path = registration.prove_growth(old.size, new.size)
    verify_consistency(old.size, old.root, new.size, new.root, path)
    assert registration.prove_growth(new.size, new.size) == ()
    for size in (0, new.size + 1):
        assert refuse(registration.prove_growth, size, new.size) is ErrorCode.LOG_INVALID


def test_cosigned_checkpoints(press: Press) -> None:
    """Only lines of cosigners that it knows."""
    witness = InstitutionKey.generate()
    known = get_verifier_key("witness", witness)
    line = cosign(press.checkpoint, "witness", witness, 1)
    note = append_lines(press.log.read_checkpoint(), [line])
    press.log.write_checkpoint(note, len(press.leaves))
    assert press.open_registration([known]).catch_up() == press.checkpoint
    assert refuse(press.open_registration().catch_up) is ErrorCode.CHECKPOINT_INVALID
    receipt = press.open_registration([known]).prove_leaf(1)
    trust = replace(press.trust, cosigners=(known,))
    found = verify_receipt(receipt, trust)
    assert isinstance(found.leaf, CreatedLeaf) and found.checkpoint.is_signed_by("witness")


def test_its_key_is_its_own(press: Press) -> None:
    assert press.open_registration().public_key == REGISTRATION_KEY.public
