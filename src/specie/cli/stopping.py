"""Stopped from outside: Ctrl-C, a termination, a reader of the output who has gone.

All three unwind the program like an error, so that whatever is open is closed and nothing is left
in the temp folder. The exit code is the shell's: 128 and the signal's number.
"""

import os
import signal
import sys
from collections.abc import Mapping
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


def silence_output() -> None:
    """Nobody reads it: what is still buffered goes nowhere, and Python does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _stop(number: int, _frame: FrameType | None) -> None:
    for one in _WORDS:
        signal.signal(one, signal.SIG_IGN)
    raise Stopped(signal.Signals(number))
