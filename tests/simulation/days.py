"""Days with everybody honest, each simulated once for all tests that tell of it."""

from functools import cache

from specie.simulation.newcomers import NAMES
from specie.simulation.running import Report, simulate


@cache
def run_honest(seed: int, minutes: int, newcomers: int = len(NAMES)) -> Report:
    """What it came to."""
    return simulate(seed, minutes, newcomers=newcomers)
