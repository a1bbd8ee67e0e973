"""The README's two tours, line by line as they are printed, against `specie up` (T1, T2, T3)."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.starting import write_command

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that looks like a clone after its set-up."""
    with tempfile.TemporaryDirectory(prefix="sp") as name:
        folder = Path(name)
        (folder / ".venv").mkdir()
        (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
        yield folder


def read_tour() -> tuple[list[str], str]:
    """The first terminal's command, and the other's lines, of both tours."""
    text = (ROOT / "README.md").read_text()
    tours = text.partition("## Ten minutes")[2].partition("\n## What is built")[0]
    [first] = re.findall(r"```\n([^`]*?)\n```", tours)
    network, people = re.findall(r"```sh\n(.*?)```", tours, re.DOTALL)
    return first.split(), network + people


def test_it_works_as_printed(place: Path) -> None:
    first, lines = read_tour()
    with (place / "up.log").open("wb") as log:
        up = subprocess.Popen(first, cwd=place, stdout=log, stderr=log)
    try:
        _wait_for_all(up, place / "up.log")
        bash = shutil.which("bash")
        assert bash is not None
        begin_as_copies(place / ".venv" / "bin")
        script = place / "tour.sh"
        script.write_text(lines)
        done = subprocess.run(
            [bash, "-euo", "pipefail", str(script)],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=1_200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)
    said, told = done.stdout, (place / "up.log").read_text()
    for part in (
        "done: final",
        "balance: 200.00 DCU",
        "balance: 187.50 DCU",
        "balance: 12.50 DCU",
        "balance: 186.50 DCU",
        "balance: 13.50 DCU",
        "supply: 50,000.00 DCU",
        "backed by: 50,000.00 DCU",
        "in a browser: https://",
        "client: carol",
        "to: Bob Example",
        "paid               35.00 DCU of 35.00 DCU        concert ticket",
        "Carol Example (says bank 2)",
        "the lost device pays nobody",
        "balance: 1,445.00 DCU",
        "balance: 1,444.00 DCU",
    ):
        assert part in said, said
    assert "payment_limit_exceeded" in done.stderr
    assert "this device was reported lost" in done.stderr
    assert "notary: ended with -9, started again" in told
    assert told.endswith("all: stopped\n")
    assert up.returncode == 0


def begin_as_copies(programs: Path) -> None:
    """What the other terminal calls `specie` is one that need not import anything."""
    real = programs.readlink()
    programs.unlink()
    programs.mkdir()
    for program in real.iterdir():
        if program.name != "specie":
            (programs / program.name).symlink_to(program)
    write_command(programs / "specie")


def _wait_for_all(up: subprocess.Popen[bytes], log: Path) -> None:
    while "all: ready" not in log.read_text():
        assert up.poll() is None, log.read_text()
        time.sleep(0.2)
