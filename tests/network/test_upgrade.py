"""A network is brought to the next version of the protocol, one process after the other (X3)."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.system import SystemClock
from specie.cli.processes import NetworkProcesses, list_processes
from specie.remote.channel import choose_version
from specie.remote.operations import VERSION
from tests.network.pilot import PASSPHRASE, Pilot


@pytest.fixture
def older() -> Iterator[Pilot]:
    """A network in which nobody speaks our version yet."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder:
        data, devices = Path(folder) / "n", Path(folder) / "devices"
        devices.mkdir()
        plan = Plan(data, interval_ms=100, lists_ms=300, batch_payments_min=8)
        create_network(plan, SystemClock())
        pilot = Pilot(data, NetworkProcesses(data), devices)
        (data / "logs").mkdir()
        try:
            for name in list_processes(data):
                pilot.start_as("older.py", name)
            for child in pilot.children.values():
                pilot.network.wait_ready(child)
            yield pilot
        finally:
            pilot.stop()


def get_spoken(pilot: Pilot, name: str) -> str:
    """The registration answers with a page, which is of no version."""
    answer = pilot.fetch(pilot.get_url(name) + "/v1/nothing")
    return str(answer.headers.get("specie-version", "page"))


@pytest.mark.soak
def test_versions_live_side_by_side(older: Pilot) -> None:
    """People's tools are new from the beginning; a payment is made after each step."""
    pilot = older
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "100.00")
    bob = pilot.open_wallet("bob", 3, "Bob")
    names = list_processes(pilot.data)
    assert {get_spoken(pilot, name) for name in names} == {str(VERSION - 1), "page"}
    for count, name in enumerate(["bank-3", *(one for one in names if one != "bank-3")], 1):
        pilot.restart(name)
        assert get_spoken(pilot, name) in (str(VERSION), "page")
        words = pilot.spell("alice", "pay", bob, "1.00", "--order", f"{count:032x}")
        pilot.insist(*words, stdin=f"{PASSPHRASE}\n")
        pilot.insist(*pilot.spell("bob", "collect"), stdin=f"{PASSPHRASE}\n")
        [balance] = re.findall(r"balance: (\S+)", pilot.wallet("bob", "collect"))
        assert balance == f"{count}.00"


def test_the_newest_that_both_speak() -> None:
    assert choose_version(str(VERSION)) == choose_version(str(VERSION + 1)) == VERSION
    assert choose_version(str(VERSION - 1)) == VERSION - 1
    assert choose_version("") == choose_version("x") == VERSION
