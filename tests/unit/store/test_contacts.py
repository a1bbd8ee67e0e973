"""`ContactStore`: names for addresses, per holder, sealed (T3, X5)."""

from pathlib import Path

import pytest

from specie.crypto.addresses import format_address
from specie.crypto.secrets import KeyTree
from specie.store.contacts import SqliteContactStore
from specie.tokens.holdings import derive_keys
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ParticipantNumber
from tests.country import refused
from tests.unit.store.engines import Engine

PREFIX = "spt"


def make_address(prefix: str = PREFIX) -> str:
    """Somebody's."""
    keys = derive_keys(KeyTree.generate(), 0, ParticipantNumber(2))
    return format_address(keys.address, prefix)


@pytest.fixture
def contacts(engine: Engine) -> SqliteContactStore:
    """An empty address book."""
    return engine.open_contacts("anna", PREFIX)


def test_contacts_are_kept_changed_and_forgotten(
    contacts: SqliteContactStore, engine: Engine
) -> None:
    first, second = make_address(), make_address()
    contacts.add("Boris", first)
    contacts.add("Ayşe Yılmaz", second)
    contacts.add("Ayşe Yılmaz", second)
    assert list(contacts.load().items()) == [("Ayşe Yılmaz", second), ("Boris", first)]
    contacts.add("Boris", second)
    assert engine.open_contacts("anna", PREFIX).get("Boris") == second
    contacts.remove("Boris")
    assert list(contacts.load()) == ["Ayşe Yılmaz"]
    for act in (contacts.remove, contacts.get):
        with refused(ErrorCode.CONTACT_UNKNOWN):
            act("Boris")


def test_holders_do_not_see_each_others(contacts: SqliteContactStore, engine: Engine) -> None:
    contacts.add("Boris", make_address())
    other = engine.open_contacts("boris", PREFIX)
    assert other.load() == {}
    with refused(ErrorCode.CONTACT_UNKNOWN):
        other.remove("Boris")
    assert list(contacts.load()) == ["Boris"]


def test_an_address_is_checked_before_it_is_kept(contacts: SqliteContactStore) -> None:
    address = make_address()
    typo = address[:20] + ("q" if address[20] != "q" else "p") + address[21:]
    cases = [
        (typo, ErrorCode.ADDRESS_INVALID),
        ("", ErrorCode.ADDRESS_INVALID),
        (make_address("spx"), ErrorCode.NETWORK_MISMATCH),
        (address + "\ud800", ErrorCode.TEXT_INVALID),
    ]
    for text, code in cases:
        with refused(code):
            contacts.add("Boris", text)
    assert contacts.load() == {}


@pytest.mark.parametrize("name", ["", "x" * 49, "two\nlines", "half \ud800", "\0"])
def test_a_name_is_a_name(contacts: SqliteContactStore, name: str) -> None:
    with refused(ErrorCode.TEXT_INVALID):
        contacts.add(name, make_address())


def test_one_name_has_one_spelling(contacts: SqliteContactStore) -> None:
    contacts.add("e\u0301", make_address())
    assert list(contacts.load()) == ["\u00e9"]
    assert contacts.get("\u00e9") == contacts.get("e\u0301")


def test_a_full_book_is_full(contacts: SqliteContactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specie.store.contacts.CONTACTS_MAX", 2)
    for name in ("one", "two", "one"):
        contacts.add(name, make_address())
    with refused(ErrorCode.LIMIT_EXCEEDED):
        contacts.add("three", make_address())


def test_nothing_readable_is_left_behind(
    contacts: SqliteContactStore, engine: Engine, tmp_path: Path
) -> None:
    address = make_address()
    contacts.add("Ayşe Yılmaz", address)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for holder, sealed in engine.run("SELECT holder, sealed FROM contact"):
        written += holder.encode() + sealed
    assert b"anna" in written
    assert "Yılmaz".encode() not in written and address.encode() not in written
