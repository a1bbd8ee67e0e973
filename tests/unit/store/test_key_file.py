"""Institutions' secrets in one encrypted file (X7)."""

import json
from pathlib import Path

import pytest

from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from tests.country import refused

PASSPHRASE = "correct horse"
SALT = bytes(range(16))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "inner" / "keys.json"
    keys = KeyFile.create(path, PASSPHRASE, SALT)
    keys.put("institution", InstitutionKey.generate())
    keys.put_sealing_key("data", SealingKey.generate())
    keys.put_secret("tls", b"a password of another library")
    return path


def test_what_was_put_is_there_again(tmp_path: Path) -> None:
    keys = KeyFile.create(tmp_path / "keys.json", PASSPHRASE, SALT)
    key, seal = InstitutionKey.generate(), SealingKey.generate()
    keys.put("one", key)
    keys.put_sealing_key("two", seal)
    keys.put_secret("three", b"secret")
    again = KeyFile(tmp_path / "keys.json", PASSPHRASE)
    assert again.list_names() == ["one", "three", "two"]
    assert again.get("one", InstitutionKey.unseal).public == key.public
    assert again.get_sealing_key("two").open(seal.seal(b"x", b"y"), b"y") == b"x"
    assert again.get_secret("three") == b"secret"


def test_only_its_owner_may_read_it(filled: Path) -> None:
    assert filled.stat().st_mode & 0o777 == 0o600
    assert filled.parent.stat().st_mode & 0o777 == 0o700


def test_it_shows_no_secret(filled: Path) -> None:
    assert b"a password" not in filled.read_bytes()
    assert PASSPHRASE not in repr(KeyFile(filled, PASSPHRASE))


def test_a_wrong_passphrase(filled: Path) -> None:
    with refused(ErrorCode.PASSPHRASE_WRONG):
        KeyFile(filled, "correct horse ")


def test_an_entry_has_one_name(filled: Path) -> None:
    keys = KeyFile(filled, PASSPHRASE)
    with refused(ErrorCode.ORDER_CONFLICT):
        keys.put_secret("tls", b"another")
    assert keys.get_secret("tls") == b"a password of another library"
    with refused(ErrorCode.SETTING_INVALID):
        keys.get_secret("nothing")
    with refused(ErrorCode.ORDER_CONFLICT):
        KeyFile.create(filled, PASSPHRASE, SALT)
    with refused(ErrorCode.SETTING_INVALID):
        KeyFile.create(filled.parent / "new.json", "", SALT)


def test_an_entry_under_anothers_name_does_not_open(filled: Path, tmp_path: Path) -> None:
    found = json.loads(filled.read_text())
    entries = found["entries"]
    entries["institution"], entries["tls"] = entries["tls"], entries["institution"]
    (tmp_path / "keys.json").write_text(json.dumps(found))
    keys = KeyFile(tmp_path / "keys.json", PASSPHRASE)
    with refused(ErrorCode.SEALED_INVALID):
        keys.get_secret("tls")
    with refused(ErrorCode.SEALED_INVALID):
        keys.get("institution", InstitutionKey.unseal)


def test_files_that_are_none(filled: Path, tmp_path: Path) -> None:
    whole = json.loads(filled.read_text())
    broken = [
        "",
        "[]",
        json.dumps(whole | {"format": "specie keys v2"}),
        json.dumps(whole | {"salt": "AAAA"}),
        json.dumps(whole | {"salt": "?"}),
        json.dumps(whole | {"entries": {"tls": 1}}),
        json.dumps(whole | {"entries": []}),
    ]
    for text in broken:
        (tmp_path / "keys.json").write_text(text)
        with refused(ErrorCode.SETTING_INVALID):
            KeyFile(tmp_path / "keys.json", PASSPHRASE)
    with refused(ErrorCode.SETTING_INVALID):
        KeyFile(tmp_path / "missing.json", PASSPHRASE)
