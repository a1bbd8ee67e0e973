"""The teller: clients' deposits, in the bank's own books or at its core system (T6, T19, P13).

withdrawal   held → the vault pays → settled, or released if it never can       (flows/holding.py)
credit       due in our books → credited by the core system → confirmed in our books

In own books each of these is part of a transaction of the bank's database. A core system is asked
outside of any: what it may have been asked is durable before, what it has confirmed afterwards, so
that whatever stops is asked again under the same end-to-end id.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from specie.bank.control_books import ControlBooks, Reconciliation
from specie.bank.deposits import DepositBooks
from specie.bank.own_core import FINISH, HOLD, OwnCoreBank, derive_entry
from specie.crypto.hashing import tagged_hash
from specie.ports.core_bank import CoreBank, CoreLinks, CreditReason, DueCredit
from specie.values.amounts import Minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId, EntryId

_LATER: Final = frozenset({ErrorCode.CORE_BANK_UNREACHABLE, ErrorCode.CORE_BANK_REFUSED})


@dataclass(frozen=True, slots=True, repr=False)
class CoreSystem:
    """A bank's core system, and what the bank keeps about it."""

    bank: CoreBank
    links: CoreLinks
    control: ControlBooks


@dataclass(slots=True, repr=False)
class Teller:
    """Of one bank; without a core system the deposits are in its books."""

    books: DepositBooks
    system: CoreSystem | None = None
    _uncredited: str = ""  # the code with which the last credit was refused, if it was
    _unsettled: str = ""  # and the last settlement
    _own: OwnCoreBank = field(init=False)
    _asking: threading.Lock = field(default_factory=threading.Lock)  # credits, one at a time

    def __post_init__(self) -> None:
        self._own = OwnCoreBank(self.books)

    @property
    def core(self) -> CoreBank:
        """Where the deposits are."""
        return self.system.bank if self.system else self._own

    @property
    def trouble(self) -> str:
        """The code with which the core system does not take what it has to; empty if it does."""
        return self._uncredited or self._unsettled

    @property
    def is_ours(self) -> bool:
        """Whether a call joins the transaction of our own database."""
        return self.core.is_ours

    # --- accounts ------------------------------------------------------------------------------

    def find_account(self, client: ClientId) -> CoreAccount | None:
        """None as long as the client is not linked."""
        if self.system is None:
            return self._own.find_account(client)
        return self.system.links.find_account(client)

    def find_linked(self, client: ClientId) -> CoreAccount | None:
        """Its account at a core system; None where the bank has none."""
        return None if self.system is None else self.find_account(client)

    def get_account(self, client: ClientId) -> CoreAccount:
        """`account_unknown` as long as the client is not linked."""
        account = self.find_account(client)
        if account is None:
            reason = "no account at the core system; the bank links one: specie bank link-account"
            raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, reason)
        return account

    def get_balance(self, client: ClientId) -> Minor:
        """What the client can withdraw; nothing while it is not linked."""
        account = self.find_account(client)
        return self.core.get_balance(account) if account is not None else Minor(0)

    def link(self, client: ClientId, account: CoreAccount | None = None) -> CoreAccount:
        """The client's account at the core system, which says that it is the client's.

        Without an account it is the one that the core system knows. `account_unknown` if it knows
        none, or several; `order_conflict` if the client has another that is open.
        """
        system = self._get_system()
        found = account if account is not None else system.bank.find_account(client)
        if found is None:
            raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, "not one account there: name it")
        system.bank.check_account(client, found)
        known = system.links.find_account(client)
        if known not in (None, found) and _is_gone(system.bank, client, known):
            system.links.replace(client, found)
        system.links.link(client, found)
        return found

    def unlink(self, client: ClientId) -> None:
        """`core_bank_refused` while credits are due to the client."""
        self._get_system().links.unlink(client)

    # --- withdrawals ---------------------------------------------------------------------------

    def hold(self, reference: EndToEndId, client: ClientId, amount: Minor) -> None:
        """Before the tokens leave; `account_overdrawn` or `funds_insufficient`.

        What the core system has confirmed is not asked for again; what is over is held no more
        (`order_conflict`).
        """
        entry = derive_entry(reference, HOLD)
        if self.system is not None and self.system.control.has_noted(
            derive_entry(reference, FINISH)
        ):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the withdrawal was ended; order it anew")
        if self.system is not None and self.system.control.has_noted(entry):
            return
        self.core.hold(reference, self.get_account(client), check_positive(amount))
        if self.system is not None:
            self.system.control.note_held(entry, amount)

    def settle(self, reference: EndToEndId) -> None:
        """The client has its tokens."""
        self.core.settle(reference)
        self._unsettled = ""

    def note_settled(self, reference: EndToEndId, amount: Minor) -> None:
        """Own books have it by `settle` itself."""
        if self.system is not None:
            self.system.control.note_settled(derive_entry(reference, FINISH), amount)

    def release(self, reference: EndToEndId) -> None:
        """The client will never have them; what was never held never will be."""
        self.core.release(reference)

    def note_released(self, reference: EndToEndId, amount: Minor) -> None:
        """If it was noted as held."""
        if self.system is None:
            return
        if self.system.control.has_noted(derive_entry(reference, HOLD)):
            self.system.control.note_released(derive_entry(reference, FINISH), amount)

    # --- credits -------------------------------------------------------------------------------

    def credit(
        self,
        entry: EntryId,
        client: ClientId,
        amount: Minor,
        reason: CreditReason = CreditReason.DEPOSIT,
    ) -> None:
        """In own books at once; for a core system durable here, and then told to it.

        So tokens that have come into the vault are booked whatever the core system says by then.
        """
        if self.system is None:
            book = self.books.credit_deposit
            book = self.books.lend_to_client if reason is CreditReason.LOAN else book
            book(entry, client, amount)
            return
        due = DueCredit(EndToEndId(entry), client, check_positive(amount), reason)
        with self.system.links.transaction():
            if self.system.links.add_due(due):
                self.system.control.owe(due)

    def lend(self, entry: EntryId, client: ClientId, amount: Minor) -> None:
        """A loan makes the client's deposit: there and then, or it says why it is not there yet.

        Checked before it is recorded: what is due is told to the core system until it is credited.
        """
        if self.system is not None:
            self.system.bank.check_account(client, self.get_account(client))
        self.credit(entry, client, amount, CreditReason.LOAN)
        self.tell_due(EndToEndId(entry))

    def tell_due(self, only: EndToEndId | None = None) -> list[SpecieError]:
        """Credits that the core system has not confirmed; gives why some of them stay due.

        `only` one of them: that is then raised.
        """
        if self.system is None:
            return []
        refusals = []
        with self._asking:
            for due in self.system.links.list_due():
                if only in (None, due.reference):
                    refusals += self._tell(self.system, due)
        self._uncredited = refusals[0].code.value if refusals else ""
        if refusals and only is not None:
            raise refusals[0]
        return refusals

    def _tell(self, system: CoreSystem, due: DueCredit) -> list[SpecieError]:
        try:
            system.bank.credit(due.reference, self.get_account(due.client), due.amount)
        except SpecieError as error:
            return [error]
        with system.links.transaction():
            system.control.note_credited(_derive_credited(due.reference), due.amount)
            system.links.mark_credited(due.reference)
        return []

    # --- reconciliation ------------------------------------------------------------------------

    def reconcile(self, count_open: Callable[[], Minor]) -> Reconciliation:
        """Both counts; whoever calls it lets no withdrawal be settled or released meanwhile.

        `count_open`: the amounts of all withdrawals that are open. It is asked last, so one that
        begins while the core system counts is among them.
        """
        system = self._get_system()
        with self._asking:
            ours, due = system.control.count_position(), system.control.get_due()
            theirs = system.bank.count_position()
            return Reconciliation(ours, theirs, due, count_open())

    def is_later(self, error: SpecieError) -> bool:
        """Whether a client that is paid need not wait for what the core system says."""
        is_core = self.system is not None and error.code in _LATER
        if is_core:
            self._unsettled = error.code.value
        return is_core

    def _get_system(self) -> CoreSystem:
        if self.system is None:
            reason = "this bank has no core system: deposits are in its own books"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason)
        return self.system


def _is_gone(core: CoreBank, client: ClientId, account: CoreAccount) -> bool:
    """Whether the core system says that this account is closed, or the client's no more.

    Then what is due was never credited there: what was is answered with yes, closed or not.
    """
    try:
        core.check_account(client, account)
    except SpecieError as error:
        if error.code in (ErrorCode.CORE_BANK_REFUSED, ErrorCode.ACCOUNT_UNKNOWN):
            return True
        raise
    return False


def _derive_credited(reference: EndToEndId) -> EntryId:
    """Our entry for what the core system has confirmed; internal to the bank's books."""
    return EntryId(tagged_hash("entry", b"credited", reference)[:16])
