"""Others read an account with its client's consent, and one sub-wallet by its view key (T3, T20).

One network, two banks; names are this module's own.
"""

import json
from typing import Any

import pytest

from specie.assembly.tls import ROOT
from specie.values.catalogue import ErrorCode
from tests.network.pilot import PASSPHRASE, Pilot

CLIENT, PAYEE = "wanda", "xaver"
READER_NAME = "Ledger Ltd"
WHO = ("--as", "Ada", "--reason", "a complaint")


@pytest.fixture(scope="module")
def payee(pilot: Pilot) -> str:
    """The address of who is paid; the client has 50.00 on her device, and 25.00 in the deposit."""
    pilot.fund(2, "200.00")
    pilot.give(CLIENT, 2, "50.00", "Wanda Client")
    pilot.bank(2, "lend", CLIENT, "25.00")
    return pilot.open_wallet(PAYEE, 3, "Xaver Payee")


class Reader:
    """A book-keeper with its own key, on a machine of its own."""

    def __init__(self, pilot: Pilot, name: str) -> None:
        self.pilot = pilot
        self.key = pilot.devices / f"{name}.keys.json"
        self.public = self.run("create-key")

    def run(self, *words: str, code: int = 0) -> str:
        key = ("--key", str(self.key))
        return self.pilot.run("reader", *words, *key, stdin=f"{PASSPHRASE}\n", code=code)

    def ask(self, what: str, granted: dict[str, Any], *words: str, code: int = 0) -> str:
        which = ("--consent", granted["consent"], "--account", granted["account"])
        public = ("--public", str(self.pilot.public))
        return self.run(what, *which, *public, *words, code=code)

    def read(self, granted: dict[str, Any], *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ask("payments", granted, *words, "--json"))[
            "payments"
        ]
        return found


def give(pilot: Pilot, reader: Reader, *words: str) -> dict[str, Any]:
    named = ("--reader", reader.public, "--name", READER_NAME)
    granted: dict[str, Any] = json.loads(
        pilot.wallet(CLIENT, "consent", "give", *named, *words, "--json")
    )
    return granted


def test_a_book_keeper_reads_what_the_client_lets_it_read(pilot: Pilot, payee: str) -> None:
    """The client's own history, without what the scope leaves out; it sees who has read."""
    link = pilot.wallet(PAYEE, "request", "7.00", "--memo", "lunch").splitlines()[0]
    pilot.wallet(CLIENT, "pay", link)
    reader, other = Reader(pilot, "ledger"), Reader(pilot, "other")
    granted = give(pilot, reader, "--since", "2020-01-01", "--memos", "--balance")
    assert granted["status"] == "Authorised"
    shown = reader.read(granted)
    own = json.loads(pilot.wallet(CLIENT, "history", "--json"))
    assert [(one["what"], one["minor"], one["state"]) for one in shown] == [
        (one["what"], one["minor"], one["state"]) for one in own
    ]
    paid = json.loads(pilot.wallet(CLIENT, "payment", own[-1]["id"], "--json"))
    assert (shown[-1]["order"], shown[-1]["transaction"]) == (paid["order"], paid["transaction"])
    found = json.loads(reader.ask("balance", granted, "--json"))
    assert (found["deposit_minor"], found["wallet_minor"]) == (2500, 4300)
    plain = give(pilot, reader, "--since", "2020-01-01")
    assert [set(one) & {"order", "end_to_end", "name"} for one in reader.read(plain)] == [
        set() for _ in shown
    ]
    late = give(pilot, reader)
    assert reader.read(late) == []
    scope = ErrorCode.CONSENT_SCOPE_EXCEEDED.value
    assert scope in reader.ask("payments", late, "--since", "2020-01-01", code=1)
    assert scope in reader.ask("balance", late, code=1)
    assert ErrorCode.CALLER_UNKNOWN.value in other.ask("payments", granted, code=1)
    _look_at_who_has_read(pilot, reader, granted)
    _revoke(pilot, reader, granted)


def _look_at_who_has_read(pilot: Pilot, reader: Reader, granted: dict[str, Any]) -> None:
    """By the client, and by the bank's own people, on the log whose head is signed."""
    rows = json.loads(pilot.wallet(CLIENT, "consent", "readings", "--json"))
    assert [(one["consent"], one["reader_name"]) for one in rows] == [
        (number, READER_NAME) for number in (3, 2, 1, 1)
    ]
    assert {one["reader"] for one in rows} == {reader.public}
    log = json.loads(pilot.bank(2, "access-log", *WHO, "--limit", "1000", "--json"))
    read = [one for one in log if one["action"] == "consented-reading"]
    mine = [one for one in read if one["client"] == CLIENT]
    assert len(mine) == len(rows)
    assert mine[0]["reason"] == f"consent 1: {granted['consent']}"


def _revoke(pilot: Pilot, reader: Reader, granted: dict[str, Any]) -> None:
    for _ in range(2):
        ended = json.loads(pilot.wallet(CLIENT, "consent", "revoke", "1", "--json"))
        assert (ended["status"], ended["ended_by"]) == ("Revoked", "client")
    assert ErrorCode.CONSENT_REVOKED.value in reader.ask("payments", granted, code=1)
    listed = json.loads(pilot.wallet(CLIENT, "consent", "list", "--json"))
    assert [one["status"] for one in listed] == ["Revoked", "Authorised", "Authorised"]
    assert READER_NAME not in pilot.read_logs()


def test_a_closed_account_is_read_by_nobody(pilot: Pilot) -> None:
    pilot.open_wallet("yara", 2, "Yara")
    reader = Reader(pilot, "yaras")
    named = ("--reader", reader.public, "--name", READER_NAME)
    granted = json.loads(pilot.wallet("yara", "consent", "give", *named, "--json"))
    assert reader.read(granted) == []
    pilot.wallet("yara", "close")
    assert "consent_revoked: revoked: closing" in reader.ask("payments", granted, code=1)


def test_a_consent_for_one_sub_wallet_shows_no_other(pilot: Pilot) -> None:
    """Both are of one phrase, at one bank; only the client knows."""
    pilot.fund(2, "100.00")
    first = pilot.give("zora", 2, "9.00", "Zora Client")
    code, here = pilot.bank(2, "invite", "zora-shop", "Zora Shop"), ("--subwallet", "1")
    pilot.wallet("zora", "open", code, "--bank", "2", *here)
    pilot.bank(2, "lend", "zora-shop", "4.00")
    pilot.wallet("zora", "withdraw", "4.00", *here)
    reader = Reader(pilot, "zoras")
    named = ("--reader", reader.public, "--name", READER_NAME)
    scope = ("--since", "2020-01-01", "--balance", "--json")
    granted = json.loads(pilot.wallet("zora", "consent", "give", *named, *scope, *here))
    assert [one["minor"] for one in reader.read(granted)] == [400]
    assert json.loads(reader.ask("balance", granted, "--json"))["wallet_minor"] == 400
    wrong = reader.ask("payments", {**granted, "account": first}, code=1)
    assert ErrorCode.CONSENT_ACCOUNT_WRONG.value in wrong
    assert json.loads(pilot.wallet("zora", "consent", "list", "--json")) == []
    assert json.loads(pilot.wallet("zora", "consent", "readings", "--json")) == []
    assert len(json.loads(pilot.wallet("zora", "consent", "readings", "--json", *here))) == 2
    unknown = pilot.wallet("zora", "consent", "revoke", "1", code=1)
    assert ErrorCode.CONSENT_UNKNOWN.value in unknown
    assert "Revoked" in pilot.wallet("zora", "consent", "revoke", "1", *here)


def test_a_view_key_shows_one_sub_wallet_and_no_other(pilot: Pilot, payee: str) -> None:
    """From the log alone, without the bank; sub-wallet 1 is paid as well and stays unseen."""
    log = (pilot.get_url("registration"), "--root", str(pilot.public / ROOT), "--json")
    secret = pilot.wallet(CLIENT, "view-key", "--subwallet", "0")
    assert pilot.wallet(CLIENT, "view-key", "--subwallet", "0") != secret, "sealed anew"
    pilot.wallet(CLIENT, "pay", payee, "3.00")
    balance = json.loads(pilot.wallet(CLIENT, "account", "--json"))["on_the_device_minor"]

    def look() -> dict[str, Any]:
        told: dict[str, Any] = json.loads(pilot.run("wallet", "watch", *log, stdin=f"{secret}\n"))
        return told

    pilot.wait(lambda: look()["unspent_minor"] == balance)
    found = look()
    assert {one["state"] for one in found["outputs"]} == {"spent", "unspent"}
    assert found["address"] == json.loads(pilot.wallet(CLIENT, "account", "--json"))["address"]
    other = pilot.wallet(CLIENT, "view-key", "--subwallet", "1", "--bank", "2")
    told = pilot.run("wallet", "watch", *log, stdin=f"{other}\n")
    assert json.loads(told)["outputs"] == []
    mistyped = secret[:-1] + ("p" if secret.endswith("q") else "q")
    broken = pilot.run("wallet", "watch", *log, stdin=f"{mistyped}\n", code=1)
    assert ErrorCode.ADDRESS_INVALID.value in broken and secret[:40] not in broken
