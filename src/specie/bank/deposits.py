"""A bank's own books (T6, T19): deposits are its debt, its vault is its asset.

    reserves, vault, loans, due from banks      assets, grow by debits
    deposits, in transit, due to banks, equity  liabilities, grow by credits

Tokens that clients hold are on nobody's balance sheet.
"""

from collections.abc import Sequence
from typing import Final

from specie.books.entries import Account, Entry, Posting, Side, credit, debit
from specie.crypto.hashing import tagged_hash
from specie.ports.books import BooksStore
from specie.ports.clock import Clock
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    AccountName,
    ClientId,
    EntryId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    TransactionId,
)

RESERVES: Final = AccountName("reserves at the central bank")
VAULT: Final = AccountName("vault")
LOANS: Final = AccountName("loans")
CENTRAL_BANK_LOAN: Final = AccountName("owed to the central bank")
IN_TRANSIT: Final = AccountName("withdrawals in transit")
_DEPOSIT: Final = "deposit of "


class DepositBooks:
    """The bank's entries, each idempotent by its id."""

    def __init__(self, books: BooksStore, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        for name in (RESERVES, VAULT, LOANS):
            books.open_account(Account(name, Side.DEBIT))
        for name in (CENTRAL_BANK_LOAN, IN_TRANSIT):
            books.open_account(Account(name, Side.CREDIT))

    def open_deposit(self, client: ClientId) -> None:
        """A deposit account for a client."""
        self._books.open_account(Account(get_deposit_account(client), Side.CREDIT))

    def borrow_reserves(self, entry: EntryId, amount: Minor) -> None:
        """The central bank lends us reserves."""
        self._post(entry, "central bank loan", debit(RESERVES, amount), CENTRAL_BANK_LOAN, amount)

    def lend_to_client(self, entry: EntryId, client: ClientId, amount: Minor) -> None:
        """A loan to a client makes its deposit: how deposit money comes into being."""
        account = get_deposit_account(client)
        self._post(entry, "loan to client", debit(LOANS, amount), account, amount)

    def receive_issue(self, entry: EntryId, amount: Minor) -> None:
        """Reserves became tokens in our vault."""
        self._post(entry, "issue", debit(VAULT, amount), RESERVES, amount)

    def complete_redemption(self, entry: EntryId, amount: Minor) -> None:
        """Tokens of our vault became reserves."""
        self._post(entry, "redemption", debit(RESERVES, amount), VAULT, amount)

    def hold_withdrawal(self, entry: EntryId, requests: Sequence[tuple[ClientId, Minor]]) -> None:
        """Take the clients' deposits before the tokens leave; one overdraft refuses them all."""
        total = sum_minor([amount for _, amount in requests])
        lines = [debit(get_deposit_account(client), amount) for client, amount in requests]
        postings = (*lines, credit(IN_TRANSIT, total))
        self._books.post(Entry(entry, self._clock.now(), "withdrawal", postings))

    def complete_withdrawal(self, entry: EntryId, amount: Minor) -> None:
        """The tokens are the client's."""
        self._post(entry, "withdrawal paid", debit(IN_TRANSIT, amount), VAULT, amount)

    def release_withdrawal(self, hold: EntryId, entry: EntryId) -> None:
        """The tokens will never be the clients': they have their deposits again.

        Posts the reverse of the hold, under the id that paying it out would have: of one order,
        only one of the two is ever posted. `payment_unknown` if nothing was held.
        """
        held = self._books.load_entry(hold)
        if held is None:
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "nothing was held for this order")
        postings = tuple(_reverse(posting) for posting in held.postings)
        self._books.post(Entry(entry, self._clock.now(), "withdrawal ended", postings))

    def credit_deposit(self, entry: EntryId, client: ClientId, amount: Minor) -> None:
        """The client's tokens are in our vault."""
        account = get_deposit_account(client)
        self._post(entry, "deposit", debit(VAULT, amount), account, amount)

    def send_vault_money(self, entry: EntryId, bank: ParticipantNumber, amount: Minor) -> None:
        """Tokens of our vault went to another bank's (P14)."""
        account = AccountName(f"due from {bank}")
        self._books.open_account(Account(account, Side.DEBIT))
        self._post(entry, "vault transfer", debit(account, amount), VAULT, amount)

    def receive_vault_money(self, entry: EntryId, bank: ParticipantNumber, amount: Minor) -> None:
        """Tokens of another bank's vault came into ours (P14)."""
        account = AccountName(f"due to {bank}")
        self._books.open_account(Account(account, Side.CREDIT))
        self._post(entry, "vault transfer", debit(VAULT, amount), account, amount)

    def find_entry(self, entry: EntryId) -> Entry | None:
        """As it was posted."""
        return self._books.load_entry(entry)

    def count_deposits(self) -> Minor:
        """All that these books owe to clients."""
        return sum_minor(
            [
                amount
                for name, amount in self._books.load_balances().items()
                if name.startswith(_DEPOSIT)
            ]
        )

    def get_in_transit(self) -> Minor:
        """Deposits that were taken, and whose tokens are neither paid nor given up."""
        return self._books.get_balance(IN_TRANSIT)

    def get_deposit(self, client: ClientId) -> Minor:
        """A client's deposit."""
        return self._books.get_balance(get_deposit_account(client))

    def get_vault(self) -> Minor:
        """What the vault holds, by the books."""
        return self._books.get_balance(VAULT)

    def get_reserves(self) -> Minor:
        """Our reserves, by our own books."""
        return self._books.get_balance(RESERVES)

    def _post(
        self, entry: EntryId, text: str, first: Posting, second: AccountName, amount: Minor
    ) -> None:
        postings = (first, credit(second, amount))
        self._books.post(Entry(entry, self._clock.now(), text, postings))


def check_client_id(client: ClientId) -> None:
    """`text_invalid` unless a deposit account can have this name."""
    Account(get_deposit_account(client), Side.CREDIT)


def get_deposit_account(client: ClientId) -> AccountName:
    """Name of a client's deposit account."""
    return AccountName(f"{_DEPOSIT}{client}")


def derive_vault_entry(name: OutputRef | TransactionId) -> EntryId:
    """One entry for what one output or one transaction did to the vault; internal to our books."""
    return EntryId(tagged_hash("entry", name)[:16])


def name_issue(txid: TransactionId) -> OrderId:
    """Under it we expect what an issue that we attested brings; internal to our records."""
    return OrderId(tagged_hash("entry", b"issue", txid)[:16])


def _reverse(posting: Posting) -> Posting:
    side = Side.CREDIT if posting.side is Side.DEBIT else Side.DEBIT
    return Posting(posting.account, side, posting.amount)
