"""Money that went to the wrong one: its payer asks, the payee pays back or says no (T8, T9).

One network, two banks; names are this module's own.
"""

import json
from typing import Any

import pytest

from specie.values.catalogue import ErrorCode
from tests.network.pilot import Pilot

PAYER, PAYEE = "ursula", "viktor"


@pytest.fixture(scope="module")
def payee(pilot: Pilot) -> str:
    """The address of who is paid by mistake; the payer has 50.00 on her device."""
    pilot.fund(2, "100.00")
    pilot.give(PAYER, 2, "50.00", "Ursula Payer")
    return pilot.open_wallet(PAYEE, 3, "Viktor Payee")


def list_requests(pilot: Pilot, holder: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(pilot.wallet(holder, "return-requests", "--json"))
    return found


def pay(pilot: Pilot, payee: str, amount: str) -> str:
    lines = pilot.wallet(PAYER, "pay", payee, amount).splitlines()
    return next(line.split()[1] for line in lines if line.startswith("paid: "))


def test_a_payee_pays_back_what_came_by_mistake(pilot: Pilot, payee: str) -> None:
    """It was told no address with the payment; the request brings one."""
    payment = pay(pilot, payee, "20.00")
    words = ("return-request", payment, "--reason", "meant for Viktoria")
    for _ in range(2):
        pilot.wallet(PAYER, *words)
    again = pilot.wallet(PAYER, *words[:3], "other words", code=1)
    assert ErrorCode.ORDER_CONFLICT.value in again
    [asked], [seen] = list_requests(pilot, PAYER), list_requests(pilot, PAYEE)
    assert (asked["state"], asked["id"], asked["is_asked_by_us"]) == ("asked", payment, True)
    assert (seen["state"], seen["reason"], seen["bank"]) == ("asked", "meant for Viktoria", 2)
    assert "refunded: 5.00" in pilot.wallet(PAYEE, "refund", seen["id"], "5.00")
    assert [one["state"] for one in list_requests(pilot, PAYER)] == ["partly returned"]
    pilot.wallet(PAYEE, "refund", seen["id"])
    assert [one["state"] for one in list_requests(pilot, PAYER)] == ["returned"]
    assert [one["state"] for one in list_requests(pilot, PAYEE)] == ["returned"]
    late = pilot.wallet(PAYER, *words, code=1)
    assert ErrorCode.ORDER_CONFLICT.value in late, "it has come back"


def test_a_payee_says_no(pilot: Pilot, payee: str) -> None:
    payment = pay(pilot, payee, "3.00")
    pilot.wallet(PAYER, "return-request", payment, "--reason", "a mistake")
    [seen] = [one for one in list_requests(pilot, PAYEE) if one["minor"] == 300]
    for _ in range(2):
        pilot.wallet(PAYEE, "decline-return", seen["id"], "--reason", "it was for the bread")
    [mine] = [one for one in list_requests(pilot, PAYER) if one["id"] == payment]
    assert (mine["state"], mine["answer"]) == ("declined", "it was for the bread")
    told = pilot.wallet(PAYEE, "listen", "--count", "4", "--json").splitlines()
    assert "return.requested" in {json.loads(line)["kind"] for line in told}
    logs = pilot.read_logs()
    assert "it was for the bread" not in logs and "meant for Viktoria" not in logs


def test_nobody_asks_for_what_it_did_not_pay(pilot: Pilot, payee: str) -> None:
    told = pilot.wallet(PAYER, "return-request", "ab" * 16, "--reason", "mine", code=1)
    assert ErrorCode.PAYMENT_UNKNOWN.value in told
    none = pilot.wallet(PAYEE, "decline-return", "ab" * 32, "--reason", "no", code=1)
    assert ErrorCode.RETURN_REQUEST_UNKNOWN.value in none
