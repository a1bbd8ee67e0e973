"""`DecisionStore` and `LoanStore`: what officers have decided, and what was lent by it (P12)."""

import pytest

from specie.ports.decisions import Decision, DecisionState, Loan
from specie.store.decision_store import SqliteDecisionStore
from specie.values.amounts import Minor
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId, ParticipantNumber, Signature
from specie.values.times import Timestamp
from tests.unit.store.engines import Engine

NORTH, SOUTH = ParticipantNumber(2), ParticipantNumber(3)


def make_loan(number: int, participant: ParticipantNumber = NORTH) -> Loan:
    """Of a decision with this number."""
    return Loan(EntryId(number.to_bytes(16, "big")), participant, Minor(number + 1))


def decide(store: SqliteDecisionStore, loan: Loan, *, is_done: bool) -> None:
    """As the desk records it."""
    text = f'{{"amount":{loan.amount},"participant":{loan.participant}}}'
    kind, state = "lend-reserves", DecisionState.PROPOSED
    decision = Decision(loan.entry, kind, text, state, Timestamp(1))
    store.sign(decision, 1, Signature(bytes(64)))
    if is_done:
        store.finish(loan.entry, {})


def test_a_page_of_loans(engine: Engine) -> None:
    """At its edges, too; each participant has a list of its own."""
    store, mine = engine.open_decisions(), []
    for number in range(5):
        mine.append(make_loan(number))
        store.record_loan(mine[-1])
        store.record_loan(make_loan(100 + number, SOUTH))
    store = engine.open_decisions()
    for start in range(7):
        for limit in (1, 2, 4, 5, 6):
            assert store.load_loans(NORTH, start, limit) == mine[start : start + limit]
    assert [one.amount for one in store.load_loans(SOUTH, 4, 9)] == [105]
    assert store.load_loans(ParticipantNumber(4), 0, 9) == []


def test_a_loan_is_listed_once_and_keeps_its_place(engine: Engine) -> None:
    """Who has read so far goes on from there: a decision that is carried out late comes last."""
    store = engine.open_decisions()
    for number in (1, 2, 1, 0, 2):
        store.record_loan(make_loan(number))
    assert store.load_loans(NORTH, 0, 9) == [make_loan(number) for number in (1, 2, 0)]
    assert store.load_loans(NORTH, 2, 9) == [make_loan(0)]


def test_a_store_of_version_1_is_brought_up_when_asked(engine: Engine) -> None:
    """Its loans were decisions and nothing else: those that were carried out are in the list."""
    store, loans = engine.open_decisions(), [make_loan(number) for number in range(4)]
    for loan in loans:
        decide(store, loan, is_done=loan.entry != loans[1].entry)
    engine.run("DROP TABLE loan")
    engine.run("UPDATE schema SET version = 1 WHERE name = 'decisions'")
    with pytest.raises(SpecieError, match="specie migrate"):
        engine.open_decisions()
    engine.open_decisions(is_migrating=True)
    store = engine.open_decisions()
    assert store.load_loans(NORTH, 0, 9) == [loans[0], *loans[2:]]
    store.record_loan(loans[1])
    assert store.load_loans(NORTH, 3, 9) == [loans[1]]
