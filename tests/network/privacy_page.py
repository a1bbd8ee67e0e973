"""The tables of docs/privacy.md as their tests read them, and what their rows and columns mean.

A column stands for parties, a row for what privacy_story.py puts into the cage under these names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
PARTIES = (
    *("bank-2", "bank-3", "bank-4", "notary", "auditor"),
    *("accounting", "central-bank", "registration"),
)
DEVICES = {"qz": "payer", "ow": "payee", "dv": "owner"}
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
            *("payee", "owner", "bank-3", "bank-4", "notary", "auditor"),
            *("accounting", "central-bank", "registration"),
        ),
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
        "who signs for a client": ("signatories' names",),
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
        "spend key, phrase": ("spend key", "phrase"),
        "view key": ("view key",),
    },
}
OWN = {
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
    "openings": ("payee's opening", "change opening", "openings of the outputs"),
    "amounts of payments": ("amount paid", "change"),
    "view keys, spend keys, phrases": ("view key", "spend key", "phrase"),
    "network addresses of devices": ("address of the payer's device",),
    "client ids": ("client id",),
    "clients' addresses": ("payer's address",),
    "which outputs are whose": ("owner of an output",),
    "deposits, withdrawals": ("loan", "withdrawal", "deposit of tokens"),
    "inputs with outputs of a payment": ("payment's graph",),
    "amounts of issues and redemptions": ("amount of an issue",),
}
NAMES = {"payer's device": "payer", "payee's device": "payee", "payer's bank": "bank-2"}


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
