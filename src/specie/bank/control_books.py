"""Control accounts (P13): what the bank's own books say about its core system.

    held at the core system, paid by the core system    assets, grow by debits
    credits in transit, credited by the core system     liabilities, grow by credits

The core system counts the same for itself (`Position`). It is told before it is booked here, so it
is ahead by what is in transit, and by nothing else: that is what a reconciliation shows.
"""

from dataclasses import dataclass
from typing import Final

from specie.bank.deposits import IN_TRANSIT, LOANS, VAULT
from specie.books.entries import Account, Entry, Side, credit, debit
from specie.ports.books import BooksStore
from specie.ports.clock import Clock
from specie.ports.core_bank import CreditReason, DueCredit, Position
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import AccountName, EntryId

HELD: Final = AccountName("held at the core system")
PAID: Final = AccountName("paid by the core system")
DUE: Final = AccountName("credits in transit")
CREDITED: Final = AccountName("credited by the core system")


class ControlBooks:
    """Entries about the core system, each idempotent by its id."""

    def __init__(self, books: BooksStore, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        for name in (HELD, PAID):
            books.open_account(Account(name, Side.DEBIT))
        for name in (DUE, CREDITED):
            books.open_account(Account(name, Side.CREDIT))

    def note_held(self, entry: EntryId, amount: Minor) -> None:
        """The core system holds it; the vault has not paid yet."""
        self._post(entry, "held", (HELD, amount), IN_TRANSIT)

    def note_settled(self, entry: EntryId, amount: Minor) -> None:
        """The tokens are the client's, and its account has paid for them."""
        postings = (
            debit(IN_TRANSIT, amount),
            credit(VAULT, amount),
            debit(PAID, amount),
            credit(HELD, amount),
        )
        self._books.post(Entry(entry, self._clock.now(), "withdrawal paid", postings))

    def note_released(self, entry: EntryId, amount: Minor) -> None:
        """The tokens will never be the client's; under the id that paying would have."""
        self._post(entry, "withdrawal ended", (IN_TRANSIT, amount), HELD)

    def owe(self, due: DueCredit) -> None:
        """The core system has to credit it: tokens came into the vault, or the bank lends."""
        asset = VAULT if due.reason is CreditReason.DEPOSIT else LOANS
        self._post(EntryId(due.reference), due.reason.value, (asset, due.amount), DUE)

    def note_credited(self, entry: EntryId, amount: Minor) -> None:
        """It has."""
        self._post(entry, "credited", (DUE, amount), CREDITED)

    def has_noted(self, entry: EntryId) -> bool:
        """Whether this was booked."""
        return self._books.load_entry(entry) is not None

    def count_position(self) -> Position:
        """As the bank counts it."""
        get = self._books.get_balance
        return Position(held=get(HELD), settled=get(PAID), credited=get(CREDITED))

    def get_due(self) -> Minor:
        """What the core system has not confirmed yet."""
        return self._books.get_balance(DUE)

    def _post(
        self, entry: EntryId, text: str, first: tuple[AccountName, Minor], second: AccountName
    ) -> None:
        account, amount = first
        postings = (debit(account, amount), credit(second, amount))
        self._books.post(Entry(entry, self._clock.now(), text, postings))


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both counts at one moment at which nothing was asked of the core system."""

    ours: Position
    theirs: Position
    due: Minor  # credits that the core system has not confirmed, each of which it may have made
    unconfirmed: Minor  # of open withdrawals: asked for, not booked as held, settled or released


def is_reconciled(found: Reconciliation) -> bool:
    """Whether what is in transit explains every difference.

    The core system is told first, so settled and credited are never less there. What it no longer
    holds it has settled or released.
    """
    ours, theirs = found.ours, found.theirs
    is_held = abs(theirs.held - ours.held) <= found.unconfirmed
    is_settled = 0 <= theirs.settled - ours.settled <= found.unconfirmed
    is_credited = 0 <= theirs.credited - ours.credited <= found.due
    return is_held and is_settled and is_credited


def check_reconciled(found: Reconciliation) -> None:
    """`core_bank_mismatch` if something is wrong on one of the two sides."""
    if not is_reconciled(found):
        reason = "control accounts and the core system differ by more than is in transit"
        raise SpecieError(ErrorCode.CORE_BANK_MISMATCH, reason)


def refuse_stray_books(books: BooksStore, deposits: Minor, *, has_core: bool) -> None:
    """`setting_invalid` if clients' money is where this bank, as it is set up, would not look."""
    if has_core and deposits:
        reason = "core_bank: clients have deposits in the bank's own books; pay them out first"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    balances = books.load_balances()
    if not has_core and any(balances.get(name) for name in (HELD, PAID, DUE, CREDITED)):
        reason = "core_bank: clients' deposits are at a core system that is not named any more"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
