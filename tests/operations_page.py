"""Writes docs/reference/operations.md from the tables of operations. Run from the repository:

python -m tests.operations_page
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from specie.api.openapi import PUBLIC, Face, describe_face
from specie.api.pages import DOCUMENT, LIST_PAGES, MIRROR_PAGES, SITE_PAGES, Page
from specie.remote.accounting_operations import ACCOUNTING
from specie.remote.bank_operations import BANK
from specie.remote.compliance_operations import COMPLIANCE
from specie.remote.consent_operations import CONSENTS
from specie.remote.core_bank_operations import CORE_BANK
from specie.remote.desk_operations import CENTRAL_BANK
from specie.remote.directory_operations import (
    BANK_DIRECTORY,
    DESK_DIRECTORY,
    NOTARY_DIRECTORY,
    REGISTRATION_DIRECTORY,
)
from specie.remote.notary_operations import NOTARY
from specie.remote.operations import SERVICE_CALLERS, Operation
from specie.remote.payment_operations import PAYMENTS
from specie.remote.registration_operations import AUDITOR, REGISTRATION
from specie.remote.travel_operations import TRAVEL

PATH: Final = Path(__file__).resolve().parent.parent / "docs/reference/operations.md"
TABLES: Final[Mapping[str, Sequence[Operation[Any, Any]]]] = {
    "Notary": (*NOTARY, *NOTARY_DIRECTORY),
    "Accounting": ACCOUNTING,
    "Central bank": (*CENTRAL_BANK, *DESK_DIRECTORY),
    "Bank": (*BANK, *BANK_DIRECTORY, *PAYMENTS),
    "Bank: reading with a client's consent": CONSENTS,
    "Bank: policy, cases, access log": (*COMPLIANCE, *TRAVEL),
    "Core bank (sample)": CORE_BANK,
    "Registration": (*REGISTRATION, *REGISTRATION_DIRECTORY),
    "Auditor": AUDITOR,
}
PAGES: Final[Mapping[str, Sequence[Page]]] = {
    "On every face": (DOCUMENT,),
    "Lists: central bank": LIST_PAGES,
    "Lists: banks": MIRROR_PAGES,
    "Registration's site": SITE_PAGES,
}
_HEAD: Final = """# Operations

What can be asked of an institution's process. Written from the tables in `src/specie/remote` by
`python -m tests.operations_page`. How a message is signed, spelled and refused:
[specification, page 08](../spec/08-messages.md). Sizes and ranges of the fields: `/openapi.json` of
each face.

`anyone`, `client`, `signatory`, `reader` and `officer` ask on the public face, `operator` on the
control socket, roles of services on the institutions' face; there every service may ask what anyone
may. Fields in braces of a path are fields of the request, too. `?` behind a field: may be left out.
"""


def format_page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_list_operations(), *_list_pages(), *_list_fields()]) + "\n"


def _list_operations() -> Iterator[str]:
    schemas = _describe()
    for title, table in TABLES.items():
        yield f"## {title}\n"
        yield "| operation | who may ask | request | answer | what |"
        yield "| --- | --- | --- | --- | --- |"
        for one in sorted(table, key=lambda one: (one.path, one.method)):
            callers = ", ".join(sorted(one.callers))
            if one.callers >= SERVICE_CALLERS:
                callers = "every service"
            request = _name(one.request.__name__, schemas)
            answer = _name(one.response.__name__, schemas)
            path = f"`{one.method} {one.path}`"
            yield f"| {path} | {callers} | {request} | {answer} | {one.summary} |"
        yield ""


def _list_pages() -> Iterator[str]:
    yield "## Unsigned pages and files\n"
    yield "| page | where | media type | what |"
    yield "| --- | --- | --- | --- |"
    for title, table in PAGES.items():
        for page in table:
            query = "".join(f"?{name}=" for name in page.query)
            kind = f"{page.body} → {page.kind}" if page.body else page.kind
            yield f"| `{page.method} {page.place}{query}` | {title} | {kind} | {page.summary} |"
    yield ""


def _list_fields() -> Iterator[str]:
    yield "## Fields\n"
    yield "| message | field | what |"
    yield "| --- | --- | --- |"
    for model, schema in sorted(_describe().items()):
        yield f"| {model} | | {schema['description'].partition(chr(10))[0]} |"
        for name, field in schema.get("properties", {}).items():
            yield f"| {model} | `{_mark(name, schema)}` | {field['description']} |"


def _describe() -> Mapping[str, Any]:
    """Schemas of all messages, as `/openapi.json` has them."""
    operations = [one for table in TABLES.values() for one in table]
    found: Mapping[str, Any] = describe_face(Face("all", PUBLIC), operations)
    schemas: Mapping[str, Any] = found["components"]["schemas"]
    return schemas


def _name(model: str, schemas: Mapping[str, Any]) -> str:
    fields = [f"`{_mark(name, schemas[model])}`" for name in schemas[model].get("properties", {})]
    return f"{model}: {', '.join(fields)}" if fields else "–"


def _mark(name: str, schema: Mapping[str, Any]) -> str:
    return name if name in schema.get("required", ()) else f"{name}?"


if __name__ == "__main__":
    sys.exit(PATH.write_text(format_page()) == 0)
