"""Redemption into reserves (T19, P9). Owner: the central bank.

apply → approve → void the currency → credit reserves, debit the issuance fund → notify
"""

from typing import Protocol

from specie.flows.payment import Prepared
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.ports.accounting import AccountingPort
from specie.ports.bank import BankPort
from specie.ports.issuance import Direction, IssuanceDesk
from specie.ports.notary import NotaryPort
from specie.values.amounts import Minor
from specie.values.identifiers import EntryId, OrderId


class RedeemingVault(Protocol):
    """The bank's vault."""

    def prepare_redemption(self, amount: Minor, payment_id: bytes) -> Prepared:
        """Reserve, build, sign, record; idempotent by id."""
        ...

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Record that it is final."""
        ...


def redeem(
    order: OrderId,
    amount: Minor,
    vault: RedeemingVault,
    bank: BankPort,
    desk: IssuanceDesk,
    accounting: AccountingPort,
    notary: NotaryPort,
) -> Promise:
    """Money of the bank's vault is voided and its reserves credited; idempotent by `order`."""
    desk.apply(order, Direction.REDEEM, bank.number, bank.vault_address, amount)
    desk.approve(order)
    prepared = vault.prepare_redemption(amount, order)
    built = desk.accept_void(order, prepared.built)
    attestation = bank.attest_payment(built)
    authorised = desk.authorise(order, attestation, None, notary.get_supply())
    promise = notary.notarise(encode_attested(authorised))
    accounting.credit_for_redemption(EntryId(order), bank.number, amount, promise.txid)
    bank.deliver(promise)
    vault.settle(order, promise)
    desk.complete(order, promise)
    return promise
