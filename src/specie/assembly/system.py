"""The machine we run on, behind the ports: its clock and its randomness; and its interpreter."""

import gc
import os
import sys
import threading
import time
from typing import Final

from specie.values.times import Timestamp

_COLLECT_AFTER: Final = (100_000, 50, 100)
_SWITCH_S: Final = 0.0005


def tune_interpreter() -> None:
    """For a process that notarises; once, at its start.

    Records have no cycles and go when nobody holds them, so the collector of cycles need not walk
    through hundreds of thousands of them every moment. And SQLite's driver gives the interpreter
    away at every row: whoever computes meanwhile has it back after half a millisecond, not five.
    """
    gc.set_threshold(*_COLLECT_AFTER)
    sys.setswitchinterval(_SWITCH_S)


class SystemClock:
    """`Clock` of this machine, made monotonic: in a process it never goes back, in no thread."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def now(self) -> Timestamp:
        """Milliseconds since 1970."""
        with self._lock:
            self._last = max(self._last, time.time_ns() // 1_000_000)
            return Timestamp(self._last)


class RandomIdentifiers:
    """`Identifiers` from the operating system."""

    def draw(self) -> bytes:
        """16 bytes."""
        return os.urandom(16)
