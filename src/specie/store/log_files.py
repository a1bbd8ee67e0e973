"""The published folder: static files that any web server could serve, written atomically.

A file is written beside its place, synced, and renamed; the checkpoint comes last, so a reader
never sees a checkpoint that its tiles do not cover.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from specie.log.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    compute_tile_root,
    format_tile_path,
    iterate_bundles,
    pack_bundle,
    unpack_bundle,
)
from specie.log.tree import compute_leaf_hash
from specie.values.catalogue import ErrorCode
from specie.values.encoding import split_fixed
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import LOG_FILE_BYTES_MAX

_HASH_SIZE: Final = 32


class LogFolder:
    """`LogWriter` on a folder; also its reader."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write_leaves(self, first: int, leaves: Sequence[bytes]) -> None:
        """Leaves from position `first` on, with the hashes above them; again is the same."""
        start = first - first % TILE_WIDTH
        bundle = self._read_bundle(start // TILE_WIDTH, first - start)
        whole = [*bundle, *leaves]
        for offset in range(0, len(whole), TILE_WIDTH):
            part = whole[offset : offset + TILE_WIDTH]
            number = (start + offset) // TILE_WIDTH
            self._write_file(format_tile_path("entries", number, len(part)), pack_bundle(part))
        self._write_hashes(0, first, [compute_leaf_hash(leaf) for leaf in leaves])

    def write_checkpoint(self, note: str) -> None:
        """Last, so that no reader sees a checkpoint that the tiles do not cover."""
        self._write_file(CHECKPOINT_PATH, note.encode())

    def read_checkpoint(self) -> str:
        """The signed note as text."""
        try:
            return self._read_file(CHECKPOINT_PATH).decode()
        except UnicodeDecodeError:
            raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not text") from None

    def iterate_leaves(self, size: int) -> Iterator[bytes]:
        """The first `size` leaves in order, one bundle in memory at a time."""
        for number, width in iterate_bundles(size):
            leaves = self._read_bundle(number, width)
            if len(leaves) != width:
                raise SpecieError(
                    ErrorCode.LOG_INVALID, f"bundle {number} holds {len(leaves)} of {width} leaves"
                )
            yield from leaves

    def _read_bundle(self, number: int, width: int) -> list[bytes]:
        if width == 0:
            return []
        return unpack_bundle(self._read_file(format_tile_path("entries", number, width)))

    def _write_hashes(self, level: int, first: int, hashes: list[Digest]) -> None:
        """Hashes of one level from place `first` on, then those of the full tiles above."""
        start = first - first % TILE_WIDTH
        whole = [*self._read_hashes(level, start // TILE_WIDTH, first - start), *hashes]
        roots: list[Digest] = []
        for offset in range(0, len(whole), TILE_WIDTH):
            part = whole[offset : offset + TILE_WIDTH]
            number = (start + offset) // TILE_WIDTH
            self._write_file(format_tile_path(str(level), number, len(part)), b"".join(part))
            if len(part) == TILE_WIDTH:
                roots.append(compute_tile_root(part))
        if roots:
            self._write_hashes(level + 1, start // TILE_WIDTH, roots)

    def _read_hashes(self, level: int, number: int, width: int) -> list[Digest]:
        if width == 0:
            return []
        data = self._read_file(format_tile_path(str(level), number, width))
        return [Digest(one) for one in split_fixed(data, _HASH_SIZE)]

    def _read_file(self, path: str) -> bytes:
        place = self._folder / path
        try:
            if place.stat().st_size > LOG_FILE_BYTES_MAX:
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{path} is too long")
            return place.read_bytes()
        except OSError as error:
            raise SpecieError(ErrorCode.LOG_INVALID, f"{path}: {error.strerror}") from None

    def _write_file(self, path: str, data: bytes) -> None:
        try:
            _replace_durably(self._folder / path, data)
        except OSError as error:
            raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path}: {error.strerror}") from None


def _replace_durably(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(place.name + ".new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
