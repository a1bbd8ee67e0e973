"""A copy of a process' folder in one file: consistent while it runs, checked when it is put back.

    tar:  MANIFEST (sha256 and size of each file) ‖ files, the database last

The published log and the archive are copied before the database: a database that is ahead of its
log publishes again what is missing, one that is behind is another history. Keys stay sealed under
the passphrase, which is not in it.
"""

import hashlib
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from specie.store.durable_files import replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_MANIFEST: Final = "MANIFEST"
_FORMAT: Final = "specie backup v1"
_KEYS: Final = "keys.json"
_DATABASE: Final = ".db"
_SETTINGS: Final = ("settings.toml", "core-bank.toml")  # of an institution, of a core bank
_LEFT_OUT: Final = ("-wal", "-shm", "-journal", ".sock", ".lock")
_CHUNK: Final = 1 << 20
_FILES_MAX: Final = 10_000_000


def back_up(folder: Path, target: Path) -> int:
    """Write it, readable for its owner alone; gives how many files are in it.

    `setting_invalid` if the target is there, or the folder is no process'.
    """
    if target.exists():
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{target}: there already")
    if not any((folder / name).is_file() for name in _SETTINGS):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{folder}: no settings.toml in it")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
        places = list(_collect(folder, Path(scratch)))
        entries = {name: _describe(path) for name, path in places}
        manifest = Path(scratch) / _MANIFEST
        manifest.write_text(json.dumps({"format": _FORMAT, "files": entries}))
        draft = Path(scratch) / "draft"
        _write(draft, [(_MANIFEST, manifest), *places])
        draft.rename(target)
    return len(places)


def restore(source: Path, folder: Path) -> int:
    """Into a folder that is empty or not there; all of it or, after an error, nothing to start.

    `sealed_invalid` if a file is not what was backed up.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{folder}: not empty")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    try:
        with tarfile.open(source) as archive:
            entries = _read_manifest(archive)
            last = sorted(entries, key=lambda name: name in _SETTINGS)  # without: no process
            for name in last:
                _put_back(archive, name, entries[name], folder)
    except tarfile.TarError:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{source}: not a backup") from None
    except OSError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{source}: {error.strerror}") from None
    return len(entries)


def _write(draft: Path, places: Sequence[tuple[str, Path]]) -> None:
    with draft.open("xb") as file:
        draft.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name, path in places:
                archive.add(path, name, recursive=False)
        file.flush()
        os.fsync(file.fileno())


def _collect(folder: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Names and where to read them; databases by SQLite's own online copy, after the rest.

    Then the file of keys: what seals a row is there before the row, and is never removed.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    plain = [path for path in found if not path.name.endswith((_DATABASE, *_LEFT_OUT))]
    keys = [path for path in plain if path.name == _KEYS]
    plain = [path for path in plain if path.name != _KEYS]
    for number, path in enumerate(plain):
        copy = scratch / str(number)  # what is read must not change between hash and archive
        copy.write_bytes(path.read_bytes())
        yield str(path.relative_to(folder)), copy
    for path in found:
        if path.name.endswith(_DATABASE):
            copy = scratch / path.name
            _copy_database(path, copy)
            yield str(path.relative_to(folder)), copy
    for number, path in enumerate(keys, start=len(plain)):
        copy = scratch / str(number)
        copy.write_bytes(path.read_bytes())
        yield str(path.relative_to(folder)), copy


def _copy_database(path: Path, copy: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path.name}: {error}") from None


def _describe(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return {"sha256": digest.hexdigest(), "size": path.stat().st_size}


def _read_manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    try:
        file = archive.extractfile(_MANIFEST)
        found = json.loads(file.read()) if file else {}
        files = found["files"]
        is_ours = found["format"] == _FORMAT and len(files) <= _FILES_MAX
        names = [Path(name) for name in files]
    except (KeyError, ValueError, TypeError):
        is_ours, files, names = False, {}, []
    if not is_ours or any(one.is_absolute() or ".." in one.parts for one in names):
        raise SpecieError(ErrorCode.SETTING_INVALID, "not a backup of a process' folder")
    return dict(files)


def _put_back(archive: tarfile.TarFile, name: str, entry: Any, folder: Path) -> None:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    data = file.read() if file else b""
    expected = (entry["size"], entry["sha256"]) if isinstance(entry, dict) else (0, "")
    if (len(data), hashlib.sha256(data).hexdigest()) != expected:
        raise SpecieError(ErrorCode.SEALED_INVALID, f"{name}: not what was backed up")
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_durably(folder, name, data)
    place.chmod(0o600)
