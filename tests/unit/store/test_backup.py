"""Backups: consistent, complete, checked (X12)."""

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from specie.store.backup import back_up, restore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.country import refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "bank-2"
    (place / "public" / "tile").mkdir(parents=True)
    (place / "settings.toml").write_text('service = "bank-2"\n')
    (place / "public" / "tile" / "000").write_bytes(bytes(range(256)))
    (place / "control.sock").write_text("")
    with closing(sqlite3.connect(place / "bank.db")) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x INTEGER)")
        connection.execute("INSERT INTO t VALUES (7)")
    return place


def read_rows(path: Path) -> list[tuple[int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT x FROM t").fetchall()


def test_what_was_backed_up_comes_back(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.tar"
    assert back_up(folder, target) == 3
    assert target.stat().st_mode & 0o777 == 0o600
    assert restore(target, tmp_path / "again") == 3
    assert (tmp_path / "again/public/tile/000").read_bytes() == bytes(range(256))
    assert read_rows(tmp_path / "again/bank.db") == [(7,)]
    assert not (tmp_path / "again/control.sock").exists()


def test_it_is_consistent_while_others_write(folder: Path, tmp_path: Path) -> None:
    """An open transaction is not in it, what was committed to the write-ahead log is."""
    with closing(sqlite3.connect(folder / "bank.db", isolation_level=None)) as writer:
        writer.execute("INSERT INTO t VALUES (8)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (9)")
        back_up(folder, tmp_path / "backup.tar")
        writer.execute("ROLLBACK")
    restore(tmp_path / "backup.tar", tmp_path / "again")
    assert read_rows(tmp_path / "again/bank.db") == [(7,), (8,)]


def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.tar"
    back_up(folder, target)
    with refused(ErrorCode.SETTING_INVALID):
        back_up(folder, target)
    with refused(ErrorCode.SETTING_INVALID):
        restore(target, folder)
    with refused(ErrorCode.SETTING_INVALID):
        back_up(tmp_path / "nothing", tmp_path / "other.tar")


def test_another_file_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n" * 40)
    for name, why in (("passwd", "not a backup"), ("nothing", "No such file or directory")):
        with pytest.raises(SpecieError) as caught:
            restore(tmp_path / name, tmp_path / "again")
        assert str(caught.value) == f"setting_invalid: {tmp_path / name}: {why}"


def rewrite(source: Path, target: Path, name: str, data: bytes | None) -> None:
    """The same archive with one file changed, or left out."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file is not None
            found = file.read() if member.name != name else data
            if found is not None:
                place = target.parent / "part"
                place.write_bytes(found)
                new.add(place, member.name)


@pytest.mark.parametrize("data", [b"\x00" * 256, b"", None])
def test_a_changed_file_is_named_and_nothing_starts(
    folder: Path, tmp_path: Path, data: bytes | None
) -> None:
    back_up(folder, tmp_path / "backup.tar")
    rewrite(tmp_path / "backup.tar", tmp_path / "bad.tar", "public/tile/000", data)
    with pytest.raises(Exception, match="public/tile/000"):
        restore(tmp_path / "bad.tar", tmp_path / "again")
    assert not (tmp_path / "again/settings.toml").exists()


def test_a_file_outside_is_refused(folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup.tar")
    for name in ("../outside", "/outside"):
        text = json.dumps({"format": "specie backup v1", "files": {name: {}}})
        rewrite(tmp_path / "backup.tar", tmp_path / "bad.tar", "MANIFEST", text.encode())
        with refused(ErrorCode.SETTING_INVALID):
            restore(tmp_path / "bad.tar", tmp_path / "again")


def test_what_is_no_backup_is_refused(folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup.tar")
    (tmp_path / "text").write_text("no archive")
    rewrite(tmp_path / "backup.tar", tmp_path / "bare.tar", "MANIFEST", None)
    rewrite(tmp_path / "backup.tar", tmp_path / "odd.tar", "MANIFEST", b"[]")
    for name in ("text", "bare.tar", "odd.tar", "missing"):
        with refused(ErrorCode.SETTING_INVALID):
            restore(tmp_path / name, tmp_path / "again")
