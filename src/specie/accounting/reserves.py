"""Reserves against the issuance fund (P8, P9, P10, P11).

    issue       debit  reserves of the bank       credit issues in transit
                debit  issues in transit          credit issuance fund         (once it is final)
    redemption  debit  issuance fund              credit redemptions in transit
                debit  redemptions in transit     credit reserves of the bank  (once it is final)
    given up    the first of the two lines, the other way round

All are liabilities of the central bank, so their sum stays what it is. What is in transit is money
whose transaction may or may not be final: the notary knows, the books do not yet. At every moment

    issuance fund ≤ outstanding tokens ≤ issuance fund + issues and redemptions in transit
"""

from typing import Final

from specie.books.entries import Account, Entry, Side, credit, debit
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution
from specie.identity.roster import Roster
from specie.ledger.messages import compute_reserve_message
from specie.ledger.promises import verify_promise
from specie.ledger.records import ReserveReference
from specie.ledger.supply_checks import is_reserve_over
from specie.ledger.transactions import Promise
from specie.ports.books import BooksStore
from specie.ports.clock import Clock
from specie.values.amounts import Minor, check_positive, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    AccountName,
    EntryId,
    InstitutionPublicKey,
    ParticipantNumber,
)
from specie.values.times import Timestamp

ISSUANCE_FUND: Final = AccountName("issuance fund")
ISSUES_IN_TRANSIT: Final = AccountName("issues in transit")
REDEMPTIONS_IN_TRANSIT: Final = AccountName("redemptions in transit")
LOANS: Final = AccountName("loans against collateral")
_ISSUE_ENDED: Final = "issue ended"


class Accounting:
    """`IssueAccounting` and `RedemptionAccounting`, in this process."""

    def __init__(
        self, roster: Roster, books: BooksStore, key: InstitutionSigner, clock: Clock
    ) -> None:
        self.public_key = InstitutionPublicKey(key.public)
        self._roster = roster
        self._books = books
        self._key = key
        self._clock = clock
        for name in (ISSUANCE_FUND, ISSUES_IN_TRANSIT, REDEMPTIONS_IN_TRANSIT):
            books.open_account(Account(name, Side.CREDIT))
        books.open_account(Account(LOANS, Side.DEBIT))

    def open_reserves(self, participant: ParticipantNumber) -> None:
        """A reserve account for a participant; idempotent."""
        self._books.open_account(Account(get_reserves_account(participant), Side.CREDIT))

    def lend(self, entry: EntryId, participant: ParticipantNumber, amount: Minor) -> None:
        """Reserves against collateral: how reserves come into being. Idempotent by entry."""
        postings = (debit(LOANS, amount), credit(get_reserves_account(participant), amount))
        self._books.post(Entry(entry, self._clock.now(), "loan against collateral", postings))

    def debit_for_issue(
        self, entry: EntryId, participant: ParticipantNumber, amount: Minor
    ) -> ReserveReference:
        """Debit reserves; the same entry again gives the same reference.

        It has the time of the debit, however late it is asked for: 48 hours after it the notary
        takes it no more. `order_conflict` once the reserves are back.
        """
        check_positive(amount)
        reserves = debit(get_reserves_account(participant), amount)
        lines = (reserves, credit(ISSUES_IN_TRANSIT, amount))
        self._books.post(Entry(entry, self._clock.now(), "issue", lines))
        if self._is_released(entry):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the reserves of this debit are back")
        network, debited = self._roster.genesis.network, self._get_posted(entry).time
        message = compute_reserve_message(network, entry, participant, amount, debited)
        signature = sign_as_institution(self._key, message)
        return ReserveReference(entry, participant, amount, debited, signature)

    def is_issue_over(self, entry: EntryId, published: Timestamp) -> bool:
        """Whether this debit backs no issue any more, by the notary's published time."""
        posted = self._books.load_entry(entry)
        return posted is not None and is_reserve_over(posted.time, published)

    def release_issue(self, entry: EntryId, published: Timestamp) -> None:
        """It will never be final: out of transit, back into the reserves. Idempotent.

        `order_conflict` while the notary could still take the debit; `entry_conflict` if the
        issue was completed.
        """
        if not self.is_issue_over(entry, published):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the debit may still back an issue")
        amount = self._get_held(entry, ISSUES_IN_TRANSIT)
        debited = next(one for one in self._get_posted(entry).postings if one.side is Side.DEBIT)
        lines = (debit(ISSUES_IN_TRANSIT, amount), credit(debited.account, amount))
        self._books.post(Entry(_follow(entry), self._clock.now(), _ISSUE_ENDED, lines))

    def complete_issue(self, entry: EntryId, promise: Promise) -> None:
        """The money is outstanding: out of transit, into the fund. Idempotent by the debit's entry.

        `promise_invalid` without the notary's word, `account_unknown` if nothing was debited.
        """
        verify_promise(promise, self._roster)
        amount = self._get_held(entry, ISSUES_IN_TRANSIT)
        postings = (debit(ISSUES_IN_TRANSIT, amount), credit(ISSUANCE_FUND, amount))
        self._books.post(Entry(_follow(entry), self._clock.now(), "issue completed", postings))

    def hold_redemption(self, entry: EntryId, amount: Minor) -> None:
        """Before money is voided: out of the fund, into transit. Idempotent by entry."""
        postings = (debit(ISSUANCE_FUND, amount), credit(REDEMPTIONS_IN_TRANSIT, amount))
        self._books.post(Entry(entry, self._clock.now(), "redemption", postings))

    def release_redemption(self, entry: EntryId) -> None:
        """It will never be voided: back into the fund. Idempotent; nothing if nothing was held."""
        if self._books.load_entry(entry) is None:
            return
        amount = self._get_held(entry, REDEMPTIONS_IN_TRANSIT)
        postings = (debit(REDEMPTIONS_IN_TRANSIT, amount), credit(ISSUANCE_FUND, amount))
        self._books.post(Entry(_follow(entry), self._clock.now(), "redemption ended", postings))

    def credit_for_redemption(
        self, participant: ParticipantNumber, amount: Minor, promise: Promise
    ) -> None:
        """Out of transit into reserves, once the notary has promised that the money is void.

        The entry's id is the transaction's, so that one voiding is credited once, whatever orders
        it is said to serve; `promise_invalid` without a promise, `entry_conflict` for another sum.
        """
        verify_promise(promise, self._roster)
        entry = EntryId(tagged_hash("entry", promise.txid)[:16])
        reserves = credit(get_reserves_account(participant), amount)
        postings = (debit(REDEMPTIONS_IN_TRANSIT, amount), reserves)
        text = f"redemption {promise.txid.hex()}"
        self._books.post(Entry(entry, self._clock.now(), text, postings))

    def get_reserves(self, participant: ParticipantNumber) -> Minor:
        """A participant's reserves."""
        return self._books.get_balance(get_reserves_account(participant))

    def get_fund(self) -> Minor:
        """What stands against the currency: the issuance fund and what is in transit."""
        return self.count_backing()[0]

    def get_in_transit(self) -> Minor:
        """Of that: what may or may not be outstanding."""
        return self.count_backing()[1]

    def count_backing(self) -> tuple[Minor, Minor]:
        """Both, as of one moment."""
        balances = self._books.load_balances()
        in_transit = sum_minor([balances[ISSUES_IN_TRANSIT], balances[REDEMPTIONS_IN_TRANSIT]])
        return sum_minor([balances[ISSUANCE_FUND], in_transit]), in_transit

    def compute_money(self) -> int:
        """All central bank money: reserves and issuance fund."""
        balances = self._books.load_balances()
        return sum(balance for name, balance in balances.items() if name != LOANS)

    def _is_released(self, entry: EntryId) -> bool:
        follower = self._books.load_entry(_follow(entry))
        return follower is not None and follower.text == _ISSUE_ENDED

    def _get_posted(self, entry: EntryId) -> Entry:
        posted = self._books.load_entry(entry)
        assert posted is not None, "it was posted before"
        return posted

    def _get_held(self, entry: EntryId, account: AccountName) -> Minor:
        held = self._books.load_entry(entry)
        lines = held.postings if held else ()
        for line in lines:
            if line.account == account and line.side is Side.CREDIT:
                return line.amount
        raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, "nothing is in transit under this entry")


def get_reserves_account(participant: ParticipantNumber) -> AccountName:
    """Name of a participant's reserve account."""
    return AccountName(f"reserves of {participant}")


def _follow(entry: EntryId) -> EntryId:
    """One entry takes out of transit what another one put there: completed or ended, never both."""
    return EntryId(tagged_hash("entry", entry)[:16])
