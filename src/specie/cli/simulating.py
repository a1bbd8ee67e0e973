"""`specie simulate`: seeds of a simulated country, and how to see a finding again."""

import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Final

from specie.simulation.running import Report, simulate
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import SIMULATION_MINUTES_MAX, SIMULATION_SEEDS_MAX

_SEEDS: Final = re.compile(r"(\d{1,12})\.\.(\d{1,12})")


def parse_seeds(text: str) -> range:
    """`A..B`, both included; `setting_invalid` for anything else."""
    found = _SEEDS.fullmatch(text)
    if found is None:
        raise SpecieError(ErrorCode.SETTING_INVALID, "seeds: A..B, two whole numbers")
    seeds = range(int(found[1]), int(found[2]) + 1)
    if not 1 <= len(seeds) <= SIMULATION_SEEDS_MAX:
        raise SpecieError(ErrorCode.SETTING_INVALID, "1 to 1,000,000 seeds, the lower one first")
    return seeds


def run_seeds(seeds: range, minutes: int, processes: int) -> Iterator[Report]:
    """A report for each seed, in their order."""
    if not 1 <= minutes <= SIMULATION_MINUTES_MAX:
        raise SpecieError(ErrorCode.SETTING_INVALID, "1 to 10,080 minutes")
    if not 1 <= processes <= multiprocessing.cpu_count():
        raise SpecieError(ErrorCode.SETTING_INVALID, "as many processes as there are cores")
    run = partial(simulate, minutes=minutes)
    if processes == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(run, seeds)


def describe(report: Report, minutes: int) -> list[str]:
    """One line for a clean seed; for a finding what led to it, and the command that repeats it."""
    counts = ", ".join(f"{number} × {what}" for what, number in report.counts.items())
    orders = f"{report.done} orders done, {report.refused} refused"
    what = f"{report.minutes} min, {orders}; {counts or 'no fault'}; trace {report.trace[:16]}"
    lines = [f"seed {report.seed}: {what}"]
    if report.finding:
        again = f"specie simulate --seed {report.seed} --minutes {minutes}"
        lines += [*(f"    {line}" for line in report.tail), f"  found: {report.finding}", again]
    return lines


def to_json(report: Report) -> dict[str, object]:
    """Everything, with the last lines of the trace only where something was found."""
    return asdict(report)
