"""A real `specie` in a process of its own, and the folder that one small demo leaves behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "specie")
SMALL = ("--clients", "5", "--payments", "6")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    lines: list[str]
    errors: list[str]


def run(*arguments: str | Path) -> Done:
    """A command until its end."""
    command = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return Done(done.returncode, done.stdout.splitlines(), done.stderr.splitlines())


@dataclass(slots=True)
class Running:
    """A command that is under way, and its temp folder."""

    process: "subprocess.Popen[str]"
    temp: Path

    def wait_for(self, text: str) -> None:
        """Read its output until a line holds this."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"it never printed {text}")

    def stop(self, number: int) -> Done:
        """Send a signal and hear the rest."""
        time.sleep(0.1)
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=60)
        return Done(self.process.returncode, output.splitlines(), errors.splitlines())


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Running]:
    """A demo with far more payments than anybody waits for; `kept` below tmp_path is its data."""
    temp = tmp_path / "temp"
    temp.mkdir()
    options = ("--clients", "10", "--payments", "100000", "--data", str(tmp_path / "kept"))
    with subprocess.Popen(
        [*COMMAND, "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temp)},
    ) as process:
        yield Running(process, temp)
        if process.poll() is None:
            process.kill()


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that was run, and what it left."""

    done: Done
    data: Path

    @property
    def public(self) -> Path:
        """What everyone may read."""
        return self.data / "public"


@pytest.fixture(scope="session", params=["published", "aggregated"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """In each of the two modes."""
    data = tmp_path_factory.mktemp("demo") / "data"
    return Demo(run("demo", *SMALL, "--mode", request.param, "--data", data), data)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """With enough leaves for a full tile, so that every kind of file is there."""
    data = tmp_path_factory.mktemp("published") / "data"
    options = ("--clients", "12", "--payments", "45", "--mode", "aggregated")
    return Demo(run("demo", *options, "--data", data), data)
