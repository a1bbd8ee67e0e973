"""Institutions' secrets in one encrypted file (X7)."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import (
    InstitutionKey,
    KeyTree,
    ScanKey,
    SealingKey,
    SigningKey,
    SpendKey,
    ViewKey,
    VrfKey,
    WalletSecret,
)
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


def test_nobody_else_may_read_it_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the process stops as soon as it has its name."""
    keys = KeyFile.create(tmp_path / "keys.json", PASSPHRASE, SALT)

    def stop(folder: Path) -> None:
        raise KeyboardInterrupt(folder)

    monkeypatch.setattr("specie.store.durable_files.sync_folder", stop)
    with pytest.raises(KeyboardInterrupt):
        keys.put_secret("tls", b"x")
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert KeyFile(tmp_path / "keys.json", PASSPHRASE).get_secret("tls") == b"x"


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


def test_another_passphrase(tmp_path: Path) -> None:
    """Every kind of key is what it was; the file of before opens with the passphrase of before."""
    path = tmp_path / "keys.json"
    keys = KeyFile.create(path, PASSPHRASE, SALT)
    tree, seal = KeyTree.generate(), SealingKey.generate()
    kept: dict[str, Any] = {
        "institution": InstitutionKey.generate(),
        "attestation": SigningKey.generate(),
        "scan": ScanKey.generate(),
        "cosigner": CosignerKey.generate(),
        "directory": VrfKey.generate(),
    }
    for name, key in kept.items():
        keys.put(name, key)
    held: dict[str, Any] = {"tree": tree, "view": tree.view_key(0), "spend": tree.spend_key(0)}
    for name, handle in (*held.items(), ("wallet", tree.wallet_secret(0))):
        keys.put(name, handle)
    keys.put_sealing_key("storage", seal)
    keys.put_secret("tls", b"a password of another library")
    before, names = path.read_bytes(), keys.list_names()

    keys.change_passphrase("battery staple", SALT[::-1])
    for opened in (keys, KeyFile(path, "battery staple")):
        assert opened.list_names() == names
        for name, key in kept.items():
            assert opened.get(name, type(key).unseal).public == key.public
        assert opened.get("tree", KeyTree.unseal).phrase() == tree.phrase()
        assert opened.get("view", ViewKey.unseal).public == tree.view_key(0).public
        assert opened.get("spend", SpendKey.unseal).public == tree.spend_key(0).public
        opened.get("wallet", WalletSecret.unseal)
        assert opened.get_sealing_key("storage").open(seal.seal(b"x", b""), b"") == b"x"
        assert opened.get_secret("tls") == b"a password of another library"
    with refused(ErrorCode.PASSPHRASE_WRONG):
        KeyFile(path, PASSPHRASE)
    keys.put_secret("later", b"x")
    assert KeyFile(path, "battery staple").get_secret("later") == b"x"
    path.write_bytes(before)
    assert KeyFile(path, PASSPHRASE).list_names() == names


def test_a_passphrase_that_cannot_be_changed(filled: Path, tmp_path: Path) -> None:
    """Nothing is changed: not for an empty one, nor if an entry does not open."""
    path = tmp_path / "keys.json"
    path.write_bytes(filled.read_bytes())
    with refused(ErrorCode.SETTING_INVALID):
        KeyFile(path, PASSPHRASE).change_passphrase("", SALT[::-1])
    assert path.read_bytes() == filled.read_bytes()
    found = json.loads(filled.read_text())
    found["entries"]["tls"] = found["entries"]["data"]
    path.write_text(json.dumps(found))
    before = path.read_bytes()
    with refused(ErrorCode.SEALED_INVALID):
        KeyFile(path, PASSPHRASE).change_passphrase("battery staple", SALT[::-1])
    assert path.read_bytes() == before


def test_who_has_it_open_does_not_undo_it(filled: Path, tmp_path: Path) -> None:
    """A process that runs on with what it has read."""
    path = tmp_path / "keys.json"
    path.write_bytes(filled.read_bytes())
    running = KeyFile(path, PASSPHRASE)
    KeyFile(path, PASSPHRASE).change_passphrase("battery staple", SALT[::-1])
    assert running.get_secret("tls") == b"a password of another library"
    with refused(ErrorCode.SETTING_INVALID):
        running.put_secret("later", b"x")
    assert KeyFile(path, "battery staple").list_names() == running.list_names()


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


_PUTTING = """
import sys
from pathlib import Path
from specie.store.key_file import KeyFile

keys = KeyFile(Path(sys.argv[1]), sys.argv[2])
print("open", flush=True)
sys.stdin.readline()
for number in range(20):
    keys.put_secret(f"{sys.argv[3]}-{number}", sys.argv[3].encode())
"""


def test_two_processes_do_not_lose_each_others_keys(tmp_path: Path) -> None:
    """A process that runs and a command beside it: both have read the file before either writes."""
    path = tmp_path / "keys.json"
    mine = KeyFile.create(path, PASSPHRASE, SALT)
    names = ("one", "two")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _PUTTING, str(path), PASSPHRASE, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "open\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in running:
        one.communicate()
        assert one.returncode == 0
    mine.put_secret("mine", b"of who has opened it first")
    found = KeyFile(path, PASSPHRASE)
    wanted = {f"{name}-{number}" for name in names for number in range(20)}
    assert set(found.list_names()) == set(mine.list_names()) == wanted | {"mine"}
    assert found.get_secret("two-19") == b"two"


def test_threads_change_it_one_after_the_other(tmp_path: Path) -> None:
    keys = KeyFile.create(tmp_path / "keys.json", PASSPHRASE, SALT)
    seen: list[str] = []

    def work(name: str) -> None:
        with keys.changing():
            for number in range(5):
                keys.put_secret(f"{name}-{number}", b"x")
                seen.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(KeyFile(tmp_path / "keys.json", PASSPHRASE).list_names()) == 15
    assert [seen[start] for start in (0, 5, 10)] == [seen[start + 4] for start in (0, 5, 10)]


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    keys = KeyFile.create(tmp_path / "keys.json", PASSPHRASE, SALT)
    other = KeyFile(tmp_path / "keys.json", PASSPHRASE)
    for name in ("one", "two", "three"):
        keys.put_secret(name, name.encode())
    other.remove(["one", "nothing", "check"])
    keys.remove(["two"])
    for found in (keys, KeyFile(tmp_path / "keys.json", PASSPHRASE)):
        assert found.list_names() == ["three"]
        with refused(ErrorCode.SETTING_INVALID):
            found.get_secret("one")
    assert b"one" not in (tmp_path / "keys.json").read_bytes()


def test_another_file_in_its_place_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = KeyFile.create(path, PASSPHRASE, SALT)
    path.unlink()
    KeyFile.create(path, PASSPHRASE, bytes(16)).put_secret("other", b"x")
    with refused(ErrorCode.SETTING_INVALID):
        keys.put_secret("mine", b"x")
    with refused(ErrorCode.SETTING_INVALID):
        keys.remove(["other"])
    assert KeyFile(path, PASSPHRASE).list_names() == ["other"]
