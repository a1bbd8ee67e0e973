"""Files that are whole or not there: written beside their place, synced, renamed, folder synced."""

import errno
import os
import stat
from pathlib import Path

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


def read_limited(folder: Path, path: str, size_max: int) -> bytes:
    """The file's bytes; `log_invalid` if it is no regular file, `limit_exceeded` if too long."""
    try:
        data = read_regular(folder / path, size_max, os.O_NOFOLLOW)
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        what = "a symbolic link" if is_link else error.strerror
        raise SpecieError(ErrorCode.LOG_INVALID, f"{path}: {what}") from None
    if len(data) > size_max:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{path} is too long")
    return data


def read_regular(place: Path, size_max: int, flags: int = 0) -> bytes:
    """At most `size_max` + 1 bytes of it; `OSError` if it is no regular file. Never waits."""
    handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(min(found.st_size, size_max) + 1)
            if len(data) > found.st_size:  # it has grown since: the limit is for what is read
                data += file.read(max(0, size_max + 1 - len(data)))
            return data
    finally:
        os.close(handle)


def replace_durably(folder: Path, path: str, data: bytes) -> None:
    """The new bytes or the old ones, whatever happens; `store_unusable` if it cannot be."""
    try:
        _replace(folder / path, data)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path}: {error.strerror}") from None


def _replace(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(place.name + ".new")
    draft.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o666), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
