"""`specie` on a machine whose clock is off: a file says by how many seconds, and may change."""

import sys
import time
from pathlib import Path

from specie.assembly import system

PLACE = Path(sys.argv.pop(1))


class _Skewed:
    """Of the module `time`, what the clock of a process reads."""

    @staticmethod
    def time_ns() -> int:
        return time.time_ns() + int(PLACE.read_text()) * 1_000_000_000


setattr(system, "time", _Skewed)  # noqa: B010  # in the place of a module

from specie.cli.app import main  # noqa: E402  # only now, with another clock

if __name__ == "__main__":
    main()
