"""People ask for money, show their names or do not, and see what became of it (T8, T9, T11, T18).

One network, two banks; what is refused is refused with a code and pays nothing.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from specie.values.catalogue import ErrorCode
from tests.network.pilot import Pilot

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
    assert (row["state"], row["paid minor"], row["text"]) == ("paid", 1_250, "lunch")
    [arrived] = list_rows(pilot, PAYEE, "history")
    assert arrived["from"] == "Paula Payer (says bank 2)"
    assert arrived["id"] == row["paid by"][0]["output"]
    shown = json.loads(pilot.wallet(PAYEE, "payment", arrived["id"], "--json"))
    assert shown["order"] == row["order"] and shown["state"] == "settled"
    paid = [one for one in list_rows(pilot, PAYER, "history") if one["what"] == "paid"]
    assert [one["state"] for one in paid] == ["settled"]
    pilot.wallet(PAYER, "pay", link, "--order", "ab" * 16)
    pilot.wallet(PAYEE, "collect")
    assert list_rows(pilot, PAYEE, "requests")[0]["state"] == "overpaid"
    names = {one["from"] for one in list_rows(pilot, PAYEE, "history")}
    assert names == {"Paula Payer (says bank 2)", ""}, "hidden unless said otherwise"


def test_a_no_is_seen_beside_the_payment(pilot: Pilot, payees: str) -> None:
    pilot.bank(3, "block", PAYEE)
    try:
        told = pilot.wallet(PAYER, "pay", payees, "1.00", code=1)
        assert ErrorCode.CLIENT_BLOCKED.value in told
        last = list_rows(pilot, PAYER, "history")[-1]
        assert (last["state"], last["code"]) == ("pending", "client_blocked")
        shown = json.loads(pilot.wallet(PAYER, "payment", last["id"], "--json"))
        assert shown["free after"] > shown["time"]
    finally:
        pilot.bank(3, "unblock", PAYEE)
    assert "1 payments settled" in pilot.wallet(PAYER, "collect")
    assert list_rows(pilot, PAYER, "history")[-1]["state"] == "settled"
