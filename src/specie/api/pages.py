"""What a face hands out beside its operations, unsigned: lists, states of certificates, the site.

One line for each; routes, `/openapi.json` and docs/reference/operations.md are made from them.
Whatever is refused is a problem (RFC 9457), and a page where a browser asks for one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from specie.assembly.lists import PUBLISHED
from specie.remote.encoding import JSON, PROBLEM, encode_problem
from specie.values.errors import SpecieError

HTML: Final = "text/html"
TEXT: Final = "text/plain"
CSS: Final = "text/css"
CSV: Final = "text/csv"
BYTES: Final = "application/octet-stream"
PEM: Final = "application/x-pem-file"
CRL: Final = "application/pkix-crl"
OCSP: Final = "application/ocsp-response"
OCSP_REQUEST: Final = "application/ocsp-request"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Page:
    """One thing that is handed out; with GET, or POST where it has a body."""

    path: str  # as Starlette spells it
    kind: str  # media type; empty: in no document
    summary: str
    query: tuple[str, ...] = ()
    body: str = ""  # media type
    status: int = 200

    @property
    def method(self) -> str:
        """Of HTTP."""
        return "POST" if self.body else "GET"

    @property
    def place(self) -> str:
        """The path as OpenAPI spells it."""
        return self.path.replace(":path}", "}")


Endpoint = Callable[[Request], Response | Awaitable[Response]]
Served = tuple[Page, Endpoint]

FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "name": {"type": "string", "enum": list(PUBLISHED), "description": "which list"},
    "version": {"type": "string", "pattern": "^[0-9]{1,9}$", "description": "of the list"},
    "ref": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "OutputRef"},
    "level": {
        "type": "string",
        "pattern": "^(entries|[0-9])$",
        "description": "leaves, or hashes of this level",
    },
    "tile": {
        "type": "string",
        "pattern": "^[0-9]{3}$",
        "description": "C2SP tlog-tiles: 067, then x001/067 and so on; .p/W behind if not full",
    },
}
"""Of path and query."""

BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    OCSP_REQUEST: {"type": "string", "format": "binary"},
    FORM: {
        "type": "object",
        "properties": {"receipt": {"type": "string", "description": "a receipt, its whole text"}},
        "required": ["receipt"],
    },
}

DOCUMENT: Final = Page("/openapi.json", JSON, "This face, in OpenAPI 3.1.")

VERSIONS: Final = Page("/lists", JSON, "Versions of the lists; the central bank's time, in ms.")
NEWEST: Final = Page("/lists/{name}", BYTES, "A signed list, or a certificate, as it is kept.")
OLD: Final = Page(
    "/lists/participants/{version}", BYTES, "A participant list that was in force once."
)
REVOKED: Final = Page("/crl", CRL, "The certificates that are revoked (RFC 5280).")
STATUS: Final = Page("/ocsp", OCSP, "Whether a certificate counts (RFC 6960).", body=OCSP_REQUEST)
MIRROR_PAGES: Final = (VERSIONS, NEWEST)
LIST_PAGES: Final = (*MIRROR_PAGES, OLD, REVOKED, STATUS)

HOME: Final = Page("/", HTML, "Forms, and the log now.")
STYLE: Final = Page("/style.css", CSS, "The one style sheet.")
FIND_OUTPUT: Final = Page("/output", HTML, "To the output's own page.", ("ref",), status=307)
OUTPUT: Final = Page("/output/{ref}", HTML, "Registered when, spent or not, who says so.")
PROOF: Final = Page("/output/{ref}/proof", TEXT, "That it was registered: a receipt.")
SPENT_PROOF: Final = Page("/output/{ref}/spent-proof", TEXT, "That it was spent: a receipt.")
STATE: Final = Page("/output/{ref}/state", TEXT, "Its state, as a signed note.")
RECEIPT: Final = Page("/receipt", HTML, "What a receipt proves.", body=FORM)
SUPPLY: Final = Page("/supply", HTML, "The total over time.")
SUPPLY_ROWS: Final = Page("/supply.csv", CSV, "The same for programs: number, ms, minor units.")
STEPS: Final = Page("/verify", HTML, "Lines that check all of it.")
ROOT: Final = Page("/root.pem", PEM, "The root's certificate.")
CHECKPOINT: Final = Page("/checkpoint", TEXT, "The log's newest checkpoint, cosigned.")
GENESIS: Final = Page("/genesis", BYTES, "Genesis, signed.")
PARTICIPANTS: Final = Page("/participants", BYTES, "The participant list, signed.")
COSIGNERS: Final = Page("/cosigners", BYTES, "The list of cosigners, signed.")
TILES: Final = Page(
    "/tile/{level}/{tile:path}", BYTES, "Leaves and hashes of the log (C2SP tlog-tiles)."
)
MISSING: Final = Page("/{tile:path}", "", "Everything else: not found.")
LOG_PAGES: Final = (CHECKPOINT, GENESIS, PARTICIPANTS, COSIGNERS, TILES)
SITE_PAGES: Final = (
    *(HOME, STYLE, FIND_OUTPUT, OUTPUT, PROOF, SPENT_PROOF, STATE, RECEIPT),
    *(SUPPLY, SUPPLY_ROWS, STEPS, ROOT, *LOG_PAGES),
)


def refuse(error: SpecieError) -> Response:
    """As operations refuse."""
    status, body = encode_problem(error)
    return Response(body, status, {"cache-control": "no-store"}, media_type=PROBLEM)
