"""What commands print: for people, or one JSON value alone on standard output."""

import json

import pytest

from specie.cli.results import remark, show, spell_amount, tell
from specie.values.amounts import Currency
from tests.unit.cli.test_typing_errors import COMMANDS

SECRET = "prints a secret, once and bare"
FILE = "writes a file"
TALK = "asks or tells while it goes on, for whoever sits before it"
RUNS = "runs until it is stopped"
ALONE = "works on a folder of a process that is stopped"

WITHOUT_JSON = {
    "demo": TALK,
    "up": RUNS,
    "serve": RUNS,
    "core-bank serve": RUNS,
    "ceremony": TALK,
    "backup": FILE,
    "restore": FILE,
    "catch-up": ALONE,
    "migrate": ALONE,
    "rotate": ALONE,
    "renew-authority": ALONE,
    "officer approve": TALK,
    "officer decide": TALK,
    "officer enrol": TALK,
    "officer create": FILE,
    "officer invite": SECRET,
    "bank report": FILE,
    "bank export-clients": FILE,
    "bank join": TALK,
    "bank webhooks register": SECRET,
    "core-bank create": FILE,
    "wallet create": SECRET,
    "wallet new": SECRET,
    "wallet phrase": SECRET,
    "wallet loss-code": SECRET,
    "wallet shares": SECRET,
    "wallet restore-shares": SECRET,
    "wallet bank-share": SECRET,
    "wallet receipt": FILE,
    "wallet view-key": SECRET,
    "reader create-key": FILE,
}
"""Why these have no `--json`; every other command has it."""


def test_every_command_has_json_or_a_reason_not_to() -> None:
    found = {
        " ".join(words)
        for words, command in COMMANDS.items()
        if not any("--json" in one.opts for one in command.params)
    }
    assert found == set(WITHOUT_JSON)


def test_a_result_is_one_json_object_alone(capsys: pytest.CaptureFixture[str]) -> None:
    remark("something else", as_json=True)
    tell("an id", {"id": "ab", "minor": 5}, as_json=True)
    told = capsys.readouterr()
    assert (json.loads(told.out), told.err) == ({"id": "ab", "minor": 5}, "something else\n")


def test_people_are_told_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    remark("something else", as_json=False)
    tell("an id", {"id": "ab"}, as_json=False)
    tell("", {"id": "ab"}, as_json=False)
    show({"id": "ab", "state": "paid"}, as_json=False)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("something else\nan id\n   id: ab\nstate: paid\n", "")


def test_amounts_are_told_in_minor_units() -> None:
    currency = Currency("DCU", 2)
    assert spell_amount(currency, 1250) == {"amount": "12.50 DCU", "minor": 1250}
    assert spell_amount(currency, -5, "balance") == {
        "balance": "-0.05 DCU",
        "balance minor": -5,
    }
