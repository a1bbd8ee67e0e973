"""A short run of every fuzz target, the same each time; `make fuzz` goes on (X12)."""

import re
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from tests.country import find_code
from tests.fuzz.targets import TARGETS

RUNS = 2_000
needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has no wheel for this Python and machine"
)


REFUSED = {"cosigners", "note", "opening", "receipt", "sealed"}  # at the last step, a signature


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_fuzzing_begins_behind_the_door(name: str) -> None:
    """From a vector that is accepted, or gets as far as to what nobody can forge."""
    codes = {find_code(partial(TARGETS[name].feed, seed)) for seed in TARGETS[name].seeds()}
    assert None in codes or name in REFUSED, codes


@needs_atheris
def test_mutated_bytes_are_refused_with_a_code(tmp_path: Path) -> None:  # X12, design §5, 6
    """Every target, each in a process of its own that begins as a copy of one."""
    names = sorted(TARGETS)
    command = [sys.executable, "-m", "tests.fuzz.run", *names, "--runs", str(RUNS), "--seed", "1"]
    command += ["--corpus", str(tmp_path)]
    done = subprocess.run(command, stdout=PIPE, stderr=STDOUT, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout
    parts = re.split(r"^target: (.+)$", done.stdout, flags=re.MULTILINE)
    assert parts[1::2] == names
    for name, told in zip(parts[1::2], parts[2::2], strict=True):
        found = re.search(r"number_of_executed_units: (\d+)", told)
        assert found is not None and int(found.group(1)) >= RUNS, name


@needs_atheris
def test_a_finding_is_told_and_can_be_fed_again() -> None:
    """The runner finds what a broken decoder lets through: a seed of the wrong target."""
    command = [sys.executable, "-m", "tests.fuzz.run", "scan", "--replay", "00"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0  # refused with a code
    broken = "import tests.fuzz.run as r; r.feed(r.Target(lambda data: 1 // 0, list), b'ab')"
    done = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0 and "finding: --replay 6162" in done.stdout
