"""Double entry under random entries: whatever is tried, the books balance (P10, P11)."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from specie.accounting.reserves import ISSUANCE_FUND, LOANS, Accounting
from specie.books.entries import (
    Account,
    Entry,
    Posting,
    Side,
    check_trial_balance,
    compute_balances,
)
from specie.crypto.signatures import sign_as_institution
from specie.ledger.messages import compute_promise_message
from specie.ledger.transactions import Promise
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    AccountName,
    EntryId,
    ParticipantNumber,
    TransactionId,
)
from specie.values.times import Timestamp
from tests.building import make_world
from tests.clocks import MORNING, ManualClock
from tests.country import find_code, refused
from tests.rosters import make_roster

AMOUNT_MAX = 2**64 - 1
NAMES = [AccountName(name) for name in ("cash", "loans", "deposits", "equity")]
ACCOUNTS: Mapping[AccountName, Account] = {
    name: Account(name, Side.DEBIT if place < 2 else Side.CREDIT)
    for place, name in enumerate(NAMES)
}
UNKNOWN = AccountName("nobody's")

amounts = st.one_of(
    st.integers(1, 50), st.sampled_from([0, -1, AMOUNT_MAX, AMOUNT_MAX + 1]), st.integers(1, 2**64)
)
postings = st.builds(
    Posting,
    account=st.sampled_from([*NAMES, *NAMES, UNKNOWN]),
    side=st.sampled_from(Side),
    amount=amounts,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Half of them balance; numbers repeat, so that ids meet other contents."""
    lines = draw(st.lists(postings, min_size=1, max_size=4))
    if draw(st.booleans()):
        amount = draw(st.integers(1, 50))
        left, right = draw(st.permutations(NAMES))[:2]
        lines = [
            Posting(left, Side.DEBIT, Minor(amount)),
            Posting(right, Side.CREDIT, Minor(amount)),
        ]
    number = draw(st.integers(0, 9))
    return Entry(EntryId(bytes([number]) * 16), Timestamp(number), "text", tuple(lines))


def judge(balances: Mapping[AccountName, int], entry: Entry) -> dict[AccountName, int] | ErrorCode:
    """The rules once more, written from the books' definition: signed sums, debits positive."""
    lines = entry.postings
    if len(lines) < 2:
        return ErrorCode.LIMIT_EXCEEDED
    if any(not 1 <= line.amount <= AMOUNT_MAX for line in lines):
        return ErrorCode.AMOUNT_OUT_OF_RANGE
    signs = {Side.DEBIT: 1, Side.CREDIT: -1}
    if sum(signs[line.side] * line.amount for line in lines) != 0:
        return ErrorCode.ENTRY_UNBALANCED
    if any(line.account not in ACCOUNTS for line in lines):
        return ErrorCode.ACCOUNT_UNKNOWN
    after = dict(balances)
    for line in lines:
        after[line.account] += signs[line.side] * signs[ACCOUNTS[line.account].normal] * line.amount
    touched = [after[line.account] for line in lines]
    for value in touched:  # the first broken account, in the order of the lines
        if value < 0:
            return ErrorCode.ACCOUNT_OVERDRAWN
        if value > AMOUNT_MAX:
            return ErrorCode.AMOUNT_OUT_OF_RANGE
    return after


@given(st.lists(entries(), max_size=30))
def test_the_pure_rules_agree_with_their_twin(history: list[Entry]) -> None:  # P11
    balances: dict[AccountName, Minor] = dict.fromkeys(NAMES, Minor(0))
    for entry in history:
        expected = judge(balances, entry)
        code = find_code(partial(compute_balances, ACCOUNTS, balances, entry))
        if code is None:
            balances.update(compute_balances(ACCOUNTS, balances, entry))
        assert (code or balances) == expected
        check_trial_balance(ACCOUNTS, balances)


@contextmanager
def open_books() -> Iterator[SqliteBooksStore]:
    """Books that are gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteBooksStore(Path(folder) / "books.db")
        try:
            yield store
        finally:
            store.close()


@settings(max_examples=25)
@given(st.lists(entries(), max_size=25))
def test_the_store_keeps_the_books_balanced(history: list[Entry]) -> None:  # P11
    with open_books() as store:
        for account in ACCOUNTS.values():
            store.open_account(account)
        posted: dict[EntryId, Entry] = {}
        balances: Mapping[AccountName, int] = dict.fromkeys(NAMES, 0)
        for entry in history:
            known = posted.get(entry.id)
            expected = judge(balances, entry)
            if known is not None:
                is_same = known.postings == entry.postings
                expected = dict(balances) if is_same else ErrorCode.ENTRY_CONFLICT
            code = find_code(partial(store.post, entry))
            if code is None:
                posted.setdefault(entry.id, entry)
                balances = store.load_balances()
            assert (code or balances) == expected
            assert store.load_balances() == balances
            check_trial_balance(store.load_accounts(), store.load_balances())


def test_books_that_do_not_balance_are_noticed() -> None:
    balances = {**dict.fromkeys(NAMES, Minor(5)), NAMES[0]: Minor(6)}
    with refused(ErrorCode.ENTRY_UNBALANCED):
        check_trial_balance(ACCOUNTS, balances)


# --- reserves and the issuance fund -------------------------------------------------------------

REFUSALS = {
    None,
    ErrorCode.AMOUNT_OUT_OF_RANGE,
    ErrorCode.ACCOUNT_OVERDRAWN,
    ErrorCode.ENTRY_CONFLICT,
}
WORLD = make_world()
BANKS = (ParticipantNumber(2), ParticipantNumber(3))
acts = st.tuples(
    st.sampled_from(["lend", "issue", "redeem"]),
    st.sampled_from(BANKS),
    st.integers(0, 120),
    st.integers(0, 15),  # few numbers, so that entries are repeated and contradicted
)


def act(accounting: Accounting, what: str, bank: ParticipantNumber, amount: int, n: int) -> None:
    """One request to the accounting; each kind has numbers of its own."""
    entry = EntryId(bytes([len(what), n]) * 8)
    if what == "lend":
        accounting.lend(entry, bank, Minor(amount))
    elif what == "issue":
        reference = accounting.debit_for_issue(entry, bank, Minor(amount))
        assert (reference.entry, reference.participant, reference.amount) == (entry, bank, amount)
        if n % 2:
            accounting.complete_issue(entry, make_promise(entry))
    else:
        accounting.hold_redemption(entry, Minor(amount))
        if n % 3:
            accounting.credit_for_redemption(bank, Minor(amount), make_promise(entry))
        else:
            accounting.release_redemption(entry)


def make_promise(entry: EntryId) -> Promise:
    """The notary's, for some transaction."""
    txid, until = TransactionId(entry * 2), Timestamp(MORNING)
    message = compute_promise_message(WORLD.genesis.network, txid, until)
    return Promise(txid, until, sign_as_institution(WORLD.notary_key, message))


@settings(max_examples=25)
@given(st.lists(acts, max_size=30))
def test_issuance_never_changes_central_bank_money(
    history: list[tuple[str, ParticipantNumber, int, int]],
) -> None:  # P10
    """Reserves + fund = loans, whatever is issued, redeemed, repeated or refused."""
    with open_books() as store:
        roster = make_roster(WORLD)
        accounting = Accounting(roster, store, WORLD.accounting_key, ManualClock())
        for bank in BANKS:
            accounting.open_reserves(bank)
        for what, bank, amount, number in history:
            before = accounting.compute_money()
            code = find_code(partial(act, accounting, what, bank, amount, number))
            assert code in REFUSALS
            if what != "lend" or code is not None:
                assert accounting.compute_money() == before
            reserves = sum(accounting.get_reserves(bank) for bank in BANKS)
            money = accounting.compute_money()
            assert reserves + accounting.get_fund() == money == store.get_balance(LOANS)
            check_trial_balance(store.load_accounts(), store.load_balances())
        fund = store.get_balance(ISSUANCE_FUND)
        assert accounting.get_fund() == fund + accounting.get_in_transit()
