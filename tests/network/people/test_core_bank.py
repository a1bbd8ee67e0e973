"""Money in and out of a pilot's bank, as people type it (T6, T19, P13)."""

import json
import tempfile
from pathlib import Path

import pytest

from specie.cli.processes import is_ready
from tests.network.core_bank_beside import create_core_bank
from tests.network.pilot import Pilot, running_pilot


def read_account(pilot: Pilot, holder: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(pilot.wallet(holder, "account", "--json"))
    return found


def test_a_payment_withdraws_what_is_missing_if_its_payer_wants_it(pilot: Pilot) -> None:  # T6
    pilot.fund(2, "200.00")
    payer, payee = "reversed payer", "reversed payee"
    pilot.give(payer, 2, "10.00")
    address = pilot.open_wallet(payee, 2)
    pilot.bank(2, "lend", payer, "50.00")
    assert "funds_insufficient" in pilot.wallet(payer, "pay", address, "35.00", code=1)
    shown = json.loads(pilot.wallet(payer, "switch", "--reverse", "on", "--json"))
    assert shown == {"waterfall": False, "reverse_waterfall": True}
    told = pilot.wallet(payer, "pay", address, "35.00")
    assert "out of the deposit: 25.00 DCU" in told
    found = read_account(pilot, payer)
    assert (found["deposit_minor"], found["on_the_device_minor"]) == (2_500, 0)
    assert found["reverse_waterfall"] is True
    assert "account_overdrawn" in pilot.wallet(payer, "pay", address, "30.00", code=1)
    assert read_account(pilot, payer)["deposit_minor"] == 2_500
    assert "setting_invalid" in pilot.wallet(payer, "link", code=1)


def connect(pilot: Pilot) -> Path:
    """A core bank for bank 2, in the network's folder; its process runs."""
    folder = create_core_bank(pilot, 2)
    pilot.start(folder.name)
    return folder


@pytest.mark.soak
def test_a_bank_with_a_core_bank_of_its_own() -> None:  # P13
    """In, out, and both processes killed between: both sides say the same in the end."""
    with tempfile.TemporaryDirectory(prefix="sp") as short, running_pilot(Path(short)) as pilot:
        folder = connect(pilot)
        pilot.restart("bank-2")
        pilot.fund(2, "500.00")
        pilot.open_wallet("anna", 2)
        at = ("--at", str(folder))
        number = pilot.run("core-bank", "account", "open", "anna", *at)
        assert "account_unknown" in pilot.wallet("anna", "withdraw", "1.00", code=1)
        pilot.run("core-bank", "account", "pay-in", number, "100.00", *at)
        assert pilot.bank(2, "link-account", "anna") == number
        pilot.wallet("anna", "withdraw", "30.00")
        assert "funds_insufficient" in pilot.wallet("anna", "withdraw", "71.00", code=1)
        pilot.bank(2, "lend", "anna", "5.00")
        pilot.wallet("anna", "deposit", "10.00")
        found = read_account(pilot, "anna")
        assert (found["deposit_minor"], found["on_the_device_minor"]) == (8_500, 2_000)
        assert found["account"] == number
        assert "differences are explained: yes" in pilot.bank(2, "reconcile")
        kill_both(pilot, folder, number)
        assert "somebody" not in pilot.read_logs()


def kill_both(pilot: Pilot, folder: Path, number: str) -> None:
    """A deposit while the core bank is gone is credited when it is back, by a bank that is new."""
    pilot.kill(folder.name)
    assert not is_ready(folder)
    assert "core_bank_unreachable" in pilot.wallet("anna", "withdraw", "1.00", code=1)
    pilot.wallet("anna", "deposit", "20.00")
    pilot.wait(lambda: "core_bank_silent" in pilot.read_alarms("bank-2"))
    pilot.restart("bank-2")
    pilot.start(folder.name)
    pilot.wait(lambda: pilot.get_fact(2, "open_flows") == 0)
    pilot.wait(lambda: pilot.read_alarms("bank-2") == {})
    pilot.wallet("anna", "collect")
    found = read_account(pilot, "anna")
    assert (found["deposit_minor"], found["on_the_device_minor"]) == (10_400, 100)
    statement = pilot.run("core-bank", "account", "statement", number, "--at", str(folder))
    assert len(statement.splitlines()) == 6  # paid in, lent, out twice, back twice
    facts = json.loads(pilot.bank(2, "reconcile", "--json"))
    assert facts["settled_here"] == facts["settled_at_the_core_system"] == 3_100
    assert facts["credited_here"] == facts["credited_at_the_core_system"] == 3_500
    assert facts["differences_are_explained"] is True
