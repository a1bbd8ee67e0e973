"""Paying by phone number across two banks, over real processes (rows T8, T9, X3)."""

import json

from specie.remote import directory_models as models
from specie.remote import directory_operations as operations
from specie.remote.institutions import CENTRAL_BANK
from specie.values.catalogue import ErrorCode
from specie.values.phones import PhoneNumber
from tests.network.pilot import PASSPHRASE, Pilot, catch

OWN, OTHER = "+77015550171", "+77015550172"


def test_people_pay_by_number(pilot: Pilot) -> None:  # T8, T9
    pilot.fund(2, "5,000.00")
    pilot.give("dirpayer", 2, "100.00")
    address = pilot.open_wallet("dirpayee", 3, "Dana Directory")
    assert "phone_not_confirmed" in pilot.wallet("dirpayee", "phone", "set", OWN, code=1)
    pilot.bank(3, "phone", "dirpayee", OWN)
    assert "phone_unknown" in pilot.wallet("dirpayer", "find", OWN, code=1)
    put = json.loads(pilot.wallet("dirpayee", "phone", "set", OWN, "--show-name", "--json"))
    assert (put["version"], put["state"], put["name"]) == (1, "active", "Dana Directory")
    found = json.loads(pilot.wallet("dirpayer", "find", OWN, "--json"))
    assert found == {"phone": OWN, "address": address, "name": "Dana Directory"}
    told = pilot.wallet("dirpayer", "pay", "+7 701 555 01 71", "12.50")
    assert "to: Dana Directory" in told
    assert "1 tokens arrived" in pilot.wallet("dirpayee", "collect")
    _watch(pilot)
    _redirect(pilot)


def _watch(pilot: Pilot) -> None:
    """Until the version is published; then it is what the device has signed."""
    device = ("--device", str(pilot.devices / "dirpayee.db"), "--holder", "dirpayee")
    words = ("wallet", "phone", "show", *device, "--json")
    shown = json.loads(pilot.run(*words, stdin=f"{PASSPHRASE}\n"))
    assert (shown["phone"], shown["version"]) == (OWN, 1)

    def is_published() -> bool:
        told = json.loads(pilot.wallet("dirpayee", "phone", "watch", "--json"))
        return bool(told["signed_here"] == "1")

    pilot.wait(is_published)
    told = json.loads(pilot.wallet("dirpayer", "phone", "watch", "--json"))
    assert told["paid_by_and_missing"] == 0
    assert json.loads(pilot.wallet("dirpayer", "find", OWN, "--json"))["phone"] == OWN
    audited = pilot.run(
        "audit", pilot.get_url("registration"), "--root", str(pilot.public / "root.pem")
    )
    assert "supply" in audited


def _redirect(pilot: Pilot) -> None:
    """The bank lets the number go without being asked, and its client hears of it."""
    pilot.bank(3, "phone", "dirpayee", "--none")
    assert "phone_unknown" in pilot.wallet("dirpayer", "find", OWN, code=1)

    def is_alarmed() -> bool:
        words = pilot.spell("dirpayee", "phone", "watch")
        done = pilot.try_run(*words, stdin=f"{PASSPHRASE}\n")
        return done["code"] == 1 and "directory_entry_foreign" in done["err"]

    pilot.wait(is_alarmed)


def test_only_those_ask_who_may(pilot: Pilot) -> None:  # T8
    channel = pilot.open_channel("accounting")
    query = models.PhoneQuery(phone=PhoneNumber(OTHER))
    error = catch(lambda: channel.call(CENTRAL_BANK, operations.LOOK_UP_PHONE, query))
    assert error.code is ErrorCode.CALLER_NOT_ALLOWED
    channel.close()
