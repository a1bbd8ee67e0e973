"""Between deposits, vaults and wallets (T6, T19, P14). Owner: the bank that serves the client.

withdraw   hold the deposit → the vault pays the client → the deposit is gone
deposit    the client pays the vault → its deposit is credited
transfer   the vault pays another bank's vault → both book it
"""

from collections.abc import Sequence
from typing import Final, Protocol

from specie.crypto.hashing import tagged_hash
from specie.flows.payment import Payer, pay
from specie.ledger.transactions import Promise
from specie.ports.bank import BankDirectory, BankPort
from specie.ports.notary import NotaryPort
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, EntryId, OrderId, ParticipantNumber
from specie.values.limits import OUTPUTS_MAX

_HOLD: Final = 0
_COMPLETE: Final = 1


class Deposits(Protocol):
    """The bank's books, as far as these flows touch them."""

    def hold_withdrawal(self, entry: EntryId, requests: Sequence[tuple[ClientId, Minor]]) -> None:
        """Take the deposits before the tokens leave: all of them or none."""
        ...

    def complete_withdrawal(self, entry: EntryId, amount: Minor) -> None:
        """The tokens are the client's."""
        ...

    def credit_deposit(self, entry: EntryId, client: ClientId, amount: Minor) -> None:
        """The client's tokens are in the vault."""
        ...

    def send_vault_money(self, entry: EntryId, bank: ParticipantNumber, amount: Minor) -> None:
        """To another bank's vault."""
        ...

    def receive_vault_money(self, entry: EntryId, bank: ParticipantNumber, amount: Minor) -> None:
        """From another bank's vault."""
        ...


class VaultBank(BankPort, Protocol):
    """A bank with its vault and books, to itself."""

    @property
    def vault(self) -> Payer:
        """Its tokens."""
        ...

    @property
    def books(self) -> Deposits:
        """Its books."""
        ...


def withdraw(
    order: OrderId,
    requests: Sequence[tuple[ClientId, PaymentOrder]],
    bank: VaultBank,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """Deposit money becomes tokens for up to 15 clients at once; idempotent by `order`."""
    if len(requests) >= OUTPUTS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "15 withdrawals at once, and the change")
    amounts = [(client, request.amount) for client, request in requests]
    bank.books.hold_withdrawal(_derive_entry(order, _HOLD), amounts)
    promise = pay(bank.vault, [one for _, one in requests], order, bank, banks, notary)
    total = sum_minor([amount for _, amount in amounts])
    bank.books.complete_withdrawal(_derive_entry(order, _COMPLETE), total)
    return promise


def deposit(
    order: OrderId,
    client: ClientId,
    wallet: Payer,
    amount: Minor,
    bank: VaultBank,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """Tokens become deposit money; idempotent by `order`."""
    request = PaymentOrder(bank.vault_address, amount, Memo(order_id=order))
    promise = pay(wallet, [request], order, bank, banks, notary)
    bank.books.credit_deposit(EntryId(order), client, amount)
    return promise


def transfer_vault_money(
    order: OrderId,
    amount: Minor,
    sender: VaultBank,
    receiver: VaultBank,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """Tokens from vault to vault (P14); idempotent by `order`."""
    request = PaymentOrder(receiver.vault_address, amount, Memo(order_id=order))
    promise = pay(sender.vault, [request], order, sender, banks, notary)
    sender.books.send_vault_money(EntryId(order), receiver.number, amount)
    receiver.books.receive_vault_money(EntryId(order), sender.number, amount)
    return promise


def _derive_entry(order: OrderId, step: int) -> EntryId:
    """One entry id per step of an order; internal to the bank's books."""
    return EntryId(tagged_hash("entry", order, u8(step))[:16])
