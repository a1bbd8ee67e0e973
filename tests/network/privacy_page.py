"""The tables of docs/privacy.md as their tests read them, and what their rows and columns mean.

A column stands for parties, a row for what privacy_story.py puts into the cage under these names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
INSTITUTIONS = (
    *("bank-2", "bank-3", "bank-4", "notary", "auditor"),
    *("accounting", "central-bank", "registration"),
)
PARTIES = (*INSTITUTIONS, "core-bank-3")
DEVICES = {"qz": "payer", "ow": "payee", "dv": "owner", "hs": "told payer"}
ASIDE = {"ld": "reader", "sg": "signatory"}  # who is no client, with what it has
SPEAKERS = {**DEVICES, **ASIDE, "ow/1": "payee"}  # by whose keys messages are signed
RECEIVERS = {"qz": "payer's webhook", "ow": "payee's webhook"}
EVERYBODY = (
    *(*PARTIES, *DEVICES.values(), *RECEIVERS.values(), *ASIDE.values()),
    "view key's holder",
)
OTHERS = {
    "another bank, notary, auditor": ("bank-4", "notary", "auditor"),
    "central bank, accounting": ("central-bank", "accounting"),
    "public": ("registration",),
}
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "A payment": {
        "payer": ("payer",),
        "payee": ("payee",),
        "payer's bank": ("bank-2",),
        "payee's bank": ("bank-3",),
        "another bank, witness": ("bank-4",),
        "notary": ("notary",),
        "auditor": ("auditor",),
        "central bank, accounting": ("central-bank", "accounting"),
        "public": ("registration",),
    },
    "An issue or a redemption": {
        "bank concerned": ("bank-2",),
        "notary": ("notary",),
        "central bank: desk, officers": ("central-bank",),
        "accounting": ("accounting",),
        "other banks, public": ("bank-3", "bank-4", "registration"),
    },
    "Paid by number": {
        "owner": ("owner",),
        "who looks it up": ("payer",),
        "owner's bank": ("bank-3",),
        "bank of who looks it up": ("bank-2",),
        "central bank's desk": ("central-bank",),
        "other banks, notary, auditor, accounting": ("bank-4", "notary", "auditor", "accounting"),
        "public": ("registration",),
    },
    "A client": {
        "client": ("payer",),
        "its bank": ("bank-2",),
        "anyone else": (
            *("payee", "owner", "told payer", "bank-3", "bank-4", "notary", "auditor"),
            *("accounting", "central-bank", "registration", "core-bank-3", "payee's webhook"),
            *("reader", "view key's holder", "signatory"),
        ),
    },
    "A reader": {
        "reader": ("reader",),
        "holder of the view key": ("view key's holder",),
        "client": ("payee",),
        "its bank": ("bank-3",),
        "payer": ("payer",),
        "central bank, accounting": ("central-bank", "accounting"),
    },
    "Who signs with others": {
        "signatory": ("signatory",),
        "client": ("payee",),
        "its bank": ("bank-3",),
        "notary, auditor, central bank, accounting, public": (
            *("notary", "auditor", "central-bank", "accounting", "registration"),
        ),
    },
    "Money that goes back": {
        "payer": ("payer",),
        "payee": ("payee",),
        "payer's bank": ("bank-2",),
        "payee's bank": ("bank-3",),
        **OTHERS,
    },
    "Who pays, as banks tell each other": {
        "payer": ("payer", "told payer"),
        "payee": ("payee", "owner"),
        "payer's bank": ("bank-2",),
        "payee's bank": ("bank-3",),
        **OTHERS,
    },
    "Beside a bank": {
        "core bank of the payee's bank": ("core-bank-3",),
        "payee's webhook": ("payee's webhook",),
        "payer's webhook": ("payer's webhook",),
    },
}
PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "A payment": {
        "payer's name": ("payer's name",),
        "payee's name": ("payee's name",),
        "payer's address": ("payer's address",),
        "payee's address": ("payee's address",),
        "amount paid": ("amount paid",),
        "memo (order id, name claim …)": ("memo",),
        "payer's own order id": ("payer's own order id",),
        "change: amount, and which output it is": ("change", "change opening"),
        "inputs: which outputs are spent": ("inputs",),
        "all outputs of the payment together": ("payee's output", "change output"),
        "number of outputs": ("number of outputs",),
        "number of inputs": ("number of inputs",),
        "bank of each side": ("payer's bank", "payee's bank"),
        "kind, label, lock, expiry (today: cash, none)": ("payee's terms", "change terms"),
        "offset o": ("offset",),
        "window of validity": ("window of validity",),
        "transaction id": ("transaction",),
        "attestations: which banks said yes, for what": (
            "payee's attestation",
            "change attestation",
        ),
        "time of the payer's device": ("time of the payer's device",),
        "time of the attestation by the payer's bank": ("time at bank-2",),
        "time of the attestation by the payee's bank": ("time at bank-3",),
        "time of the notary's decision": ("time of the notary's decision",),
        "time of the publication batch": ("time of the publication batch",),
        "network address of the payer's device": ("address of the payer's device",),
        "network address of the payer's bank": ("payment from the payer's bank",),
    },
    "An issue or a redemption": {
        "amount": ("amount of an issue", "amount of a redemption"),
        "serial": ("serial",),
        "total after it": ("total after it",),
        "which bank": ("which bank",),
        "openings of the outputs": ("openings of the outputs",),
        "officers who signed": ("officers who signed",),
        "reserves of the bank": ("reserves of the bank",),
    },
    "Paid by number": {
        "phone number": ("phone number",),
        "name, if its owner shows it": ("name shown with the number",),
        "owner's client id": ("owner's client id",),
        "birth date, document of an applicant": ("applicant's birth date, document",),
        "who looked at a client, and why": ("who looked, and why",),
        "who looks a number up: its client id": ("look-up by a client",),
    },
    "A client": {
        "name": ("payer's name",),
        "client id": ("client id",),
        "standing": ("payer's standing",),
        "tokens and their amounts": ("tokens",),
        "deposit": ("deposit",),
        "withdrawals, deposits": ("withdrawal", "deposit of tokens"),
        "device's key and name": ("device's key and name",),
        "spend key, phrase": ("payer's spend key", "phrase"),
        "view key": ("payer's view key",),
        "loss code": ("loss code",),
        "hash of the loss code": ("hash of the loss code",),
        "share of the phrase left at the bank": ("share at the bank",),
        "certificate of the device": ("device's certificate",),
        "request for a payment: what it is for": ("request's text",),
        "cases and freezes: what they say": ("case, freeze",),
        "path of the webhook's URL": ("payer's webhook",),
    },
    "A reader": {
        "amount paid": ("amount paid",),
        "transaction id": ("transaction",),
        "time when the client's bank attested it": ("time at bank-3",),
        "output that the client got": ("payee's output",),
        "memo (order id, name claim …)": ("memo",),
        "payer's name": ("payer's name",),
        "payer's address": ("payer's address",),
        "client's own address": ("payee's address",),
        "client's id": ("payee's client id",),
        "client's name": ("payee's name",),
        "what is on the account": ("left on the account",),
        "view key": ("payee's view key",),
        "spend key": ("payee's spend key",),
        "another sub-wallet: its address, what it is paid": (
            "address of another sub-wallet",
            "paid to another sub-wallet",
        ),
        "reader's key": ("reader's key",),
        "what the client calls the reader": ("reader's name",),
        "what was read, and when": ("what was read",),
    },
    "Who signs with others": {
        "amount that waits": ("amount that waits",),
        "address that is to be paid": ("address of another sub-wallet",),
        "memo": ("memo that waits",),
        "transaction id": ("transaction that waits",),
        "change: amount, and which output it is": (
            "change that waits",
            "change opening that waits",
        ),
        "client's address": ("payee's address",),
        "client's id": ("payee's client id",),
        "client's name": ("payee's name",),
        "what is on the account": ("left on the account",),
        "what the client was paid before": ("amount paid",),
        "view key": ("payee's view key",),
        "spend key": ("payee's spend key",),
        "key of the signatory's device": ("signatory's key",),
        "names of the others who sign": ("signatories' names",),
    },
    "Money that goes back": {
        "payer's return address": ("payer's return address", "address of a request"),
        "that a payment is a refund, and of which one": ("refund of",),
        "which payment is asked back, and the proof": ("proof of a request",),
        "payer's bank": ("payer's bank of a request",),
        "reason of the request": ("reason of a request",),
        "answer to it": ("answer to a request",),
    },
    "Who pays, as banks tell each other": {
        "payer's names and number, from the amount on": ("told identity",),
        "payer's customer number (a hash), from it on": ("told customer number",),
        "payer's address, from it on": ("told address",),
        "payee's names and number, from it on": ("payee's identity",),
        "payer's names and number, one unit below it": ("untold identity",),
        "payer's address, below it": ("payer's address",),
    },
    "Beside a bank": {
        "client id of the payee": ("payee's client id",),
        "client id of the payer": ("client id",),
        "names of payer and payee": (
            *("payer's name", "payee's name", "name in the memo"),
            *("told identity", "untold identity", "payee's identity"),
        ),
        "addresses, return addresses": (
            *("payer's address", "payee's address", "told address"),
            *("payer's return address", "address of a request"),
        ),
        "phone numbers, what applicants say": (
            "phone number",
            "applicant's birth date, document",
        ),
        "account at the core bank": ("account at the core bank",),
        "what is on the account": ("left on the account",),
        "what is paid into it and taken out of it": (
            "paid into the account",
            "taken out of the account",
        ),
        "amount paid": ("amount paid",),
        "transaction id": ("transaction",),
        "output that the payee got": ("payee's output",),
        "order id and end-to-end id of the memo": ("ids in the memo",),
        "that a payment is a refund, and of which one": ("refund of",),
        "that something is asked back, that it was declined": (
            "event return.requested",
            "event return.declined",
        ),
        "reason and answer": ("reason of a request", "answer to a request"),
    },
}
NOWHERE = {"loss code"}  # printed once; searched for, and found with nobody
OWN = {
    "payee's webhook": {"event return.requested"},
    "payer's webhook": {"event return.declined"},
    "payee": {"payee's output", "payee's bank", "payee's terms"},
    "payee's bank": {"payee's output", "payee's bank", "payee's terms", "payee's attestation"},
}
ON_THE_DISK = "On the disk"
KEPT = {
    "names": ("payer's name", "payee's name"),
    "memos": ("memo",),
    "phone numbers": ("phone number",),
    "what applicants say": ("name shown with the number", "applicant's birth date, document"),
    "signatories, entries of the access log": ("signatories' names", "who looked, and why"),
    "openings": (
        *("payee's opening", "change opening", "openings of the outputs"),
        "change opening that waits",
    ),
    "amounts of payments": ("amount paid", "change", "amount that waits", "change that waits"),
    "view keys, spend keys, phrases": (
        *(
            "payer's view key",
            "payer's spend key",
            "phrase",
            "payee's view key",
            "payee's spend key",
        ),
    ),
    "what clients call their readers, what was read": ("reader's name", "what was read"),
    "readers' keys": ("reader's key",),
    "network addresses of devices": ("address of the payer's device",),
    "client ids": ("client id",),
    "clients' addresses": ("payer's address",),
    "which outputs are whose": ("owner of an output",),
    "deposits, withdrawals": ("loan", "withdrawal", "deposit of tokens"),
    "inputs with outputs of a payment": ("payment's graph",),
    "amounts of issues and redemptions": ("amount of an issue",),
    "reasons of requests for return, answers": ("reason of a request", "answer to a request"),
    "names and numbers that banks tell each other": (
        *("told identity", "untold identity", "payee's identity", "told customer number"),
    ),
    "texts of cases and freezes": ("case, freeze",),
    "loss codes, shares of phrases, texts of requests for a payment": (
        *("loss code", "share at the bank", "request's text"),
    ),
    "paths of webhooks' URLs": ("payer's webhook", "payee's webhook"),
    "return addresses, and whose they are": (
        "payer's return address",
        "owner of a return address",
    ),
    "who asked for a return, and who was asked": ("client of a request",),
    "of which payment, of whom, to which bank something was told": (
        "client and bank of a told payment",
    ),
    "kinds of events, and whose they are": ("client of an event",),
    "who has a case, or is frozen": ("client of a case, of a freeze",),
    "officers' names beside policies, freezes and notes": ("officer's name",),
    "accounts at a core bank": ("account at the core bank",),
    "what is paid into them and taken out": ("paid into the account", "taken out of the account"),
}
NAMES = {
    "payer's device": "payer",
    "payee's device": "payee",
    "payer's bank": "bank-2",
    "payee's bank": "bank-3",
    "core bank": "core-bank-3",
}


@dataclass(frozen=True)
class Cell:
    """What the page says that a party sees of a field."""

    table: str  # the heading above it
    row: str
    column: str
    says: str

    def __str__(self) -> str:
        return f"{self.row} · {self.column}"


def read_cells(page: Path = PAGE) -> Iterator[Cell]:
    """Of all tables; every row has as many cells as its head."""
    heading, head = "", list[str]()
    for line in page.read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not head:
            head = cells
        elif set(line) - set("|- "):
            for column, says in zip(head[1:], cells[1:], strict=True):
                yield Cell(heading, cells[0], column, says)
