"""Stopped from outside: Ctrl-C, a termination, a reader of the output who has gone.

All three unwind the program like an error, so that whatever is open is closed and nothing is left
in the temp folder. The exit code is the shell's: 128 and the signal's number.

An exception out of a signal handler lands anywhere, also in the middle of a library's clean-up.
What writes to databases runs `patiently()`: there a signal waits for the next `give_way()`.
"""

import os
import select
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, MappingProxyType
from typing import Final

_WORDS: Final[Mapping[signal.Signals, str]] = MappingProxyType(
    {
        signal.SIGINT: "interrupted",
        signal.SIGTERM: "terminated",
        signal.SIGPIPE: "",  # whoever closed the pipe wants to read no more
    }
)


class Stopped(BaseException):
    """Not an error of anybody: `note` says what was kept."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number
        self.note = ""

    @property
    def exit_code(self) -> int:
        """130, 143 or 141."""
        return 128 + self.number

    def describe(self) -> str:
        """One line, or none at all."""
        word = _WORDS[self.number]
        return f"{word}; {self.note}" if self.note and word else word


def watch_signals() -> None:
    """From now on the three signals raise `Stopped` in the main thread, the first of them once."""
    for number in _WORDS:
        signal.signal(number, _stop)


@contextmanager
def patiently() -> Iterator[None]:
    """A signal is kept until `give_way` or the end; an error on the way out is then its doing."""
    _patience.is_on = True
    try:
        yield
    finally:
        _patience.is_on = False
        give_way()


def give_way() -> None:
    """A place where nothing is half done: raises `Stopped` if a signal came."""
    number, _patience.kept = _patience.kept, None
    if number is not None:
        raise Stopped(number)


def silence_output() -> None:
    """Nobody reads it: what is still buffered goes nowhere, and Python does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class _Patience:
    """Of the main thread, in which all handlers run."""

    is_on = False
    kept: signal.Signals | None = None


_patience: Final = _Patience()


def _stop(number: int, _frame: FrameType | None) -> None:
    if number == signal.SIGPIPE and not _is_output_gone():
        return  # a socket's: who writes to it is told by an error
    for one in _WORDS:
        signal.signal(one, signal.SIG_IGN)
    _patience.kept = signal.Signals(number)
    if not _patience.is_on:
        give_way()


def _is_output_gone() -> bool:
    """Whether nobody reads our output any more."""
    watching = select.poll()
    for number in (1, 2):
        watching.register(number, 0)  # only what goes wrong
    return bool(watching.poll(0))
