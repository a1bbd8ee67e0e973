"""The accounting: reserves against the issuance fund, each entry once, each reference signed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from specie.accounting.ledger_of_reserves import Accounting
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import verify_institution_signature
from specie.ledger.messages import compute_reserve_message
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import EntryId, NetworkId, ParticipantNumber, TransactionId
from tests.clocks import MORNING, ManualClock
from tests.country import refused

NORTH, SOUTH, NOBODY = ParticipantNumber(2), ParticipantNumber(3), ParticipantNumber(9)
NETWORK = NetworkId(b"a network of ours")
ENTRY, OTHER = EntryId(b"entry one".ljust(16)), EntryId(b"entry two".ljust(16))
TXID = TransactionId(bytes(32))


@pytest.fixture
def clock() -> ManualClock:
    """The accounting's clock."""
    return ManualClock()


@pytest.fixture
def accounting(tmp_path: Path, clock: ManualClock) -> Accounting:
    """Two banks; the first has borrowed 1,000."""
    store = SqliteBooksStore(tmp_path / "books.db")
    made = Accounting(NETWORK, store, InstitutionKey.generate(), clock)
    for bank in (NORTH, SOUTH):
        made.open_reserves(bank)
        made.open_reserves(bank)
    made.lend(EntryId(bytes(16)), NORTH, Minor(1_000))
    return made


def read(accounting: Accounting) -> tuple[int, int, int]:
    """Reserves of both banks, and the fund."""
    return (
        accounting.get_reserves(NORTH),
        accounting.get_reserves(SOUTH),
        accounting.get_fund(),
    )


def test_an_issue_debits_reserves_and_credits_the_fund(accounting: Accounting) -> None:  # P8
    reference = accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    assert read(accounting) == (600, 0, 400)
    assert (reference.entry, reference.participant, reference.amount) == (ENTRY, NORTH, 400)
    assert reference.time == MORNING
    message = compute_reserve_message(NETWORK, ENTRY, NORTH, 400, reference.time)
    verify_institution_signature(accounting.public_key, message, reference.signature)


def test_a_redemption_is_the_way_back(accounting: Accounting) -> None:  # P9
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    for _ in range(2):
        accounting.credit_for_redemption(OTHER, SOUTH, Minor(150), TXID)
        assert read(accounting) == (600, 150, 250)
    assert accounting.compute_money() == 1_000  # P10


def test_the_same_entry_again_moves_nothing(accounting: Accounting, clock: ManualClock) -> None:
    first = accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    clock.advance(5_000)
    again = accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    assert replace(again, time=first.time, signature=first.signature) == first
    message = compute_reserve_message(NETWORK, ENTRY, NORTH, 400, again.time)
    verify_institution_signature(accounting.public_key, message, again.signature)
    accounting.lend(EntryId(bytes(16)), NORTH, Minor(1_000))
    assert read(accounting) == (600, 0, 400)


def test_one_entry_has_one_content(accounting: Accounting) -> None:
    accounting.lend(OTHER, SOUTH, Minor(1_000))
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    conflicts: list[Callable[[], object]] = [
        lambda: accounting.debit_for_issue(ENTRY, NORTH, Minor(401)),
        lambda: accounting.debit_for_issue(ENTRY, SOUTH, Minor(400)),
        lambda: accounting.credit_for_redemption(ENTRY, NORTH, Minor(400), TXID),
        lambda: accounting.lend(ENTRY, NORTH, Minor(400)),
    ]
    for act in conflicts:
        with refused(ErrorCode.ENTRY_CONFLICT):
            act()
    assert read(accounting) == (600, 1_000, 400)


def test_what_is_not_there_is_not_moved(accounting: Accounting) -> None:
    def issue(amount: int) -> object:
        return accounting.debit_for_issue(ENTRY, NORTH, Minor(amount))

    def redeem(amount: int) -> None:
        accounting.credit_for_redemption(ENTRY, NORTH, Minor(amount), TXID)

    cases: list[tuple[ErrorCode, Callable[[], object]]] = [
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: issue(1_001)),
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: issue(2**64 - 1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: issue(0)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: issue(-1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: issue(2**64)),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.debit_for_issue(ENTRY, NOBODY, Minor(1))),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.get_reserves(NOBODY)),
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: redeem(1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: redeem(0)),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.lend(ENTRY, NOBODY, Minor(1))),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: accounting.lend(ENTRY, NORTH, Minor(2**64 - 1))),
    ]
    for code, act in cases:
        with refused(code):
            act()
        assert read(accounting) == (1_000, 0, 0)
