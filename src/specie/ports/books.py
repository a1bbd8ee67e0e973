"""Where double-entry books are kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from specie.books.entries import Account, Entry
from specie.values.amounts import Minor
from specie.values.identifiers import AccountName, EntryId


class BooksStore(Protocol):
    """Books of one institution."""

    def open_account(self, account: Account) -> None:
        """Idempotent; `account_exists` if it is there with another normal side."""
        ...

    def post(self, entry: Entry) -> None:
        """Durable; idempotent by entry id, `entry_conflict` if the id has another content."""
        ...

    def load_entry(self, entry: EntryId) -> Entry | None:
        """An entry as posted."""
        ...

    def load_entries(self, account: AccountName, start: int, limit: int) -> Sequence[Entry]:
        """A page of the entries that touch an account, oldest first."""
        ...

    def get_balance(self, account: AccountName) -> Minor:
        """On the account's normal side."""
        ...

    def load_accounts(self) -> Mapping[AccountName, Account]:
        """All accounts."""
        ...

    def load_balances(self) -> Mapping[AccountName, Minor]:
        """All balances."""
        ...
