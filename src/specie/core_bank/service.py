"""What the sample core bank does: an example of what a real one has to guarantee (P13).

    cash, paid in from the digital currency        assets, grow by debits
    customers, paid out to the digital currency    liabilities, grow by credits

Each call is one transaction of its database, durable when it is answered, and has one effect by
its end-to-end id. A hold moves nothing: what is available is the balance without what is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from specie.books.entries import Account, Entry, Posting, Side, credit, debit
from specie.core_bank.numbers import check_number, make_number
from specie.crypto.hashing import tagged_hash
from specie.ports.books import BooksStore
from specie.ports.clock import Clock
from specie.ports.core_accounts import CoreAccountStore, CustomerAccount, Hold, HoldState
from specie.ports.core_bank import Position
from specie.values.amounts import Minor, check_minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import AccountName, ClientId, CoreAccount, EndToEndId, EntryId
from specie.values.times import Timestamp

CASH: Final = AccountName("cash")
PAID_IN: Final = AccountName("paid in from the digital currency")
PAID_OUT: Final = AccountName("paid out to the digital currency")
_NOBODY: Final = CoreAccount("")


@dataclass(frozen=True, slots=True, repr=False)
class AccountBalance:
    """An account with what is on it."""

    account: CustomerAccount
    booked: Minor
    available: Minor  # booked, without what is held


@dataclass(frozen=True, slots=True, repr=False)
class StatementLine:
    """One entry of an account, as its customer sees it."""

    entry: EntryId
    time: Timestamp
    text: str
    amount: Minor
    is_credit: bool


class SampleCoreBank:
    """Customers' accounts in double entry."""

    def __init__(
        self, bank: int, books: BooksStore, accounts: CoreAccountStore, clock: Clock
    ) -> None:
        self._bank = bank
        self._books = books
        self._accounts = accounts
        self._clock = clock
        for name in (CASH, PAID_IN):
            books.open_account(Account(name, Side.DEBIT))
        books.open_account(Account(PAID_OUT, Side.CREDIT))

    # --- at the counter ------------------------------------------------------------------------

    def open_account(self, customer: ClientId) -> CoreAccount:
        """Another account for a customer, under the bank's own id for it."""
        with self._accounts.transaction():
            number = make_number(self._bank, self._accounts.count_accounts() + 1)
            self._books.open_account(Account(AccountName(number), Side.CREDIT))
            self._accounts.add_account(CustomerAccount(number, customer, is_open=True))
        return number

    def close_account(self, number: CoreAccount) -> None:
        """Nothing is held, paid or credited any more; what is held now is still settled."""
        with self._accounts.transaction():
            self._get_account(number)
            self._accounts.close_account(number)

    def pay_in(self, reference: EndToEndId, number: CoreAccount, amount: Minor) -> None:
        """Cash, or a salary that came in."""
        entry = _derive("pay-in", reference)
        self._book_credit(entry, "paid in", CASH, (number, amount))

    def describe(self, number: CoreAccount) -> AccountBalance:
        """`account_unknown`."""
        account = self._get_account(number)
        booked = self._books.get_balance(AccountName(number))
        return AccountBalance(account, booked, self._compute_available(number, booked))

    def list_accounts(self, customer: ClientId) -> Sequence[AccountBalance]:
        """All of a customer, the closed ones too."""
        return [self.describe(one.number) for one in self._accounts.list_accounts(customer)]

    def list_entries(self, number: CoreAccount, start: int, limit: int) -> list[StatementLine]:
        """A page of the statement, oldest first."""
        self._get_account(number)
        name = AccountName(number)
        return [
            StatementLine(entry.id, entry.time, entry.text, line.amount, line.side is Side.CREDIT)
            for entry in self._books.load_entries(name, start, limit)
            for line in entry.postings
            if line.account == name
        ]

    # --- for the gateway -----------------------------------------------------------------------

    def hold(self, reference: EndToEndId, number: CoreAccount, amount: Minor) -> None:
        """`funds_insufficient`, `account_unknown`, `core_bank_refused`."""
        with self._accounts.transaction():
            known = self._accounts.find_hold(reference)
            if known is not None:
                _check_same(known, number, amount)
                return
            self._get_open(number)
            booked = self._books.get_balance(AccountName(number))
            if check_positive(amount) > self._compute_available(number, booked):
                raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "not enough on the account")
            self._accounts.put_hold(Hold(reference, number, amount, HoldState.HELD))

    def settle(self, reference: EndToEndId) -> None:
        """`core_bank_refused` if nothing is held, or it was released."""
        with self._accounts.transaction():
            known = self._accounts.find_hold(reference)
            if known is None or known.state is HoldState.RELEASED:
                raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "nothing is held under this id")
            if known.state is HoldState.SETTLED:
                return
            customer = AccountName(known.account)
            postings = (debit(customer, known.amount), credit(PAID_OUT, known.amount))
            self._post(_derive("settle", reference), "to the wallet", postings)
            self._accounts.put_hold(replace(known, state=HoldState.SETTLED))

    def release(self, reference: EndToEndId) -> None:
        """An unknown id is remembered: its hold may be on its way still, and comes too late."""
        with self._accounts.transaction():
            known = self._accounts.find_hold(reference)
            known = known or Hold(reference, _NOBODY, Minor(0), HoldState.HELD)
            if known.state is HoldState.SETTLED:
                raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "it was settled before")
            self._accounts.put_hold(replace(known, state=HoldState.RELEASED))

    def credit(self, reference: EndToEndId, number: CoreAccount, amount: Minor) -> None:
        """`account_unknown`, `core_bank_refused`."""
        entry = _derive("credit", reference)
        self._book_credit(entry, "from the digital currency", PAID_IN, (number, amount))

    def count_position(self) -> Position:
        """All that the gateway has asked for."""
        with self._accounts.transaction():
            return Position(
                held=self._accounts.count_held(),
                settled=self._books.get_balance(PAID_OUT),
                credited=self._books.get_balance(PAID_IN),
            )

    def _book_credit(
        self, entry: EntryId, text: str, source: AccountName, paid: tuple[CoreAccount, Minor]
    ) -> None:
        """What is booked already is not refused, whatever has become of the account."""
        number, amount = paid
        postings = (debit(source, check_positive(amount)), credit(AccountName(number), amount))
        with self._accounts.transaction():
            if self._books.load_entry(entry) is None:
                self._get_open(number)
            self._post(entry, text, postings)

    def _post(self, entry: EntryId, text: str, postings: tuple[Posting, ...]) -> None:
        try:
            self._books.post(Entry(entry, self._clock.now(), text, postings))
        except SpecieError as error:
            if error.code is not ErrorCode.ENTRY_CONFLICT:
                raise
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, _USED) from None

    def _get_account(self, number: CoreAccount) -> CustomerAccount:
        check_number(number)
        found = self._accounts.find_account(number)
        if found is None:
            raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, "no such account")
        return found

    def _get_open(self, number: CoreAccount) -> CustomerAccount:
        found = self._get_account(number)
        if not found.is_open:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "the account is closed")
        return found

    def _compute_available(self, number: CoreAccount, booked: Minor) -> Minor:
        return check_minor(booked - self._accounts.count_held(number))


_USED: Final = "this id was used for something else"


def _check_same(known: Hold, number: CoreAccount, amount: Minor) -> None:
    if known.state is HoldState.RELEASED:
        raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "the hold was released before")
    if (known.account, known.amount) != (number, amount):
        raise SpecieError(ErrorCode.CORE_BANK_REFUSED, _USED)


def _derive(what: str, reference: EndToEndId) -> EntryId:
    """One entry for what one id does; internal to these books."""
    return EntryId(tagged_hash("entry", what.encode(), reference)[:16])
