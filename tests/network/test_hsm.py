"""A network whose signing keys are in tokens of SoftHSM2: all works, no key is a file (X7)."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.pilot import Pilot, running_pilot

pytestmark = pytest.mark.skipif(
    shutil.which("softhsm2-util") is None, reason="SoftHSM2 is not installed"
)


@pytest.fixture(scope="module")
def pilot() -> Iterator[Pilot]:
    with (
        tempfile.TemporaryDirectory(prefix="sp") as folder,
        running_pilot(Path(folder), is_hsm=True) as found,
    ):
        yield found


def test_money_lives(pilot: Pilot) -> None:
    """Issued, withdrawn, paid: notary, accounting, list and banks sign in their tokens."""
    for name in ("notary", "accounting", "central-bank", "bank-2", "registration"):
        kept = set(pilot.open_keys(name).list_names())
        assert not kept & {"message", "institution", "list"}, name
        assert "token-pin" in kept
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "40.00")
    bob = pilot.open_wallet("bob", 3)
    assert "balance: 30.00 DCU" in pilot.wallet("alice", "pay", bob, "10.00")
    assert "balance: 10.00 DCU" in pilot.wallet("bob", "collect")


def test_without_its_token_a_process_says_so(pilot: Pilot) -> None:
    """A token that is missing is named, and nothing starts."""
    folder = pilot.data / "bank-3"
    pilot.kill("bank-3")
    settings = (folder / "settings.toml").read_text()
    (folder / "settings.toml").write_text(settings.replace('token = "bank-3"', 'token = "gone"'))
    command = [sys.executable, "-m", "specie", "serve", str(folder)]
    command += ["--passphrase-file", str(pilot.data / "passphrases" / "bank-3")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "setting_invalid" in done.stderr
    assert "token gone" in done.stderr
    (folder / "settings.toml").write_text(settings)
    pilot.start("bank-3")
