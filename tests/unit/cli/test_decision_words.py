"""What officers type and read is what they sign, as people write it (P12, T2)."""

import json
import string
from typing import Any, cast

import pytest

from specie.assembly.desk_decisions import list_desk_kinds
from specie.assembly.joining import Joining
from specie.central_bank.decision_fields import WORDINGS, Field
from specie.central_bank.decisions import LIMIT_DAY
from specie.cli.decision_words import describe_decision, parse_decision, show_decision
from specie.identity.roster import Roster
from specie.values.amounts import Currency
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.building import make_world
from tests.country import refused
from tests.rosters import make_roster


@pytest.fixture(scope="module")
def roster() -> Roster:
    return make_roster(make_world())


def test_an_amount_is_typed_and_read_as_people_write_it(roster: Roster) -> None:
    name = roster.current.participants[min(roster.current.participants)].name
    number = min(roster.current.participants)
    currency = roster.genesis.currency
    assert currency.decimals == 2
    for typed, minor, shown in (
        ("100,000.00", 10_000_000, "100,000.00"),
        ("100,000", 10_000_000, "100,000.00"),
        ("100000", 10_000_000, "100,000.00"),
        ("0.07", 7, "0.07"),
    ):
        given = [f"amount={typed}", f"participant={number}"]
        signed = parse_decision("lend-reserves", given, roster)
        assert signed == f'{{"amount":{minor},"participant":{number}}}'
        sentence = describe_decision("lend-reserves", signed, roster)
        assert sentence == f"lend {shown} {currency.code} to participant {number}, {name}"


def test_a_currency_without_decimals() -> None:
    roster = make_roster(make_world().with_genesis(currency=Currency("JPY", 0)))
    signed = parse_decision("set-parameter", [f"name={LIMIT_DAY}", "value=1,000"], roster)
    assert json.loads(signed) == {"name": LIMIT_DAY, "value": 1_000}
    assert describe_decision("set-parameter", signed, roster) == f"set {LIMIT_DAY} to 1,000 JPY"


def test_banks_have_their_names(roster: Roster) -> None:
    bank = roster.current.participants[sorted(roster.current.participants)[1]]
    given = [f"participant={bank.number}", "successor=0"]
    signed = parse_decision("suspend", given, roster)
    shown = f"suspend bank {bank.number}, {bank.name}; successor: nobody"
    assert describe_decision("suspend", signed, roster) == shown
    signed = parse_decision("reinstate", ["participant=77"], roster)
    shown = "reinstate 77, who is not in the list"
    assert describe_decision("reinstate", signed, roster) == shown


def test_what_is_wrong_is_said_in_the_words_of_who_types(roster: Roster) -> None:
    for told, kind, given in (
        ("such as 100,000.00", "lend-reserves", ["participant=2"]),
        ("number of a participant", "lend-reserves", ["participant=two", "amount=1"]),
        ("once for each", "reinstate", ["participant=2", "participant=3"]),
        ("none", "pause-issuance", ["now=1"]),
        ("name=value", "pause-issuance", ["now"]),
    ):
        with pytest.raises(SpecieError, match=told) as error:
            parse_decision(kind, given, roster)
        assert error.value.code is ErrorCode.SETTING_INVALID
    for amount in ("12,50", "-1", "1.234", "1e3", "²"):
        with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
            parse_decision("lend-reserves", ["participant=2", f"amount={amount}"], roster)
    with refused(ErrorCode.KIND_UNKNOWN):
        parse_decision("abolish", [], roster)


def test_digits_stay_text_where_text_is_asked_for(roster: Roster) -> None:
    """A serial or a key in hex may happen to have no letter."""
    given = ["service=bank-2", f"kept={'12' * 20}"]
    assert json.loads(parse_decision("revoke-certificates", given, roster))["kept"] == "12" * 20


def test_a_sentence_shows_every_parameter_and_no_trick(roster: Roster) -> None:
    for kind, wording in WORDINGS.items():
        places = {name for _, name, _, _ in string.Formatter().parse(wording.sentence) if name}
        assert places == set(wording.fields), kind
    text = "x\x1b[2K\u202e{code_hash}"
    signed = parse_decision("invite", [f"name={text}", "code_hash=ab"], roster)
    shown = describe_decision("invite", signed, roster)
    assert shown.isprintable() and shown.isascii() and "{code_hash}" in shown
    assert show_decision("newer-kind", '{"a":1}', roster) == '"{\\"a\\":1}"'
    assert show_decision("reinstate", '{"participant": 2}', roster).startswith('"')


def test_desk_and_tool_mean_the_same() -> None:
    """The desk's kinds have the parameters of the table, each of them, and no others."""
    nothing = cast(Any, None)  # only listed here, none is carried out
    joining = Joining(nothing, nothing, nothing, nothing)
    kinds = {**joining.list_kinds(), **list_desk_kinds(nothing, nothing, nothing, nothing)}
    assert {name: kind.fields for name, kind in kinds.items()} == {
        name: wording.fields
        for name, wording in WORDINGS.items()
        if name not in ("pause-issuance", "resume-issuance", "set-parameter", "withdraw")
    }
    assert Field.AMOUNT in WORDINGS["lend-reserves"].fields.values()
