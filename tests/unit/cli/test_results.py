"""What commands print: for people, or one JSON value alone on standard output."""

import ast
import json
from pathlib import Path

import pytest

from specie.cli.results import remark, show, spell_amount, tell, write_json
from specie.values.amounts import Currency
from tests.json_names import check_names
from tests.unit.cli.test_typing_errors import COMMANDS

REPOSITORY = Path(__file__).parents[3]

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
    "change-passphrase": ALONE,
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


def test_names_are_one_word_for_programs() -> None:
    """However deep; what is no name stays as it is. Pilot networks check what commands print."""
    told = write_json([{"in all sub-wallets minor": 5, "bank-2": True, "a": ({"b c": "d e"},)}])
    assert json.loads(told) == [
        {"in_all_sub_wallets_minor": 5, "bank-2": True, "a": [{"b_c": "d e"}]}
    ]
    with pytest.raises(AssertionError):
        check_names('{"a": [{"b c": 1}]}')


def test_no_command_writes_its_json_otherwise() -> None:
    """Beside messages of ours, whose fields are names of Python."""
    others = {"decision_words.py", "travel_commands.py"}  # text for people
    for path in (REPOSITORY / "src" / "specie" / "cli").glob("*.py"):
        calls = [one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call)]
        called = {ast.unparse(one.func) for one in calls}
        assert "json.dumps" not in called or path.name in {"results.py", *others}, path.name


def test_people_are_told_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    remark("something else", as_json=False)
    tell("an id", {"id": "ab"}, as_json=False)
    tell("", {"id": "ab"}, as_json=False)
    show({"id": "ab", "is paid": True}, as_json=False)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("something else\nan id\n     id: ab\nis paid: yes\n", "")


def test_amounts_are_told_in_minor_units() -> None:
    currency = Currency("DCU", 2)
    assert spell_amount(currency, 1250) == {"amount": "12.50 DCU", "minor": 1250}
    assert spell_amount(currency, -5, "balance") == {
        "balance": "-0.05 DCU",
        "balance minor": -5,
    }
