"""A witness never cosigns two histories, whoever holds the log's key (X3)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import compute_origin
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import VoidLeaf
from specie.log.notes import SignatureType, append_lines, verify_note
from specie.log.proofs import prove_consistency
from specie.log.tree import EMPTY_ROOT, compute_leaf_hash
from specie.oversight.witness import LogForked, Witness
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, TransactionId
from specie.values.limits import MESSAGE_AGE_MS_MAX
from tests.building import NOW, make_world
from tests.clocks import ManualClock
from tests.press import Press
from tests.reference.tree import hash_tree
from tests.refusing import refuse

NAME = "witness.example"
KEYS = (InstitutionKey.generate(), CosignerKey.generate())


def make_leaves(count: int, salt: int = 0) -> list[bytes]:
    """Some leaves; another salt is another history."""
    parts = [bytes([salt]) + number.to_bytes(31, "big") for number in range(count)]
    return [VoidLeaf(TransactionId(one)).pack() for one in parts]


LEAVES = make_leaves(700)


@pytest.fixture
def press(tmp_path: Path) -> Press:
    """Only its key is used here."""
    return Press(make_world(), tmp_path / "log")


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """What the witness remembers."""
    return tmp_path / "witness.db"


def open_witness(press: Press, path: Path) -> Witness:
    """Start it, or start it again."""
    return Witness(
        NAME, KEYS, press.trust.get_log_key(), SqliteWitnessStore(path), ManualClock(NOW)
    )


def prove(leaves: Sequence[bytes], old: int) -> tuple[Digest, ...]:
    """That these leaves continue their first `old` ones."""
    hashes = [compute_leaf_hash(leaf) for leaf in leaves]
    return prove_consistency(
        old,
        len(leaves),
        lambda level, one: Digest(hash_tree(hashes[one << level : (one + 1) << level])),
    )


def cosign(press: Press, witness: Witness, leaves: Sequence[bytes]) -> str:
    """Ask as the registration does; gives the note with the witness's lines."""
    note, last = press.sign(press.commit(leaves)), witness.get_last_size()
    growth = prove(leaves, last) if 0 < last <= len(leaves) else ()
    return append_lines(note, witness.cosign(note, growth))


def check_refused(press: Press, witness: Witness, leaves: Sequence[bytes]) -> None:
    """With an honest proof of these leaves, and without any."""
    before = witness.get_last_size()
    assert refuse(cosign, press, witness, leaves) is ErrorCode.LOG_INVALID
    note = press.sign(press.commit(leaves))
    for growth in ((), (Digest(bytes(32)),)):
        assert refuse(witness.cosign, note, growth) is ErrorCode.LOG_INVALID
    assert witness.get_last_size() == before


def test_it_cosigns_what_grows(press: Press, store_path: Path) -> None:
    witness = open_witness(press, store_path)
    for size in (1, 2, 5, 255, 256, 257, 257, 600, 700):
        note = cosign(press, witness, LEAVES[:size])
        signed = verify_note(note, press.trust.get_log_key(), witness.verifier_keys)
        assert signed.checkpoint == press.commit(LEAVES[:size])
        assert [key.type for key in signed.signers] == list(SignatureType)
        assert witness.get_last_size() == size


@pytest.mark.parametrize("is_restarted", [False, True])
def test_never_two_histories(press: Press, store_path: Path, is_restarted: bool) -> None:
    witness = open_witness(press, store_path)
    cosign(press, witness, LEAVES[:300])
    if is_restarted:
        witness = open_witness(press, store_path)
    other = make_leaves(700, salt=1)
    for forked in (
        other[:300],  # the same size, another root
        [*LEAVES[:299], other[299]],
        LEAVES[:299],  # shorter
        LEAVES[:1],
        other[:400],  # longer, from another past
        [other[0], *LEAVES[1:400]],
        [*LEAVES[:299], *LEAVES[300:400]],  # a leaf less
        [LEAVES[1], LEAVES[0], *LEAVES[2:400]],
    ):
        check_refused(press, witness, forked)
    cosign(press, witness, LEAVES[:301])


def test_a_message_that_comes_twice(press: Press, store_path: Path) -> None:
    """With its proof of growth, which the second time proves nothing any more; also at once."""
    witness = open_witness(press, store_path)
    cosign(press, witness, LEAVES[:10])
    note, growth = press.sign(press.commit(LEAVES[:20])), prove(LEAVES[:20], 10)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: witness.cosign(note, growth), range(8)))
    answers.append(open_witness(press, store_path).cosign(note, growth))
    for lines in answers:
        verify_note(append_lines(note, lines), press.trust.get_log_key(), witness.verifier_keys)
    assert witness.get_last_size() == 20


def test_a_message_that_was_overtaken_is_no_fork(press: Press, store_path: Path) -> None:
    """Refused, and not reported, as long as it may have been under way; another history is."""
    cosign(press, open_witness(press, store_path), LEAVES[:10])
    clock = ManualClock(NOW)
    store = SqliteWitnessStore(store_path)
    witness = Witness(NAME, KEYS, press.trust.get_log_key(), store, clock)
    earlier = [press.sign(press.commit(LEAVES[:size])) for size in (10, 20)]
    for size in (20, 30):
        cosign(press, witness, LEAVES[:size])
    for note in earlier:
        assert refuse(witness.cosign, note, ()) is ErrorCode.LOG_INVALID
        assert witness.is_late(note)
    for other in (make_leaves(20, salt=1), LEAVES[:15], LEAVES[:30]):
        assert not witness.is_late(press.sign(press.commit(other)))
    clock.advance(2 * MESSAGE_AGE_MS_MAX + 1)
    assert not witness.is_late(earlier[0]), "a log that stands there now has gone back"


def test_an_honest_proof_of_something_else(press: Press, store_path: Path) -> None:
    witness = open_witness(press, store_path)
    cosign(press, witness, LEAVES[:300])
    note = press.sign(press.commit(LEAVES[:400]))
    for growth in (prove(LEAVES[:400], 299), prove(LEAVES[:401], 300), prove(LEAVES[:400], 400)):
        assert refuse(witness.cosign, note, growth) is ErrorCode.LOG_INVALID
    good = prove(LEAVES[:400], 300)
    for changed in (good[:-1], (*good, good[0]), good[::-1]):
        assert refuse(witness.cosign, note, changed) is ErrorCode.LOG_INVALID
    witness.cosign(note, good)


def find_fork(witness: Witness, note: str, growth: Sequence[Digest]) -> bool | None:
    """Whether the refusal says that it is shown; None if it does not speak of a fork."""
    try:
        witness.cosign(note, growth)
    except LogForked as fork:
        return fork.is_shown
    except SpecieError:
        return None
    raise AssertionError("it was cosigned")


@pytest.mark.parametrize("size", [300, 128])
def test_a_wrong_proof_is_no_fork(press: Press, store_path: Path, size: int) -> None:
    """Whoever brings it: the note may be the honest log's. A proof of another history is one.

    From a complete tree of 128 leaves on, proofs do not name its root, and only their length tells.
    """
    witness = open_witness(press, store_path)
    cosign(press, witness, LEAVES[:size])
    honest = press.sign(press.commit(LEAVES[:400]))
    good, other = prove(LEAVES[:400], size), make_leaves(400, salt=1)
    for growth in ((), (Digest(bytes(32)),) * 30, good[:-1], prove(LEAVES[:400], 299)):
        assert find_fork(witness, honest, growth) is None
    is_complete = size == 128
    assert find_fork(witness, honest, good[::-1]) is (False if is_complete else None)
    forked = press.sign(press.commit(other))
    assert find_fork(witness, forked, prove(other, size)) is not is_complete
    assert find_fork(witness, forked, ()) is None
    assert find_fork(witness, press.sign(press.commit(other[:size])), ()) is True
    assert find_fork(witness, press.sign(press.commit(LEAVES[:100])), ()) is False
    witness.cosign(honest, good)
    assert find_fork(witness, press.sign(press.commit(LEAVES[:size])), ()) is None, "overtaken"


def test_an_empty_log_has_one_root(press: Press, store_path: Path) -> None:
    witness = open_witness(press, store_path)
    origin = compute_origin(press.world.genesis)
    forged = press.sign(Checkpoint(origin, 0, Digest(bytes(32))))
    assert refuse(witness.cosign, forged, ()) is ErrorCode.LOG_INVALID
    empty = press.sign(Checkpoint(origin, 0, EMPTY_ROOT))
    assert len(witness.cosign(empty, ())) == len(witness.cosign(empty, ())) == 2
    assert refuse(witness.cosign, forged, ()) is ErrorCode.LOG_INVALID
    cosign(press, witness, LEAVES[:3])
    assert refuse(witness.cosign, empty, ()) is ErrorCode.LOG_INVALID


def test_only_the_logs_own_word(press: Press, store_path: Path, tmp_path: Path) -> None:
    witness = open_witness(press, store_path)
    other = Press(press.world.with_genesis(name="another"), tmp_path / "another")
    stranger = make_world().with_genesis()
    assert stranger.notary_key is press.world.notary_key
    note = other.sign(other.commit(LEAVES[:3]))
    assert refuse(witness.cosign, note, ()) is ErrorCode.CHECKPOINT_INVALID
    line = cosign(press, witness, LEAVES[:3]).split("\n")[4]
    unsigned = press.sign(press.commit(LEAVES[:4])).replace("\n\n", "\n\n", 1)
    forged = unsigned[: unsigned.index("\n\n") + 2] + line + "\n"
    assert refuse(witness.cosign, forged, ()) is ErrorCode.CHECKPOINT_INVALID


def test_two_processes_of_one_witness(press: Press, store_path: Path) -> None:
    """Both have read the same last checkpoint; only one may go on from it."""
    first, second = SqliteWitnessStore(store_path), SqliteWitnessStore(store_path)
    start = press.commit(LEAVES[:10])
    first.replace(None, start)
    read = first.load(start.origin), second.load(start.origin)
    assert read == (start, start)
    ours, theirs = press.commit(LEAVES[:20]), press.commit([*LEAVES[:10], *make_leaves(10, 1)])
    first.replace(read[0], ours)
    assert refuse(second.replace, read[1], theirs) is ErrorCode.LOG_INVALID
    assert refuse(second.replace, None, theirs) is ErrorCode.LOG_INVALID
    assert first.load(start.origin) == second.load(start.origin) == ours


def test_two_witness_objects_between_reading_and_writing(press: Press, store_path: Path) -> None:
    """The slower one is interrupted after its check; its signature never leaves."""
    fast = open_witness(press, store_path)
    cosign(press, fast, LEAVES[:10])
    fork = [*LEAVES[:10], *make_leaves(10, 1)]

    class Interrupted(SqliteWitnessStore):
        def replace(self, old: Checkpoint | None, new: Checkpoint) -> None:
            cosign(press, fast, LEAVES[:20])
            super().replace(old, new)

    slow = Witness(NAME, KEYS, press.trust.get_log_key(), Interrupted(store_path), ManualClock(NOW))
    assert refuse(cosign, press, slow, fork) is ErrorCode.LOG_INVALID
    assert fast.get_last_size() == 20


def test_it_remembers_before_it_signs(press: Press, store_path: Path) -> None:
    """What stops between the two has cosigned nothing, and does not cosign the other history."""

    class Stopped(SqliteWitnessStore):
        def replace(self, old: Checkpoint | None, new: Checkpoint) -> None:
            super().replace(old, new)
            raise SpecieError(ErrorCode.STORE_UNUSABLE, "the power is gone")

    log_key = press.trust.get_log_key()
    witness = Witness(NAME, KEYS, log_key, Stopped(store_path), ManualClock(NOW))
    assert refuse(cosign, press, witness, LEAVES[:10]) is ErrorCode.STORE_UNUSABLE
    again = open_witness(press, store_path)
    check_refused(press, again, make_leaves(10, salt=1))
    cosign(press, again, LEAVES[:10])


def test_what_cannot_be_remembered_is_not_signed(press: Press, store_path: Path) -> None:
    class Broken(SqliteWitnessStore):
        def replace(self, old: Checkpoint | None, new: Checkpoint) -> None:
            raise SpecieError(ErrorCode.STORE_UNUSABLE, "no space left")

    log_key = press.trust.get_log_key()
    witness = Witness(NAME, KEYS, log_key, Broken(store_path), ManualClock(NOW))
    assert refuse(cosign, press, witness, LEAVES[:10]) is ErrorCode.STORE_UNUSABLE
    assert witness.get_last_size() == 0


def test_logs_are_remembered_apart(press: Press, store_path: Path, tmp_path: Path) -> None:
    other = Press(press.world.with_genesis(name="another"), tmp_path / "another")
    cosign(press, open_witness(press, store_path), LEAVES[:10])
    witness = open_witness(other, store_path)
    assert witness.get_last_size() == 0
    cosign(other, witness, make_leaves(5, salt=1))
    assert open_witness(press, store_path).get_last_size() == 10
