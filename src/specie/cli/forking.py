"""Processes that begin as copies of this one: what takes long to import is imported once.

    specie up ── imports everything, opens nothing ──┬── fork ── serve notary
                                                     ├── fork ── serve bank-2
                                                     └── fork ── …

Who forks has no thread, no connection and no key: a copy has nothing that it would not have as a
process of its own. What draws keys is a copy as well (`call_apart`), and ends before the others
begin.
"""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn, TypeVar, cast

from setproctitle import setproctitle

from specie.cli.app import main
from specie.cli.lazy import COMMANDS, load
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_R = TypeVar("_R")
_FILES: Final = 3  # input, output, errors; what is open besides is the parent's
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE)
_OPEN_FILES: Final = "/proc/self/fd"
_LOOK_S: Final = 0.02
_BROKEN: Final = 70  # EX_SOFTWARE: it ended in a way that it has no code for


class Copy:
    """A process that we have forked: the part of `subprocess.Popen` that is needed."""

    def __init__(self, pid: int) -> None:
        """It leads a session of its own."""
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """How it has ended, if it has: of a signal, its number below zero."""
        if self._code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if ended else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The same at its end; `subprocess.TimeoutExpired` after so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_LOOK_S)
        return code

    def terminate(self) -> None:
        """Ask it to end, if it has not."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def fork(arguments: Sequence[str], log: Path) -> Copy:
    """`specie ARGUMENTS`, in a session of its own; its output and errors are added to the log.

    A signal that comes while it begins ends it: nothing of it is open yet.
    """
    return _fork(lambda: _become(arguments, log))


def _fork(run: Callable[[], object]) -> Copy:
    """It ends with what is run, and runs nothing of what we have registered for our own end."""
    if threading.active_count() != 1:
        raise RuntimeError("a copy would wait for ever for what a thread holds")
    _flush()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, as it may be, no end is heard of
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    pid = os.fork()
    if pid == 0:
        _run_and_end(run, kept)
    copy = Copy(pid)
    with _ending_first(copy):
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)  # a signal that came is heard of here
    return copy


@contextmanager
def _ending_first(copy: Copy) -> Iterator[None]:
    """Whoever leaves by an error, or is told to stop, leaves no copy behind."""
    try:
        yield
    except BaseException:
        if copy.poll() is None:
            os.kill(copy.pid, signal.SIGKILL)
            copy.wait()
        raise


def import_commands(names: Sequence[str]) -> None:
    """What they need, so that copies have it; it stays common to all of them."""
    for name in names:
        load(name, COMMANDS[name])
    gc.freeze()


def call_apart(make: Callable[[], _R], meanwhile: Callable[[], None]) -> _R:
    """Gives what a copy of us has made, whose memory is gone by then; an error is ours.

    `store_unusable` if it was killed: what it has made by then is no whole thing.
    """
    reading, writing = os.pipe()
    copy = _fork(lambda: _answer(make, writing))
    os.close(writing)
    with os.fdopen(reading, "rb") as answer, _ending_first(copy):
        meanwhile()
        told = answer.read()
        copy.wait()
    if not told:
        reason = "stopped half-way: remove what is in the folder, and begin again"
        raise SpecieError(ErrorCode.STORE_UNUSABLE, reason)
    made, error = pickle.loads(told)  # noqa: S301  # by a copy of ourselves
    if error is not None:
        raise error
    return cast(_R, made)


def _become(arguments: Sequence[str], log: Path) -> None:
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for number, file in enumerate((nowhere, written, written)):
        os.dup2(file, number)
    for number in [int(one.name) for one in Path(_OPEN_FILES).iterdir()]:
        if number >= _FILES:
            with suppress(OSError):  # the list's own is closed by now
                os.close(number)
    setproctitle(" ".join(("specie", *arguments)))
    sys.argv = ["specie", *arguments]
    main()


def _answer(make: Callable[[], object], writing: int) -> None:
    """Our lock stays with it: if we are killed, nobody begins before it has come to its end."""
    answer: tuple[object, Exception | None]
    try:
        answer = make(), None
    except (SpecieError, OSError) as error:
        answer = None, error
    with os.fdopen(writing, "wb") as telling:
        telling.write(pickle.dumps(answer))


def _run_and_end(run: Callable[[], object], mask: Iterable[int]) -> NoReturn:
    """Whatever happens, nothing of what called us goes on in the copy."""
    code = _BROKEN
    try:
        _forget_handlers()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = _run(run)
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  # as at Python's end
        _flush()
    except BaseException:  # noqa: BLE001  # nobody is left who could be told
        code = code or _BROKEN
    finally:
        os._exit(code)


def _run(run: Callable[[], object]) -> int:
    """Its exit code; what went wrong stands in its log, as Python's own end writes it."""
    try:
        run()
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        sys.stderr.write(f"{ending.code}\n")
        return 1
    except BaseException:  # noqa: BLE001  # for the same reason
        sys.excepthook(*sys.exc_info())
        return _BROKEN
    return 0


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by who has started us
            stream.flush()


def _forget_handlers() -> None:
    """Until a copy has its own, a signal ends it."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
