"""Time comes from outside, so that a whole country can run in one simulation."""

from typing import Protocol

from specie.values.times import Timestamp


class Clock(Protocol):
    """The time of day."""

    def now(self) -> Timestamp:
        """Milliseconds since 1970, never going back."""
        ...
