"""`Journal`: one content, one end, and one transaction with the effect (X12)."""

import pytest

from specie.ports.journal import FlowKind, FlowState
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId
from tests.country import refused
from tests.unit.store.engines import Engine

FIRST, SECOND = OrderId(b"order one".ljust(16)), OrderId(b"order two".ljust(16))


def test_what_was_begun_is_known_after_a_start(engine: Engine) -> None:
    journal = engine.open_journal()
    for order in (SECOND, FIRST):
        assert journal.find_state(order) is None
        assert journal.begin(FlowKind.ISSUE, order, b"request") is FlowState.OPEN
        assert journal.begin(FlowKind.ISSUE, order, b"request") is FlowState.OPEN
    records = engine.open_journal().list_open()
    assert [one.order for one in records] == [SECOND, FIRST]
    assert {(one.kind, one.request) for one in records} == {(FlowKind.ISSUE, b"request")}
    assert "request" not in repr(records)


def test_an_order_has_one_content(engine: Engine) -> None:
    journal = engine.open_journal()
    journal.begin(FlowKind.ISSUE, FIRST, b"request")
    for kind, request in ((FlowKind.REDEEM, b"request"), (FlowKind.ISSUE, b"requests")):
        with refused(ErrorCode.ORDER_CONFLICT):
            journal.begin(kind, FIRST, request)
    [record] = journal.list_open()
    assert (record.kind, record.request) == (FlowKind.ISSUE, b"request")


@pytest.mark.parametrize("state", [FlowState.COMPLETED, FlowState.ENDED])
def test_an_end_is_for_ever(engine: Engine, state: FlowState) -> None:
    journal = engine.open_journal()
    journal.begin(FlowKind.WITHDRAW, FIRST, b"")
    for _ in range(2):
        journal.end(FIRST, state)
        assert journal.find_state(FIRST) is state
    assert journal.list_open() == []
    for other in {FlowState.COMPLETED, FlowState.ENDED} - {state}:
        with refused(ErrorCode.ORDER_CONFLICT):
            journal.end(FIRST, other)
    assert journal.begin(FlowKind.WITHDRAW, FIRST, b"") is state
    with refused(ErrorCode.APPLICATION_UNKNOWN):
        journal.end(SECOND, state)


def test_an_effect_and_its_word_are_one_transaction(engine: Engine) -> None:
    journal = engine.open_journal()

    def begin_refused() -> None:
        with journal.transaction():
            journal.begin(FlowKind.ISSUE, FIRST, b"")
            raise SpecieError(ErrorCode.ACCOUNT_OVERDRAWN, "the effect is refused")

    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        begin_refused()
    assert journal.find_state(FIRST) is None
