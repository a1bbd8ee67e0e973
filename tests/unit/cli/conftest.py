"""A `specie` in a process of its own, and the folder that one small demo leaves behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from specie.assembly.network import Settings
from specie.identity.genesis import ProofMode
from tests.country import Country, build_country
from tests.network.starting import Connection

COMMAND = (sys.executable, "-m", "specie")
SMALL = ("--clients", "5", "--payments", "6")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    lines: list[str]
    errors: list[str]


def run(*arguments: str | Path) -> Done:
    """A command until its end, forked from a process that has imported everything."""
    with closing(Connection()) as zygote:
        done = zygote.ask(run=[*map(str, arguments)], stdin="")
    return Done(done["code"], done["out"].splitlines(), done["err"].splitlines())


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
    options = ("--clients", "10", "--payments", "3000", "--data", str(tmp_path / "kept"))
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


@pytest.fixture(scope="session")
def demos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Demo]:
    """One in each mode, side by side; tests/sharing.py gives all who look at them to one worker."""
    folder = tmp_path_factory.mktemp("demos")
    places = {mode: folder / mode for mode in ("published", "aggregated")}
    with ThreadPoolExecutor() as pool:
        done = {
            mode: pool.submit(run, "demo", *SMALL, "--mode", mode, "--data", data)
            for mode, data in places.items()
        }
    return {mode: Demo(one.result(), places[mode]) for mode, one in done.items()}


@pytest.fixture(scope="session", params=["published", "aggregated"])
def demo(request: pytest.FixtureRequest, demos: dict[str, Demo]) -> Demo:
    """In each of the two modes."""
    return demos[request.param]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """A country with more than one tile of leaves, so that every kind of file is there."""
    data = tmp_path_factory.mktemp("published")
    country = build_country(data, settings=Settings(data, proof_mode=ProofMode.AGGREGATED))
    person = country.open_person(country.north, 100)
    country.lend_deposit(person, 1_000)
    for _ in range(17):
        country.withdraw(person, *[1] * 15)
    country.audit()
    return country


@pytest.fixture(scope="session")
def public(published: Country) -> Path:
    """Its public folder."""
    return published.network.public
