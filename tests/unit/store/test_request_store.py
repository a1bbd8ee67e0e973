"""Requests and names on a device: sealed, each holder's own, again is the same (T8, T9)."""

import pytest

from specie.crypto.secrets import SealingKey
from specie.store.refusal_store import SqliteRefusalStore
from specie.store.request_store import SqliteRequestStore
from specie.tokens.name_claims import ShownName
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OrderId, OutputRef, ParticipantNumber
from specie.values.limits import REQUESTS_MAX
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine

ORDER, OTHER = OrderId(b"o" * 16), OrderId(b"p" * 16)
REF = OutputRef(b"r" * 32)
LINK, NOW = "specie:pay?lunch", Timestamp(9)
KEY = SealingKey.generate()


def open_requests(engine: Engine, holder: str = "anna") -> SqliteRequestStore:
    return SqliteRequestStore(engine.open(), holder, KEY)


def test_what_was_asked_is_kept_in_order(engine: Engine) -> None:
    store = open_requests(engine)
    store.add_made(ORDER, LINK, NOW)
    store.add_made(OTHER, "specie:pay?rent", NOW)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.add_made(ORDER, "specie:pay?rent", NOW)
    open_requests(engine, "boris").add_made(ORDER, "specie:pay?tea", NOW)
    assert open_requests(engine).load_made() == [LINK, "specie:pay?rent"]
    assert open_requests(engine, "boris").load_made() == ["specie:pay?tea"]


def test_a_payment_is_for_one_request(engine: Engine) -> None:
    store = open_requests(engine)
    for _ in range(2):
        store.record_paid(ORDER, LINK)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.record_paid(ORDER, "specie:pay?rent")
    assert open_requests(engine).load_paid() == {ORDER: LINK}
    assert open_requests(engine, "boris").load_paid() == {}


def test_a_name_is_kept_as_it_was_judged_first(engine: Engine) -> None:
    store = open_requests(engine)
    first = ShownName("Анна Example", ParticipantNumber(2))
    store.record_name(REF, first)
    store.record_name(REF, ShownName("Somebody", None))
    store.record_name(OutputRef(b"s" * 32), ShownName("Somebody", None))
    found = open_requests(engine).load_names()
    assert found == {REF: first, b"s" * 32: ShownName("Somebody", None)}


def test_nothing_is_in_the_clear(engine: Engine) -> None:
    store = open_requests(engine)
    store.add_made(ORDER, LINK, NOW)
    store.record_paid(ORDER, LINK)
    store.record_name(REF, ShownName("Anna Example", None))
    held: bytes = b"\0".join(engine.open().iterate_values())
    assert b"lunch" not in held and b"Example" not in held and bytes(ORDER) in held
    with refused(ErrorCode.SEALED_INVALID):
        SqliteRequestStore(engine.open(), "anna", SealingKey.generate()).load_made()


def test_a_device_keeps_only_so_many(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert REQUESTS_MAX > 1
    monkeypatch.setattr("specie.store.request_store.REQUESTS_MAX", 1)
    store = open_requests(engine)
    store.add_made(ORDER, LINK, NOW)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        store.add_made(OTHER, LINK, NOW)


def test_the_last_no_counts(engine: Engine) -> None:
    store = SqliteRefusalStore(engine.open(), "anna")
    for code in (ErrorCode.CLIENT_BLOCKED, ErrorCode.INPUT_SPENT):
        store.record(ORDER, code, NOW)
    assert SqliteRefusalStore(engine.open(), "anna").load() == {ORDER: ErrorCode.INPUT_SPENT}
    assert SqliteRefusalStore(engine.open(), "boris").load() == {}
