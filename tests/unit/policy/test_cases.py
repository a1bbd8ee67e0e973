"""A case goes from open to one end, by one person or by two different ones (T20)."""

from dataclasses import replace

import pytest

from specie.policy.cases import (
    Case,
    CaseKind,
    CaseState,
    Decision,
    Verdict,
    compute_likeness,
    decide,
    is_refused_for_good,
    is_usable,
)
from specie.policy.checks import Side
from specie.policy.policies import Direction
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ZERO16, ClientId, OrderId, TransactionId
from specie.values.times import Timestamp
from tests.country import refused

TXID = TransactionId(b"t" * 32)
ORDER = OrderId(b"o" * 16)
SIDE = Side(ClientId("anna"), Direction.OUT, Minor(50), Timestamp(5), (b"boris",), order=ORDER)
LIKENESS = compute_likeness(SIDE, TXID)


def make_case(people: int = 1, kind: CaseKind = CaseKind.PAYMENT) -> Case:
    return Case(
        number=1,
        kind=kind,
        client=SIDE.client,
        opened=Timestamp(5),
        rules=("large",),
        amount=SIDE.amount,
        likeness=LIKENESS,
        txid=TXID,
        order=ORDER,
        text="",
        people_needed=people,
    )


def say(officer: str, verdict: Verdict, time: int = 10) -> Decision:
    return Decision(officer, verdict, Timestamp(time), "because")


def test_one_person_releases_a_small_payment_for_a_while_and_once() -> None:
    case = decide(make_case(), say("Ada", Verdict.RELEASE), 100)
    assert (case.state, case.released_until) == (CaseState.RELEASED, 110)
    assert is_usable(case, LIKENESS, Timestamp(110))
    assert not is_usable(case, LIKENESS, Timestamp(111))
    assert not is_usable(replace(case, used_by=TXID), LIKENESS, Timestamp(50))
    assert not is_usable(make_case(), LIKENESS, Timestamp(5))


@pytest.mark.parametrize("again", ["Ada", "ada", "  ADA "])
def test_two_people_are_two_people(again: str) -> None:
    first = decide(make_case(people=2), say("Ada", Verdict.RELEASE), 100)
    assert first.state is CaseState.OPEN and not is_usable(first, LIKENESS, Timestamp(10))
    with refused(ErrorCode.DECISION_REPEATED):
        decide(first, say(again, Verdict.RELEASE), 100)
    both = decide(first, say("Grace", Verdict.RELEASE, 20), 100)
    assert (both.state, both.released_until) == (CaseState.RELEASED, 120)


def test_anybody_alone_refuses_and_that_is_for_good() -> None:
    first = decide(make_case(people=2), say("Ada", Verdict.RELEASE), 100)
    case = decide(first, say("Ada", Verdict.REFUSE), 100)
    assert case.state is CaseState.REFUSED
    with refused(ErrorCode.CASE_CLOSED):
        decide(case, say("Grace", Verdict.RELEASE), 100)
    assert is_refused_for_good(case, LIKENESS, TXID)
    rebuilt = TransactionId(b"u" * 32)
    assert is_refused_for_good(case, LIKENESS, rebuilt)
    nameless = replace(case, order=OrderId(ZERO16))
    assert is_refused_for_good(nameless, LIKENESS, TXID)
    assert not is_refused_for_good(nameless, LIKENESS, rebuilt)


def test_the_same_decision_again_is_nothing() -> None:
    released = decide(make_case(), say("Ada", Verdict.RELEASE), 100)
    assert decide(released, say("ada", Verdict.RELEASE, 99), 100) is released
    with refused(ErrorCode.CASE_CLOSED):
        decide(released, say("Ada", Verdict.REFUSE), 100)
    with refused(ErrorCode.CASE_CLOSED):
        decide(released, say("Grace", Verdict.RELEASE), 100)


def test_a_suspicion_is_closed_and_holds_nothing() -> None:
    suspicion = make_case(kind=CaseKind.SUSPICION)
    for verdict in (Verdict.RELEASE, Verdict.REFUSE):
        with refused(ErrorCode.CASE_CLOSED):
            decide(suspicion, say("Ada", verdict), 100)
    assert decide(suspicion, say("Ada", Verdict.CLOSE), 100).state is CaseState.CLOSED
    with refused(ErrorCode.CASE_CLOSED):
        decide(make_case(), say("Ada", Verdict.CLOSE), 100)


def test_a_release_is_for_one_payment() -> None:
    other = TransactionId(b"u" * 32)
    assert compute_likeness(SIDE, other) == LIKENESS
    for changed in (
        replace(SIDE, client=ClientId("ann")),
        replace(SIDE, direction=Direction.IN),
        replace(SIDE, amount=Minor(51)),
        replace(SIDE, parties=(b"clara",)),
        replace(SIDE, order=OrderId(ZERO16)),
    ):
        assert compute_likeness(changed, TXID) != LIKENESS
    several = replace(SIDE, parties=(b"boris", b"clara"))
    assert compute_likeness(several, TXID) != compute_likeness(several, other)
