"""People and their banks on a network: apply, sign together, move, lose, have it back (T1, T3, T19,
T25, X7)."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from specie.assembly.tls import ROOT
from specie.crypto.addresses import parse_address
from tests.network.pilot import PASSPHRASE, Pilot

NUMBER = "+77015550102"


def apply(pilot: Pilot, holder: str, bank: int, *options: str, code: int = 0) -> str:
    words = ("apply", "--bank", str(bank), "--name", "Aliya Bekova", "--phone", NUMBER)
    return pilot.wallet(holder, *words, *options, code=code)


def get_balance(pilot: Pilot, holder: str) -> int:
    found = json.loads(pilot.wallet(holder, "account", "--json"))
    return int(found["on the device minor"])


def find_bytes(pilot: Pilot, needle: bytes) -> list[Path]:
    files = (path for path in pilot.data.rglob("*") if path.is_file())
    return [path for path in files if needle in path.read_bytes()]


def test_a_person_applies_pays_and_moves(pilot: Pilot) -> None:
    """From the device; refused once, approved once; then to another bank with all money."""
    pilot.fund(2, "1,000.00")
    pilot.wallet("aliya", "create")
    assert "waiting" in apply(pilot, "aliya", 2)
    assert "waiting" in apply(pilot, "aliya", 2), "again is the same application"
    [waiting] = json.loads(pilot.bank(2, "applications", "--json"))
    assert waiting["name"] == "Aliya Bekova"
    assert find_bytes(pilot, b"Aliya Bekova") == []
    number = waiting["number"]
    pilot.bank(2, "refuse", number, "--reason", "a photo is missing", "--as", "Dana")
    assert "a photo is missing" in pilot.wallet("aliya", "application")
    assert "waiting" in apply(pilot, "aliya", 2), "asked anew"
    [second] = json.loads(pilot.bank(2, "applications", "--json"))
    for _ in range(2):
        approved = pilot.bank(2, "approve", second["number"], "--client", "aliya", "--as", "Dana")
        assert approved == "aliya"
    assert "approved" in pilot.wallet("aliya", "application")
    pilot.bank(2, "lend", "aliya", "50.00")
    pilot.wallet("aliya", "withdraw", "30.00")
    _certify(pilot, "aliya")
    pilot.wallet("aliya", "phone", "set", NUMBER, "--show-name")
    moved = pilot.bank(3, "invite", "aliya-3", "Aliya Bekova")
    assert "account_not_empty" in pilot.run(
        "bank", "close", "aliya", "--at", str(pilot.data / "bank-2"), code=1
    )
    moving = ("move", "--to-bank", "3", "--code", moved)
    for seconds in (2.0, 4.0):
        kill_after(pilot, seconds, *pilot.spell("aliya", *moving), stdin=f"{PASSPHRASE}\n")
    _finish_move(pilot, *pilot.spell("aliya", *moving))
    assert get_balance(pilot, "aliya") == 5000
    assert json.loads(pilot.wallet("aliya", "account", "--json"))["deposit minor"] == 0
    _take_number_along(pilot)


def test_who_is_refused_at_one_bank_asks_another(pilot: Pilot) -> None:  # T3
    """Bound to a bank is whoever that has opened a wallet for; before, the device may go on."""
    pilot.wallet("timur", "create")
    assert "waiting" in apply(pilot, "timur", 2)
    [waiting] = json.loads(pilot.bank(2, "applications", "--json"))
    pilot.bank(2, "refuse", waiting["number"], "--reason", "not from here", "--as", "Dana")
    assert "refused" in pilot.wallet("timur", "application")
    assert "waiting" in apply(pilot, "timur", 3)
    [there] = json.loads(pilot.bank(3, "applications", "--json"))
    pilot.bank(3, "approve", there["number"], "--client", "timur-3", "--as", "Erlan")
    assert "timur-3" in pilot.wallet("timur", "application")
    assert "client_exists" in apply(pilot, "timur", 2, code=1), "there is a wallet now"
    pilot.bank(3, "close", "timur-3")


def _take_number_along(pilot: Pilot) -> None:
    """The new bank confirms the number once the wallet is open there."""
    assert "phone_not_confirmed" in pilot.wallet("aliya", "phone", "set", NUMBER, code=1)
    pilot.bank(3, "phone", "aliya-3", NUMBER)
    shown = json.loads(pilot.wallet("aliya", "phone", "set", NUMBER, "--show-name", "--json"))
    assert (shown["bank"], shown["name"]) == (3, "Aliya Bekova")
    told = json.loads(pilot.wallet("aliya", "find", NUMBER, "--json"))
    assert parse_address(told["address"], "spc").bank == 3
    pilot.bank(3, "phone", "aliya-3", "--none")  # others of these tests have it next


def kill_after(pilot: Pilot, seconds: float, *words: str, stdin: str) -> None:
    """A command that is stopped, wherever it is by then."""
    begun = pilot.begin(*words, stdin=stdin)
    time.sleep(seconds)
    begun.kill()
    begun.communicate()


@pytest.mark.soak
def test_a_move_and_a_recovery_are_killed_at_any_moment(pilot: Pilot) -> None:
    """Every so often later, until it is through: all money arrives, and once."""
    pilot.fund(2, "1,000.00")
    pilot.give("mover", 2, "40.00")
    code = pilot.bank(3, "invite", "mover-3", "Mover")
    moving = pilot.spell("mover", "move", "--to-bank", "3", "--code", code)
    for step in range(20):
        kill_after(pilot, 0.5 + 0.25 * step, *moving, stdin=f"{PASSPHRASE}\n")
    _finish_move(pilot, *moving)
    assert get_balance(pilot, "mover") == 4000
    phrase = _show_phrase(pilot, "mover")
    pilot.bank(3, "lost", "mover-3")
    code = pilot.bank(3, "reopen", "mover-3")
    device = ("--device", str(pilot.devices / "mover-new.db"), "--holder", "mover")
    words = ("wallet", "recover", code, *device, "--public", str(pilot.public), "--bank", "3")
    stdin = f"{PASSPHRASE}\n{phrase}\n"
    for step in range(20):
        kill_after(pilot, 0.5 + 0.25 * step, *words, stdin=stdin)
    assert "balance: 40.00 DCU" in pilot.insist(*words, stdin=stdin)


def _finish_move(pilot: Pilot, *words: str) -> None:
    """Through, now or before."""
    done = pilot.try_run(*words, stdin=f"{PASSPHRASE}\n")
    assert "moved to bank 3, sub-wallet 1" in done["out"] or "is at bank 3 already" in done["err"]


def _show_phrase(pilot: Pilot, holder: str) -> str:
    device = ("--device", str(pilot.devices / f"{holder}.db"), "--holder", holder)
    return pilot.run("wallet", "phrase", *device, stdin=f"{PASSPHRASE}\n")


def _certify(pilot: Pilot, holder: str) -> None:
    """By its bank, verified by OpenSSL; the same again while it lasts."""
    chain = pilot.data / f"{holder}.pem"
    first = pilot.wallet(holder, "certificate", "--out", str(chain))
    assert pilot.wallet(holder, "certificate") == first
    blocks = chain.read_text().split("-----END CERTIFICATE-----\n")
    ends = [f"{one}-----END CERTIFICATE-----\n" for one in blocks if one.strip()]
    device, issuer = pilot.data / "device.pem", pilot.data / "device-issuer.pem"
    device.write_text(ends[0])
    issuer.write_text(ends[1])
    command = ["openssl", "verify", "-CAfile", str(pilot.public / ROOT)]
    command += ["-untrusted", str(issuer)]
    subprocess.run([*command, str(device)], check=True, capture_output=True)
    for purpose in ("sslclient", "sslserver"):
        words = [*command, "-purpose", purpose, str(device)]
        done = subprocess.run(words, check=False, capture_output=True)
        assert done.returncode != 0, "it opens no connection of institutions"


def test_two_of_three_sign(pilot: Pilot) -> None:
    """A company's payment waits for them; one alone moves nothing; a no is for good."""
    pilot.fund(2, "1,000.00")
    payee = pilot.open_wallet("supplier", 2)
    pilot.open_wallet("company", 2, "Steppe Trade LLP")
    seats = json.loads(
        pilot.bank(2, "signatories", "company", "Aru", "Bek", "Cem", "--need", "2", "--json")
    )
    for name in ("Aru", "Bek"):
        pilot.wallet(name, "create")
        assert "company" in pilot.wallet(name, "sign-as", seats[name], "--bank", "2")
    pilot.bank(2, "lend", "company", "90.00")
    order = "ab" * 16
    withdrawing = ("withdraw", "90.00", "--order", order)
    assert "signatures_missing" in pilot.wallet("company", *withdrawing, code=1)
    _approve_all(pilot, "Aru", "Bek")
    pilot.wallet("company", *withdrawing)
    paying = ("pay", payee, "40.00", "--order", "cd" * 16)
    assert "signatures_missing" in pilot.wallet("company", *paying, code=1)
    [shown] = json.loads(pilot.wallet("Aru", "approvals", "--json"))
    assert shown[f"pay {payee}"] == "40.00 DCU"
    _approve_all(pilot, "Aru")
    assert "1 of 2" in pilot.wallet("company", *paying, code=1)
    _approve_all(pilot, "Bek")
    pilot.wallet("company", *paying)
    pilot.wallet("supplier", "collect")
    assert get_balance(pilot, "supplier") == 4000
    assert json.loads(pilot.wallet("Aru", "approvals", "--json")) == []


def _approve_all(pilot: Pilot, *names: str) -> None:
    for name in names:
        for one in json.loads(pilot.wallet(name, "approvals", "--json")):
            pilot.wallet(name, "approve", one["id"][:12])


def test_a_lost_device_and_its_money(pilot: Pilot) -> None:
    """Stopped from another device; a new one has the money at once; the old one is out for good."""
    pilot.fund(3, "1,000.00")
    pilot.wallet("lena", "create")
    pilot.wallet("lena", "open", pilot.bank(3, "invite", "lena", "Lena"), "--bank", "3")
    pilot.bank(3, "lend", "lena", "70.00")
    pilot.wallet("lena", "withdraw", "70.00")
    stopping = pilot.wallet("lena", "loss-code")
    made = pilot.wallet("lena", "shares", "3", "--threshold", "2", "--bank-keeps-one").splitlines()
    assert len(made) == 2
    where = ("--public", str(pilot.public), "--bank", "3")
    pilot.run("wallet", "lost", stopping, *where)
    assert "caller_unknown" in pilot.wallet("lena", "account", code=1)
    code = pilot.bank(3, "reopen", "lena")
    new = ("--device", str(pilot.devices / "lena-new.db"), "--holder", "lena", *where)
    stdin = "\n".join([PASSPHRASE, *made, ""])
    words = ("wallet", "recover", code, *new, "--shares", "2")
    told = pilot.run(*words, stdin=stdin)
    assert "balance: 70.00 DCU" in told
    again = pilot.run(*words, stdin=stdin)
    assert "balance: 70.00 DCU" in again and "payments: 0" in again
    assert "caller_unknown" in pilot.wallet("lena", "account", code=1)
