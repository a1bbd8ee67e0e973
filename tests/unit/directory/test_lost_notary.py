"""Entries outlive a notary's database, and auditors judge them (rows T8, X3; design 3)."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.secrets import VrfKey
from specie.ledger.audit import split_batches
from specie.ledger.directory_leaves import sign_leaf
from specie.log.leaves import DIRECTORY, DirectoryLeaf
from specie.notary.catching_up import catch_up
from specie.oversight.auditor import BatchAudit
from specie.store.log_files import LogFolder
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, PublicKey
from tests.country import Country, build_country, refused
from tests.unit.notary.house import House, build_house

KEY = PublicKey(VrfKey.generate().public)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return build_country(tmp_path_factory.mktemp("country"), is_funded=False)


@pytest.fixture
def own(country: Country, tmp_path: Path) -> House:
    return build_house(country, tmp_path)


def make_leaf(country: Country, place: int, version: int) -> DirectoryLeaf:
    index, entry = Digest(bytes([place]) * 32), Digest(bytes([version]) * 32)
    network = country.network
    return sign_leaf(index, version, KEY, entry, network.genesis.network, network.list_key)


def make_lost(own: House, name: str) -> House:
    """The same house with no database, over what was published."""
    folder = own.folder / name
    folder.mkdir()
    for part in ("public", "batches"):
        shutil.copytree(own.folder / part, folder / part)
    return replace(own, folder=folder)


def read_log(own: House) -> list[bytes]:
    store = own.open_store()
    return store.load_leaves(0, store.count_leaves())


def test_a_lost_notary_has_entries_back(country: Country, own: House) -> None:
    notary = own.open_notary()
    for version in (1, 2):
        notary.record_leaf(make_leaf(country, 1, version))
    assert notary.is_due() is False
    own.clock.advance(country.network.genesis.batch_age_ms_max // 2)
    assert notary.is_due(), "entries make a batch due as payments do"
    assert notary.publish() == 3
    promise = notary.record_leaf(make_leaf(country, 1, 2))
    waiting = make_leaf(country, 1, 3)
    notary.record_leaf(waiting)
    assert notary.count_broken_promises() == 0
    lost = make_lost(own, "lost")
    with refused(ErrorCode.STORE_OUTDATED):
        lost.open_notary()
    log, genesis = LogFolder(lost.public), own.roster.genesis
    found = catch_up(lost.open_store(), log, lost.archive, genesis, own.key)
    assert found.batches == 1
    assert read_log(lost) == read_log(own)
    again = lost.open_notary()
    kept = again.record_leaf(make_leaf(country, 1, 2))
    assert kept.leaf_hash == promise.leaf_hash
    with refused(ErrorCode.DIRECTORY_VERSION_WRONG):
        again.record_leaf(make_leaf(country, 1, 4))
    again.record_leaf(waiting)  # it was promised only: whoever has it hands it in again
    assert again.publish(is_forced=True) == 2
    assert again.count_broken_promises() == 0


def test_a_promise_that_is_not_kept_is_counted(country: Country, own: House) -> None:
    notary = own.open_notary()
    promise = notary.record_leaf(make_leaf(country, 2, 1))
    assert own.open_notary().record_leaf(make_leaf(country, 2, 1)) == promise
    own.clock.advance(country.network.genesis.batch_age_ms_max + 1)
    assert notary.count_broken_promises() == 1
    notary.publish()
    assert notary.has_been_late


def test_an_auditor_judges_them(country: Country, own: House) -> None:
    notary = own.open_notary()
    for place in (1, 2):
        notary.record_leaf(make_leaf(country, place, 1))
    notary.publish(is_forced=True)
    leaves = read_log(own)
    (batch,) = split_batches(leaves)
    lists = {own.roster.current.version: own.roster.current}
    audit = BatchAudit(own.roster.genesis, lists)
    audit.add_batch(own.archive.read(1), batch)
    assert audit.totals.batches == 1
    entry = next(leaf for leaf in batch if leaf[0] == DIRECTORY)
    for wrong, code in (
        (entry[:-1] + bytes([entry[-1] ^ 1]), ErrorCode.DIRECTORY_SIGNATURE_INVALID),
        (make_leaf(country, 1, 2).pack(), ErrorCode.DIRECTORY_VERSION_WRONG),
    ):
        changed = [batch[0], *sorted(wrong if leaf == entry else leaf for leaf in batch[1:])]
        with refused(code):
            BatchAudit(own.roster.genesis, lists).add_batch(own.archive.read(1), changed)
    shorter = [leaf for leaf in batch if leaf != entry]
    with refused(ErrorCode.LOG_INVALID):
        BatchAudit(own.roster.genesis, lists).add_batch(own.archive.read(1), shorter)
