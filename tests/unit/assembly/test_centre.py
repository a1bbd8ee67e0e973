"""The authentication centre's list of cosigners: whose keys retire whose (T2, X3)."""

from pathlib import Path
from typing import Any

import pytest

from specie.assembly.centre import Centre
from specie.assembly.lists import COSIGNERS, write_list
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.identity.cosigners import CosignerList, CosignerRole, sign_cosigners
from specie.identity.genesis import compute_origin
from specie.identity.rotation import CosignerProof, sign_cosigner
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ServiceName
from tests.refusing import refuse
from tests.unit.api.cast import make_cast

WITNESS, BANK = CosignerRole.WITNESS, ServiceName("bank-2")


class Office:
    """A centre at which bank 2 has had two pairs of keys, both counting."""

    def __init__(self, folder: Path) -> None:
        cast = make_cast()
        nobody: Any = None
        world, self.peers = cast.world, cast.peers
        listed = CosignerList(compute_origin(world.genesis), 1, 0, 0)
        write_list(folder, COSIGNERS, sign_cosigners(listed, world.list_key))
        self.centre = Centre(folder, self.peers, world.list_key, nobody, nobody, nobody)
        self.old, self.new = self.add(), self.add()

    def add(self) -> CosignerProof:
        pair = (InstitutionKey.generate(), CosignerKey.generate())
        known = self.centre.get_cosigners()
        shown = sign_cosigner(self.peers.network, WITNESS, BANK, pair, known)
        self.centre.put_cosigner(WITNESS, shown, is_retiring=False)
        return shown

    def list_current(self) -> set[object]:
        return set(self.centre.get_cosigners().list_current(BANK))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_the_newest_keys_retire_the_others(office: Office) -> None:
    """Shown again, or without any proof: nothing new comes into the list. Again is nothing."""
    bare = CosignerProof(office.new.keys, (b"", b""))
    for shown in (office.new, bare):
        office.centre.put_cosigner(WITNESS, shown, is_retiring=True)
        assert office.list_current() == set(office.new.keys)
    assert office.centre.get_cosigners().version == 4


def test_older_keys_retire_nobody(office: Office) -> None:
    """They may be stolen, and would be the only ones that count."""
    before, new = office.list_current(), office.new
    mixed = CosignerProof((office.old.keys[0], new.keys[1]), (b"", b""))
    half = CosignerProof(new.keys[:1], new.proofs[:1])
    for shown in (office.old, mixed, half):
        code = refuse(lambda one: office.centre.put_cosigner(WITNESS, one, is_retiring=True), shown)
        assert code is ErrorCode.COSIGNERS_INVALID
        assert office.list_current() == before
