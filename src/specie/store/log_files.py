"""The published folder: static files that any web server could serve, written atomically.

A file is written beside its place, synced, and renamed; the checkpoint comes last, so a reader
never sees a checkpoint that its tiles do not cover.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignedLine, append_lines, parse_note
from specie.log.tiles import (
    CHECKPOINT_PATH,
    TILE_HEIGHT,
    TILE_WIDTH,
    compute_tile_root,
    format_tile_path,
    iterate_bundles,
    iterate_partial_folders,
    iterate_tile_paths,
    pack_bundle,
    unpack_bundle,
)
from specie.log.tree import compute_leaf_hash
from specie.store.durable_files import read_limited, replace_all_durably, replace_durably
from specie.store.file_locks import lock_file
from specie.values.catalogue import ErrorCode
from specie.values.encoding import split_fixed
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import LOG_FILE_BYTES_MAX

_HASH_SIZE: Final = 32
_TILES_KEPT_MAX: Final = 4096  # 32 MiB


class LogFolder:
    """`LogWriter` on a folder; also its reader."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tiles: dict[tuple[int, int, int], list[Digest]] = {}
        self._tidy_from = 0
        self._has_drafts = True  # there may be some, from before

    def write_leaves(self, first: int, leaves: Sequence[bytes]) -> list[Digest]:
        """Leaves from position `first` on, with the hashes above them; gives the leaves' hashes.

        Again is the same.
        """
        files: dict[str, bytes] = {}
        start = first - first % TILE_WIDTH
        path = self._find_edge("entries", start // TILE_WIDTH, first - start)
        bundle = unpack_bundle(self._read_file(path)) if path else []
        whole = [*bundle[: first - start], *leaves]
        for offset in range(0, len(whole), TILE_WIDTH):
            part = whole[offset : offset + TILE_WIDTH]
            number = (start + offset) // TILE_WIDTH
            files[format_tile_path("entries", number, len(part))] = pack_bundle(part)
        hashes = [compute_leaf_hash(leaf) for leaf in leaves]
        self._add_hashes(files, 0, first, hashes)
        replace_all_durably(self._folder, files)
        return hashes

    def write_checkpoint(self, note: str, size: int) -> None:
        """Last, so that no reader sees a checkpoint that the tiles do not cover.

        Partial tiles of earlier checkpoints are removed after it: the folder holds exactly what
        the checkpoint covers, so an auditor can insist on it. What is there already under the
        same checkpoint stays, with the lines of others below it.
        """
        data = note.encode()
        with lock_file(self._folder):
            self._remove_drafts()
            if not self._read_present().startswith(data):
                self._write_file(CHECKPOINT_PATH, data)
        self._remove_superseded(size)
        self._tidy_from = size

    def add_lines(self, checkpoint: Checkpoint, lines: Sequence[SignedLine]) -> str:
        """More lines under this very checkpoint; gives the note. `log_invalid` if it is another.

        Under the lock that the log's own writer takes: neither overwrites what the other wrote.
        """
        with lock_file(self._folder):
            present = self.read_checkpoint()
            if parse_note(present)[0] != checkpoint:
                raise SpecieError(ErrorCode.LOG_INVALID, "the log has grown meanwhile")
            whole = append_lines(present, lines)
            self._write_file(CHECKPOINT_PATH, whole.encode())
        return whole

    def list_files(self, expected: Iterable[str]) -> set[str]:
        """Every file below the folder, as a path from it.

        `log_invalid` names what is neither a regular file nor a folder above an expected one:
        links, devices, folders too many. No link is followed.
        """
        folders = _collect_folders(expected)
        found: set[str] = set()
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for entry in self._scan(folder):
                path = f"{folder}{entry.name}"
                if entry.is_file(follow_symlinks=False):
                    found.add(path)
                elif entry.is_dir(follow_symlinks=False) and f"{path}/" in folders:
                    waiting.append(f"{path}/")
                else:
                    raise SpecieError(ErrorCode.LOG_INVALID, f"{path}: does not belong there")
        return found

    def read_checkpoint(self) -> str:
        """The signed note as text."""
        try:
            return self._read_file(CHECKPOINT_PATH).decode()
        except UnicodeDecodeError:
            raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not text") from None

    def find_checkpoint(self) -> str | None:
        """The signed note; None if nothing was published. `log_invalid` if it cannot be read."""
        return self.read_checkpoint() if (self._folder / CHECKPOINT_PATH).exists() else None

    def iterate_leaves(self, size: int, start: int = 0) -> Iterator[bytes]:
        """Leaves start … size - 1 in order, one bundle in memory at a time."""
        for number, width in iterate_bundles(size, start):
            leaves = self._read_bundle(number, width)
            if len(leaves) != width:
                raise SpecieError(
                    ErrorCode.LOG_INVALID, f"bundle {number} holds {len(leaves)} of {width} leaves"
                )
            yield from leaves[max(0, start - number * TILE_WIDTH) :]

    def read_hash(self, level: int, number: int, size: int) -> Digest:
        """Hash of the complete subtree of 2**level leaves from leaf number·2**level on."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = number << height
        tile = first // TILE_WIDTH
        count = size >> (TILE_HEIGHT * tile_level)
        width = min(TILE_WIDTH, count - tile * TILE_WIDTH)
        hashes = self._read_tile(tile_level, tile, width)
        start = first % TILE_WIDTH
        part = hashes[start : start + (1 << height)]
        if len(part) != 1 << height:
            raise SpecieError(ErrorCode.LOG_INVALID, "a tile does not reach so far")
        return compute_tile_root(part)

    def _remove_drafts(self) -> None:
        """What a stop has left beside its place, once after each start: nobody else writes here."""
        if self._has_drafts:
            for draft in self._folder.rglob("*.new"):
                draft.unlink(missing_ok=True)
        self._has_drafts = False

    def _read_present(self) -> bytes:
        """The checkpoint as it stands, whatever it is; nothing if there is none."""
        try:
            return self._read_file(CHECKPOINT_PATH)
        except SpecieError:
            return b""

    def _scan(self, folder: str) -> list[os.DirEntry[str]]:
        """What stands in a folder, by name."""
        try:
            with os.scandir(self._folder / folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            what = f"{folder or 'the folder'}: {error.strerror}"
            raise SpecieError(ErrorCode.LOG_INVALID, what) from None

    def _read_tile(self, level: int, number: int, width: int) -> list[Digest]:
        key = (level, number, width)
        found = self._tiles.get(key)
        if found is None:
            if len(self._tiles) >= _TILES_KEPT_MAX:
                self._tiles.clear()
            found = self._tiles[key] = self._read_hashes(level, number, width)
        return found

    def _remove_superseded(self, size: int) -> None:
        expected = set(iterate_tile_paths(size, self._tidy_from))
        for path in iterate_partial_folders(size, self._tidy_from):
            folder = self._folder / path
            if not folder.is_dir():
                continue
            for file in folder.iterdir():
                if file.relative_to(self._folder).as_posix() not in expected:
                    file.unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()

    def _read_bundle(self, number: int, width: int) -> list[bytes]:
        if width == 0:
            return []
        return unpack_bundle(self._read_file(format_tile_path("entries", number, width)))

    def _add_hashes(
        self, files: dict[str, bytes], level: int, first: int, hashes: list[Digest]
    ) -> None:
        """Hashes of one level from place `first` on, then those of the full tiles above."""
        start = first - first % TILE_WIDTH
        path = self._find_edge(str(level), start // TILE_WIDTH, first - start)
        known = split_fixed(self._read_file(path), _HASH_SIZE) if path else []
        whole = [*map(Digest, known[: first - start]), *hashes]
        roots: list[Digest] = []
        for offset in range(0, len(whole), TILE_WIDTH):
            part = whole[offset : offset + TILE_WIDTH]
            number = (start + offset) // TILE_WIDTH
            files[format_tile_path(str(level), number, len(part))] = b"".join(part)
            if len(part) == TILE_WIDTH:
                roots.append(compute_tile_root(part))
        if roots:
            self._add_hashes(files, level + 1, start // TILE_WIDTH, roots)

    def _find_edge(self, name: str, number: int, width: int) -> str | None:
        """The narrowest file that holds the first `width` entries of a tile; None for none."""
        if width == 0:
            return None
        paths = (format_tile_path(name, number, one) for one in range(width, TILE_WIDTH + 1))
        exact = format_tile_path(name, number, width)
        return next((path for path in paths if (self._folder / path).is_file()), exact)

    def _read_hashes(self, level: int, number: int, width: int) -> list[Digest]:
        if width == 0:
            return []
        data = self._read_file(format_tile_path(str(level), number, width))
        return [Digest(one) for one in split_fixed(data, _HASH_SIZE)]

    def _read_file(self, path: str) -> bytes:
        return read_limited(self._folder, path, LOG_FILE_BYTES_MAX)

    def _write_file(self, path: str, data: bytes) -> None:
        replace_durably(self._folder, path, data)


def _collect_folders(paths: Iterable[str]) -> set[str]:
    """Every folder above one of the files, each with its slash."""
    folders: set[str] = set()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and f"{above}/" not in folders:
            folders.add(f"{above}/")
            above = above.rpartition("/")[0]
    return folders
