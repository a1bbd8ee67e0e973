"""Messages in CBOR and JSON: one model, strict, and problems as RFC 9457 says."""

import json
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.remote.encoding import (
    CBOR,
    JSON,
    build_error,
    check_plain,
    decode,
    decode_problem,
    encode,
    encode_problem,
    get_status,
    read_fields,
    write_fields,
)
from specie.remote.fields import (
    AmountField,
    BytesField,
    CountField,
    Message,
    OrderField,
    SignatureField,
    TextField,
)
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import OrderId, Signature
from specie.values.limits import AMOUNT_MAX
from tests.country import find_code, refused


class Sample(Message):
    """One of each kind of field."""

    order: OrderField
    amount: AmountField
    signature: SignatureField
    text: TextField = ""
    data: BytesField | None = None


class Query(Message):
    """What path and query hold."""

    order: OrderField
    start: CountField = 0


ORDER = OrderId(bytes(range(16)))
SAMPLE = Sample(order=ORDER, amount=Minor(7), signature=Signature(bytes(64)), data=b"\xff")


@given(
    st.builds(
        Sample,
        order=st.binary(min_size=16, max_size=16).map(OrderId),
        amount=st.integers(0, AMOUNT_MAX).map(Minor),
        signature=st.binary(min_size=64, max_size=64).map(Signature),
        text=st.text(max_size=20),
        data=st.none() | st.binary(max_size=20),
    ),
    st.sampled_from([CBOR, JSON]),
)
def test_both_spellings_hold_the_same(message: Sample, kind: str) -> None:
    assert decode(encode(message, kind), kind, Sample) == message


def test_bytes_are_hex_in_json_and_bytes_in_cbor() -> None:
    assert json.loads(encode(SAMPLE, JSON))["order"] == ORDER.hex()
    assert cbor2.loads(encode(SAMPLE, CBOR))["order"] == ORDER


CHANGES: list[dict[str, Any]] = [
    {"amount": -1},
    {"amount": AMOUNT_MAX + 1},
    {"amount": 1.0},
    {"amount": "7"},
    {"amount": True},
    {"order": b"short"},
    {"order": bytes(17)},
    {"order": 5},
    {"text": "x" * 1_001},
    {"other": 1},
    {"signature": None},
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_in_the_model_is_refused(change: dict[str, Any]) -> None:
    found = {**SAMPLE.model_dump(), **change}
    with refused(ErrorCode.MESSAGE_MALFORMED):
        decode(cbor2.dumps(found), CBOR, Sample)
    shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in found.items()}
    with refused(ErrorCode.MESSAGE_MALFORMED):
        decode(json.dumps(shown).encode(), JSON, Sample)


def test_bytes_that_are_no_message() -> None:
    good = encode(SAMPLE, CBOR)
    nested = b"\x81" * 100_000 + b"\x00"
    tagged = b"\xc1\x00"
    for data in (b"", b"\xff", good[:-1], good + b"\x00", nested, tagged, b"\xa1\x01\x02"):
        with refused(ErrorCode.MESSAGE_MALFORMED):
            decode(data, CBOR, Sample)
    upper = encode(SAMPLE, JSON).replace(b"0a0b", b"0A0B")
    for data in (b"", b"{", b"[]", b"\xff", b"[" * 100_000, upper, encode(SAMPLE, JSON) + b"x"):
        with refused(ErrorCode.MESSAGE_MALFORMED):
            decode(data, JSON, Sample)
    with refused(ErrorCode.MESSAGE_MALFORMED):
        decode(good, "text/plain", Sample)


PLAIN = st.recursive(
    st.integers(0, 2**64 - 1)
    | st.integers(-(2**64), -1)
    | st.binary(max_size=300)
    | st.text(max_size=300)
    | st.booleans()
    | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_what_messages_are_made_of_is_plain(value: Any) -> None:
    check_plain(cbor2.dumps(value))


@pytest.mark.parametrize(
    "data",
    [
        b"\xc2\x41\x01",  # a bignum of one byte
        b"\xc2\x5a\x00\x7f\xff\xff" + bytes(0x7FFFFF),  # and of a whole body
        b"\xc4\x82\x1b" + b"\xff" * 8 + b"\x01",  # 1 · 10^(2^64)
        b"\xd8\x1e\x82\x01\x00",  # 1/0
        b"\xf9\x3c\x00",  # a float
        b"\xf8\x20",  # a simple value of nobody
        b"\xf7",  # undefined
        b"\x9f\xff",  # a list without end
        b"\x5f\x41\x00\xff",
        b"\x1c",  # reserved
        b"\x9b" + b"\xff" * 8,  # more items than anybody has
        b"\x5b" + b"\xff" * 8,  # more bytes
        b"\x1b\x00",  # half a head
        b"\x80" * 2,  # two items
        b"\xa1\x01\x02",  # a key that is a number
        b"\xa1\x81\x01\x02",  # and one that is a list
        b"\xa2\x61a\xa1\x40\x01\x61b\x02",  # bytes, deeper
        b"\x9a\x00\x04\x00\x01" + bytes(0x40001),  # one number too many
    ],
)
def test_what_no_message_has_is_refused_by_its_head(data: bytes) -> None:
    with refused(ErrorCode.MESSAGE_MALFORMED):
        check_plain(data)
    with refused(ErrorCode.MESSAGE_MALFORMED):
        decode(data, CBOR, Sample)


@given(st.binary(max_size=200), st.sampled_from([CBOR, JSON]))
def test_any_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    code = find_code(lambda: decode(data, kind, Sample))
    assert code in (None, ErrorCode.MESSAGE_MALFORMED)


def test_path_and_query_are_text() -> None:
    query = Query(order=ORDER, start=12)
    assert read_fields(write_fields(query), Query) == query
    bad = [{"start": "-1"}, {"start": "1.0"}, {"start": "٣"}, {"start": "9" * 21}, {"order": "xy"}]
    for change in bad:
        with refused(ErrorCode.MESSAGE_MALFORMED):
            read_fields({**write_fields(query), **change}, Query)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_travels(code: ErrorCode) -> None:
    status, body = encode_problem(SpecieError(code, "why"))
    assert status == get_status(code)
    assert 400 <= status < 600
    problem = json.loads(body)
    assert problem["type"] == f"urn:specie:error:{code.value}"
    back = decode_problem(body)
    assert (back.code, back.message) == (code, "why")


def test_evidence_of_a_second_spend_travels() -> None:
    back = decode_problem(encode_problem(SpentError("spent", b"proof"))[1])
    assert isinstance(back, SpentError)
    assert back.evidence == b"proof"


def test_evidence_stands_where_there_is_some() -> None:
    """What the version before sends, empty where there is none, is read as well."""
    body = json.loads(encode_problem(SpecieError(ErrorCode.NOT_FOUND, "why"))[1])
    assert set(body) == {"type", "title", "status", "detail", "code"}
    older = decode_problem(json.dumps({**body, "evidence": ""}).encode())
    assert (older.code, type(older)) == (ErrorCode.NOT_FOUND, SpecieError)


def test_members_of_a_later_version_are_passed_over() -> None:
    """RFC 9457, 3.2."""
    body = json.loads(encode_problem(SpecieError(ErrorCode.NOT_FOUND, "why"))[1])
    later = decode_problem(json.dumps({**body, "instance": "/here"}).encode())
    assert (later.code, later.message) == (ErrorCode.NOT_FOUND, "why")


def test_an_answer_that_is_none() -> None:
    assert decode_problem(b"<html>").code is ErrorCode.UNREACHABLE
    assert build_error("made_up", "x").code is ErrorCode.UNREACHABLE


def test_a_message_shows_nothing() -> None:
    assert repr(SAMPLE) == str(SAMPLE) == "Sample(…)"
