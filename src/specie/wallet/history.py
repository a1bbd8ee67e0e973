"""What a holder sees of its past: what it paid, and what it was paid (T19).

A payment is settled only by the notary's promise, so it never says more than the ledger does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.outputs import unpack_opening
from specie.ledger.wire import decode_signed
from specie.ports.vault import HeldToken, PaymentState, StoredPayment
from specie.tokens.holdings import Memo, unpack_memo
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
    not_after: Timestamp  # the end of its window
    memos: tuple[Memo, ...]  # what we wrote to others


@dataclass(frozen=True, slots=True, repr=False)
class IncomingToken:
    """What we were paid."""

    ref: OutputRef
    amount: Minor
    time: Timestamp  # when it was received here
    memo: Memo  # what its payer wrote


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
            one
            for one in openings
            if (one.bank, one.view, one.spend) != (own.bank, own.view, own.spend)
        ]
        redeemed = Minor(max(0, -body.supply_change))
        paid.append(
            OutgoingPayment(
                payment_id=payment.payment_id,
                txid=payment.txid,
                amount=sum_minor([*(one.amount for one in others), redeemed]),
                state=payment.state,
                time=payment.time,
                not_after=payment.not_after,
                memos=tuple(unpack_memo(one.memo) for one in others),
            )
        )
    received = [
        IncomingToken(one.ref, one.amount, one.received, unpack_memo(one.token.opening.memo))
        for one in tokens
        if one.ref not in made
    ]
    return History(tuple(paid), tuple(received))
