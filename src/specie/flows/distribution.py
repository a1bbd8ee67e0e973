"""Between deposits, vaults and wallets (T6, T19, P14). Owner: the bank that serves the client.

withdraw   hold the deposit → the vault pays the client → the deposit is gone
           or, if the vault's payment can never be final: the client has the deposit again
deposit    the bank expects the order → the client pays the vault → what arrived is credited
transfer   the receiver expects the order → the vault pays its vault → both book what moved

A bank's journal says what it has begun: a start goes on with it (`flows/resuming.py`). Banks book
by themselves, from the notary's promise and the outputs that it makes final: what a caller or a
payer says about amounts is booked nowhere.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from specie.flows.cancelling import Cancelling, cancel
from specie.flows.holding import (
    HoldingTeller,
    hold_deposits,
    release_deposits,
    settle_deposits,
)
from specie.flows.payment import Payer, pay
from specie.flows.requests import pack_amount, unpack_withdrawals
from specie.ledger.transactions import Promise
from specie.ports.bank import BankDirectory, BankPort
from specie.ports.journal import FlowKind, FlowState, Journal
from specie.ports.notary import NotaryPort
from specie.ports.vault import PaymentState, StoredPayment
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OrderId, ParticipantNumber, TransactionId
from specie.values.limits import OUTPUTS_MAX

_GIVEN_UP: Final = (PaymentState.REFUSED, PaymentState.CANCELLED)
_REFUSED_HERE: Final = frozenset(
    {
        ErrorCode.CLIENT_BLOCKED,
        ErrorCode.CLIENT_FROZEN,
        ErrorCode.HOLDING_LIMIT_EXCEEDED,
        ErrorCode.PAYMENT_HELD,
        ErrorCode.PAYMENT_REFUSED_BY_POLICY,
    }
)


class PayingVault(Payer, Cancelling, Protocol):
    """A bank's own vault."""

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """What was recorded under this id."""
        ...


class VaultBank(BankPort, Protocol):
    """A bank with its vault and books, to itself."""

    @property
    def vault(self) -> PayingVault:
        """Its tokens."""
        ...

    @property
    def teller(self) -> HoldingTeller:
        """Its clients' deposits."""
        ...

    @property
    def journal(self) -> Journal:
        """Of its flows, in the database of vault and books."""
        ...

    def expect_deposit(self, order: OrderId, client: ClientId) -> None:
        """What arrives in the vault under this order is this client's."""
        ...

    def is_attested(self, txid: TransactionId) -> bool:
        """Whether it has signed for it."""
        ...

    def book_sent_transfer(self, promise: Promise, receiver: ParticipantNumber) -> None:
        """What left the vault with this transaction is due from that bank."""
        ...


def withdraw(
    order: OrderId,
    requests: Sequence[tuple[ClientId, PaymentOrder]],
    bank: VaultBank,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """Deposit money becomes tokens for up to 15 clients at once; idempotent by `order`.

    If the vault's payment was given up after its window, or voided, the clients have their deposits
    again and the order is at its end: `order_conflict`.
    """
    if len(requests) >= OUTPUTS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "15 withdrawals at once, and the change")
    hold_deposits(order, requests, bank)
    payment = bank.vault.find_payment(order)
    if payment is not None and payment.state in _GIVEN_UP:
        end_withdrawal(order, bank, notary)
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the withdrawal was ended; order it anew")
    try:
        promise = pay(bank.vault, [one for _, one in requests], order, bank, banks, notary)
    except SpecieError as refused:
        _take_back(order, bank, notary, refused)
        raise
    settle_deposits(order, requests, bank)
    return promise


def _take_back(order: OrderId, bank: VaultBank, notary: NotaryPort, refused: SpecieError) -> None:
    """What our own bank has refused to attest waits for no window: nobody else has seen it.

    So one client's withdrawals, however many come to nothing, keep no tokens from the others.
    """
    payment = bank.vault.find_payment(order)
    is_ours = payment is not None and not bank.is_attested(payment.txid)
    if is_ours and refused.code in _REFUSED_HERE:
        cancel(bank.vault, order, notary)
        end_withdrawal(order, bank, notary)


def end_withdrawal(order: OrderId, bank: VaultBank, notary: NotaryPort) -> None:
    """Give the deposits back, once the vault's payment can never be final; idempotent.

    `order_conflict` while it may be: send the withdrawal again, or let the vault give it up after
    its window or void it. `transaction_final` if it is: the vault has given up what is spent.
    """
    payment = bank.vault.find_payment(order)
    if payment is None or payment.state not in _GIVEN_UP:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the vault may still pay this withdrawal")
    if notary.find_promise(payment.txid) is not None:
        raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the clients have been paid")
    release_deposits(order, unpack_withdrawals(bank.journal.get(order).request), bank)


def deposit(
    order: OrderId,
    client: ClientId,
    wallet: Payer,
    amount: Minor,
    bank: VaultBank,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """Tokens become deposit money; idempotent by `order`. The bank credits what arrives."""
    bank.expect_deposit(order, client)
    request = PaymentOrder(bank.vault_address, amount, Memo(order_id=order))
    return pay(wallet, [request], order, bank, banks, notary)


def transfer_vault_money(
    order: OrderId,
    amount: Minor,
    sender: VaultBank,
    receiver: BankPort,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """Tokens from vault to vault (P14); idempotent by `order`. Each side books what moved.

    `order_conflict` if the vault's payment was given up: the order is at its end.
    """
    payment = sender.vault.find_payment(order)
    if payment is not None and payment.state in _GIVEN_UP:
        _end_transfer(order, payment, sender, notary)
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the transfer was ended; order it anew")
    request = PaymentOrder(receiver.vault_address, amount, Memo(order_id=order))
    with sender.journal.transaction():
        sender.journal.begin(FlowKind.TRANSFER, order, pack_amount(amount, receiver.number))
        sender.vault.prepare_payment([request], order)
    receiver.expect_transfer(order, sender.number)
    promise = pay(sender.vault, [request], order, sender, banks, notary)
    with sender.journal.transaction():
        sender.book_sent_transfer(promise, receiver.number)
        sender.journal.end(order, FlowState.COMPLETED)
    return promise


def _end_transfer(
    order: OrderId, payment: StoredPayment, sender: VaultBank, notary: NotaryPort
) -> None:
    """Nothing was held for it: it is over once the vault's payment can never be final."""
    if notary.find_promise(payment.txid) is not None:
        raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the other bank has been paid")
    sender.journal.end(order, FlowState.ENDED)
