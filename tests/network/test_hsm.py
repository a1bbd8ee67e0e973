"""A network whose signing keys are in tokens of SoftHSM2: all works, no such key is a file (X7)."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from specie.assembly.folders import PASSPHRASES
from specie.assembly.service_settings import load_settings
from specie.store.hsm import HsmToken, reload_module
from tests.network.pilot import Pilot, running_pilot

pytestmark = pytest.mark.skipif(
    shutil.which("softhsm2-util") is None, reason="SoftHSM2 is not installed"
)

IN_TOKENS = r"(message|institution|list|witness|auditor|officer|issuing-key)(-\d+)?"


@pytest.fixture(scope="module")
def pilot() -> Iterator[Pilot]:
    with (
        tempfile.TemporaryDirectory(prefix="sp") as folder,
        running_pilot(Path(folder), is_hsm=True) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def bob(pilot: Pilot) -> str:
    """Alice has money, Bob an address."""
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "40.00")
    return pilot.open_wallet("bob", 3)


def list_sealed(pilot: Pilot) -> dict[str, list[str]]:
    """What is in each file of keys."""
    found = {}
    for path in pilot.data.glob("**/keys.json"):
        found[path.parent.name] = [*json.loads(path.read_text())["entries"]]
    return found


def list_in_token(pilot: Pilot, name: str) -> list[str]:
    place = load_settings(pilot.data / name).keys
    reload_module(Path(place.module))  # other processes have made tokens since
    pin = pilot.open_keys(name).get_secret("token-pin").decode()
    with closing(HsmToken(Path(place.module), place.token, pin)) as token:
        return sorted(token.list_keys())


def test_money_lives(pilot: Pilot, bob: str) -> None:
    """Institutions, the list, witnesses, the auditor and officers sign in their tokens."""
    sealed = list_sealed(pilot)
    assert len(sealed) == 11
    for name, kept in sealed.items():
        assert not [one for one in kept if re.fullmatch(IN_TOKENS, one)], name
        assert name == "offline" or "token-pin" in kept
    assert list_in_token(pilot, "central-bank") == ["issuing-key", "list", "message"]
    assert "balance: 30.00 DCU" in pilot.wallet("alice", "pay", bob, "10.00")
    assert "balance: 10.00 DCU" in pilot.wallet("bob", "collect")


def test_keys_rotate_in_their_token(pilot: Pilot, bob: str) -> None:
    """T2: what has ended is destroyed in the token, and removed from the file."""
    assert list_in_token(pilot, "bank-3") == ["institution", "witness"]
    pilot.rotate("bank-3")
    pilot.rotate("bank-3", "--cosigner")
    assert list_in_token(pilot, "bank-3") == ["institution-2", "witness-2"]
    kept = set(list_sealed(pilot)["bank-3"])
    assert kept >= {"attestation-2", "witness-ml-dsa-2"}
    assert not kept & {"attestation", "witness-ml-dsa"}
    pilot.wallet("alice", "pay", bob, "1.00")
    assert "balance: 11.00 DCU" in pilot.wallet("bob", "collect")


@pytest.mark.soak
def test_a_bank_joins_with_a_token_of_its_own(pilot: Pilot) -> None:
    """T2: drawn at home, the certificate issued by a key in the centre's token; a new officer."""
    (pilot.data / PASSPHRASES / "officer-4").write_text("the fourth one's\n")
    create = ("officer", "create", "--data", str(pilot.data), "--officer", "4", "--hsm")
    assert "done" in pilot.officer(*shlex.split(pilot.run(*create))[2:])
    assert "officer" not in list_sealed(pilot)["4"]
    code = pilot.officer("invite", "Bank of the East", officers=(1,))
    (pilot.data / PASSPHRASES / "bank-4").write_text("a passphrase of the east\n")
    join = ["bank", "join", code, "--at", str(pilot.data / "bank-4"), "--hsm"]
    join += ["--public", str(pilot.public), "--wait", "60"]
    joining = pilot.begin(*join, "--passphrase-file", str(pilot.data / PASSPHRASES / "bank-4"))
    assert joining.stdout is not None
    digest = joining.stdout.readline().split()[-1]
    pilot.wait(lambda: digest in pilot.officer("enrolments", officers=(4,)))
    assert "done" in pilot.officer("enrol", digest, officers=(4,))
    out, error = joining.communicate()
    assert "approved: bank-4" in out, error
    assert not set(list_sealed(pilot)["bank-4"]) & {"institution", "witness"}
    assert list_in_token(pilot, "bank-4") == ["institution", "witness"]
    renew = ("bank", "renew", "--at", str(pilot.data / "bank-4"), "--passphrase-file")
    assert "certificate-key" in list_sealed(pilot)["bank-4"]
    pilot.run(*renew, str(pilot.data / PASSPHRASES / "bank-4"))
    pilot.start("bank-4")
    assert "certificate-key" not in list_sealed(pilot)["bank-4"], "it has ended"
    carol = pilot.open_wallet("carol", 4, "Carol Example")
    pilot.fund(2, "50.00")
    pilot.give("dora", 2, "10.00")
    pilot.wallet("dora", "pay", carol, "2.00")
    assert "balance: 2.00 DCU" in pilot.wallet("carol", "collect")


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
