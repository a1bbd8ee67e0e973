"""Money goes back: the shop knows no payer, the payer knows what for (T8, T9, T18, T19).

One network, two banks; names are this module's own.
"""

import json
from typing import Any

import pytest

from specie.values.catalogue import ErrorCode
from tests.network.pilot import Pilot

PAYER, SHOP, STRANGER = "ruth", "stan", "tilda"


@pytest.fixture(scope="module")
def shop(pilot: Pilot) -> str:
    """Its address; the payer has 100.00 on her device."""
    pilot.fund(2, "300.00")
    pilot.give(PAYER, 2, "100.00", "Ruth Payer")
    pilot.give(STRANGER, 2, "30.00", "Tilda Stranger")
    return pilot.open_wallet(SHOP, 3, "Stan Shop")


def list_rows(pilot: Pilot, holder: str, what: str) -> list[dict[str, Any]]:
    pilot.wallet(holder, "collect")
    found: list[dict[str, Any]] = json.loads(pilot.wallet(holder, "history", "--json"))
    return [one for one in found if one["what"] == what]


def hear(pilot: Pilot, holder: str, known: int, count: int) -> list[dict[str, Any]]:
    lines = pilot.wallet(
        holder, "listen", "--after", str(known), "--count", str(count), "--json"
    ).splitlines()
    return [json.loads(line) for line in lines]


def test_an_anonymous_payer_gets_its_money_back(pilot: Pilot, shop: str) -> None:
    pilot.wallet(PAYER, "pay", shop, "40.00", "--refundable")
    [sold] = list_rows(pilot, SHOP, "received")
    assert sold["from"] == "" and sold["refund_of"] == ""
    shown = json.loads(pilot.wallet(SHOP, "payment", sold["id"], "--json"))
    assert shown["return_address"] == "given"
    over = pilot.wallet(SHOP, "refund", sold["id"], "40.01", code=1)
    assert ErrorCode.REFUND_EXCEEDED.value in over
    assert "refunded: 15.00" in pilot.wallet(SHOP, "refund", sold["id"], "15.00")
    assert "refunded: 25.00" in pilot.wallet(SHOP, "refund", sold["id"])
    again = pilot.wallet(SHOP, "refund", sold["id"], code=1)
    assert ErrorCode.REFUND_EXCEEDED.value in again
    [paid] = list_rows(pilot, PAYER, "paid")
    back = [one for one in list_rows(pilot, PAYER, "received") if one["refund_of"]]
    assert [(one["minor"], one["refund_of"]) for one in back] == [
        (1_500, paid["id"]),
        (2_500, paid["id"]),
    ]
    assert paid["refunded_minor"] == 4_000
    assert [one["refund_of"] for one in list_rows(pilot, SHOP, "paid")] == [sold["id"]] * 2
    told = hear(pilot, PAYER, 0, 4)
    transaction = json.loads(pilot.wallet(PAYER, "payment", paid["id"], "--json"))["transaction"]
    assert [
        (one["minor"], one["refund_of"]) for one in told if one["kind"] == "refund.arrived"
    ] == [
        (1_500, transaction),
        (2_500, transaction),
    ]
    pilot.wallet(PAYER, "pay", shop, "99.00")
    assert "balance: 1.00" in pilot.wallet(PAYER, "collect"), "what came back is money like any"


def test_a_payer_without_an_address_needs_one(pilot: Pilot, shop: str) -> None:
    """A name takes the room; whoever is told an address says it with --to."""
    both = pilot.wallet(PAYER, "pay", shop, "1.00", "--refundable", "--show-name", code=1)
    assert ErrorCode.SETTING_INVALID.value in both
    pilot.wallet(PAYER, "pay", shop, "1.00", "--show-name")
    sold = list_rows(pilot, SHOP, "received")[-1]
    told = pilot.wallet(SHOP, "refund", sold["id"], code=1)
    assert ErrorCode.RETURN_ADDRESS_MISSING.value in told and "--to" in told
    own = pilot.wallet(PAYER, "subwallets", "--bank", "2", "--count", "1").split()[-1]
    assert "refunded: 1.00" in pilot.wallet(SHOP, "refund", sold["id"], "--to", own)
    assert (
        list_rows(pilot, PAYER, "received")[-1]["refund_of"]
        == list_rows(pilot, PAYER, "paid")[-1]["id"]
    )


def test_what_was_never_received_is_not_paid_back(pilot: Pilot, shop: str) -> None:
    unknown = pilot.wallet(SHOP, "refund", "ab" * 32, "1.00", code=1)
    assert ErrorCode.PAYMENT_UNKNOWN.value in unknown
