"""A network is brought to the next version of the protocol, one process after the other (X3).

`older.py` is a process of the version before: without the operations, fields and codes that came
with ours. What the two say to each other message by message is in tests/unit/api/test_versions.py.
"""

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.system import SystemClock
from specie.cli.processes import list_processes
from specie.remote.channel import choose_version
from specie.remote.operations import VERSION
from tests.network.pilot import PASSPHRASE, Pilot
from tests.network.starting import Connection, ForkedNetwork


@pytest.fixture
def older() -> Iterator[Pilot]:
    """A network in which nobody speaks our version yet."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder:
        data, devices = Path(folder) / "n", Path(folder) / "devices"
        devices.mkdir()
        plan = Plan(data, interval_ms=100, lists_ms=300, batch_payments_min=8)
        create_network(plan, SystemClock())
        before = ForkedNetwork(data, connection=Connection("older"))
        pilot = Pilot(data, ForkedNetwork(data), devices)
        try:
            for name in list_processes(data):
                pilot.children[name] = before.start(name)
            pilot.network.children += before.children
            for child in before.children:
                before.wait_ready(child)
            yield pilot
        finally:
            pilot.stop()
            before.connection.close()


def get_spoken(pilot: Pilot, name: str) -> str:
    """The registration answers with a page, which is of no version."""
    answer = pilot.fetch(pilot.get_url(name) + "/v1/nothing")
    return str(answer.headers.get("specie-version", "page"))


@pytest.mark.soak
def test_versions_live_side_by_side(older: Pilot) -> None:
    """People's tools are new from the beginning; a payment is made after each step.

    What came with our version is refused by name until all who have to know it do.
    """
    pilot = older
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "100.00")
    bob = pilot.open_wallet("bob", 3, "Bob")
    names = list_processes(pilot.data)
    assert {get_spoken(pilot, name) for name in names} == {str(VERSION - 1), "page"}
    assert find_nobody(pilot) == "version_unknown: bank-2 speaks version 1, find_phone came with 2"
    assert "waterfall" not in pilot.wallet("alice", "collect"), "it has no switches"
    first = ["bank-3", "bank-2"]
    for count, name in enumerate([*first, *(one for one in names if one not in first)], 1):
        pilot.restart(name)
        assert get_spoken(pilot, name) in (str(VERSION), "page")
        if name == "bank-3":
            check_a_later_code(pilot, bob)
        if name == "bank-2":
            assert find_nobody(pilot).startswith("version_unknown: central-bank speaks version 1")
        words = pilot.spell("alice", "pay", bob, "1.00", "--order", f"{count:032x}")
        pilot.insist(*words, stdin=f"{PASSPHRASE}\n")
        pilot.insist(*pilot.spell("bob", "collect"), stdin=f"{PASSPHRASE}\n")
        [balance] = re.findall(r"balance: (\S+)", pilot.wallet("bob", "collect"))
        assert balance == f"{count}.00"
    assert find_nobody(pilot).startswith("phone_unknown: ")
    assert "Traceback" not in pilot.read_logs() and '"internal"' not in pilot.read_logs()


def find_nobody(pilot: Pilot) -> str:
    """A look-up in the directory, which came with our version; gives what it is refused with."""
    return pilot.wallet("alice", "find", "+77015550199", code=1).removeprefix("specie: ")


def check_a_later_code(pilot: Pilot, bob: str) -> None:
    """Bank 3 refuses with one; bank 2 takes it for bank 3's failure, so nothing is settled."""
    at = ("--at", str(pilot.data / "bank-3"), "--as", "Ada", "--reason", "a court's order")
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    pilot.run("bank", "freeze", "bob", "--order-reference", "1", "--until", until, *at)
    refused = pilot.wallet("alice", "pay", bob, "1.00", "--order", f"{1:032x}", code=1)
    assert "unreachable" in refused and "client_frozen" not in refused
    pilot.run("bank", "unfreeze", "bob", *at)


def test_the_newest_that_both_speak() -> None:
    assert choose_version(str(VERSION)) == choose_version(str(VERSION + 1)) == VERSION
    assert choose_version(str(VERSION - 1)) == VERSION - 1
    assert choose_version("") == choose_version("x") == VERSION
