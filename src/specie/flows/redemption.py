"""Redemption into reserves (T19, P9). Owner: the central bank.

apply → approve → void the currency → credit reserves, debit the issuance fund → notify

What is void is credited by the notary's promise for it, whatever has become of the bank since.
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
from specie.values.identifiers import OrderId


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
    promise = desk.find_promise(order, notary)
    if promise is None:
        desk.approve(order)
        prepared = vault.prepare_redemption(amount, order)
        promise = _void(order, prepared, bank, desk, notary)
    application = desk.check_final(order, promise)
    accounting.credit_for_redemption(application.participant, application.amount, promise)
    bank.deliver(promise)
    vault.settle(order, promise)
    desk.complete(order, promise)
    return promise


def _void(
    order: OrderId, prepared: Prepared, bank: BankPort, desk: IssuanceDesk, notary: NotaryPort
) -> Promise:
    built = desk.accept_void(order, prepared.built)
    attestation = bank.attest_payment(built)
    authorised = desk.authorise(order, attestation, None, notary.get_supply())
    return notary.notarise(encode_attested(authorised))
