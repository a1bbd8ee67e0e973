"""The accounting: reserves against the issuance fund, each entry once, each reference signed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from specie.accounting.reserves import Accounting
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.ledger.messages import compute_promise_message, compute_reserve_message
from specie.ledger.transactions import Promise
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import EntryId, ParticipantNumber, TransactionId
from specie.values.limits import RESERVE_AGE_MS_MAX
from specie.values.times import Timestamp
from tests.building import make_world
from tests.clocks import MORNING, ManualClock
from tests.country import refused
from tests.rosters import make_roster

NORTH, SOUTH, NOBODY = ParticipantNumber(2), ParticipantNumber(3), ParticipantNumber(9)
WORLD = make_world()
NETWORK = WORLD.genesis.network
ENTRY, OTHER = EntryId(b"entry one".ljust(16)), EntryId(b"entry two".ljust(16))


def promise(number: int = 0, key: InstitutionKey = WORLD.notary_key) -> Promise:
    """The notary's promise for some transaction."""
    txid, until = TransactionId(bytes([number]) * 32), Timestamp(MORNING + 2_000)
    message = compute_promise_message(NETWORK, txid, until)
    return Promise(txid, until, sign_as_institution(key, message))


@pytest.fixture
def clock() -> ManualClock:
    """The accounting's clock."""
    return ManualClock()


@pytest.fixture
def accounting(tmp_path: Path, clock: ManualClock) -> Accounting:
    """Two banks; the first has borrowed 1,000."""
    store = SqliteBooksStore(tmp_path / "books.db")
    roster = make_roster(WORLD)
    made = Accounting(roster, store, WORLD.accounting_key, clock)
    for bank in (NORTH, SOUTH):
        made.open_reserves(bank)
        made.open_reserves(bank)
    made.lend(EntryId(bytes(16)), NORTH, Minor(1_000))
    return made


def redeem(accounting: Accounting, bank: ParticipantNumber, amount: int, final: Promise) -> None:
    """Into transit and, since it is final, out of it; the issue before it is final as well."""
    accounting.complete_issue(ENTRY, promise(9))
    accounting.hold_redemption(EntryId(b"redeems" + final.txid[:9]), Minor(amount))
    accounting.credit_for_redemption(bank, Minor(amount), final)


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
        redeem(accounting, SOUTH, 150, promise())
        assert read(accounting) == (600, 150, 250)
    assert accounting.compute_money() == 1_000  # P10


def test_one_voiding_is_credited_once(accounting: Accounting) -> None:
    """Whatever orders it is said to serve, and whatever they say of bank and amount."""
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    redeem(accounting, NORTH, 150, promise(1))
    for bank, amount in ((NORTH, 151), (SOUTH, 150), (SOUTH, 1)):
        with refused(ErrorCode.ENTRY_CONFLICT):
            accounting.credit_for_redemption(bank, Minor(amount), promise(1))
    assert read(accounting) == (750, 0, 250)
    redeem(accounting, NORTH, 150, promise(2))
    assert read(accounting) == (900, 0, 100)


def test_nothing_is_credited_without_the_notarys_promise(accounting: Accounting) -> None:
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    other = replace(promise(1), txid=TransactionId(bytes(32)))
    for wrong in (promise(1, InstitutionKey.generate()), other):
        with refused(ErrorCode.PROMISE_INVALID):
            accounting.credit_for_redemption(NORTH, Minor(150), wrong)
    assert read(accounting) == (600, 0, 400)


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
        lambda: accounting.lend(ENTRY, NORTH, Minor(400)),
    ]
    for act in conflicts:
        with refused(ErrorCode.ENTRY_CONFLICT):
            act()
    assert read(accounting) == (600, 1_000, 400)


def test_what_is_not_there_is_not_moved(accounting: Accounting) -> None:
    def issue(amount: int) -> object:
        return accounting.debit_for_issue(ENTRY, NORTH, Minor(amount))

    def hold(amount: int) -> None:
        accounting.hold_redemption(OTHER, Minor(amount))

    def credit(amount: int) -> None:
        accounting.credit_for_redemption(NORTH, Minor(amount), promise())

    cases: list[tuple[ErrorCode, Callable[[], object]]] = [
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: issue(1_001)),
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: issue(2**64 - 1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: issue(0)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: issue(-1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: issue(2**64)),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.debit_for_issue(ENTRY, NOBODY, Minor(1))),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.get_reserves(NOBODY)),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.complete_issue(ENTRY, promise())),
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: hold(1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: hold(0)),
        (ErrorCode.ACCOUNT_OVERDRAWN, lambda: credit(1)),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: credit(0)),
        (ErrorCode.ACCOUNT_UNKNOWN, lambda: accounting.lend(ENTRY, NOBODY, Minor(1))),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, lambda: accounting.lend(ENTRY, NORTH, Minor(2**64 - 1))),
    ]
    for code, act in cases:
        with refused(code):
            act()
        assert read(accounting) == (1_000, 0, 0)


# --- in transit -----------------------------------------------------------------------------------


def test_an_issue_is_in_transit_until_it_is_final(accounting: Accounting) -> None:  # P8, X1
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    assert (accounting.get_fund(), accounting.get_in_transit()) == (400, 400)
    with refused(ErrorCode.PROMISE_INVALID):
        accounting.complete_issue(ENTRY, promise(1, InstitutionKey.generate()))
    assert accounting.get_in_transit() == 400
    for _ in range(2):
        accounting.complete_issue(ENTRY, promise())
        assert (accounting.get_fund(), accounting.get_in_transit()) == (400, 0)
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))  # the order asked again, later
    assert (accounting.get_fund(), accounting.get_in_transit()) == (400, 0)


def test_a_debit_that_is_too_old_is_given_back_once(  # P8, X1
    accounting: Accounting, clock: ManualClock
) -> None:
    money = accounting.compute_money()
    first = accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    clock.advance(60_000)
    assert accounting.debit_for_issue(ENTRY, NORTH, Minor(400)) == first  # also its time
    last = Timestamp(first.time + RESERVE_AGE_MS_MAX)
    assert not accounting.is_issue_over(ENTRY, last)
    with refused(ErrorCode.ORDER_CONFLICT):
        accounting.release_issue(ENTRY, last)
    over = Timestamp(last + 1)
    assert accounting.is_issue_over(ENTRY, over) and not accounting.is_issue_over(OTHER, over)
    for _ in range(2):
        accounting.release_issue(ENTRY, over)
        assert accounting.get_reserves(NORTH) == 1_000
        assert accounting.get_in_transit() == accounting.get_fund() == 0
    with refused(ErrorCode.ORDER_CONFLICT):
        accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    with refused(ErrorCode.ENTRY_CONFLICT):
        accounting.complete_issue(ENTRY, promise())
    assert accounting.compute_money() == money


def test_a_completed_issue_is_not_given_back(accounting: Accounting) -> None:  # P8, X1
    debited = accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    accounting.complete_issue(ENTRY, promise())
    with refused(ErrorCode.ENTRY_CONFLICT):
        accounting.release_issue(ENTRY, Timestamp(debited.time + RESERVE_AGE_MS_MAX + 1))
    assert (accounting.get_reserves(NORTH), accounting.get_fund()) == (600, 400)


def test_a_redemption_is_in_transit_until_it_is_final_or_given_up(  # P9, X1
    accounting: Accounting,
) -> None:
    accounting.debit_for_issue(ENTRY, NORTH, Minor(400))
    accounting.complete_issue(ENTRY, promise())
    for _ in range(2):
        accounting.hold_redemption(OTHER, Minor(150))
        assert (accounting.get_fund(), accounting.get_in_transit()) == (400, 150)
    for _ in range(2):
        accounting.release_redemption(OTHER)
        assert (accounting.get_fund(), accounting.get_in_transit()) == (400, 0)
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):  # nothing is in transit that could be credited
        accounting.credit_for_redemption(NORTH, Minor(150), promise(1))
    accounting.release_redemption(EntryId(bytes([9]) * 16))  # nothing was ever held for it
    assert read(accounting) == (600, 0, 400)
