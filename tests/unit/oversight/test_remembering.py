"""A witness put back from an old copy notices by its own lines, and goes on from them (X3)."""

from pathlib import Path

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.log.notes import append_lines, cosign, get_verifier_key
from specie.oversight.remembering import check_remembered, remember_again
from specie.store.cosigned_files import CosignedNotes
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from tests.building import make_world
from tests.press import Press
from tests.refusing import refuse
from tests.unit.oversight.test_witness import make_leaves

NAME = "bank-2"
KEYS = (InstitutionKey.generate(), CosignerKey.generate())
OWN = [get_verifier_key(NAME, key) for key in KEYS]
LEAVES = make_leaves(300)


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(make_world(), tmp_path / "log")


def sign(press: Press, size: int, salt: int = 0, name: str = NAME) -> str:
    """A note over the first leaves, with the witness's lines."""
    checkpoint = press.commit(make_leaves(size, salt))
    return append_lines(press.sign(checkpoint), [cosign(checkpoint, name, key, 9) for key in KEYS])


def open_store(press: Press, path: Path, size: int, salt: int = 0) -> SqliteWitnessStore:
    """Of a witness that remembers so many leaves."""
    store = SqliteWitnessStore(path / "witness.db")
    if size:
        store.replace(None, press.commit(make_leaves(size, salt)))
    return store


@pytest.mark.parametrize("known", [0, 1, 255, 299])
def test_it_goes_on_from_what_it_has_cosigned(press: Press, tmp_path: Path, known: int) -> None:
    log, store = press.trust.get_log_key(), open_store(press, tmp_path, known)
    note = sign(press, 300)
    assert refuse(check_remembered, store, note, log, OWN) is ErrorCode.STORE_OUTDATED
    assert remember_again(store, note, log, OWN, make_leaves(310)) == 300 - known
    assert store.load(log.name) == press.commit(LEAVES)
    check_remembered(store, note, log, OWN)
    assert remember_again(store, note, log, OWN, LEAVES) == 0


@pytest.mark.parametrize("known", [300, 310])
def test_one_that_is_not_behind_runs(press: Press, tmp_path: Path, known: int) -> None:
    log, store = press.trust.get_log_key(), open_store(press, tmp_path, known)
    check_remembered(store, sign(press, 300), log, OWN)
    assert remember_again(store, sign(press, 300), log, OWN, ()) == 0


def test_others_lines_say_nothing(press: Press, tmp_path: Path) -> None:
    log, store = press.trust.get_log_key(), open_store(press, tmp_path, 10)
    for note in (press.sign(press.commit(LEAVES)), sign(press, 300, name="bank-3")):
        check_remembered(store, note, log, OWN)
        assert remember_again(store, note, log, OWN, LEAVES) == 0
    assert store.load(log.name) == press.commit(make_leaves(10))


def test_a_line_that_does_not_hold_is_refused(press: Press, tmp_path: Path) -> None:
    """Nobody makes a witness forget by words that it has not said."""
    log, store = press.trust.get_log_key(), open_store(press, tmp_path, 10)
    lines = [cosign(press.commit(make_leaves(11)), NAME, key, 9) for key in KEYS]
    note = append_lines(press.sign(press.commit(LEAVES)), lines)
    assert refuse(check_remembered, store, note, log, OWN) is ErrorCode.CHECKPOINT_INVALID
    code = refuse(remember_again, store, note, log, OWN, LEAVES)
    assert code is ErrorCode.CHECKPOINT_INVALID


@pytest.mark.parametrize("case", ["known", "published", "short"])
def test_another_history_is_not_gone_on_from(press: Press, tmp_path: Path, case: str) -> None:
    log = press.trust.get_log_key()
    store = open_store(press, tmp_path, 10, salt=int(case == "known"))
    leaves = {"published": [*make_leaves(10), *make_leaves(300, 1)[10:]], "short": LEAVES[:299]}
    before = store.load(log.name)
    code = refuse(remember_again, store, sign(press, 300), log, OWN, leaves.get(case, LEAVES))
    assert code is ErrorCode.LOG_INVALID
    assert store.load(log.name) == before


def test_the_registration_keeps_the_newest_of_each(tmp_path: Path) -> None:
    kept = CosignedNotes(tmp_path / "cosigned")
    assert kept.find("bank-2") == ""
    kept.write("bank-2", "old")
    kept.write("bank-2", "new")
    kept.write("bank-3", "other")
    again = CosignedNotes(tmp_path / "cosigned")
    assert (again.find("bank-2"), again.find("bank-3")) == ("new", "other")
    (tmp_path / "cosigned" / "bank-3").write_bytes(b"\xff")
    assert refuse(again.find, "bank-3") is ErrorCode.CHECKPOINT_INVALID
