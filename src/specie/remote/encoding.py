"""Bytes of messages: CBOR (RFC 8949) between programs, JSON for people's tools.

Both spellings have the same models. Problems are those of RFC 9457: `code` is our error code, which
callers act on; `detail` is for people. A second spend carries its evidence. What else a later
version may say in one is passed over (3.2).

To who speaks the version before ours nothing is said that it could not read: fields that are newer
are left out of answers. A request loses nothing: what cannot be asked there is not sent.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin

import cbor2
from pydantic import ConfigDict, Field, ValidationError

from specie.remote.fields import BytesField, Message, Since
from specie.remote.operations import VERSION
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.limits import MESSAGE_ITEMS_MAX

CBOR: Final = "application/cbor"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_TYPE: Final = "urn:specie:error:"

_BYTES, _TEXT, _MAP, _TAG, _SIMPLE = 2, 3, 5, 6, 7  # major types
_INSIDE: Final = (0, 0, 0, 0, 1, 2, 0, 0)  # items for each one that the head counts
_SIMPLE_VALUES: Final = (20, 21, 22)  # false, true, null
_ONE_BYTE, _EIGHT_BYTES = 24, 27  # the number stands behind the head

Model = TypeVar("Model", bound=Message)

_STATUS: Final = {
    ErrorCode.CALLER_UNKNOWN: 401,
    ErrorCode.MESSAGE_SIGNATURE_INVALID: 401,
    ErrorCode.MESSAGE_OUT_OF_TIME: 401,
    ErrorCode.CERTIFICATE_INVALID: 403,
    ErrorCode.CALLER_NOT_ALLOWED: 403,
    ErrorCode.CONSENT_READER_WRONG: 403,
    ErrorCode.CONSENT_ACCOUNT_WRONG: 403,
    ErrorCode.CONSENT_REVOKED: 403,
    ErrorCode.CONSENT_EXPIRED: 403,
    ErrorCode.CONSENT_SCOPE_EXCEEDED: 403,
    ErrorCode.PARTICIPANT_INACTIVE: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.PARTICIPANT_UNKNOWN: 404,
    ErrorCode.CLIENT_UNKNOWN: 404,
    ErrorCode.APPLICATION_UNKNOWN: 404,
    ErrorCode.PAYMENT_UNKNOWN: 404,
    ErrorCode.ACCOUNT_UNKNOWN: 404,
    ErrorCode.WEBHOOK_UNKNOWN: 404,
    ErrorCode.RETURN_REQUEST_UNKNOWN: 404,
    ErrorCode.CONSENT_UNKNOWN: 404,
    ErrorCode.NOT_PUBLISHED: 404,
    ErrorCode.CASE_UNKNOWN: 404,
    ErrorCode.INPUT_SPENT: 409,
    ErrorCode.ORDER_CONFLICT: 409,
    ErrorCode.ENTRY_CONFLICT: 409,
    ErrorCode.TRANSACTION_FINAL: 409,
    ErrorCode.APPROVALS_MISSING: 409,
    ErrorCode.CASE_CLOSED: 409,
    ErrorCode.DECISION_REPEATED: 409,
    ErrorCode.READING_REPEATED: 409,
    ErrorCode.LIMIT_EXCEEDED: 413,
    ErrorCode.RATE_EXCEEDED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.STORE_UNUSABLE: 503,
    ErrorCode.UNREACHABLE: 503,
    ErrorCode.CORE_BANK_UNREACHABLE: 503,
    ErrorCode.DRAINING: 503,
}


class Problem(Message):
    """RFC 9457, with our code and, for a second spend, its evidence."""

    model_config = ConfigDict(extra="ignore")

    type: str = Field(description="urn:specie:error: and the code")
    title: str = Field(description="the code in words")
    status: int = Field(description="the answer's status")
    detail: str = Field(description="why, for people")
    code: str = Field(description="what callers act on, see docs/reference/errors.md")
    evidence: BytesField | None = None


def encode(message: Message, kind: str, version: int = VERSION) -> bytes:
    """In CBOR or JSON; what is not set is left out, and what is newer than this version."""
    newer = find_newer(type(message), version)
    if kind == JSON:
        return message.model_dump_json(exclude_none=True, exclude=newer).encode()
    fields = message.model_dump(mode="python", exclude_none=True, exclude=newer)
    found: bytes = cbor2.dumps(fields, canonical=True)
    return found


def check_sayable(message: Message, version: int) -> None:
    """`version_unknown` if it says something that this version of the protocol has no field for."""
    newer = find_newer(type(message), version)
    said = message.model_dump(exclude_defaults=True)
    if newer and said != message.model_dump(exclude_defaults=True, exclude=newer):
        reason = f"version {version} of the protocol cannot say all of this"
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, reason)


@cache
def find_newer(model: type[Message], version: int) -> dict[str, Any]:
    """Fields that came later, those of models in it too, as pydantic excludes them."""
    newer: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if any(isinstance(one, Since) and one.version > version for one in field.metadata):
            newer[name] = True
        elif inside := _find_inside(field.annotation, version):
            newer[name] = inside
    return newer


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


def encode_problem(error: SpecieError, status: int = 0) -> tuple[int, bytes]:
    """Status and body; another status than the code's where HTTP has one of its own."""
    status = status or get_status(error.code)
    evidence = error.evidence if isinstance(error, SpentError) else None
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
    return build_error(problem.code, problem.detail, problem.evidence or b"")


def build_error(code: str, message: str, evidence: bytes = b"") -> SpecieError:
    """From another process: a code that we do not know is its failure."""
    if code not in tuple(ErrorCode):
        return SpecieError(ErrorCode.UNREACHABLE, "refused with a code that is unknown here")
    if evidence:
        return SpentError(message, evidence)
    return SpecieError(ErrorCode(code), message)


def _find_inside(kind: Any, version: int) -> dict[str, Any]:
    """Of a model, of one that may be missing, of each in a list."""
    if isinstance(kind, type) and issubclass(kind, Message):
        return find_newer(kind, version)
    for one in get_args(kind):
        if found := _find_inside(one, version):
            return {"__all__": found} if get_origin(kind) is list else found
    return {}


def _load(data: bytes) -> Any:
    check_plain(data)
    try:
        return cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "not CBOR") from None


def check_plain(data: bytes) -> None:
    """One item of whole numbers, bytes, text, lists, maps, true, false and null; nothing behind it.

    Its heads alone are read (RFC 8949, 3), before a library makes objects of them: tags would make
    it compute with numbers as long as the body, and keys other than text can be chosen so that all
    of them fall on one place of a map.
    """
    place, items = 0, 0
    inside = [(1, False)]  # items to come, of a map or not; the innermost last
    while inside:
        left, is_map = inside.pop()
        if not left:
            continue
        place, major, value = _read_head(data, place)
        if is_map and left % 2 == 0 and major != _TEXT:
            raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "a key that is no text")
        inside.append((left - 1, is_map))
        items += 1
        if items + _INSIDE[major] * value > MESSAGE_ITEMS_MAX:
            raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "too many items")
        if _INSIDE[major]:
            inside.append((_INSIDE[major] * value, major == _MAP))
        elif major in (_BYTES, _TEXT):
            place += value
    if place != len(data):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "not one whole item")


def _read_head(data: bytes, place: int) -> tuple[int, int, int]:
    """Where it ends, the major type, its number."""
    if place >= len(data):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "it ends early")
    major, value = data[place] >> 5, data[place] & 31
    place += 1
    is_plain = major < _TAG or (major == _SIMPLE and value in _SIMPLE_VALUES)
    if not is_plain or value > _EIGHT_BYTES:
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "a kind of item that no message has")
    if value < _ONE_BYTE or major == _SIMPLE:
        return place, major, value
    end = place + (1 << (value - _ONE_BYTE))
    return end, major, int.from_bytes(data[place:end], "big")


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
