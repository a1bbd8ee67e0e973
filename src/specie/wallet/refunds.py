"""Money goes back to whoever paid it: how much, where to, and whether the other side believes it.

    proof = H("refund", network ‖ OutputRef of what is paid back ‖ its anchor16
                        ‖ bank u32 ‖ A ‖ B of where it goes ‖ amount u64)            (spec page 10)

The anchor is sealed in what is paid back: payer, payee and their banks know it, and nobody else.
Outputs are public, so their references prove nothing. A payer that is not told the truth would
take a stranger's payment for its money back, and the shop's debt for settled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.memo_notes import MemoNote, RefundReference, ReturnAddress
from specie.values.amounts import Minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    NetworkId,
    OrderId,
    OutputRef,
    ParticipantNumber,
)


@dataclass(frozen=True, slots=True, repr=False)
class PaidOutput:
    """What a payment of ours made for somebody else."""

    ref: OutputRef
    amount: Minor
    anchor: bytes  # 16
    bank: ParticipantNumber  # of the payee


@dataclass(frozen=True, slots=True, repr=False)
class Original:
    """What was received, and is to go back."""

    ref: OutputRef
    amount: Minor
    anchor: bytes  # 16
    memo: Memo


@dataclass(frozen=True, slots=True, repr=False)
class MadeRefund:
    """A payment of ours that pays something back."""

    amount: Minor
    is_dead: bool  # it came to nothing; else it is final, or may become so


@dataclass(frozen=True, slots=True, repr=False)
class Refund:
    """What is to be paid, and under which id of our own."""

    order: PaymentOrder
    payment_id: OrderId


def compute_left(original: Original, made: Sequence[MadeRefund]) -> Minor:
    """What may still go back."""
    return Minor(max(0, original.amount - sum(one.amount for one in made if not one.is_dead)))


def choose_creditor(original: Original, told: Address | None) -> Address:
    """Where it goes: what we are told, or what the payer gave; `return_address_missing`."""
    if told is not None:
        return told
    if not isinstance(original.memo.note, ReturnAddress):
        reason = "its payer gave no address to return it to: ask for one, then say --to ADDRESS"
        raise SpecieError(ErrorCode.RETURN_ADDRESS_MISSING, reason)
    return original.memo.note.address


def plan_refund(
    original: Original,
    made: Sequence[MadeRefund],
    creditor: Address,
    amount: Minor | None,
    network: NetworkId,
) -> Refund:
    """Everything that is left, or so much of it; `refund_exceeded` if that is more than is left.

    Its id follows from how many there were before: two at once are the same one, or one of the two
    is refused.
    """
    left = compute_left(original, made)
    wanted = left if amount is None else check_positive(amount)
    if not left or wanted > left:
        raise SpecieError(ErrorCode.REFUND_EXCEEDED, "more than was received, with what went back")
    proof = compute_refund_proof(network, (original.ref, original.anchor), creditor, wanted)
    memo = Memo(
        order_id=original.memo.order_id,
        end_to_end_id=original.memo.end_to_end_id,
        note=RefundReference(original.ref, proof),
    )
    payment_id = tagged_hash("refund-payment", original.ref, u32(len(made)))
    return Refund(PaymentOrder(creditor, wanted, memo), OrderId(payment_id[:16]))


def compute_refund_proof(
    network: NetworkId, original: tuple[OutputRef, bytes], creditor: Address, amount: Minor
) -> Digest:
    """By whoever knows what was in the original; its reference and its anchor."""
    ref, anchor = original
    return tagged_hash(
        "refund",
        network,
        ref,
        anchor,
        u32(creditor.bank),
        creditor.view,
        creditor.spend,
        u64(amount),
    )


@dataclass(slots=True, repr=False)
class RefundJudge:
    """The payer's side: what arrives, in its order, against what was paid."""

    network: NetworkId
    paid: Mapping[bytes, Sequence[PaidOutput]]  # by the payment's id
    _back: dict[OutputRef, Minor] = field(default_factory=dict)

    def judge(self, note: MemoNote | None, payee: Address, amount: Minor) -> bytes | None:
        """The payment that it pays back; None: it does not, or claims what it cannot prove.

        Beyond what was paid it is a plain payment: whoever knows the anchor owes no more than that.
        """
        if not isinstance(note, RefundReference):
            return None
        for payment_id, outputs in self.paid.items():
            for one in outputs:
                if one.ref == note.ref:
                    return payment_id if self._take(one, note, payee, amount) else None
        return None

    def sum_back(self, payment_id: bytes) -> Minor:
        """How much of a payment has come back so far."""
        return Minor(sum(self._back.get(one.ref, 0) for one in self.paid[payment_id]))

    def _take(self, paid: PaidOutput, note: RefundReference, payee: Address, amount: Minor) -> bool:
        proof = compute_refund_proof(self.network, (paid.ref, paid.anchor), payee, amount)
        total = self._back.get(paid.ref, 0) + amount
        if note.proof != proof or total > paid.amount:
            return False
        self._back[paid.ref] = Minor(total)
        return True


def add_return_address(memo: Memo, address: Address) -> Memo:
    """The payer's; `request_invalid` beside a name: a memo has room for one of the two."""
    if memo.name:
        reason = "a payment shows a name or gives a return address: a memo holds one of the two"
        raise SpecieError(ErrorCode.REQUEST_INVALID, reason)
    return replace(memo, note=ReturnAddress(address))
