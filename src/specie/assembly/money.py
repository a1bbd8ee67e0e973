"""Money in and out of a bank: its core system looked after, its clients' switches, its accounts.

A worker's round tells the core system what is due to it; now and then, and when it is asked to, it
compares what both sides have counted.
"""

import time
from dataclasses import dataclass, field
from typing import Final

from specie.assembly.alarms import CORE_BANK_MISMATCH, CORE_BANK_SILENT, Alarms
from specie.bank.compliance import FindLimit
from specie.bank.control_books import Reconciliation, check_reconciled, is_reconciled
from specie.bank.service import Bank
from specie.bank.teller import Teller
from specie.flows.holding import hold_deposits, is_decided
from specie.flows.requests import unpack_withdrawals
from specie.ports.core_bank import Switches, SwitchStore
from specie.ports.journal import FlowKind
from specie.tokens.building import PaymentOrder
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount, OrderId

_RECONCILE_EVERY_S: Final = 60.0


def _limit_nobody(_client: ClientId) -> Minor | None:
    return None


@dataclass(slots=True, repr=False)
class MoneyDesk:
    """Of one bank's process."""

    bank: Bank
    switches: SwitchStore
    alarms: Alarms
    holding_limit: FindLimit = _limit_nobody
    payment_limit: FindLimit = _limit_nobody
    _reconciled_at: float = field(default=float("-inf"))  # monotonic seconds

    @property
    def teller(self) -> Teller:
        """Where the deposits are."""
        return self.bank.teller

    def is_waterfall_on(self, client: ClientId) -> bool:
        """Whether what is over its limit flows into its deposit by itself."""
        return self.switches.get_switches(client).waterfall

    def switch(
        self, client: ClientId, *, waterfall: bool | None = None, reverse: bool | None = None
    ) -> Switches:
        """What is not named stays as it is."""
        before = self.switches.get_switches(client)
        after = Switches(
            before.waterfall if waterfall is None else waterfall,
            before.reverse if reverse is None else reverse,
        )
        if after.waterfall or after.reverse:
            self.teller.get_account(client)
        self.switches.set_switches(client, after)
        return after

    def hold_first(self, order: OrderId, client: ClientId, request: PaymentOrder) -> None:
        """A core system that is slow holds up its own client, not the vault.

        If it says no, that is decided where nobody else pays the same order: under the vault's
        lock, where it is asked again.
        """
        if self.teller.is_ours:
            return
        try:
            hold_deposits(order, [(client, request)], self.bank, may_release=False)
        except SpecieError as error:
            if not is_decided(error):
                raise

    def link(self, client: ClientId, account: CoreAccount | None) -> CoreAccount:
        """`setting_invalid` if this bank has no core system."""
        return self.teller.link(client, account)

    def unlink(self, client: ClientId) -> None:
        """`core_bank_refused` while anything of this client's is in transit."""
        if any(client == owner for owner, _ in self._list_open()):
            reason = "a withdrawal is open; again, when nothing is in transit"
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, reason)
        self.teller.unlink(client)
        self.switches.set_switches(client, Switches())

    # --- the worker, with the vault to itself --------------------------------------------------

    def work(self) -> list[SpecieError]:
        """What is due to the core system; both counts compared, now and then."""
        if self.teller.system is None:
            return []
        refusals = self.teller.tell_due()
        now = time.monotonic()
        if now - self._reconciled_at >= _RECONCILE_EVERY_S:
            self._reconciled_at = now
            try:
                check_reconciled(self.reconcile())
            except SpecieError as error:
                refusals.append(error)
        trouble = self.teller.trouble
        self.alarms.set(CORE_BANK_SILENT, trouble, is_on=bool(trouble))
        return refusals

    def reconcile(self) -> Reconciliation:
        """Both sides at one moment; the alarm is on as long as they differ."""
        found = self.teller.reconcile(lambda: sum_minor([one for _, one in self._list_open()]))
        why = "control accounts and the core system differ by more than is in transit"
        self.alarms.set(CORE_BANK_MISMATCH, why, is_on=not is_reconciled(found))
        return found

    def _list_open(self) -> list[tuple[ClientId, Minor]]:
        """Who has begun to withdraw how much."""
        return [
            (client, request.amount)
            for record in self.bank.journal.list_open()
            if record.kind is FlowKind.WITHDRAW
            for client, request in unpack_withdrawals(record.request)
        ]
