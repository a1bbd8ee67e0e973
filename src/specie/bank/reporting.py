"""What a bank reports of a case to the financial intelligence unit (T20), as JSON.

Names of the fields lean on goAML (UNODC, schema 4.0), which most units take reports in: report,
reason, report_indicators, transaction with t_from and t_to. It is no goAML file: a unit's own code
lists (funds, countries, indicators) and what a bank knows of a person outside this system are the
bank's to add, and the spelling is JSON, not XML. Amounts are texts in whole units of the currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from specie.bank.movements import unpack_address
from specie.crypto.addresses import format_address
from specie.policy.cases import Case, CaseKind
from specie.ports.clients import Client, Movement
from specie.ports.supervision import CaseNote
from specie.values.amounts import Currency
from specie.values.times import Timestamp, format_time

_FORMAT: Final = "specie suspicion report v1"
_LEANS_ON: Final = "goAML 4.0 (UNODC): names of fields; not a goAML file"


@dataclass(frozen=True, slots=True, repr=False)
class CaseFile:
    """Everything that the bank has of a case."""

    case: Case
    client: Client
    tier: str
    notes: Sequence[CaseNote]
    movements: Sequence[Movement]
    is_complete: bool  # else the client has more movements than these, older ones


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports, about which money, when."""

    bank: str
    number: int
    network: str
    currency: Currency
    prefix: str
    person: str
    time: Timestamp


def build_report(file: CaseFile, reporter: Reporter) -> dict[str, Any]:
    """The whole of it."""
    case = file.case
    is_payment = case.kind is CaseKind.PAYMENT
    return {
        "format": _FORMAT,
        "leans_on": _LEANS_ON,
        "rentity_id": str(reporter.number),
        "rentity_name": reporter.bank,
        "submission_code": "E",
        "report_code": "STR" if is_payment else "SAR",
        "entity_reference": f"{reporter.network}/{reporter.number}/{case.number}",
        "submission_date": format_time(reporter.time),
        "currency_code_local": reporter.currency.code,
        "reporting_person": reporter.person,
        "reason": case.text or f"held by: {', '.join(case.rules)}",
        "action": case.state.value,
        "report_indicators": list(case.rules),
        "case": _describe_case(case, file.notes, reporter),
        "subject": _describe_client(file, reporter),
        "has_all_transactions": file.is_complete,
        "transaction": [_describe(one, file.client, reporter) for one in file.movements],
    }


def _describe_case(case: Case, notes: Sequence[CaseNote], reporter: Reporter) -> dict[str, Any]:
    return {
        "number": case.number,
        "kind": case.kind.value,
        "opened": format_time(case.opened),
        "state": case.state.value,
        "amount_local": _spell(case.amount, reporter.currency),
        "transactionnumber": case.txid.hex(),
        "order": case.order.hex(),
        "direction": case.direction.value,
        "counterparty": {
            "accounts": [
                format_address(unpack_address(one), reporter.prefix) for one in case.parties
            ],
            "names": list(case.names),
        },
        "people_needed": case.people_needed,
        "decisions": [
            {
                "person": one.officer,
                "verdict": one.verdict.value,
                "time": format_time(one.time),
                "reason": one.reason,
            }
            for one in case.decisions
        ],
        "notes": [
            {"person": one.officer, "time": format_time(one.time), "text": one.text}
            for one in notes
        ],
    }


def _describe_client(file: CaseFile, reporter: Reporter) -> dict[str, Any]:
    client = file.client
    return {
        "client_number": client.id,
        "name": client.name,
        "account": format_address(client.address, reporter.prefix),
        "status": client.status.value,
        "tier": file.tier,
    }


def _describe(movement: Movement, client: Client, reporter: Reporter) -> dict[str, Any]:
    """One movement; the client is on one side, who is known of the other on the other."""
    own = {
        "client_number": client.id,
        "name": client.name,
        "account": format_address(client.address, reporter.prefix),
    }
    other = {
        "accounts": [format_address(one, reporter.prefix) for one in movement.parties],
        "names": list(movement.names),
        "is_own_bank": movement.is_own_bank,
    }
    sides = ("t_to_my_client", "t_from") if movement.is_incoming else ("t_from_my_client", "t_to")
    return {
        "transactionnumber": movement.txid.hex(),
        "internal_ref_number": movement.order.hex(),
        "date_transaction": format_time(movement.time),
        "amount_local": _spell(movement.amount, reporter.currency),
        "amount_minor": movement.amount,
        "status": "final" if movement.is_final else "not final",
        sides[0]: own,
        sides[1]: other,
    }


def _spell(amount: int, currency: Currency) -> str:
    return currency.format(amount).split(" ", maxsplit=1)[0].replace(",", "")
