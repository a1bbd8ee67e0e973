"""What the registration publishes holds for every reader, whoever answers it (X3, X13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from specie.assembly.alarms import Alarms
from specie.assembly.central_processes import RegistrationProcess
from specie.assembly.lists import COSIGNERS, GENESIS, PARTICIPANTS, write_list
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.identity.cosigners import CosignerList, CosignerRole, put_cosigner, sign_cosigners
from specie.identity.genesis import compute_origin, sign_genesis
from specie.identity.participants import sign_participants
from specie.log.notes import SignedLine, append_lines, cosign, get_verifier_key, parse_note
from specie.registration.history import LogHistory
from specie.registration.service import Registration
from specie.store.cosigned_files import CosignedNotes
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.values.identifiers import Digest, ParticipantNumber
from specie.values.limits import NOTE_SIGNATURES_MAX
from tests.press import REGISTRATION_KEY, Press
from tests.unit.api.cast import make_cast
from tests.unit.oversight.test_witness import make_leaves

WITNESS = CosignerRole.WITNESS
Pair = tuple[InstitutionKey, CosignerKey]


@dataclass
class Notary:
    """Says what a test wants."""

    press: Press
    note: str

    def read_checkpoint(self) -> str:
        return self.note

    def list_leaves(self, start: int) -> list[bytes]:
        return self.press.leaves[start:]


@dataclass
class Bank:
    """A witness that signs with whatever keys it has had."""

    name: str
    keys: Sequence[InstitutionKey | CosignerKey]

    def get_witnessed(self) -> int:
        return 0

    def cosign(self, note: str, _growth: Sequence[Digest]) -> list[SignedLine]:
        return [cosign(parse_note(note)[0], self.name, key, 1) for key in self.keys]


class Town:
    """A registration between a notary and banks 2 and 3."""

    def __init__(self, folder: Path) -> None:
        cast = make_cast()
        self.world = cast.world
        self.press = Press(self.world, folder / "notary")
        self.press.append(make_leaves(5))
        self.notary = Notary(self.press, self.press.log.read_checkpoint())
        self.pairs = {name: make_pair() for name in ("bank-2", "bank-3")}
        self.banks = {
            ParticipantNumber(int(name[-1])): Bank(name, pair) for name, pair in self.pairs.items()
        }
        entries = [
            (WITNESS, get_verifier_key(name, key))
            for name, pair in self.pairs.items()
            for key in pair
        ]
        self.listed = CosignerList(compute_origin(self.world.genesis), 1, 2, 0, tuple(entries))
        base: Any = SimpleNamespace(folder=folder, peers=cast.peers, channel=None, alarms=Alarms())
        log, roster = LogFolder(folder / "public"), cast.peers.roster
        index = SqliteLogIndex(folder / "index.db")
        banks: Any = SimpleNamespace(get_remote=self.banks.__getitem__)
        notary: Any = self.notary
        self.process = RegistrationProcess(
            base=base,
            notary=notary,
            banks=banks,
            log=log,
            registration=Registration(roster, REGISTRATION_KEY, log, index),
            history=LogHistory(),
            cosigned=CosignedNotes(folder / "cosigned"),
        )
        write_list(folder, GENESIS, sign_genesis(self.world.genesis, self.world.list_key))
        write_list(folder, PARTICIPANTS, sign_participants(self.world.members, self.world.list_key))
        self.folder = folder
        self.publish_cosigners()

    def publish_cosigners(self) -> None:
        write_list(self.folder, COSIGNERS, sign_cosigners(self.listed, self.world.list_key))

    def list_signers(self) -> list[str]:
        """Of the lines under what is published, which all hold."""
        signed = self.process.registration.read_signed()
        return [key.name for key in signed.signers[1:]]


def make_pair() -> Pair:
    return InstitutionKey.generate(), CosignerKey.generate()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_everybodys_lines_are_published(town: Town) -> None:
    assert list(town.process.work()) == []
    assert town.list_signers() == ["bank-2", "bank-2", "bank-3", "bank-3"]


@pytest.mark.parametrize(
    "name", ["bank-3", "somebody"], ids=["that does not hold", "of an unknown key"]
)
def test_a_line_beside_the_notarys_is_not_published(town: Town, name: str) -> None:
    """Readers refuse a checkpoint with one line that does not hold."""
    key = town.pairs["bank-3"][0]
    wrong = cosign(town.press.commit(make_leaves(4)), name, key, 1)
    town.notary.note = append_lines(town.notary.note, [wrong])
    assert list(town.process.work()) == []
    assert town.list_signers() == ["bank-2", "bank-2", "bank-3", "bank-3"]


def retire(town: Town, times: int) -> list[InstitutionKey | CosignerKey]:
    """Bank 2 has had new keys so many times; gives all that it has had."""
    had: list[InstitutionKey | CosignerKey] = [*town.pairs["bank-2"]]
    for _ in range(times):
        pair = make_pair()
        keys = [get_verifier_key("bank-2", key) for key in pair]
        town.listed = put_cosigner(town.listed, WITNESS, keys, is_retiring=True)
        had += pair
    town.publish_cosigners()
    return had


def test_lines_of_retired_keys_take_no_place(town: Town) -> None:
    """A witness that signs with all keys it has ever had gets two lines, and the other its own."""
    keys = retire(town, NOTE_SIGNATURES_MAX // 2)
    town.banks[ParticipantNumber(2)].keys = keys
    assert list(town.process.work()) == []
    assert town.list_signers() == ["bank-2", "bank-2", "bank-3", "bank-3"]
