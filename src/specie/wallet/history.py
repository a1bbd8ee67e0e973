"""What a holder sees of its past: what it paid, and what it was paid (T19).

A payment is settled only by the notary's promise, so it never says more than the ledger does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.outputs import unpack_opening
from specie.ledger.wire import decode_signed
from specie.ports.vault import HeldToken, PaymentState, StoredPayment
from specie.values.amounts import Minor, sum_minor
from specie.values.identifiers import OutputRef, TransactionId
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class OutgoingPayment:
    """What we paid to others or redeemed; 0 if we paid ourselves."""

    payment_id: bytes
    txid: TransactionId
    amount: Minor
    state: PaymentState
    time: Timestamp  # when it was recorded here


@dataclass(frozen=True, slots=True, repr=False)
class IncomingToken:
    """What we were paid."""

    ref: OutputRef
    amount: Minor
    time: Timestamp  # when it was received here


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """Both ways, each the oldest first."""

    paid: tuple[OutgoingPayment, ...]
    received: tuple[IncomingToken, ...]


def build_history(
    payments: Sequence[StoredPayment], tokens: Sequence[HeldToken], own: Address
) -> History:
    """Change, and what we paid ourselves, is no income."""
    paid: list[OutgoingPayment] = []
    made: set[OutputRef] = set()
    for payment in payments:
        body = decode_signed(payment.data).body
        made.update(output.ref for output in body.outputs)
        openings = [unpack_opening(opening) for opening in payment.openings]
        others = [
            one.amount
            for one in openings
            if (one.bank, one.view, one.spend) != (own.bank, own.view, own.spend)
        ]
        amount = sum_minor([*others, Minor(max(0, -body.supply_change))])
        paid.append(
            OutgoingPayment(payment.payment_id, payment.txid, amount, payment.state, payment.time)
        )
    received = [
        IncomingToken(one.ref, one.amount, one.received) for one in tokens if one.ref not in made
    ]
    return History(tuple(paid), tuple(received))
