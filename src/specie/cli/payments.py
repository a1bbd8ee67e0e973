"""A device's payments, as its holder is told of them: rows for people and for programs."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from specie.cli.devices import Device, make_receipt
from specie.cli.names import describe_name, record_names
from specie.ledger.receipts import ReceiptTrust
from specie.store.log_files import LogFolder
from specie.store.refusal_store import SqliteRefusalStore
from specie.store.request_store import SqliteRequestStore
from specie.tokens.holdings import Memo
from specie.tokens.memo_notes import ReturnAddress
from specie.tokens.name_claims import ShownName
from specie.values.amounts import Currency
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.times import Timestamp
from specie.wallet.history import History, IncomingToken, OutgoingPayment
from specie.wallet.requests import parse_request
from specie.wallet.statuses import (
    PaymentFacts,
    PaymentStatus,
    compute_status,
    find_reason,
)
from specie.wallet.vault import Vault

Row = dict[str, Any]
"""One line: the keys are those of `--json`."""


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What a device knows beside its vault."""

    heard: Mapping[bytes, ErrorCode]  # payment → the last no
    names: Mapping[bytes, ShownName]  # output → who says that he paid
    requests: Mapping[bytes, str]  # payment → what its payee wrote into the request


def load_told(device: Device, vault: Vault) -> Told:
    """One list for all sub-wallets; a name that a stop left unjudged is judged now."""
    holder, place = device.holder, device.database.place
    kept = SqliteRequestStore(place, holder, device.opened.vault_key)
    record_names(vault, kept)
    genesis = vault.surroundings.genesis
    asked = {
        payment: parse_request(link, genesis.network, genesis.address_prefix).text
        for payment, link in kept.load_paid().items()
    }
    return Told(SqliteRefusalStore(place, holder).load(), kept.load_names(), asked)


def list_history(found: History, told: Told, currency: Currency) -> list[Row]:
    """Both ways in one list, by time."""
    rows = [(one.time, describe_paid(one, told, currency)) for one in found.paid]
    rows += [(one.time, describe_received(one, told, currency)) for one in found.received]
    return [row for _, row in sorted(rows, key=lambda pair: (pair[0], pair[1]["what"]))]


def describe_paid(
    one: OutgoingPayment, told: Told, currency: Currency, *, is_in_log: bool = False
) -> Row:
    """Status and, where somebody has said no, its code."""
    facts = PaymentFacts(one.state, told.heard.get(one.payment_id), is_in_log)
    reason = find_reason(facts)
    return {
        "time": format_moment(one.time),
        "what": "paid",
        "amount": currency.format(one.amount),
        "minor": one.amount,
        "state": compute_status(facts).value,
        "code": reason.value if reason else "",
        "id": one.payment_id.hex(),
        "for": told.requests.get(one.payment_id, ""),
        "refund of": one.pays_back.hex() if one.pays_back else "",
        "refunded minor": one.refunded,
    }


def describe_received(one: IncomingToken, told: Told, currency: Currency) -> Row:
    """A device takes what is final only."""
    return {
        "time": format_moment(one.time),
        "what": "received",
        "amount": currency.format(one.amount),
        "minor": one.amount,
        "state": PaymentStatus.SETTLED.value,
        "code": "",
        "id": one.ref.hex(),
        "from": describe_name(told.names.get(one.ref)),
        "refund of": one.refund_of.hex() if one.refund_of else "",
    }


def format_row(row: Row) -> str:
    """A line of a history."""
    state = f"{row['state']}: {row['code']}" if row["code"] else row["state"]
    about = f"{row['id']}  {row.get('from', '')}{row.get('for', '')}".rstrip()
    about += f"  refund of {row['refund of']}" if row["refund of"] else ""
    return f"{row['time']}  {row['what']:<8} {row['amount']:>20}  {state:<9} {about}"


def show_payment(vault: Vault, wanted: bytes, told: Told, public: Path, trust: ReceiptTrust) -> Row:
    """One payment, with the log's word if the notary's was not heard; `payment_unknown`.

    Received ones by the output's reference.
    """
    found, currency = vault.load_history(), trust.genesis.currency
    for arrived in found.received:
        if arrived.ref == wanted:
            return describe_received(arrived, told, currency) | _describe_memo(arrived.memo)
    for paid in found.paid:
        if paid.payment_id != wanted:
            continue
        row = describe_paid(paid, told, currency)
        if row["state"] != PaymentStatus.SETTLED.value:
            is_in_log = _is_in_log(vault, wanted, public, trust)
            row = describe_paid(paid, told, currency, is_in_log=is_in_log)
        if row["state"] == PaymentStatus.PENDING.value:
            row["free after"] = format_moment(paid.not_after)
        row["transaction"] = paid.txid.hex()
        return row | (_describe_memo(paid.memos[0]) if paid.memos else {})
    raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "no payment of this id here")


def parse_payment(text: str) -> bytes:
    """An id as `history` shows it: 32 hex digits of what was paid, 64 of what was received."""
    with suppress(ValueError):
        raw = bytes.fromhex(text)
        if len(raw) in (16, 32):
            return raw
    raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "a payment's id has 32 or 64 hex digits")


def format_moment(time: Timestamp) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _describe_memo(memo: Memo) -> Row:
    found = {"order": memo.order_id.hex(), "end to end": memo.end_to_end_id.hex()}
    shown = {name: value for name, value in found.items() if value.strip("0")}
    is_refundable = isinstance(memo.note, ReturnAddress)
    return shown | ({"return address": "given"} if is_refundable else {})


def _is_in_log(vault: Vault, payment_id: bytes, public: Path, trust: ReceiptTrust) -> bool:
    """By the folder's own log, if there is one; every byte of it is verified."""
    if LogFolder(public).find_checkpoint() is None:
        return False
    try:
        make_receipt(vault, payment_id, public, trust, is_quantum_safe=False)
    except SpecieError as error:
        if error.code is ErrorCode.NOT_PUBLISHED:
            return False
        raise
    return True
