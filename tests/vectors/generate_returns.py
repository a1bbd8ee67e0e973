"""Makes `returns.json`: return addresses, refunds, requests for return."""

from collections.abc import Mapping
from typing import Any

from tests.reference import returns
from tests.reference.building import Draw

Content = dict[str, Any]


def make_returns(_: Mapping[str, Any]) -> Content:
    """From a fixed seed; nothing of it is a key of anybody."""
    draw = Draw(b"returns.json")
    cases = []
    for amount, reason, answer in (
        (1, "", ""),
        (2**64 - 1, "meant for Viktoria", "Şymbūlaq: it was for the bread"),
    ):
        names = ("own_view", "own_spend", "view", "spend", "ref")
        case: Content = {name: draw.take(32) for name in names}
        case |= {"network": draw.take(16), "anchor": draw.take(16), "bank": 7, "payers_bank": 2}
        case |= {"amount": amount, "time": 1_767_225_600_123, "reason": reason, "answer": answer}
        cases.append(_compute(case))
    return {
        "provenance": "docs/spec/02 and 10, computed by tests/reference.",
        "cases": cases,
    }


def _compute(case: Content) -> Content:
    proof = returns.compute_refund(case)
    found = {
        **case,
        "given": returns.compute_given(case),
        "refund_proof": proof,
        "address_note": returns.write_return_address(case["bank"], case["view"], case["spend"]),
        "refund_note": returns.write_refund(case["ref"], proof),
        "refund_id": returns.compute_refund_id(case["ref"], 3),
        "return_proof": returns.compute_proof(case),
        "asked": returns.compute_asked(case),
        "answer_proof": returns.compute_answer(case),
        "return_id": returns.compute_id(case),
    }
    return {name: one.hex() if isinstance(one, bytes) else one for name, one in found.items()}
