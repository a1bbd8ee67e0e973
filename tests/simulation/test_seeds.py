"""Seeds of a simulated country are clean, and the same seed is the same day (X12)."""

import json
import os
import subprocess
import sys

import pytest

from specie.cli.simulating import describe, parse_seeds, run_seeds
from specie.simulation.running import Report
from specie.values.catalogue import ErrorCode
from tests.country import refused
from tests.simulation.days import run_honest

MINUTES = 6


SEEDS = range(1, 4)


def run_day(seed: int) -> Report:
    """Told of by several tests."""
    return run_honest(seed, MINUTES)


@pytest.mark.parametrize("seed", SEEDS)
def test_money_is_conserved(seed: int) -> None:
    report = run_day(seed)
    assert report.finding == "", "\n".join(describe(report, MINUTES))
    assert report.done >= 6  # a day on which something was done
    assert report.minutes > MINUTES


@pytest.mark.soak
@pytest.mark.parametrize("start", range(1_000, 2_000, 10))
def test_money_is_conserved_on_long_days(start: int) -> None:
    for report in run_seeds(range(start, start + 10), 60, 1):
        assert report.finding == "", "\n".join(describe(report, 60))


def test_faults_happen() -> None:
    """A simulator in which nothing goes wrong would find nothing."""
    seen: set[str] = set()
    for seed in SEEDS:
        seen |= {what.rsplit(" of ")[0] for what in run_day(seed).counts}
    assert {"lost message", "unanswered message", "doubled message", "stop"} <= seen


def test_people_come_and_go() -> None:  # T3, T6, T8, T19, X7
    """Nor one in which nobody applies, moves, or loses anything."""
    seen: set[str] = set()
    for seed in SEEDS:
        seen |= run_day(seed).counts.keys()
    assert seen >= {
        "application refused",
        "lost device",
        "moved wallet",
        "payment by number",
        "recovered wallet",
        "reverse waterfall",
        "waterfall",
    }


def test_the_same_seed_is_the_same_day() -> None:
    """In any process, whatever the kernel and Python draw there."""
    command = [sys.executable, "-m", "specie", "simulate", "--seed", "3", "--json"]
    ran = subprocess.run(
        [*command, "--minutes", str(MINUTES)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert json.loads(ran.stdout)["trace"] == run_day(3).trace != run_day(2).trace


def test_seeds_are_a_range() -> None:
    assert parse_seeds("1..1000") == range(1, 1001)
    assert parse_seeds("7..7") == range(7, 8)
    for text in ("", "7", "5..2", "-1..2", "1..2..3", "1 .. 2", "1..9999999"):
        with refused(ErrorCode.SETTING_INVALID):
            parse_seeds(text)
    for minutes, processes in ((0, 1), (10_081, 1), (1, 0), (1, 4_096)):
        with refused(ErrorCode.SETTING_INVALID):
            next(run_seeds(range(1, 2), minutes, processes))


def test_a_finding_is_told_with_what_repeats_it() -> None:
    report = Report(7, 20, 3, "f" * 64, 1, 2, {"lost message": 3}, "money is lost", ("last",))
    lines = describe(report, 12)
    assert lines[0].startswith("seed 7: 20 min, 1 orders done, 2 refused; 3 × lost message; trace")
    assert lines[1:] == [
        "    last",
        "  found: money is lost",
        "specie simulate --seed 7 --minutes 12",
    ]
