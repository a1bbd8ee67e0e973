"""Processes on PostgreSQL: one server, one URL for all, a schema of its own for each (X12).

What a store does on this engine is in tests/unit/store; here is whose schema is whose.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.foundation import DATABASE
from specie.assembly.system import SystemClock
from tests.network.pilot import Pilot, catch
from tests.network.starting import ForkedNetwork
from tests.postgres import PostgresServer, postgres

__all__ = ["postgres"]

NAMES = ("notary", "accounting", "central-bank", "bank-2")


@pytest.fixture(scope="module")
def pilot(postgres: PostgresServer) -> Iterator[Pilot]:
    """As many processes as a payment needs; all have the same variable in their environment."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE, postgres.make_url().rpartition("&")[0])
        data, devices = Path(folder) / "n", Path(folder) / "devices"
        devices.mkdir()
        plan = Plan(data, interval_ms=100, lists_ms=300, batch_payments_min=2)
        create_network(plan, SystemClock())
        found = Pilot(data, ForkedNetwork(data), devices)
        try:
            found.start(*NAMES)
            yield found
        finally:
            found.stop()


def find_schema(pilot: Pilot, name: str) -> str:
    network = pilot.load_peers().network[:8].hex()
    return f"specie_{network}_{name.replace('-', '_')}"


def test_money_moves(pilot: Pilot, postgres: PostgresServer) -> None:
    """Also after the notary was killed: what is spent is on the server."""
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "100.00")
    bob = pilot.open_wallet("bob", 2)
    pilot.wallet("alice", "pay", bob, "1.00")
    pilot.restart("notary")
    pilot.wallet("alice", "pay", bob, "2.00")
    assert re.findall(r"balance: (\S+)", pilot.wallet("bob", "collect")) == ["3.00"]
    for name in NAMES:
        schema = find_schema(pilot, name)
        assert postgres.run("SELECT service FROM owner", schema) == [(name,)]
        assert postgres.run("SELECT name FROM schema", schema)
    [spent] = postgres.run("SELECT count(*) FROM spend", find_schema(pilot, "notary"))
    assert spent > (2,)
    assert list(pilot.data.rglob("*.db")) == [pilot.data / "central-bank" / "central.db"]


def test_what_the_ceremony_issued_can_be_revoked(pilot: Pilot, postgres: PostgresServer) -> None:
    """It writes a file, in the folder of a process whose database is on the server."""
    rows = postgres.run("SELECT service FROM certificate", find_schema(pilot, "central-bank"))
    assert {service for (service,) in rows} >= {*NAMES, "bank-3", "registration", "auditor"}


def test_anothers_schema_is_refused(pilot: Pilot, postgres: PostgresServer) -> None:
    """As if bank 3 had been given what is bank 2's."""
    own, others = find_schema(pilot, "bank-2"), find_schema(pilot, "bank-3")
    pilot.kill("bank-2")
    postgres.run(f"ALTER SCHEMA {own} RENAME TO {others}")
    try:
        error = catch(lambda: pilot.start("bank-3"))
        assert "store_unusable" in error.message
        assert "the database is of bank-2 of network" in error.message
    finally:
        postgres.run(f"ALTER SCHEMA {others} RENAME TO {own}")
    pilot.network.children.remove(pilot.children["bank-3"])
    pilot.start("bank-2")
    assert pilot.get_fact(2, "vault") == 40_000
