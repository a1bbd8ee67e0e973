"""What a holder sees of its past: what it paid, and what it was paid (T19).

A payment is settled only by the notary's promise, so it never says more than the ledger does. What
says that it pays something back is believed if it proves it, and up to what was paid (`refunds`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.outputs import unpack_opening
from specie.ledger.transactions import TransactionBody
from specie.ledger.wire import decode_signed
from specie.ports.vault import HeldToken, PaymentState, StoredPayment
from specie.tokens.holdings import Memo, unpack_memo
from specie.tokens.memo_notes import RefundReference
from specie.values.amounts import Minor, sum_minor
from specie.values.identifiers import ZERO16, NetworkId, OutputRef, TransactionId
from specie.values.times import Timestamp
from specie.wallet.refunds import MadeRefund, PaidOutput, RefundJudge

_DEAD: Final = (PaymentState.REFUSED, PaymentState.CANCELLED)


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
    outputs: tuple[PaidOutput, ...] = ()  # what we made for others
    refunded: Minor = Minor(0)  # so much of it has come back

    @property
    def pays_back(self) -> OutputRef | None:
        """What we had received, if this is its refund."""
        note = self.memos[0].note if self.memos else None
        return note.ref if isinstance(note, RefundReference) else None


@dataclass(frozen=True, slots=True, repr=False)
class IncomingToken:
    """What we were paid."""

    ref: OutputRef
    amount: Minor
    time: Timestamp  # when it was received here
    memo: Memo  # what its payer wrote
    anchor: bytes = ZERO16  # 16, sealed with it: known to payer, payee and their banks alone
    refund_of: bytes | None = None  # id of the payment of ours that this pays back


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """Both ways, each the oldest first."""

    paid: tuple[OutgoingPayment, ...]
    received: tuple[IncomingToken, ...]


def build_history(
    payments: Sequence[StoredPayment],
    tokens: Sequence[HeldToken],
    own: Address,
    network: NetworkId,
) -> History:
    """Change, and what we paid ourselves, is no income."""
    paid: list[OutgoingPayment] = []
    made: set[OutputRef] = set()
    for payment in payments:
        body = decode_signed(payment.data).body
        made.update(output.ref for output in body.outputs)
        paid.append(_describe_paid(payment, body, own))
    judge = RefundJudge(network, {one.payment_id: one.outputs for one in paid})
    received = [_describe_received(one, judge) for one in tokens if one.ref not in made]
    back = [replace(one, refunded=judge.sum_back(one.payment_id)) for one in paid]
    return History(tuple(back), tuple(received))


def list_refunds(history: History, ref: OutputRef) -> list[MadeRefund]:
    """Every payment of ours that pays `ref` back, the oldest first."""
    return [
        MadeRefund(one.amount, one.state in _DEAD) for one in history.paid if one.pays_back == ref
    ]


def _describe_paid(payment: StoredPayment, body: TransactionBody, own: Address) -> OutgoingPayment:
    openings = [unpack_opening(opening) for opening in payment.openings]
    others = [
        (output.ref, one)
        for output, one in zip(body.outputs, openings, strict=True)
        if (one.bank, one.view, one.spend) != (own.bank, own.view, own.spend)
    ]
    redeemed = Minor(max(0, -body.supply_change))
    return OutgoingPayment(
        payment_id=payment.payment_id,
        txid=payment.txid,
        amount=sum_minor([*(one.amount for _, one in others), redeemed]),
        state=payment.state,
        time=payment.time,
        not_after=payment.not_after,
        memos=tuple(unpack_memo(one.memo) for _, one in others),
        outputs=tuple(PaidOutput(ref, one.amount, one.anchor, one.bank) for ref, one in others),
    )


def _describe_received(held: HeldToken, judge: RefundJudge) -> IncomingToken:
    opening = held.token.opening
    memo = unpack_memo(opening.memo)
    payee = Address(opening.bank, opening.view, opening.spend)
    refund_of = judge.judge(memo.note, payee, held.amount)
    return IncomingToken(held.ref, held.amount, held.received, memo, opening.anchor, refund_of)
