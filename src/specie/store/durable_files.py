"""Files that are whole or not there: written beside their place, synced, renamed, folder synced."""

import os
from pathlib import Path

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


def read_limited(folder: Path, path: str, size_max: int) -> bytes:
    """The file's bytes; `log_invalid` if it is not there, `limit_exceeded` if it is too long."""
    place = folder / path
    try:
        if place.stat().st_size > size_max:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{path} is too long")
        return place.read_bytes()
    except OSError as error:
        raise SpecieError(ErrorCode.LOG_INVALID, f"{path}: {error.strerror}") from None


def replace_durably(folder: Path, path: str, data: bytes) -> None:
    """The new bytes or the old ones, whatever happens; `store_unusable` if it cannot be."""
    try:
        _replace(folder / path, data)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path}: {error.strerror}") from None


def _replace(place: Path, data: bytes) -> None:
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
