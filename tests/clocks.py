"""Time and identifiers that a test decides, behind the ports `Clock` and `Identifiers`."""

import hashlib
import itertools
from typing import Final

from specie.values.times import Timestamp, check_timestamp

MORNING: Final = Timestamp(1_800_000_000_000)  # some day in 2027, so that no test depends on today


class ManualClock:
    """Stands still until somebody moves it."""

    def __init__(self, start: Timestamp = MORNING) -> None:
        self._now = start

    def now(self) -> Timestamp:
        """The time that was set."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Move on; never back."""
        assert milliseconds >= 0, "time never goes back"
        self._now = check_timestamp(self._now + milliseconds)


class SeededIdentifiers:
    """The same 16-byte identifiers for the same seed, in the same order; safe under threads."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._count = itertools.count()

    def draw(self) -> bytes:
        """16 bytes that this source has not given before."""
        text = f"identifier {self._seed} {next(self._count)}"
        return hashlib.sha256(text.encode()).digest()[:16]
