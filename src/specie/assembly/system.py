"""The machine we run on, behind the ports: its clock and its randomness."""

import os
import time

from specie.values.times import Timestamp


class SystemClock:
    """`Clock` of this machine, made monotonic: it never goes back within a process."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> Timestamp:
        """Milliseconds since 1970."""
        self._last = max(self._last, time.time_ns() // 1_000_000)
        return Timestamp(self._last)


class RandomIdentifiers:
    """`Identifiers` from the operating system."""

    def draw(self) -> bytes:
        """16 bytes."""
        return os.urandom(16)
