"""Accounts, postings, entries (P10, P11).

    Σ debits = Σ credits, in each entry and so in the whole books

An account has a normal side: assets and expenses grow by debits, liabilities and equity by
credits. A balance is counted on the normal side and is never negative unless the account says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from specie.values.amounts import Minor, check_minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import AccountName, EntryId
from specie.values.limits import ACCOUNT_NAME_MAX, POSTINGS_MAX, TEXT_MAX
from specie.values.times import Timestamp


class Side(IntEnum):
    """The two columns."""

    DEBIT = 1
    CREDIT = 2


@dataclass(frozen=True, slots=True)
class Account:
    """An account and the side on which it grows."""

    name: AccountName
    normal: Side

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= ACCOUNT_NAME_MAX or not self.name.isprintable():
            raise SpecieError(ErrorCode.TEXT_INVALID, "account name: 1 to 64 printable characters")


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry."""

    account: AccountName
    side: Side
    amount: Minor


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines that balance. `id` makes posting idempotent."""

    id: EntryId
    time: Timestamp
    text: str
    postings: tuple[Posting, ...]


def debit(account: AccountName, amount: Minor) -> Posting:
    """A line in the left column."""
    return Posting(account, Side.DEBIT, amount)


def credit(account: AccountName, amount: Minor) -> Posting:
    """A line in the right column."""
    return Posting(account, Side.CREDIT, amount)


def check_entry(entry: Entry) -> None:
    """Positive amounts, two lines or more, and both columns equal."""
    if not 2 <= len(entry.postings) <= POSTINGS_MAX or len(entry.text) > TEXT_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "2 to 64 lines, at most 140 characters of text")
    for posting in entry.postings:
        check_positive(posting.amount)
    if _sum_side(entry.postings, Side.DEBIT) != _sum_side(entry.postings, Side.CREDIT):
        raise SpecieError(ErrorCode.ENTRY_UNBALANCED, "debits and credits differ")


def compute_balances(
    accounts: Mapping[AccountName, Account], balances: Mapping[AccountName, Minor], entry: Entry
) -> dict[AccountName, Minor]:
    """Balances of the touched accounts after the entry; refuses overdrafts and unknown accounts."""
    check_entry(entry)
    changes: dict[AccountName, int] = {}
    for posting in entry.postings:
        account = accounts.get(posting.account)
        if account is None:
            raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, "no such account")
        signed = posting.amount if posting.side is account.normal else -posting.amount
        changes[posting.account] = changes.get(posting.account, 0) + signed
    after: dict[AccountName, Minor] = {}
    for name, change in changes.items():
        balance = balances[name] + change
        if balance < 0:
            raise SpecieError(ErrorCode.ACCOUNT_OVERDRAWN, "not enough on the account")
        after[name] = check_minor(balance)
    return after


def check_trial_balance(
    accounts: Mapping[AccountName, Account], balances: Mapping[AccountName, Minor]
) -> None:
    """Over the whole books, what stands in debit equals what stands in credit."""
    debits = sum(balances[name] for name, one in accounts.items() if one.normal is Side.DEBIT)
    credits = sum(balances[name] for name, one in accounts.items() if one.normal is Side.CREDIT)
    if debits != credits:
        raise SpecieError(ErrorCode.ENTRY_UNBALANCED, "the books do not balance")


def _sum_side(postings: Iterable[Posting], side: Side) -> int:
    return sum(posting.amount for posting in postings if posting.side is side)
