"""Receipts (X2): what convinces a third party, offline, of a leaf and of what a payment paid.

    receipt = tlog-proof whose `extra` is   version u8 ‖ kind u8 ‖ leaf length u16 ‖ leaf ‖ payment

    leaf      any leaf of the log; the payment part is empty
    payment   the leaf holds the kernels of a transaction; then
              outline ‖ index u8 ‖ salt x_j 32 ‖ opening 297

It holds if the leaf is in the log under the signed checkpoint, the outline hashes to the leaf's
txid, and the output that the opening rebuilds stands in slot j of the outline. Then this amount
was paid to this address in a transaction that is final. It shows nothing of the payer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from specie.crypto.outputs import OPENING_BYTES, Opening, derive_output, unpack_opening
from specie.crypto.proofs import get_proof_size
from specie.identity.cosigners import CosignerList
from specie.identity.genesis import Genesis, ProofMode, compute_origin
from specie.identity.participants import ParticipantList
from specie.ledger.outline import Outline, compute_slot, read_outline
from specie.ledger.records import Output
from specie.log.inclusion import InclusionProof, parse_inclusion
from specie.log.leaves import KernelLeaf, Leaf, unpack_leaf
from specie.log.notes import SignatureType, SignedCheckpoint, VerifierKey, verify_note
from specie.log.proofs import verify_inclusion
from specie.log.tree import compute_leaf_hash
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, u8, u16
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, OutputRef

_VERSION: Final = 1


class ReceiptKind(IntEnum):
    """What a receipt says."""

    LEAF = 1
    PAYMENT = 2


@dataclass(frozen=True, slots=True, repr=False)
class PaymentPart:
    """One output of a payment, opened, with its place in the transaction."""

    outline: Outline
    index: int
    salt: Digest
    opening: Opening

    def pack(self) -> bytes:
        """Behind the leaf."""
        return self.outline.pack() + u8(self.index) + self.salt + self.opening.pack()


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedReceipt:
    """A receipt that holds, and who says so."""

    leaf: Leaf
    index: int
    checkpoint: SignedCheckpoint
    payment: PaymentPart | None


@dataclass(frozen=True, slots=True)
class ReceiptTrust:
    """What a verifier must know beforehand: the network, its participants, known cosigners."""

    genesis: Genesis
    participants: ParticipantList
    cosigners: tuple[VerifierKey, ...] = ()
    listed: CosignerList | None = None  # the signed list that names these keys

    def get_log_key(self) -> VerifierKey:
        """The notary's key under the log's name."""
        origin = compute_origin(self.genesis)
        return VerifierKey(origin, SignatureType.LOG, self.participants.notary_key)


def build_receipt(
    leaf: bytes, index: int, path: Sequence[Digest], note: str, payment: PaymentPart | None
) -> str:
    """The text of a receipt; `payment` only with the leaf of the payment's kernels."""
    kind = ReceiptKind.LEAF if payment is None else ReceiptKind.PAYMENT
    head = u8(_VERSION) + u8(kind) + u16(len(leaf)) + leaf
    extra = head + (payment.pack() if payment else b"")
    return InclusionProof(extra, index, tuple(path), note).format()


def verify_receipt(text: str, trust: ReceiptTrust) -> VerifiedReceipt:
    """Everything in it, offline; raises with the code of the first wrong thing."""
    proof = parse_inclusion(text)
    kind, leaf_bytes, payment = _read_extra(proof.extra)
    signed = verify_note(proof.note, trust.get_log_key(), trust.cosigners)
    checkpoint = signed.checkpoint
    leaf_hash = compute_leaf_hash(leaf_bytes)
    verify_inclusion(leaf_hash, proof.index, checkpoint.size, proof.path, checkpoint.root)
    is_published = trust.genesis.proof_mode is ProofMode.PUBLISHED
    leaf = unpack_leaf(leaf_bytes, get_proof_size(1) if is_published else 0)
    if kind is ReceiptKind.PAYMENT:
        assert payment is not None, "read with its kind"
        _verify_payment(leaf, payment, trust)
    return VerifiedReceipt(leaf, proof.index, signed, payment)


def compute_paid_ref(opening: Opening, participants: ParticipantList) -> OutputRef:
    """The reference of the output that an opening rebuilds."""
    scan_key = participants.get(opening.bank).scan_key
    return Output(derive_output(opening, scan_key).data).ref


def _verify_payment(leaf: Leaf, payment: PaymentPart, trust: ReceiptTrust) -> None:
    outline, opening = payment.outline, payment.opening
    if not isinstance(leaf, KernelLeaf) or leaf.txid != outline.compute_id():
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "the leaf is of another transaction")
    if outline.network != trust.genesis.network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "a receipt of another network")
    is_there = payment.index < len(outline.slots)
    slot = compute_slot(payment.salt, payment.index, compute_paid_ref(opening, trust.participants))
    if not is_there or outline.slots[payment.index] != slot:
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "the output is not in the transaction")


def _read_extra(extra: bytes) -> tuple[ReceiptKind, bytes, PaymentPart | None]:
    reader = Reader(extra)
    if reader.u8() != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown version of a receipt")
    value = reader.u8()
    if value not in tuple(ReceiptKind):
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown kind of receipt")
    kind = ReceiptKind(value)
    leaf = reader.take(reader.u16())
    payment = None
    if kind is ReceiptKind.PAYMENT:
        outline, index = read_outline(reader), reader.u8()
        salt = Digest(reader.take(32))
        payment = PaymentPart(outline, index, salt, unpack_opening(reader.take(OPENING_BYTES)))
    reader.finish()
    return kind, leaf, payment
