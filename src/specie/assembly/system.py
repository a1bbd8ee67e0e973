"""The machine we run on, behind the ports: its clock and its randomness."""

import os
import threading
import time

from specie.values.times import Timestamp


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
