"""After a stop an institution goes on with what it had begun (T15, X12). Owner: whoever starts.

The journal says which orders are open and with what they were asked for; each script is called
again and goes on where it stood. What is refused stays open, with everything that it holds in
transit, until it is asked for again or ended.
"""

from collections.abc import Callable
from typing import Protocol

from specie.flows.distribution import (
    PayingVault,
    VaultBank,
    transfer_vault_money,
    withdraw,
)
from specie.flows.issuance import IssuingDesk, issue
from specie.flows.redemption import RedeemingBank, RedeemingVault, RedemptionBooks, redeem
from specie.flows.requests import unpack_amount, unpack_withdrawals
from specie.ports.accounting import IssueAccounting, RedemptionAccounting
from specie.ports.bank import BankDirectory
from specie.ports.issuance import RedemptionDesk
from specie.ports.journal import FlowKind, FlowRecord, Journal
from specie.ports.notary import NotaryPort
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId

Refusals = dict[OrderId, SpecieError]
"""What did not come to its end this time, and why."""


class OwnVault(PayingVault, RedeemingVault, Protocol):
    """A bank's vault, for all that a bank does with it."""


class StartingBank(VaultBank, RedeemingBank, Protocol):
    """A bank that starts again."""

    @property
    def vault(self) -> OwnVault:
        """Its tokens."""
        ...

    @property
    def books(self) -> RedemptionBooks:
        """Its books."""
        ...


def resume_bank(
    bank: StartingBank,
    banks: BankDirectory,
    desk: RedemptionDesk,
    accounting: RedemptionAccounting,
    notary: NotaryPort,
) -> Refusals:
    """Withdrawals, transfers and redemptions that a bank has begun, oldest first."""

    def run(record: FlowRecord) -> None:
        order = record.order
        if record.kind is FlowKind.WITHDRAW:
            withdraw(order, unpack_withdrawals(record.request), bank, banks, notary)
            return
        amount, participant = unpack_amount(record.request)
        if record.kind is FlowKind.TRANSFER:
            receiver = banks.get_bank(participant)
            transfer_vault_money(order, amount, bank, receiver, banks, notary)
        else:
            redeem(order, amount, bank.vault, bank, desk, accounting, notary)

    return _run_open(bank.journal, run)


def resume_central_bank(
    desk: IssuingDesk, banks: BankDirectory, accounting: IssueAccounting, notary: NotaryPort
) -> Refusals:
    """Issues that the central bank has begun, oldest first."""

    def run(record: FlowRecord) -> None:
        amount, participant = unpack_amount(record.request)
        issue(record.order, amount, banks.get_bank(participant), desk, accounting, notary)

    return _run_open(desk.journal, run)


def _run_open(journal: Journal, run: Callable[[FlowRecord], None]) -> Refusals:
    refusals: Refusals = {}
    for record in journal.list_open():
        try:
            run(record)
        except SpecieError as error:
            refusals[record.order] = error
    return refusals
