"""A disk below SQLite that says what it would hold if power failed now.

A VFS of `apsw`, all in memory. Of each file it knows what is synced and, in order, what was written
since. A disk after a loss of power has the synced bytes and some sectors of the others: which ones,
chance decides. Until the folder is synced, a new file may be gone, and a deleted one be back.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import apsw

SECTOR: Final = 512
_NUMBERS: Final = count()
_JOURNALS: Final = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL


@dataclass(slots=True)
class File:
    """What a reader sees, what is safe, and what was done since: (offset, bytes), or a size."""

    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    is_named: bool = False  # its name is safe
    is_deleted: bool = False

    def write(self, offset: int, data: bytes) -> None:
        """As every write, beyond the end too."""
        _put(self.now, offset, data)
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        """To this size."""
        del self.now[size:]
        self.pending.append((size, None))

    def sync(self) -> None:
        """All that was done is safe."""
        self.synced, self.pending = bytes(self.now), []

    def survive(self, dice: random.Random, share: float) -> bytes | None:
        """What is there after a loss of power; None: no such file."""
        if not self.is_named and dice.random() >= share:
            return None
        kept = bytearray(self.synced)
        for offset, data in self.pending:
            if data is None:
                if dice.random() < share:
                    del kept[offset:]
                continue
            for start, piece in _cut(offset, data):
                if dice.random() < share:
                    _put(kept, start, piece)
        return bytes(kept)


class Disk(apsw.VFS):
    """Files by name; `watch` is called at every write, sync and deletion, before it is done."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.name = f"disk {next(_NUMBERS)}"
        self.files = {
            name: File(bytearray(data), data, is_named=True) for name, data in (files or {}).items()
        }
        self.watch: Callable[[], None] = lambda: None
        self.syncs = 0
        super().__init__(self.name, "")

    def lose_power(self, dice: random.Random) -> dict[str, bytes]:
        """The files as they would be found; the disk itself goes on."""
        share = dice.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        found: dict[str, bytes] = {}
        for name, file in self.files.items():
            if file.is_deleted and dice.random() < share:
                continue
            data = file.survive(dice, share)
            if data is not None:
                found[name] = data
        return found

    def sync_names(self) -> None:
        """The folder is synced: what is new has its name, what is deleted is gone."""
        self.files = {name: file for name, file in self.files.items() if not file.is_deleted}
        for file in self.files.values():
            file.is_named = True

    # SQLite's name; what is asked of the handle is all there
    def xOpen(  # type: ignore[override]  # noqa: N802  # see above
        self, name: object, flags: list[int]
    ) -> "Handle":
        """A file; made if it is not there."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        file = self.files.get(path)
        is_new = file is None or file.is_deleted
        if file is None or file.is_deleted:
            file = self.files[path] = File()
        flags[1] = flags[0]
        return Handle(self, file, does_sync_names=is_new and bool(flags[0] & _JOURNALS))

    def xAccess(self, path: str, _flags: int) -> bool:  # noqa: N802  # SQLite's name
        """Whether it is there."""
        return path in self.files and not self.files[path].is_deleted

    def xDelete(self, path: str, is_synced: bool) -> None:  # noqa: N802  # SQLite's way
        """Gone at once; for good only when its folder is synced."""
        self.watch()
        self.files[path].is_deleted = True
        if is_synced:
            self.sync_names()

    def xFullPathname(self, path: str) -> str:  # noqa: N802  # SQLite's name
        """There are no folders."""
        return path


class Handle:
    """An open file; one connection only, so locks are always given."""

    def __init__(self, disk: Disk, file: File, *, does_sync_names: bool) -> None:
        self._disk = disk
        self._file = file
        self._does_sync_names = does_sync_names

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802  # SQLite's name
        """Shorter at the end."""
        return bytes(self._file.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # SQLite's name
        """Not safe yet."""
        self._disk.watch()
        self._file.write(offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802  # SQLite's name
        """Not safe yet."""
        self._disk.watch()
        self._file.truncate(size)

    def xSync(self, _flags: int) -> None:  # noqa: N802  # SQLite's name
        """Safe from here on; SQLite on Unix syncs the folder with a journal's first sync."""
        self._disk.watch()
        self._disk.syncs += 1
        self._file.sync()
        if self._does_sync_names:
            self._disk.sync_names()
            self._does_sync_names = False

    def xFileSize(self) -> int:  # noqa: N802  # SQLite's name
        """In bytes."""
        return len(self._file.now)

    def xClose(self) -> None:  # noqa: N802  # SQLite's name
        """Syncs nothing."""

    def xLock(self, _level: int) -> None:  # noqa: N802  # SQLite's name
        """Ours."""

    def xUnlock(self, _level: int) -> None:  # noqa: N802  # SQLite's name
        """Nobody waits for it."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802  # SQLite's name
        """Nobody else is there."""
        return False

    def xFileControl(self, _op: int, _pointer: int) -> bool:  # noqa: N802  # SQLite's name
        """Nothing of its own."""
        return False

    def xSectorSize(self) -> int:  # noqa: N802  # SQLite's name
        """What is written whole or not."""
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802  # SQLite's name
        """As SQLite takes every disk to be: bytes beside a write are not touched by it."""
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


def _put(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _cut(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    """At the borders of sectors."""
    pieces, start = [], 0
    while start < len(data):
        end = min(len(data), start + SECTOR - (offset + start) % SECTOR)
        pieces.append((offset + start, data[start:end]))
        start = end
    return pieces
