"""One writer at a time, of all processes: an advisory lock (flock) beside what is written.

The lock ends with its holder, however that ends; its file is empty, its owner's alone, and stays.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import DATABASE_BUSY_MS_MAX

_PAUSE_S: Final = 0.005


@contextmanager
def lock_file(place: Path) -> Iterator[None]:
    """Of a file or folder; `store_unusable` if it is not had within the time a database waits.

    Not twice at once in one thread: the second waits for the first.
    """
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(place.with_name(f".{place.name}.lock"), flags, 0o600)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"the lock: {error.strerror}") from None
    try:
        _wait(handle)
        yield
    finally:
        os.close(handle)


@contextmanager
def lock_opened(file: Path) -> Iterator[None]:
    """The file itself, for all who may read it; none at all for who may not."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _wait(handle)
        yield
    finally:
        os.close(handle)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """The folder itself, with no file beside it, for as long as something runs on it.

    Whoever comes second does not wait: `store_unusable`.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{folder}: {error.strerror}") from None
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        reason = f"{folder}: another process runs on it"
        raise SpecieError(ErrorCode.STORE_UNUSABLE, reason) from None


def _wait(handle: int) -> None:
    until = time.monotonic() + DATABASE_BUSY_MS_MAX / 1e3
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise SpecieError(ErrorCode.STORE_UNUSABLE, "another writer does not end") from None
            time.sleep(_PAUSE_S)
        else:
            return
