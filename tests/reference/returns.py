"""Twin of docs/spec/10: money that comes back. Notes of a memo, proofs, what is signed."""

from collections.abc import Mapping
from typing import Any

from tests.reference.hashing import tagged_hash


def write_return_address(bank: int, view: bytes, spend: bytes) -> bytes:
    """The note that gives an address, 112 bytes."""
    return view + spend + b"\xff\x01" + _u32(bank) + bytes(42)


def write_refund(ref: bytes, proof: bytes) -> bytes:
    """The note of a refund."""
    return ref + proof + b"\xff\x02" + bytes(46)


def compute_given(case: Mapping[str, Any]) -> bytes:
    """What the return address's spend key signs for the payer's bank."""
    own = _u32(case["bank"]) + case["own_view"] + case["own_spend"]
    return tagged_hash("return-address", case["network"] + own + _to(case))


def compute_refund(case: Mapping[str, Any]) -> bytes:
    """That somebody who knows the anchor pays back."""
    fields = case["network"] + case["ref"] + case["anchor"] + _to(case)
    return tagged_hash("refund", fields + _u64(case["amount"]))


def compute_refund_id(ref: bytes, number: int) -> bytes:
    """The payee's own."""
    return tagged_hash("refund-payment", ref + _u32(number))[:16]


def compute_proof(case: Mapping[str, Any]) -> bytes:
    """That somebody who knows the anchor asks."""
    fields = case["network"] + case["ref"] + case["anchor"] + _to(case)
    return tagged_hash("return-proof", fields + _u64(case["time"]) + _text(case["reason"]))


def compute_asked(case: Mapping[str, Any]) -> bytes:
    """What the payer's bank signs."""
    fields = case["network"] + _u32(case["payers_bank"]) + case["ref"] + _to(case)
    said = _u64(case["time"]) + _text(case["reason"]) + compute_proof(case)
    return tagged_hash("return-request", fields + said)


def compute_answer(case: Mapping[str, Any]) -> bytes:
    """That somebody who knows the anchor says no."""
    fields = case["network"] + case["ref"] + case["anchor"]
    return tagged_hash("return-answer", fields + _text(case["answer"]))


def compute_id(case: Mapping[str, Any]) -> bytes:
    """Under which both banks keep it."""
    return tagged_hash("return-id", case["network"] + case["ref"] + case["anchor"])[:16]


def _to(case: Mapping[str, Any]) -> bytes:
    found: bytes = _u32(case["bank"]) + case["view"] + case["spend"]
    return found


def _text(text: str) -> bytes:
    return tagged_hash("return-text", text.encode())


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _u64(value: int) -> bytes:
    return value.to_bytes(8, "little")
