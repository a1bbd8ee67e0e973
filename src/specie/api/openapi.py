"""Each face described in OpenAPI 3.1, from the operations themselves: `GET /openapi.json`.

What is described is what is served: paths, who may ask, models with their sizes and ranges. Bytes
are hex digits in JSON and byte strings in CBOR; the rest is the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from specie.remote.encoding import CBOR, JSON, PROBLEM, Problem
from specie.remote.fields import Empty, Message
from specie.remote.operations import VERSION, Operation

_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = (
    "Requests are signed (RFC 9421, RFC 9530) unless anyone may ask; answers are signed and bound "
    "to their request. Errors are problems (RFC 9457) whose `code` is listed in "
    "docs/reference/errors.md. POST is idempotent by order, entry or transaction id. Bytes are hex "
    "digits in JSON, byte strings in CBOR."
)

Schema = dict[str, Any]


def describe_face(title: str, operations: Sequence[Operation[Any, Any]]) -> Schema:
    """The whole document."""
    kinds = {one.request for one in operations} | {one.response for one in operations} | {Problem}
    models = sorted(kinds, key=lambda kind: kind.__name__)
    found, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REF
    )
    schemas = {model: found[model, "serialization"] for model in models}
    paths: dict[str, Schema] = {}
    for operation in operations:
        place = paths.setdefault(operation.path, {})
        place[operation.method.lower()] = _describe(operation, schemas, definitions["$defs"])
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": f"{VERSION}.0", "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": definitions["$defs"]},
    }


def _describe(
    operation: Operation[Any, Any],
    schemas: Mapping[type[Message], Schema],
    definitions: Mapping[str, Schema],
) -> Schema:
    answer = schemas[operation.response]
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"For: {', '.join(sorted(operation.callers))}.",
        "parameters": _describe_parameters(operation, definitions),
        "responses": {
            "200": {"description": "Done.", "content": _in_both(answer)},
            "default": {
                "description": "Refused, with a code.",
                "content": {PROBLEM: {"schema": schemas[Problem]}},
            },
        },
    }
    if operation.method == "POST" and operation.request is not Empty:
        content = _in_both(schemas[operation.request])
        described["requestBody"] = {"required": True, "content": content}
    return described


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


def _in_both(schema: Schema) -> Schema:
    return {kind: {"schema": schema} for kind in (JSON, CBOR)}
