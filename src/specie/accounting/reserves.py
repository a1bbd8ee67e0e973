"""Reserves against the issuance fund (P8, P9, P10, P11).

    issue       debit  reserves of the bank     credit issuance fund
    redemption  debit  issuance fund            credit reserves of the bank

Both are liabilities of the central bank, so their sum stays what it is.
"""

from typing import Final

from specie.books.entries import Account, Entry, Side, credit, debit
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution
from specie.identity.roster import Roster
from specie.ledger.messages import compute_reserve_message
from specie.ledger.promises import verify_promise
from specie.ledger.records import ReserveReference
from specie.ledger.transactions import Promise
from specie.ports.books import BooksStore
from specie.ports.clock import Clock
from specie.values.amounts import Minor, check_positive
from specie.values.identifiers import (
    AccountName,
    EntryId,
    InstitutionPublicKey,
    ParticipantNumber,
)

ISSUANCE_FUND: Final = AccountName("issuance fund")
LOANS: Final = AccountName("loans against collateral")


class Accounting:
    """`AccountingPort`, in this process."""

    def __init__(
        self, roster: Roster, books: BooksStore, key: InstitutionKey, clock: Clock
    ) -> None:
        self.public_key = InstitutionPublicKey(key.public)
        self._roster = roster
        self._books = books
        self._key = key
        self._clock = clock
        books.open_account(Account(ISSUANCE_FUND, Side.CREDIT))
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
        """Debit reserves, credit the fund; the same entry again gives a reference to the same."""
        check_positive(amount)
        now = self._clock.now()
        postings = (debit(get_reserves_account(participant), amount), credit(ISSUANCE_FUND, amount))
        self._books.post(Entry(entry, now, "issue", postings))
        network = self._roster.genesis.network
        message = compute_reserve_message(network, entry, participant, amount, now)
        signature = sign_as_institution(self._key, message)
        return ReserveReference(entry, participant, amount, now, signature)

    def credit_for_redemption(
        self, participant: ParticipantNumber, amount: Minor, promise: Promise
    ) -> None:
        """Credit reserves, debit the fund, once the notary has promised that the money is void.

        The entry's id is the transaction's, so that one voiding is credited once, whatever orders
        it is said to serve; `promise_invalid` without a promise, `entry_conflict` for another sum.
        """
        verify_promise(promise, self._roster)
        entry = EntryId(tagged_hash("entry", promise.txid)[:16])
        postings = (debit(ISSUANCE_FUND, amount), credit(get_reserves_account(participant), amount))
        text = f"redemption {promise.txid.hex()}"
        self._books.post(Entry(entry, self._clock.now(), text, postings))

    def get_reserves(self, participant: ParticipantNumber) -> Minor:
        """A participant's reserves."""
        return self._books.get_balance(get_reserves_account(participant))

    def get_fund(self) -> Minor:
        """What has been issued and not redeemed, by the books."""
        return self._books.get_balance(ISSUANCE_FUND)

    def compute_money(self) -> int:
        """All central bank money: reserves and issuance fund."""
        balances = self._books.load_balances()
        return sum(balance for name, balance in balances.items() if name != LOANS)


def get_reserves_account(participant: ParticipantNumber) -> AccountName:
    """Name of a participant's reserve account."""
    return AccountName(f"reserves of {participant}")
