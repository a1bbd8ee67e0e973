"""People ask for money, show their names or do not, and see what became of it (T8, T9, T11, T18).

One network, two banks; what is refused is refused with a code and pays nothing.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from specie.values.catalogue import ErrorCode
from tests.network.pilot import Pilot
from tests.network.webhook_receiver import receiving

PAYER, PAYEE = "paula", "quentin"


@pytest.fixture(scope="module")
def payees(pilot: Pilot) -> str:
    """The payee's address; the payer has 100.00 on her device."""
    pilot.fund(2, "500.00")
    pilot.give(PAYER, 2, "100.00", "Paula Payer")
    return pilot.open_wallet(PAYEE, 3, "Quentin Payee")


def ask(pilot: Pilot, *arguments: str) -> str:
    return pilot.wallet(PAYEE, "request", *arguments).splitlines()[0]


def list_rows(pilot: Pilot, holder: str, command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(pilot.wallet(holder, command, "--json"))
    return found


def test_a_request_is_paid_once_and_its_payee_knows(
    pilot: Pilot, payees: str, tmp_path: Path
) -> None:
    picture = tmp_path / "ask.svg"
    link = ask(pilot, "12.50", "--memo", "lunch", "--expires", "2", "--qr", str(picture))
    assert "<svg" in picture.read_text()
    pilot.wallet(PAYER, "pay", link, "--show-name")
    again = pilot.wallet(PAYER, "pay", link, code=1)
    assert ErrorCode.REQUEST_PAID.value in again
    altered = pilot.wallet(PAYER, "pay", link.replace("&m=1250", "&m=1"), code=1)
    assert ErrorCode.REQUEST_INVALID.value in altered
    pilot.wallet(PAYEE, "collect")
    [row] = list_rows(pilot, PAYEE, "requests")
    assert (row["state"], row["paid_minor"], row["text"]) == ("paid", 1_250, "lunch")
    [arrived] = list_rows(pilot, PAYEE, "history")
    assert arrived["from"] == "Paula Payer (says bank 2)"
    assert arrived["id"] == row["paid_by"][0]["output"]
    shown = json.loads(pilot.wallet(PAYEE, "payment", arrived["id"], "--json"))
    assert shown["order"] == row["order"] and shown["state"] == "settled"
    paid = [one for one in list_rows(pilot, PAYER, "history") if one["what"] == "paid"]
    assert [(one["state"], one["for"]) for one in paid] == [("settled", "lunch")]
    pilot.wallet(PAYER, "pay", link, "--order", "ab" * 16)
    pilot.wallet(PAYEE, "collect")
    assert list_rows(pilot, PAYEE, "requests")[0]["state"] == "overpaid"
    names = {one["from"] for one in list_rows(pilot, PAYEE, "history")}
    assert names == {"Paula Payer (says bank 2)", ""}, "hidden unless said otherwise"


def test_a_no_is_seen_beside_the_payment(pilot: Pilot, payees: str) -> None:
    pilot.bank(3, "block", PAYEE, "--as", "Ada", "--reason", "a letter")
    try:
        told = pilot.wallet(PAYER, "pay", payees, "1.00", code=1)
        assert ErrorCode.CLIENT_BLOCKED.value in told
        last = list_rows(pilot, PAYER, "history")[-1]
        assert (last["state"], last["code"]) == ("pending", "client_blocked")
        shown = json.loads(pilot.wallet(PAYER, "payment", last["id"], "--json"))
        assert shown["free_after"] > shown["time"]
    finally:
        pilot.bank(3, "unblock", PAYEE, "--as", "Ada", "--reason", "a letter")
    assert "1 payments settled" in pilot.wallet(PAYER, "collect")
    assert list_rows(pilot, PAYER, "history")[-1]["state"] == "settled"


def test_a_device_hears_and_a_webhook_is_told(pilot: Pilot, payees: str) -> None:
    """Both of the same event; the device fetches what has arrived."""
    with receiving() as receiver:
        url = receiver.url
        secret = pilot.bank(3, "webhooks", "register", PAYEE, url)
        assert secret.startswith("whsec_") and secret not in pilot.read_logs()
        link = ask(pilot, "2.25")
        pilot.wallet(PAYEE, "collect")
        known = count_events(pilot)
        line = pilot.wallet(PAYEE, "listen", "--after", str(known), "--count", "1", "--json")
        told = {"number": known + 1, "kind": "webhook.registered", "host": "127.0.0.1"}
        assert json.loads(line) == told, "the device hears where its events go"
        known += 1
        pilot.wallet(PAYER, "pay", link)
        line = pilot.wallet(PAYEE, "listen", "--after", str(known), "--count", "1", "--json")
        event = json.loads(line)
        assert (event["kind"], event["minor"]) == ("payment.arrived", 225)
        [row] = [one for one in list_rows(pilot, PAYEE, "requests") if one["minor"] == 225]
        assert (row["state"], row["order"]) == ("paid", event["order"])
        pilot.wait(lambda: len(receiver.told) == 1)
        heard = json.loads(receiver.told[0].body)
        assert heard["type"] == event["kind"] and heard["data"]["order"] == event["order"]
        listed = json.loads(pilot.bank(3, "webhooks", "list", "--json"))
        assert listed == [{"client": PAYEE, "url": url}]
        assert json.loads(pilot.bank(3, "webhooks", "dead", "--json")) == []
        assert pilot.bank(3, "webhooks", "replay", PAYEE).startswith("0 events")
        pilot.bank(3, "webhooks", "remove", PAYEE)
    refused = pilot.run(
        *("bank", "webhooks", "register", PAYEE, "http://10.0.0.1/", "--at"),
        str(pilot.data / "bank-3"),
        code=1,
    )
    assert ErrorCode.WEBHOOK_INVALID.value in refused


def count_events(pilot: Pilot) -> int:
    """What the payee was told before the webhook: one event for each payment that arrived."""
    return len([one for one in list_rows(pilot, PAYEE, "history") if one["what"] == "received"])
