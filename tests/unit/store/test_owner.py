"""A database is one service's: a copied file, or one schema for two, is refused (X12)."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from specie.assembly.databases import make_schema_url
from specie.assembly.foundation import DATABASE, open_database
from specie.identity.certificates import create_root
from specie.store.certificate_store import SqliteCertificateStore
from specie.store.database import Database
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName
from tests.building import NOW
from tests.country import refused
from tests.unit.assembly.test_service_settings import SETTINGS
from tests.unit.store.engines import Engine

NORTH, SOUTH = NetworkId(bytes(16)), NetworkId(bytes(15) + b"\1")
BANK, OTHER = ServiceName("bank-2"), ServiceName("bank-3")


def test_a_database_stays_its_owners(engine: Engine) -> None:
    engine.open().claim(NORTH, BANK)
    engine.open().claim(NORTH, BANK)
    for network, service in ((NORTH, OTHER), (SOUTH, BANK)):
        with refused(ErrorCode.STORE_UNUSABLE):
            engine.open().claim(network, service)
    assert engine.run("SELECT service FROM owner") == [("bank-2",)]


def test_one_of_before_is_claimed_when_it_is_opened(engine: Engine) -> None:
    engine.open_books().close()
    engine.open().claim(NORTH, BANK)
    with refused(ErrorCode.STORE_UNUSABLE):
        engine.open().claim(NORTH, OTHER)


def test_a_copied_file_is_refused(tmp_path: Path) -> None:
    """Under the name that the other process' file has."""
    here, there = tmp_path / "bank-2", tmp_path / "bank-3"
    here.mkdir()
    there.mkdir()
    open_database(here, SETTINGS).close()
    shutil.copy(here / "bank.db", there / "bank.db")
    open_database(there, SETTINGS).close()  # the same service, moved to another folder
    with pytest.raises(SpecieError) as caught:
        open_database(there, SETTINGS.model_copy(update={"service": "bank-3"}))
    assert caught.value.code is ErrorCode.STORE_UNUSABLE
    assert caught.value.message == (
        f"the database is of bank-2 of network {'0' * 32}, not of bank-3 of network {'0' * 32}"
    )


def test_certificates_are_adopted_once(engine: Engine, tmp_path: Path) -> None:
    """From the file that the ceremony wrote; not again over what was issued since."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = Database(tmp_path / "central.db")
    old = SqliteCertificateStore(made)
    certificates = [create_root("one of many", key, NOW) for _ in range(3)]
    old.add(BANK, certificates[0])
    old.add(OTHER, certificates[1])
    old.revoke(OTHER, NOW)
    assert old.draw_number() == 1
    store = SqliteCertificateStore(engine.open())
    store.adopt(made)
    store.add(BANK, certificates[2])
    assert (store.draw_number(), store.revoke(BANK, NOW)) == (2, 2)
    store.adopt(made)
    made.close()
    found = {one.serial_number: store.find(one.serial_number) for one in certificates}
    assert all(pair is not None and pair[1] == NOW for pair in found.values())


def test_each_service_has_a_schema_of_its_own() -> None:
    urls = {
        make_schema_url(server, network, name, given_as="x")
        for server in ("postgresql://host/db", "postgresql://host/db?sslmode=require")
        for network in (NetworkId(b"\1" * 16), NetworkId(b"\2" * 16))
        for name in (BANK, OTHER)
    }
    assert len(urls) == 8
    assert "postgresql://host/db?schema=specie_0101010101010101_bank_2" in urls
    assert "postgresql://host/db?sslmode=require&schema=specie_0202020202020202_bank_3" in urls


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:///tmp/all.db", "SPECIE_DATABASE begins with postgresql://"),
        ("postgresql://h/d?schema=mine", "SPECIE_DATABASE names no schema"),
        ("postgresql://h/d?a=b&schema=mine", "SPECIE_DATABASE names no schema"),
    ],
)
def test_a_url_that_two_would_share_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    monkeypatch.setenv(DATABASE, url)
    with pytest.raises(SpecieError) as caught:
        open_database(tmp_path, SETTINGS)
    assert caught.value.code is ErrorCode.SETTING_INVALID
    assert caught.value.message.startswith(why)
    assert list(tmp_path.iterdir()) == []
