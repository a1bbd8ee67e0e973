"""Files that are whole or not there: written beside their place, synced, renamed, folder synced."""

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_FOR_ALL: Final = 0o666
_OPEN_AT_ONCE: Final = 128  # files; a process may have a thousand or so


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


def replace_durably(folder: Path, path: str, data: bytes, mode: int = _FOR_ALL) -> None:
    """The new bytes or the old ones, whatever happens; `store_unusable` if it cannot be."""
    replace_all_durably(folder, {path: data}, mode)


def replace_all_durably(folder: Path, files: Mapping[str, bytes], mode: int = _FOR_ALL) -> None:
    """Of each file the new bytes or the old ones; what is named is synced, and so is its name.

    `mode` is who may read and write it, from the first byte on, less what the process forbids.
    """
    for start in range(0, len(files), _OPEN_AT_ONCE):
        _replace_some(folder, dict(islice(files.items(), start, start + _OPEN_AT_ONCE)), mode)
    for parent in sorted({(folder / path).parent for path in files}):
        sync_folder(parent)


def sync_folder(folder: Path) -> None:
    """So that names of files in it, new or changed, are durable too; `store_unusable`."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{folder.name}: {error.strerror}") from None


def _replace_some(folder: Path, files: Mapping[str, bytes], mode: int) -> None:
    """All are written before the first is synced: a file system syncs its journal once for them."""
    path = ""
    try:
        with ExitStack() as stack:
            drafts = []
            for path, data in files.items():
                drafts.append(stack.enter_context(_write_draft(folder / path, data, mode)))
            for draft in drafts:
                os.fsync(draft.fileno())
        for path in files:
            _name_draft(folder / path).replace(folder / path)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path}: {error.strerror}") from None


def _name_draft(place: Path) -> Path:
    return place.with_name(place.name + ".new")


def _write_draft(place: Path, data: bytes, mode: int) -> BinaryIO:
    """Written, not synced."""
    file = os.fdopen(_open_draft(_name_draft(place), mode), "wb")
    try:
        file.write(data)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def _open_draft(draft: Path, mode: int) -> int:
    """A new file; what a stop has left in its place is removed, its folder is made if need be."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(draft, flags, mode)
    except FileNotFoundError:
        draft.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        draft.unlink()
    return os.open(draft, flags, mode)
