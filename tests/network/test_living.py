"""A currency between processes: issued, withdrawn, paid, redeemed; a bank comes and goes."""

import json
import re
import socket
import ssl
import subprocess
import sys
import urllib.request

from specie.assembly.folders import PASSPHRASES
from specie.assembly.tls import ROOT, build_public_context
from specie.remote.channel import get_host
from tests.network.pilot import PASSPHRASE, Pilot, draw


def test_money_lives_and_a_bank_comes_and_goes(pilot: Pilot) -> None:
    """T1, T2, P2, P4, P8, P9, T19: one story, as the README's tour tells it."""
    pilot.fund(2, "500,000.00")
    alice = pilot.open_wallet("alice", 2, "Alice Example")
    bob = pilot.open_wallet("bob", 3, "Bob Example")
    pilot.bank(2, "lend", "alice", "1,000.00")
    assert "balance: 300.00 DCU" in pilot.wallet("alice", "withdraw", "300.00")
    assert "balance: 287.50 DCU" in pilot.wallet("alice", "pay", bob, "12.50")
    assert "balance: 12.50 DCU" in pilot.wallet("bob", "collect")
    assert "balance: 10.00 DCU" in pilot.wallet("bob", "deposit", "2.50")
    assert pilot.get_fact(3, "vault") == 250
    join = _let_a_bank_join(pilot)
    carol = pilot.open_wallet("carol", 4, "Carol Example")
    pilot.wallet("alice", "pay", carol, "20.00")
    assert "balance: 20.00 DCU" in pilot.wallet("carol", "collect")
    _let_the_successor_take_over(pilot, carol)
    assert "participant_inactive" in pilot.run(*join, code=1), "its code gives no certificate now"
    assert alice.startswith("spc1")


def _let_a_bank_join(pilot: Pilot) -> list[str]:
    """T2: invited by one officer, approved by another, in the list, able to pay.

    Gives the command that asks once more.
    """
    code = pilot.officer("invite", "Bank of the East", officers=(1,))
    (pilot.data / PASSPHRASES / "bank-4").write_text("a passphrase of the east\n")
    folder, public = str(pilot.data / "bank-4"), str(pilot.public)
    command = [sys.executable, "-m", "specie", "bank", "join", code, "--at", folder]
    command += ["--public", public, "--wait", "60"]
    command += ["--passphrase-file", str(pilot.data / PASSPHRASES / "bank-4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stopped:
        assert stopped.stdout is not None
        told = stopped.stdout.readline()
        stopped.kill()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as joining:
        assert joining.stdout is not None
        line = joining.stdout.readline()
        assert line == told, "started again, it is the same newcomer"
        digest = line.rpartition(" ")[2].strip()
        pilot.wait(lambda: digest in pilot.officer("enrolments", officers=(2,)))
        refused = pilot.run(
            "officer", "enrol", digest, "--data", str(pilot.data), "--officer", "1", code=1
        )
        assert "approvals_missing" in refused
        assert "done" in pilot.officer("enrol", digest, officers=(2,))
        assert "approved: bank-4" in joining.stdout.read()
        assert joining.wait() == 0
    pilot.start("bank-4")
    return command[3:]


def _let_the_successor_take_over(pilot: Pilot, carol: str) -> None:
    """T2: bank 4 is suspended, bank 2 serves its clients; money is neither frozen nor lost."""
    acting = ("--as", "Ada", "--reason", "she has a shop")
    pilot.run("bank", "tier", "carol", "business", "--at", str(pilot.data / "bank-4"), *acting)
    export = pilot.devices / "clients.json"
    at = str(pilot.data / "bank-4")
    secret = "between two banks\n"
    pilot.run("bank", "export-clients", str(export), "--at", at, stdin=secret)
    assert "Carol" not in export.read_text()
    forged = pilot.devices / "forged.json"
    told = json.loads(export.read_text())
    del told["clients"][0]["sealed_standing"]  # she would be in no tier, and free of any order
    forged.write_text(json.dumps(told))
    parameters = ["--set", "participant=4", "--set", "successor=2"]
    pilot.officer("decide", "suspend", *parameters)
    at = str(pilot.data / "bank-2")
    order = ("bank", "import-clients", str(forged), "--at", at)
    assert "sealed_invalid" in _try(pilot, *order, stdin=secret)
    pilot.wait(
        lambda: (
            "1 clients"
            in _try(pilot, "bank", "import-clients", str(export), "--at", at, stdin=secret)
        )
    )
    served = json.loads(pilot.bank(2, "clients", "--json", *acting))
    assert [one["tier"] for one in served if one["client"] == "4.carol"] == ["business"]
    bob = pilot.run(
        *("wallet", "subwallets", "--device", str(pilot.devices / "bob.db"), "--holder", "bob"),
        *("--public", str(pilot.public), "--bank", "3", "--count", "1"),
        stdin=f"{PASSPHRASE}\n",
    ).split()[-1]
    # Until bank 4 has heard of it too, it gives its clients older lists: the same order again.
    words = pilot.spell("carol", "pay", bob, "5.00", "--order", draw().hex())
    pilot.wait(lambda: "balance: 15.00 DCU" in _try(pilot, *words, stdin=f"{PASSPHRASE}\n"))
    assert "balance: 15.00 DCU" in pilot.wallet("bob", "collect")
    assert "balance: 266.50 DCU" in pilot.wallet("alice", "pay", carol, "1.00")
    assert "balance: 16.00 DCU" in pilot.wallet("carol", "collect")
    pilot.officer("decide", "remove", *parameters)
    assert "balance: 15.50 DCU" in pilot.wallet("carol", "pay", bob, "0.50"), "removed, not frozen"


def _try(pilot: Pilot, *arguments: str, stdin: str) -> str:
    done = pilot.try_run(*arguments, stdin=stdin)
    return str(done["out"] + done["err"])


def test_what_is_redeemed_becomes_reserves(pilot: Pilot) -> None:
    """P9: the vault's money is void, the bank has its reserves."""
    before = pilot.get_fact(2, "reserves")
    order = pilot.bank(2, "redeem", "1,000.00")
    pilot.officer("approve", order)
    pilot.wait(lambda: pilot.get_fact(2, "reserves") == before + 100_000)
    at = str(pilot.data / "central-bank")
    stock = json.loads(pilot.run("central-bank", "stock", "--at", at, "--json"))
    assert stock["outstanding"] == 49_900_000
    assert stock["backed_by"] == stock["outstanding"]


def test_vault_money_goes_to_another_bank(pilot: Pilot) -> None:
    """P14; under the same order it is the same transfer."""
    before, order = pilot.get_fact(3, "vault"), draw().hex()
    first = pilot.bank(2, "transfer", "3", "7.00", "--order", order)
    assert pilot.bank(2, "transfer", "3", "7.00", "--order", order) == first
    assert pilot.get_fact(3, "vault") == before + 700


def test_a_stop_answers_what_has_begun_and_takes_nothing_new(pilot: Pilot) -> None:
    """P12: a request whose body is half here when the process is told to stop."""
    url, child = pilot.get_url("bank-2"), pilot.children["bank-2"]
    body = b'{"code":"00"}'
    begun = _begin_request(pilot, url, body[:5], len(body))
    try:
        assert pilot.fetch(url + "/v1/peers/none").status == 404, "it answers others meanwhile"
        child.running.terminate()
        pilot.wait(lambda: _ask_state(pilot, "bank-2") != 200)
        assert child.running.poll() is None, "it waits for what has begun"
        begun.sendall(body[5:])
        answer = begun.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 422 "), answer[:200]
        assert child.running.wait(30) == 0
    finally:
        begun.close()
        pilot.network.children.remove(child)
        pilot.start("bank-2")
    assert "balance" in pilot.wallet("alice", "collect")


def _begin_request(pilot: Pilot, url: str, part: bytes, size: int) -> ssl.SSLSocket:
    """A stranger opens a wallet with a code that is none; some of the body is still to come."""
    host, port = get_host(url)
    context = build_public_context(pilot.public / ROOT)
    found = context.wrap_socket(socket.create_connection((host, port), 20), server_hostname=host)
    head = f"POST /v1/wallets HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    found.sendall(f"{head}content-length: {size}\r\n\r\n".encode() + part)
    return found


def _ask_state(pilot: Pilot, name: str) -> int:
    """Of its readiness; 0 if nobody answers."""
    try:
        return pilot.fetch(pilot.get_url(name, "operations") + "/ready").status
    except OSError:
        return 0


def test_what_is_begun_is_not_to_be_repeated(pilot: Pilot) -> None:
    """P2, T8: who hears no answer has the id, and is told what has become of it."""
    before, chosen = pilot.get_fact(3, "reserves"), draw().hex()
    loan = ("decide", "lend-reserves", "--set", "participant=3", "--set", "amount=7.00")
    under = (*loan, "--id", chosen)
    told = pilot.officer(*under, officers=(1,))
    assert f"{chosen}: nobody has proposed it yet" in told
    assert f"{chosen}: proposed" in told
    pilot.kill("accounting")
    command = ("officer", *under, "--data", str(pilot.data), "--officer", "2")
    refused = pilot.run(*command, code=1)
    pilot.start("accounting")
    assert refused.endswith(f"{chosen} is begun and will be carried out: do not repeat it")
    pilot.wait(lambda: f"{chosen}: done" in pilot.officer(*under))
    assert pilot.get_fact(3, "reserves") == before + 700, "once, however often it was said"


def _read_alarms(pilot: Pilot) -> dict[str, dict[str, str]]:
    done = pilot.try_run("alarms", "--data", str(pilot.data), "--json")
    found: dict[str, dict[str, str]] = json.loads(done["out"])
    assert done["code"] == (1 if any(found.values()) else 0)
    return found


def test_issuance_can_be_paused_by_two(pilot: Pilot) -> None:
    """P12: parameters and alarms under four eyes, with a history."""
    pilot.officer("decide", "pause-issuance")
    pilot.lend(3, "50.00")
    order = pilot.bank(3, "issue", "1.00")
    command = ["officer", "approve", order, "--data", str(pilot.data)]
    pilot.run(*command, "--officer", "1", "--officer", "2", "--wait", "2", stdin="y\n", code=1)
    assert 'specie_alarm{alarm="issuance_paused"} 1.0' in _get_metrics(pilot, "central-bank")
    assert _read_alarms(pilot)["central-bank"] == {"issuance_paused": "officers have paused it"}
    pilot.officer("decide", "resume-issuance")
    pilot.wait(lambda: _read_alarms(pilot)["central-bank"] == {})
    assert "final" in pilot.officer("approve", order)
    pilot.officer(
        "decide", "set-parameter", "--set", "name=issuance_limit_order", "--set", "value=0.10"
    )
    history = pilot.officer("decisions", officers=(1,))
    kinds = re.findall(r"done\s+(\S+)", history)
    assert kinds[-4:] == ["pause-issuance", "lend-reserves", "resume-issuance", "set-parameter"]
    assert "set issuance_limit_order to 0.10 DCU  signed by [1, 2]" in history


def _get_metrics(pilot: Pilot, name: str) -> str:
    url = pilot.get_url(name, "operations") + "/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())
