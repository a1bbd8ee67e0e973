"""Large payments between banks say who pays, to the two banks alone (T9, T20, X9; FATF R.16)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from specie.policy import builtin
from tests.network.pilot import Pilot

WHO = ("--as", "Ada", "--reason", "test of the travel rule")
RULE = "\n[travel_rule]\nfrom = 50_000\n"
PAYER, PAYEE = "xenia", "yusuf"


@pytest.fixture
def policy(pilot: Pilot, tmp_path: Path) -> Iterator[Path]:
    """A file with the rule; afterwards both banks are as they were."""
    file, plain = tmp_path / "travel.toml", tmp_path / "plain.toml"
    file.write_text(builtin.TEXT + RULE)
    plain.write_text(builtin.TEXT)
    yield file
    for number in (2, 3):
        pilot.bank(number, "policy", "set", str(plain), *WHO)


def test_the_payees_bank_wants_to_know_who_pays(pilot: Pilot, policy: Path) -> None:
    pilot.fund(2, "1,200.00")
    pilot.give(PAYER, 2, "1,100.00", "Xenia Quettalova")
    payee = pilot.open_wallet(PAYEE, 3, "Yusuf Trading")
    name = ("--primary", "Quettalova", "--secondary", "Xenia", "--national-id", "KZ 7001")
    pilot.bank(2, "identify", PAYER, *name, *WHO)
    pilot.bank(3, "identify", PAYEE, "--legal", "--primary", "Yusuf Trading Ltd", *WHO)
    pilot.bank(3, "policy", "set", str(policy), *WHO)
    assert "travel_data_missing" in pilot.wallet(PAYER, "pay", payee, "500.00", code=1)
    pilot.bank(2, "policy", "set", str(policy), *WHO)
    assert "1 payments settled" in pilot.wallet(PAYER, "collect"), "the same payment, told now"
    pilot.wallet(PAYER, "pay", payee, "499.99")
    [told] = json.loads(pilot.bank(2, "travel-data", "--client", PAYER, "--json", *WHO))
    [heard] = json.loads(pilot.bank(3, "travel-data", "--client", PAYEE, "--json", *WHO))
    assert (told["direction"], heard["direction"]) == ("out", "in")
    assert told["transaction"] == heard["transaction"] and (told["bank"], heard["bank"]) == (3, 2)
    [person] = heard["data"]["originator"]["originatorPersons"]
    [spelt] = person["naturalPerson"]["name"]["nameIdentifiers"]
    assert spelt == {
        "primaryIdentifier": "Quettalova",
        "secondaryIdentifier": "Xenia",
        "nameIdentifierType": "LEGL",
    }
    [company] = heard["data"]["beneficiary"]["beneficiaryPersons"]
    [named] = company["legalPerson"]["name"]["nameIdentifiers"]
    assert named["legalPersonName"] == "Yusuf Trading Ltd"
    assert heard["data"]["beneficiary"]["accountNumber"] == [payee]
    assert "beneficiaryPersons" not in told["data"]["beneficiary"], "its bank alone knows it"
    for side in ("originatingVASP", "beneficiaryVASP"):
        assert side in heard["data"] and side in told["data"]
    by_id = pilot.bank(3, "travel-data", "--payment", told["transaction"], "--json", *WHO)
    assert json.loads(by_id) == [heard]
    assert "travel-data" in pilot.bank(3, "access-log", *WHO)
    check_hidden(pilot)


def check_hidden(pilot: Pilot) -> None:
    """Sealed at rest, and in nobody's log; the notary and others have none of it."""
    assert "Quettalova" not in pilot.read_logs()
    for path in pilot.data.rglob("*.db*"):
        assert b"Quettalova" not in path.read_bytes(), path.name
