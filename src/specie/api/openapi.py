"""Each face described in OpenAPI 3.1, from the operations themselves: `GET /openapi.json`.

What is described is what is served: paths, who may ask, which headers are signed, models with their
sizes and ranges. Bytes are hex digits in JSON and byte strings in CBOR; the rest is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from specie.api.pages import BODIES, FIELDS, Page
from specie.remote.encoding import CBOR, JSON, PROBLEM, Problem
from specie.remote.fields import Empty, Message
from specie.remote.operations import VERSION, Caller, Operation

INSTITUTIONS: Final = "institutions"
PUBLIC: Final = "public"
_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = (
    "Requests are signed (RFC 9421, RFC 9530) unless anyone may ask; answers are signed and bound "
    "to their request: docs/spec/08-messages.md. Errors are problems (RFC 9457) whose `code` is "
    "listed in docs/reference/errors.md. POST is idempotent by order, entry or transaction id. "
    "Bytes are hex digits in JSON, byte strings in CBOR. Amounts are whole minor units up to "
    "2^64 - 1, times and counts up to 2^63 - 1: whoever reads numbers above 2^53 in JSON needs a "
    "parser with big integers."
)
_CONTROL: Final = "the socket `control.sock` in the process' own folder: who may open it may ask"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Face:
    """Which listener of which service, and where."""

    service: str
    listener: str  # institutions, public, control
    url: str = ""  # as the list of services has it


_SCHEMES: Final[Schema] = {
    "mutualTLS": {
        "type": "mutualTLS",
        "description": "TLS 1.3 with the caller's certificate, under the network's root.",
    },
    "signature-input": {
        "type": "apiKey",
        "in": "header",
        "name": "signature-input",
        "description": "RFC 9421: components, time, key id (service, officer-N, client:device).",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "signature",
        "description": "RFC 9421: sig=:base64 of Ed25519 over the signature base:",
    },
}
_DIGEST: Final[Schema] = {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"}
_HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "content-digest": ("RFC 9530: the digest of the body, of no bytes without one.", _DIGEST),
    "specie-receiver": (
        "Network id in hex / name of the service.",
        {"type": "string", "pattern": "^[0-9a-f]{32}/[a-z][a-z0-9-]{0,31}$"},
    ),
    "specie-version": (
        "Of the protocol: the request's is spoken, the answer's is the newest.",
        {"type": "string", "enum": [str(VERSION - 1), str(VERSION)]},
    ),
}
_ANSWERED: Final[Mapping[str, str]] = {
    "content-digest": "RFC 9530: the digest of the body.",
    "specie-version": "The newest version of the protocol that is spoken here.",
    "signature-input": "RFC 9421: what is signed, when, by which service.",
    "signature": "RFC 9421: by the service's key, bound to the request.",
}


_FIELDS: Final[Mapping[str, str]] = {
    "approved_by": "numbers of officers",
    "authorised_by": "numbers of officers",
    "direction": "issue: money for reserves; redeem: reserves for money",
    "facts": "name and value, for people",
    "index": "place among the transaction's outputs, from 0 on",
    "is_credit": "whether the account has more by it",
    "is_due": "whether a publication is due",
    "is_final": "whether the notary has promised it",
    "is_incoming": "whether the client is paid",
    "is_open": "whether it takes part in anything",
    "is_true": "the answer",
    "limit": "items of a page, at most",
    "number": "of a private batch, from 1 on",
    "reverse_waterfall": "what is missing at a payment is withdrawn first",
    "signed_by": "numbers of officers",
    "state": "of an output: 0 unknown, 1 unspent, 2 spent",
    "waterfall": "what is over the holding limit goes into the deposit",
}
"""What the type of a field does not say."""


def describe_face(
    face: Face, operations: Sequence[Operation[Any, Any]], pages: Sequence[Page] = ()
) -> Schema:
    """The whole document."""
    kinds = {one.request for one in operations} | {one.response for one in operations} | {Problem}
    models = sorted(kinds, key=lambda kind: kind.__name__)
    found, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REF
    )
    schemas = {model: found[model, "serialization"] for model in models}
    _describe_fields(definitions["$defs"])
    paths: dict[str, Schema] = {}
    for operation in operations:
        place = paths.setdefault(operation.path, {})
        shown = _describe(operation, schemas, definitions["$defs"])
        place[operation.method.lower()] = shown | _describe_signing(face, operation)
        shown["parameters"] += _list_headers(face, operation)
    for page in pages:
        if page.kind:
            place = paths.setdefault(page.place, {})
            place[page.method.lower()] = _describe_page(page, schemas[Problem])
    title = f"{face.service}, {face.listener}"
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": f"{VERSION}.0", "description": _ABOUT},
        "servers": [{"url": face.url} if face.url else {"url": "/", "description": _CONTROL}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": _SCHEMES,
            "parameters": {name: _describe_header(name) for name in _HEADERS},
            "headers": {
                name: {"description": about, "schema": {"type": "string"}}
                for name, about in _ANSWERED.items()
            },
        },
    }


def _describe_fields(definitions: Schema) -> None:
    """By the type, by what it is a list of, or by the name."""
    for model in definitions.values():
        for name, schema in model.get("properties", {}).items():
            about = _find_about(schema, definitions) or _FIELDS.get(name, "")
            if about:
                schema["description"] = about


def _find_about(schema: Schema, definitions: Schema) -> str:
    """Empty if the type says nothing."""
    if "description" in schema:
        return str(schema["description"])
    if "$ref" in schema:
        return str(definitions[schema["$ref"].rpartition("/")[2]].get("description", ""))
    if "items" in schema:
        inner = _find_about(schema["items"], definitions)
        return f"a list: {inner}" if inner else ""
    if "anyOf" in schema:
        return _find_about(schema["anyOf"][0], definitions)
    return ""


def _is_signed(face: Face, operation: Operation[Any, Any]) -> bool:
    """Whether who asks has to be known by its signature; the operator is by its socket."""
    is_open = face.listener == PUBLIC and Caller.ANYONE in operation.callers
    return not is_open and face.listener in (INSTITUTIONS, PUBLIC)


def _describe_signing(face: Face, operation: Operation[Any, Any]) -> Schema:
    """What a caller shows: all of it, or nothing."""
    if not _is_signed(face, operation):
        return {"security": []}
    names = ["signature-input", "signature"]
    if face.listener == INSTITUTIONS:
        names = ["mutualTLS", *names]
    return {"security": [{name: [] for name in names}]}


def _list_headers(face: Face, operation: Operation[Any, Any]) -> list[Schema]:
    if not _is_signed(face, operation):
        return []
    return [{"$ref": f"#/components/parameters/{name}"} for name in _HEADERS]


def _describe_header(name: str) -> Schema:
    about, schema = _HEADERS[name]
    return {"name": name, "in": "header", "required": True, "description": about, "schema": schema}


def _describe(
    operation: Operation[Any, Any],
    schemas: Mapping[type[Message], Schema],
    definitions: Mapping[str, Schema],
) -> Schema:
    answer = schemas[operation.response]
    callers = sorted(operation.callers)
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"For: {', '.join(callers)}.",
        "x-specie-callers": callers,
        "parameters": _describe_parameters(operation, definitions),
        "responses": {
            "200": {
                "description": "Done.",
                "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _ANSWERED},
                "content": _in_both(answer),
            },
            "default": _describe_refusal(schemas[Problem]),
        },
    }
    if operation.method == "POST" and operation.request is not Empty:
        content = _in_both(schemas[operation.request])
        described["requestBody"] = {"required": True, "content": content}
    return described


def _describe_refusal(problem: Schema) -> Schema:
    return {"description": "Refused, with a code.", "content": {PROBLEM: {"schema": problem}}}


def _describe_parameters(
    operation: Operation[Any, Any], definitions: Mapping[str, Schema]
) -> list[Schema]:
    """Fields of the path; with GET the others are the query."""
    model = definitions[operation.request.__name__]
    required = set(model.get("required", ()))
    parameters: list[Schema] = []
    for name, schema in model.get("properties", {}).items():
        is_path = f"{{{name}}}" in operation.path
        if is_path or operation.method == "GET":
            place = "path" if is_path else "query"
            is_required = is_path or name in required
            shown = {"name": name, "in": place, "required": is_required, "schema": schema}
            parameters.append(shown)
    return parameters


def _describe_page(page: Page, problem: Schema) -> Schema:
    """Unsigned, for anyone who reaches this face."""
    parameters = [
        {"name": name, "in": place, "required": True, "schema": dict(schema)}
        for name, schema in FIELDS.items()
        for place in ("path", "query")
        if (f"{{{name}}}" in page.place if place == "path" else name in page.query)
    ]
    schema = {"type": "object"} if page.kind == JSON else {"type": "string"}
    answer: Schema = {"description": "Done.", "content": {page.kind: {"schema": schema}}}
    if page.status != 200:
        answer = {"description": "Elsewhere.", "headers": {"location": {"schema": schema}}}
    described: Schema = {
        "summary": page.summary,
        "description": "For: anyone, unsigned.",
        "x-specie-callers": [Caller.ANYONE.value],
        "security": [],
        "parameters": parameters,
        "responses": {str(page.status): answer, "default": _describe_refusal(problem)},
    }
    if page.body:
        content = {page.body: {"schema": dict(BODIES[page.body])}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _in_both(schema: Schema) -> Schema:
    return {kind: {"schema": schema} for kind in (JSON, CBOR)}
