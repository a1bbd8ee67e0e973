"""Bytes of messages: CBOR (RFC 8949) between programs, JSON for people's tools.

Both spellings have the same models. Problems are those of RFC 9457: `code` is our error code, which
callers act on; `detail` is for people. A second spend carries its evidence.
"""

import io
from collections.abc import Callable
from typing import Any, Final, TypeVar

import cbor2
from pydantic import ValidationError

from specie.remote.fields import BytesField, Message
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError

CBOR: Final = "application/cbor"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_TYPE: Final = "urn:specie:error:"

Model = TypeVar("Model", bound=Message)

_STATUS: Final = {
    ErrorCode.CALLER_UNKNOWN: 401,
    ErrorCode.MESSAGE_SIGNATURE_INVALID: 401,
    ErrorCode.MESSAGE_OUT_OF_TIME: 401,
    ErrorCode.CERTIFICATE_INVALID: 403,
    ErrorCode.CALLER_NOT_ALLOWED: 403,
    ErrorCode.PARTICIPANT_INACTIVE: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.PARTICIPANT_UNKNOWN: 404,
    ErrorCode.CLIENT_UNKNOWN: 404,
    ErrorCode.APPLICATION_UNKNOWN: 404,
    ErrorCode.PAYMENT_UNKNOWN: 404,
    ErrorCode.ACCOUNT_UNKNOWN: 404,
    ErrorCode.NOT_PUBLISHED: 404,
    ErrorCode.INPUT_SPENT: 409,
    ErrorCode.ORDER_CONFLICT: 409,
    ErrorCode.ENTRY_CONFLICT: 409,
    ErrorCode.TRANSACTION_FINAL: 409,
    ErrorCode.APPROVALS_MISSING: 409,
    ErrorCode.LIMIT_EXCEEDED: 413,
    ErrorCode.RATE_EXCEEDED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.STORE_UNUSABLE: 503,
    ErrorCode.UNREACHABLE: 503,
    ErrorCode.DRAINING: 503,
}


class Problem(Message):
    """RFC 9457, with our code and, for a second spend, its evidence."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    evidence: BytesField = b""


def encode(message: Message, kind: str) -> bytes:
    """In CBOR or JSON; fields that are not set are left out."""
    if kind == JSON:
        return message.model_dump_json(exclude_none=True).encode()
    found: bytes = cbor2.dumps(message.model_dump(mode="python", exclude_none=True), canonical=True)
    return found


def decode(data: bytes, kind: str, model: type[Model]) -> Model:
    """`message_malformed` if it is not this message in this spelling."""
    if kind == JSON:
        return _validate(lambda: model.model_validate_json(data))
    if kind != CBOR:
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, f"{CBOR} or {JSON} is read here")
    value = _load(data)
    return _validate(lambda: model.model_validate(value))


def read_fields(fields: dict[str, str], model: type[Model]) -> Model:
    """From path and query, where everything is text."""
    values: dict[str, Any] = dict(fields)
    for name, field in model.model_fields.items():
        text = fields.get(name)
        kind = getattr(field.annotation, "__supertype__", field.annotation)
        if text is not None and kind is int:
            if not (text.isascii() and text.isdigit() and len(text) <= 20):
                raise SpecieError(ErrorCode.MESSAGE_MALFORMED, f"{name} is a number")
            values[name] = int(text)
    return _validate(lambda: model.model_validate(values))


def write_fields(message: Message) -> dict[str, str]:
    """For path and query."""
    found = message.model_dump(mode="json", exclude_none=True)
    return {name: str(value) for name, value in found.items()}


def get_status(code: ErrorCode) -> int:
    """Of HTTP; what breaks a rule of the system is 422."""
    return _STATUS.get(code, 422)


def encode_problem(error: SpecieError) -> tuple[int, bytes]:
    """Status and body."""
    status = get_status(error.code)
    evidence = error.evidence if isinstance(error, SpentError) else b""
    problem = Problem(
        type=_TYPE + error.code.value,
        title=error.code.value.replace("_", " "),
        status=status,
        detail=error.message,
        code=error.code.value,
        evidence=evidence,
    )
    return status, encode(problem, JSON)


def decode_problem(data: bytes) -> SpecieError:
    """What the other side refused with; `unreachable` if it makes no sense."""
    try:
        problem = decode(data, JSON, Problem)
    except SpecieError:
        return SpecieError(ErrorCode.UNREACHABLE, "an answer that is none")
    return build_error(problem.code, problem.detail, problem.evidence)


def build_error(code: str, message: str, evidence: bytes = b"") -> SpecieError:
    """From another process: a code that we do not know is its failure."""
    if code not in tuple(ErrorCode):
        return SpecieError(ErrorCode.UNREACHABLE, "refused with a code that is unknown here")
    if evidence:
        return SpentError(message, evidence)
    return SpecieError(ErrorCode(code), message)


def _load(data: bytes) -> Any:
    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream, tag_hook=_refuse_tag).decode()
    except SpecieError:
        raise
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "not CBOR") from None
    if stream.read(1):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "something stands behind it")
    return value


def _refuse_tag(_decoder: object, _tag: object) -> object:
    raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "no tags in messages")


def _validate(read: Callable[[], Model]) -> Model:
    try:
        return read()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, f"{place}: {first['msg']}") from None
    except (ValueError, TypeError, RecursionError):
        raise SpecieError(
            ErrorCode.MESSAGE_MALFORMED, "not the message that is read here"
        ) from None
