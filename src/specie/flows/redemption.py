"""Redemption into reserves (T19, P9). Owner: the bank whose money it is.

apply → approve → build → out of the issuance fund: in transit → void the currency
→ credit reserves → notify → bank vault entry
or, if the voiding can never be final: back into the fund

What is void is credited by the notary's promise for it, whatever has become of the bank since.
"""

from typing import Final, Protocol

from specie.flows.payment import Prepared
from specie.flows.requests import pack_amount
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.ports.accounting import RedemptionAccounting
from specie.ports.bank import BankPort
from specie.ports.issuance import ApplicationState, Direction, RedemptionDesk
from specie.ports.journal import FlowKind, FlowState, Journal
from specie.ports.notary import NotaryPort
from specie.ports.vault import PaymentState, StoredPayment
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId, OrderId

_GIVEN_UP: Final = (PaymentState.REFUSED, PaymentState.CANCELLED)


class RedeemingVault(Protocol):
    """The bank's vault."""

    def can_pay(self, amount: Minor) -> bool:
        """`funds_insufficient` if the money is not there; False if it is in too many tokens."""
        ...

    def prepare_redemption(self, amount: Minor, payment_id: bytes) -> Prepared:
        """Reserve, build, sign, record; idempotent by id."""
        ...

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """What was recorded under this id."""
        ...

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Record that it is final."""
        ...


class RedemptionBooks(Protocol):
    """The bank's books, as far as redemption touches them."""

    def complete_redemption(self, entry: EntryId, amount: Minor) -> None:
        """Tokens of the vault became reserves."""
        ...


class RedeemingBank(BankPort, Protocol):
    """A bank with its books and journal, to itself."""

    @property
    def books(self) -> RedemptionBooks:
        """Its books."""
        ...

    @property
    def journal(self) -> Journal:
        """Of its flows."""
        ...


def redeem(
    order: OrderId,
    amount: Minor,
    vault: RedeemingVault,
    bank: RedeemingBank,
    desk: RedemptionDesk,
    accounting: RedemptionAccounting,
    notary: NotaryPort,
) -> Promise:
    """Money of the bank's vault is voided and its reserves credited; idempotent by `order`.

    `order_conflict` if the voiding was given up: the order is at its end.
    """
    state = bank.journal.find_state(order)
    if state is FlowState.ENDED:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the redemption was ended; order it anew")
    if state is None and not _is_known(order, desk, notary):
        vault.can_pay(amount)  # refused now, it is begun nowhere, and nobody does it later
    application = desk.apply(order, Direction.REDEEM, bank.number, bank.vault_address, amount)
    if application.state is ApplicationState.ENDED and vault.find_payment(order) is None:
        bank.journal.begin(FlowKind.REDEEM, order, pack_amount(amount, bank.number))
        bank.journal.end(order, FlowState.ENDED)
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "officers have refused it")
    promise = desk.find_promise(order, notary)
    if promise is None:
        if _is_given_up(order, vault):
            end_redemption(order, vault, bank, accounting, notary)
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the redemption was given up")
        bank.journal.begin(FlowKind.REDEEM, order, pack_amount(amount, bank.number))
        desk.approve(order)
        prepared = vault.prepare_redemption(amount, order)
        built = desk.accept_void(order, prepared.built)
        accounting.hold_redemption(EntryId(order), amount)
        attestation = bank.attest_payment(built)
        authorised = desk.authorise(order, attestation, None, notary.get_supply())
        promise = notary.notarise(encode_attested(authorised))
    application = desk.check_final(order, promise)
    accounting.credit_for_redemption(application.participant, application.amount, promise)
    bank.deliver(promise)
    desk.complete(order, promise)
    with bank.journal.transaction():
        vault.settle(order, promise)
        bank.books.complete_redemption(EntryId(order), amount)
        bank.journal.end(order, FlowState.COMPLETED)
    return promise


def end_redemption(
    order: OrderId,
    vault: RedeemingVault,
    bank: RedeemingBank,
    accounting: RedemptionAccounting,
    notary: NotaryPort,
) -> None:
    """What was in transit is in the fund again, once the voiding can never be final; idempotent.

    `order_conflict` while it may be, `transaction_final` if it is.
    """
    payment = vault.find_payment(order)
    if payment is None or payment.state not in _GIVEN_UP:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the vault's voiding may still be final")
    if notary.find_promise(payment.txid) is not None:
        raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the money is void")
    accounting.release_redemption(EntryId(order))
    bank.journal.end(order, FlowState.ENDED)


def _is_known(order: OrderId, desk: RedemptionDesk, notary: NotaryPort) -> bool:
    """Whether it was final already, though our journal came back from an older copy."""
    try:
        return desk.find_promise(order, notary) is not None
    except SpecieError as error:
        if error.code is not ErrorCode.APPLICATION_UNKNOWN:
            raise
        return False


def _is_given_up(order: OrderId, vault: RedeemingVault) -> bool:
    payment = vault.find_payment(order)
    return payment is not None and payment.state in _GIVEN_UP
