"""Decisions as officers type and read them: amounts in the network's currency, banks by name.

--set participant=2 --set amount=100,000.00     typed
{"amount":10000000,"participant":2}             signed
lend 100,000.00 DCU to bank 2, Bank of the North    shown, made from what is signed
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from specie.central_bank.decision_fields import Field, get_wording
from specie.central_bank.decisions import format_parameters, read_parameters
from specie.identity.participants import Role
from specie.identity.roster import Roster
from specie.values.amounts import Currency
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:+/=-]+")
_NUMBER: Final = re.compile(r"[0-9]{1,19}")
_SAMPLE: Final = 100_000  # whole units


def parse_decision(kind: str, given: Sequence[str], roster: Roster) -> str:
    """`name=value` for each parameter → the one spelling that is signed.

    A plain number is an amount in whole units, as everywhere where people write amounts.
    `kind_unknown`, `setting_invalid` if not exactly the kind's parameters are given,
    `amount_out_of_range` for an amount that is none.
    """
    wanted, currency = get_wording(kind).fields, roster.genesis.currency
    values: dict[str, str] = {}
    for one in given:
        name, separator, value = one.partition("=")
        if not separator or name in values:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"{one}: name=value, once for each")
        values[name] = value
    if set(values) != set(wanted):
        told = ", ".join(f"{name} ({_explain(one, currency)})" for name, one in wanted.items())
        raise SpecieError(ErrorCode.SETTING_INVALID, f"parameters of {kind}: {told or 'none'}")
    parsed = {name: _parse(name, values[name], one, currency) for name, one in wanted.items()}
    return format_parameters(parsed)


def describe_decision(kind: str, parameters: str, roster: Roster) -> str:
    """What is signed, as a sentence; `setting_invalid` if it is not spelled as it has to be."""
    wording = get_wording(kind)
    found = read_parameters(parameters, wording.fields)
    shown = {name: _show(found[name], one, roster) for name, one in wording.fields.items()}
    return wording.sentence.format(**shown)


def show_decision(kind: str, parameters: str, roster: Roster) -> str:
    """For a history, in which a newer desk may have kinds that this tool does not know."""
    try:
        return describe_decision(kind, parameters, roster)
    except SpecieError:
        return json.dumps(parameters)


def _explain(field: Field, currency: Currency) -> str:
    if field is not Field.AMOUNT:
        return field.value
    sample = currency.format(_SAMPLE * 10**currency.decimals).removesuffix(f" {currency.code}")
    return f"amount in {currency.code}, such as {sample}"


def _parse(name: str, text: str, field: Field, currency: Currency) -> str | int:
    if field is Field.TEXT:
        return text
    if field is Field.AMOUNT:
        return currency.parse(text)
    if not _NUMBER.fullmatch(text):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{name} is a {field.value}")
    return int(text)


def _show(value: str | int, field: Field, roster: Roster) -> str:
    if field is Field.AMOUNT:
        return roster.genesis.currency.format(int(value))
    if field is Field.PARTICIPANT:
        return _name(int(value), roster)
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())


def _name(number: int, roster: Roster) -> str:
    found = roster.current.participants.get(ParticipantNumber(number))
    if found is None:
        return f"{number}, who is not in the list" if number else "nobody"
    role = "bank" if found.role is Role.BANK else "participant"
    return f"{role} {number}, {found.name}"
