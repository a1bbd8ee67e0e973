"""What a bank's witness keeps of two histories, and tells of after a restart (P6, X3)."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from specie.assembly.alarms import LOG_FORKED, Alarms
from specie.assembly.bank_process import BankProcess
from specie.assembly.fork_evidence import name_fork, tell_of_forks
from specie.oversight.witness import Witness
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest
from specie.values.limits import FORKS_KEPT_MAX
from tests.building import NOW, make_world
from tests.clocks import ManualClock
from tests.press import Press
from tests.refusing import refuse
from tests.unit.oversight.test_witness import KEYS, LEAVES, NAME, make_leaves, prove

OTHER = make_leaves(60, salt=1)


class House:
    """A bank's process as far as its witness goes, at 20 leaves of the log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bank"
        self.folder.mkdir()
        self.press = Press(make_world(), folder / "log")
        log_key, store = self.press.trust.get_log_key(), SqliteWitnessStore(folder / "w.db")
        self.alarms = Alarms()
        parts: dict[str, Any] = {
            one.name: None
            for one in fields(BankProcess)
            if one.default is MISSING and one.default_factory is MISSING
        }
        parts["comparison"] = SimpleNamespace(insist=lambda: None)  # our database is no old one
        parts["base"] = SimpleNamespace(folder=self.folder, alarms=self.alarms)
        parts["witness"] = Witness(NAME, KEYS, log_key, store, ManualClock(NOW))
        self.process = BankProcess(**parts)
        self.process.cosign(self.sign(LEAVES[:20]), ())

    def sign(self, leaves: Sequence[bytes]) -> str:
        return self.press.sign(self.press.commit(leaves))

    def refuse(self, note: str, growth: Sequence[Digest] = ()) -> None:
        assert refuse(self.process.cosign, note, growth) is ErrorCode.LOG_INVALID

    def list_kept(self) -> set[str]:
        return {one.read_text() for one in self.folder.glob("forked*.note")}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_no_note_takes_the_place_of_a_forked_one(house: House) -> None:
    """Neither an innocent one with a wrong proof, nor an old one, nor another fork."""
    fork = house.sign(OTHER[:25])
    house.refuse(fork, prove(OTHER[:25], 20))
    assert name_fork(fork) in house.alarms.list()[LOG_FORKED]
    honest = house.sign(LEAVES[:30])
    house.refuse(honest, [Digest(bytes(32))])
    assert house.list_kept() == {fork}
    old, second = house.sign(LEAVES[:10]), house.sign(OTHER[:20])
    house.refuse(old)
    house.refuse(second)
    assert house.list_kept() == {fork, old, second}
    house.process.cosign(honest, prove(LEAVES[:30], 20))


def test_a_wrong_proof_alone_is_no_alarm(house: House) -> None:
    house.refuse(house.sign(LEAVES[:30]), [Digest(bytes(32))])
    assert not house.list_kept() and not house.alarms.list()


def test_the_alarm_is_on_again_after_a_restart(house: House) -> None:
    fork = house.sign(OTHER[:20])
    house.refuse(fork)
    alarms = Alarms()
    tell_of_forks(house.folder, alarms)
    assert name_fork(fork) in alarms.list()[LOG_FORKED]
    (house.folder / name_fork(fork)).unlink()
    quiet = Alarms()
    tell_of_forks(house.folder, quiet)
    assert not quiet.list()


def test_old_checkpoints_leave_room_for_forks(house: House) -> None:
    """However many there are; and a disk is not filled."""
    house.process.cosign(house.sign(LEAVES[:60]), prove(LEAVES[:60], 20))
    for size in range(1, 19):  # all cosigned by nobody here
        house.refuse(house.sign(LEAVES[:size]))
    assert len(house.list_kept()) == FORKS_KEPT_MAX // 2
    fork = house.sign(OTHER)
    house.refuse(fork)
    assert fork in house.list_kept()
    for salt in range(2, 2 + FORKS_KEPT_MAX):
        house.refuse(house.sign(make_leaves(60, salt=salt)))
    assert len(house.list_kept()) == FORKS_KEPT_MAX
