"""`specie up` itself: it makes a network, starts copies of itself, and looks after them (T1)."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from specie.assembly.folders import PASSPHRASES
from specie.cli.processes import describe_status

NAMES = ("notary", "accounting", "central-bank", "auditor", "bank-2", "registration")


@dataclass(frozen=True, slots=True)
class Up:
    """One that has said that all are ready."""

    data: Path
    log: Path
    process: "subprocess.Popen[bytes]"

    def find(self, name: str) -> int:
        """Its process: found among all, by what it is called."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                title = (folder / "cmdline").read_bytes().rstrip(b"\0").decode()
            except OSError:
                continue
            if title.startswith(f"specie serve {self.data / name} "):
                return int(folder.name)
        raise LookupError(name)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with tempfile.TemporaryDirectory(prefix="sp") as folder:
        data, log = Path(folder) / "n", Path(folder) / "up.log"
        command = [sys.executable, "-m", "specie", "up", "--data", str(data)]
        with log.open("wb") as written:
            process = subprocess.Popen([*command, "--bank", "One"], stdout=written, stderr=written)
        found = Up(data, log, process)
        try:
            found.wait_until(lambda: "all: ready" in log.read_text())
            yield found
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def read_memory(pid: int) -> Iterator[bytes]:
    """All that it may write to, part by part."""
    places = re.findall(
        r"^([0-9a-f]+)-([0-9a-f]+) rw", Path(f"/proc/{pid}/maps").read_text(), re.MULTILINE
    )
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for first, last in places:
            memory.seek(int(first, 16))
            with_holes = int(last, 16) - int(first, 16)
            try:
                yield memory.read(with_holes)
            except OSError:
                continue  # a part that cannot be read, as the kernel's own


def is_known(secret: bytes, pid: int) -> bool:
    return any(secret in part for part in read_memory(pid))


def test_no_process_knows_what_the_ceremony_drew_for_another(up: Up) -> None:
    """T2: copies of a process that has made the network, and has forgotten it."""
    pids = {name: up.find(name) for name in NAMES}
    secrets = [(up.data / PASSPHRASES / name).read_bytes().strip() for name in NAMES]
    for owner, secret in zip(NAMES, secrets, strict=True):
        knowing = {name for name, pid in pids.items() if is_known(secret, pid)}
        assert knowing == {owner}
        assert not is_known(secret, up.process.pid)


def test_nothing_that_the_parent_has_open_is_shared(up: Up) -> None:
    """Its lock above all: who comes after a killed `specie up` has to know what still runs."""
    for name in NAMES:
        files = Path(f"/proc/{up.find(name)}/fd")
        held = {str(one.readlink()) for one in files.iterdir() if one.is_symlink()}
        assert str(up.data) not in held
        assert any(one.startswith(str(up.data / name)) for one in held)
        assert str(up.log) not in held
        assert str(up.data / "logs" / f"{name}.jsonl") in held


def test_what_is_killed_begins_again(up: Up) -> None:
    before = up.find("bank-2")
    os.killpg(before, signal.SIGKILL)
    up.wait_until(lambda: "bank-2: ended with -9, started again" in up.log.read_text())
    up.wait_until(lambda: all(describe_status(up.data).values()))
    assert up.find("bank-2") != before


def test_it_ends_with_all_of_them(up: Up) -> None:
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(60) == 0
    assert up.log.read_text().endswith("all: stopped\n")
    for name in NAMES:
        last = (up.data / "logs" / f"{name}.jsonl").read_text().splitlines()[-1]
        assert '"event": "stopped"' in last
        with pytest.raises(LookupError):
            up.find(name)
