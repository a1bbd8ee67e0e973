"""People and their banks on a network: apply, sign together, move, lose, have it back (T1, T3, T19,
T25, X7)."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

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
    return int(found["on_the_device_minor"])


def read(pilot: Pilot, holder: str, *arguments: str) -> dict[str, Any]:
    """What a command of a wallet says to programs."""
    found: dict[str, Any] = json.loads(pilot.wallet(holder, *arguments, "--json"))
    return found


def ask_bank(pilot: Pilot, number: int, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pilot.bank(number, *arguments, "--json"))
    return found


def open_subwallet(pilot: Pilot, holder: str, place: int, bank: int, client: str) -> str:
    """With a deposit of 40.00, of which 30.00 are on the device; gives the address."""
    code = ask_bank(pilot, bank, "invite", client, "Saule Omarova")
    assert code["client"] == client
    here = ("--subwallet", str(place))
    opened = read(pilot, holder, "open", code["code"], "--bank", str(bank), *here)
    assert (opened["subwallet"], opened["bank"], opened["client"]) == (place, bank, client)
    lent = ask_bank(pilot, bank, "lend", client, "40.00")
    assert (lent["client"], lent["minor"]) == (client, 4_000) and len(lent["order"]) == 32
    taken = read(pilot, holder, "withdraw", "30.00", *here, "--order", "ab" * 15 + f"{place:02}")
    assert (taken["minor"], taken["balance_minor"]) == (3_000, 3_000)
    assert taken["order"] == "ab" * 15 + f"{place:02}"
    return str(opened["address"])


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
    refusing = ("refuse", number, "--tell", "a photo is missing", "--as", "Dana")
    assert ask_bank(pilot, 2, *refusing)["refused"] == [number]
    assert "a photo is missing" in pilot.wallet("aliya", "application")
    assert "waiting" in apply(pilot, "aliya", 2), "asked anew"
    [second] = json.loads(pilot.bank(2, "applications", "--json"))
    for _ in range(2):
        approving = ("approve", second["number"], "--client", "aliya", "--as", "Dana")
        assert pilot.bank(2, *approving) == "aliya"
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
    assert json.loads(pilot.wallet("aliya", "account", "--json"))["deposit_minor"] == 0
    _take_number_along(pilot)


def test_who_is_refused_at_one_bank_asks_another(pilot: Pilot) -> None:  # T3
    """Bound to a bank is whoever that has opened a wallet for; before, the device may go on."""
    pilot.wallet("timur", "create")
    assert "waiting" in apply(pilot, "timur", 2)
    [waiting] = json.loads(pilot.bank(2, "applications", "--json"))
    pilot.bank(2, "refuse", waiting["number"], "--tell", "not from here", "--as", "Dana")
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
    asked = ("signatories", "company", "Aru", "Bek", "Cem", "--need", "2")
    seats = {one["name"]: one["code"] for one in ask_bank(pilot, 2, *asked)["codes"]}
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
    assert (
        shown["pays"] == [{"to": payee, "amount": "40.00 DCU", "minor": 4_000}]
        and shown["you"] is None
    )
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
    open_subwallet(pilot, "lena", 1, 3, "lena-kids")
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
    pilot.bank(3, "lost", "lena-kids")
    code = ask_bank(pilot, 3, "reopen", "lena-kids")["code"]
    second = ("wallet", "recover", code, *new, "--shares", "2", "--subwallet", "1", "--json")
    found = json.loads(pilot.run(*second, stdin=stdin))
    assert (found["subwallet"], found["balance_minor"], found["payments"]) == (1, 3_000, 1)


def test_what_was_paid_before_a_move_is_not_paid_again(pilot: Pilot) -> None:  # T25
    """The same order, or the same request, in whichever sub-wallet the device has it."""
    pilot.fund(2, "1,000.00")
    pilot.open_wallet("landlord", 3)
    link = pilot.wallet("landlord", "request", "4.00")
    pilot.give("tenant", 2, "50.00")
    paying = ("pay", pilot.wallet("landlord", "address"), "7.00", "--order", "1d" * 16)
    pilot.wallet("tenant", *paying)
    pilot.wallet("tenant", "pay", link)
    code = pilot.bank(3, "invite", "tenant-3", "Some Body")
    pilot.wallet("tenant", "move", "--to-bank", "3", "--code", code)
    assert "paid: " + "1d" * 16 in pilot.wallet("tenant", *paying)
    assert get_balance(pilot, "tenant") == 3900, "not once more"
    assert "request_paid" in pilot.wallet("tenant", "pay", link, code=1)
    another = ("pay", pilot.wallet("landlord", "address"), "8.00", "--order", "1d" * 16)
    assert "order_conflict" in pilot.wallet("tenant", *another, code=1)
    assert get_balance(pilot, "tenant") == 3900


def test_one_phrase_two_subwallets_at_a_bank_and_one_at_another(  # T3, T25
    pilot: Pilot, tmp_path: Path
) -> None:
    """Opened, paid from, collected into, restored, and seen in one window."""
    pilot.fund(2, "1,000.00")
    pilot.lend(3, "1,000.00")
    issued = ask_bank(pilot, 3, "issue", "1,000.00")
    assert issued["minor"] == 100_000
    pilot.officer("approve", issued["order"])
    shop = pilot.open_wallet("shop", 3)
    pilot.wallet("saule", "create")
    homes = [(0, 2, "saule"), (1, 2, "saule-savings"), (2, 3, "saule-3")]
    addresses = [open_subwallet(pilot, "saule", *home) for home in homes]
    assert len(set(addresses)) == 3
    code = pilot.bank(2, "invite", "saule-far", "Saule Omarova")
    far = ("open", code, "--bank", "2", "--subwallet", "8")
    assert "limit_exceeded" in pilot.wallet("saule", *far, code=1)
    _pay_from_each(pilot, shop)
    _collect_into_each(pilot, addresses)
    balances = [3_000 - 100 + 700, 3_000 - 200, 3_000 - 300 - 250]
    _certify_each(pilot)
    _give_the_number(pilot, addresses)
    _look_at_all(pilot, addresses, balances)
    _restore_all(pilot, addresses, balances, tmp_path)
    code = pilot.bank(3, "invite", "saule-home", "Saule Omarova")
    moved = read(pilot, "saule", "move", "--to-bank", "3", "--code", code)
    assert (moved["subwallet"], moved["balance_minor"]) == (3, balances[0] + 1_000)


def _pay_from_each(pilot: Pilot, shop: str) -> None:
    """The order of one sub-wallet is found from every other one: it is paid once."""
    for place in range(3):
        here, order = ("--subwallet", str(place)), "ee" * 15 + f"{place:02}"
        paying = ("pay", shop, f"{place + 1}.00", "--order", order)
        paid = read(pilot, "saule", *paying, *here)
        assert (paid["id"], paid["state"], paid["to"]) == (order, "settled", shop)
        assert (paid["minor"], paid["balance_minor"]) == (100 * place + 100, 2_900 - 100 * place)
        again = read(pilot, "saule", *paying)
        assert (again["transaction"], again["subwallet"]) == (paid["transaction"], place)
    got = read(pilot, "shop", "collect")
    assert (got["arrived"], got["balance_minor"], got["waiting"]) == (3, 600, [])
    sent = read(pilot, "saule", "deposit", "2.50", "--subwallet", "2")
    assert (sent["minor"], sent["balance_minor"]) == (250, 2_450)
    assert read(pilot, "saule", "account", "--subwallet", "2")["deposit_minor"] == 1_250


def _certify_each(pilot: Pilot) -> None:
    """A key and a certificate for each, as long as it lasts."""
    asked = [("certificate", "--subwallet", str(place)) for place in range(3)]
    chains = [pilot.wallet("saule", *one) for one in asked]
    assert len(set(chains)) == 3
    assert [pilot.wallet("saule", *one) for one in asked] == chains


def _give_the_number(pilot: Pilot, addresses: list[str]) -> None:
    """From a later sub-wallet to an earlier one, at another bank; signed by both."""
    number = "+77015550199"
    for version, (bank, client, place) in enumerate(((3, "saule-3", 2), (2, "saule", 0)), 1):
        pilot.bank(bank, "phone", client, number)
        put = read(pilot, "saule", "phone", "set", number, "--subwallet", str(place))
        assert (put["version"], put["bank"]) == (version, bank)
        found = read(pilot, "saule", "find", number, "--subwallet", "1")
        assert found["address"] == addresses[place]
    assert read(pilot, "saule", "phone", "remove", "--subwallet", "0")["state"] == "closed"


def _collect_into_each(pilot: Pilot, addresses: list[str]) -> None:
    """A request of one sub-wallet is paid into it, from another one of the same holder's even."""
    asked = read(pilot, "saule", "request", "7.00", "--subwallet", "0")
    assert asked["minor"] == 700 and asked["link"].startswith("specie:pay?")
    pilot.give("friend", 3, "20.00")
    assert read(pilot, "friend", "pay", asked["link"])["to"] == addresses[0]
    for place, arrived in enumerate((1, 0, 0)):
        assert read(pilot, "saule", "collect", "--subwallet", str(place))["arrived"] == arrived
    [row] = json.loads(pilot.wallet("saule", "requests", "--json"))
    assert (row["order"], row["state"]) == (asked["order"], "paid")


def _look_at_all(pilot: Pilot, addresses: list[str], balances: list[int]) -> None:
    """The single window."""
    window = read(pilot, "saule", "subwallets")
    assert [one["address"] for one in window["subwallets"]] == addresses
    assert [one["balance_minor"] for one in window["subwallets"]] == balances
    assert [one["client"] for one in window["subwallets"]] == ["saule", "saule-savings", "saule-3"]
    whole = read(pilot, "saule", "balance", "--subwallet", "1")
    assert (whole["balance_minor"], window["balance_minor"]) == (balances[1], sum(balances))
    assert whole["in_all_sub_wallets_minor"] == sum(balances)
    shown = read(pilot, "saule", "address", "--subwallet", "2")["addresses"]
    assert shown == [{"subwallet": 2, "bank": 3, "address": addresses[2]}]


def _restore_all(pilot: Pilot, addresses: list[str], balances: list[int], tmp_path: Path) -> None:
    """By the phrase, on a new device, from a copy of the log."""
    mirror, root = str(tmp_path / "mirror"), str(pilot.public / ROOT)
    phrase = _show_phrase(pilot, "saule")
    fresh = ("--holder", "saule", "--public", mirror)
    into = str(tmp_path / "new.db")

    def restore() -> dict[str, Any]:
        pilot.run("audit", pilot.get_url("registration"), "--root", root, "--keep", mirror)
        for bank in ("2", "3"):
            words = ("wallet", "restore", *fresh, "--into", into, "--bank", bank)
            pilot.run(*words, "--subwallets", "3", stdin=f"{phrase}\n{PASSPHRASE}\n")
        listing = ("wallet", "subwallets", *fresh, "--device", into, "--json")
        found: dict[str, Any] = json.loads(pilot.run(*listing, stdin=f"{PASSPHRASE}\n"))
        return found

    def is_whole() -> bool:
        """Once all of it is published."""
        window = restore()["subwallets"]
        assert [one["address"] for one in window] == addresses
        return [one["balance_minor"] for one in window] == balances

    pilot.wait(is_whole)
