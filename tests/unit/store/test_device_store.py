"""Devices of a bank's clients: one for each, its own, whoever hands clients over (T3, T2)."""

from pathlib import Path

import pytest

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.store.device_store import SqliteDeviceStore, name_device
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey
from tests.country import refused

ANNA, BORIS = ClientId("anna"), ClientId("boris")
CODE, OTHER = (Digest(tagged_hash("code", one)) for one in (b"1", b"2"))


def draw() -> InstitutionPublicKey:
    return InstitutionPublicKey(InstitutionKey.generate().public)


@pytest.fixture
def store(tmp_path: Path) -> SqliteDeviceStore:
    return SqliteDeviceStore(tmp_path / "bank.db", SealingKey.generate())


def test_a_code_is_for_one_device(store: SqliteDeviceStore) -> None:
    key = draw()
    store.invite(CODE, ANNA, "Anna")
    for _ in range(2):
        store.record_key(CODE, key)
    with refused(ErrorCode.CLIENT_EXISTS):
        store.record_key(CODE, draw())
    assert store.find_by_name(name_device(key)) == (ANNA, key)


def test_a_device_is_one_clients(store: SqliteDeviceStore) -> None:
    key = draw()
    store.invite(CODE, ANNA, "Anna")
    store.invite(OTHER, BORIS, "Boris")
    store.record_key(CODE, key)
    with refused(ErrorCode.CLIENT_EXISTS):
        store.record_key(OTHER, key)
    assert store.find_by_name(name_device(key)) == (ANNA, key)


def test_who_came_by_itself_keeps_its_own_device(store: SqliteDeviceStore) -> None:
    """It has lost the old one; the others' are taken over all the same."""
    old, own, others = draw(), draw(), draw()
    store.invite(CODE, ANNA, "Anna")
    store.record_key(CODE, own)
    for _ in range(2):
        store.take_over(ANNA, old)
        store.take_over(ANNA, own)
        store.take_over(BORIS, others)
    assert store.load_keys() == {ANNA: own, BORIS: others}
