"""Processes that begin as copies of this one: what takes long to import is imported once.

    specie up ── imports everything, opens nothing ──┬── fork ── serve notary
                                                     ├── fork ── serve bank-2
                                                     └── fork ── …

Who forks has no thread, no connection and no key: a copy has nothing that it would not have as a
process of its own. What draws keys is a copy as well (`call_apart`), and ends before the
others begin.
"""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Final, TypeVar

from setproctitle import setproctitle

from specie.cli.app import main
from specie.cli.lazy import COMMANDS, load

_R = TypeVar("_R")
_FORK: Final = multiprocessing.get_context("fork")
_FILES: Final = 3  # input, output, errors; what is open besides is the parent's
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE)


@dataclass(frozen=True, slots=True)
class Copy:
    """A process that we have forked: the part of `subprocess.Popen` that is needed."""

    process: ForkProcess

    @property
    def pid(self) -> int:
        """It leads a session of its own."""
        assert self.process.pid is not None, "it has been started"
        return self.process.pid

    def poll(self) -> int | None:
        """How it has ended, if it has: of a signal, its number below zero."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The same at its end; `subprocess.TimeoutExpired` after so many seconds."""
        self.process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self.process.terminate()


def fork(arguments: Sequence[str], log: Path) -> Copy:
    """`specie ARGUMENTS`, in a session of its own; its output and errors are added to the log."""
    assert threading.active_count() == 1, "a copy would wait for ever for what a thread holds"
    process = _FORK.Process(target=_become, args=(arguments, log))
    process.start()
    return Copy(process)


def import_commands(names: Sequence[str]) -> None:
    """What they need, so that copies have it; it stays common to all of them."""
    for name in names:
        load(name, COMMANDS[name])
    gc.freeze()


def call_apart(make: Callable[[], _R], meanwhile: Callable[[], None]) -> _R:
    """Gives what a copy of us has made, whose memory is gone by then; an error is ours."""
    with ProcessPoolExecutor(1, _FORK, _forget_handlers) as copies:
        made = copies.submit(make)
        meanwhile()
        return made.result()


def _become(arguments: Sequence[str], log: Path) -> None:
    _forget_handlers()
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for number, file in enumerate((nowhere, written, written)):
        os.dup2(file, number)
    os.closerange(_FILES, os.sysconf("SC_OPEN_MAX"))
    setproctitle(" ".join(("specie", *arguments)))
    sys.argv = ["specie", *arguments]
    main()


def _forget_handlers() -> None:
    """Until a copy has its own, a signal ends it."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
