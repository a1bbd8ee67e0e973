"""A payment between clients, also across banks (T8, T10, P1). Owner: the payer's bank.

payer signs → payer's bank attests → payees' banks attest → notary promises → banks deliver
"""

from collections.abc import Sequence
from typing import Protocol

from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ledger.wire import encode_attested
from specie.ports.bank import BankDirectory, BankPort
from specie.ports.notary import NotaryPort
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.values.errors import SpecieError


class Prepared(Protocol):
    """A payment recorded by its payer."""

    @property
    def payment_id(self) -> bytes:
        """The payer's own id."""
        ...

    @property
    def built(self) -> BuiltTransaction:
        """Signed, with openings."""
        ...


class Payer(Protocol):
    """Whoever holds the tokens: a wallet or a vault."""

    def prepare_payment(self, orders: Sequence[PaymentOrder], payment_id: bytes) -> Prepared:
        """Reserve, build, sign, record; idempotent by id."""
        ...

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Record that it is final."""
        ...


def pay(
    payer: Payer,
    orders: Sequence[PaymentOrder],
    payment_id: bytes,
    bank: BankPort,
    banks: BankDirectory,
    notary: NotaryPort,
) -> Promise:
    """The whole payment. After any stop the same call with the same id goes on where it stood."""
    prepared = payer.prepare_payment(orders, payment_id)
    promise = complete_payment(prepared.built, bank, banks, notary)
    payer.settle(payment_id, promise)
    return promise


class Resuming(Protocol):
    """A payer that starts again after a stop."""

    def load_prepared(self) -> Sequence[Prepared]:
        """Payments whose answer was not heard."""
        ...

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Record that it is final."""
        ...


def resume(
    payer: Resuming, bank: BankPort, banks: BankDirectory, notary: NotaryPort
) -> list[SpecieError]:
    """After a stop: send what was recorded again, byte for byte; gives what is still refused.

    A refused payment keeps its tokens until its window is over (ADR 0010).
    """
    refusals: list[SpecieError] = []
    for prepared in payer.load_prepared():
        try:
            promise = complete_payment(prepared.built, bank, banks, notary)
        except SpecieError as error:
            refusals.append(error)
        else:
            payer.settle(prepared.payment_id, promise)
    return refusals


def complete_payment(
    built: BuiltTransaction, bank: BankPort, banks: BankDirectory, notary: NotaryPort
) -> Promise:
    """From signed to delivered; the payer's bank never shows a payee's bank the payer's side.

    What is final is delivered, and no bank is asked again whether it agrees.
    """
    others = sorted({one.bank for one in built.disclosure.openings} - {bank.number})
    found = [banks.get_bank(number) for number in others]
    payees = [one for one in found if one is not bank]  # of whom we are the successor
    promise = notary.find_promise(built.signed.txid)
    if promise is None:
        promise = notary.notarise(encode_attested(_attest(built, bank, payees)))
    for side in (bank, *payees):
        side.deliver(promise)
    return promise


def _attest(
    built: BuiltTransaction, bank: BankPort, payees: Sequence[BankPort]
) -> AttestedTransaction:
    attestations = [
        bank.attest_payment(built),
        *(payee.attest_receipt(built.build_payee_view(payee.number)) for payee in payees),
    ]
    return AttestedTransaction(built.signed, tuple(attestations))
