"""Golden refunds and requests for return of spec pages 02 and 10 (T8, T9)."""

from typing import Any

import pytest

from specie.bank.returns import compute_return_message as compute_given_message
from specie.crypto.addresses import Address
from specie.tokens.holdings import Memo
from specie.tokens.memo_notes import (
    MemoNote,
    RefundReference,
    ReturnAddress,
    pack_note,
    read_note,
)
from specie.tokens.return_requests import (
    PaidSecret,
    build_return_request,
    compute_return_message,
    name_return,
    prove_answer,
)
from specie.values.amounts import Minor
from specie.values.identifiers import (
    Digest,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
)
from specie.values.times import Timestamp
from specie.wallet.refunds import MadeRefund, Original, compute_refund_proof, plan_refund
from tests.vectors.files import load, raw

CASES = pytest.mark.parametrize("case", load("returns")["cases"], ids=lambda one: one["amount"])


def read_address(case: dict[str, Any], view: str = "view", spend: str = "spend") -> Address:
    keys = PublicKey(raw(case[view])), PublicKey(raw(case[spend]))
    return Address(ParticipantNumber(case["bank"]), *keys)


def read_secret(case: dict[str, Any]) -> PaidSecret:
    return PaidSecret(
        NetworkId(raw(case["network"])), OutputRef(raw(case["ref"])), raw(case["anchor"])
    )


@CASES
def test_a_refund(case: dict[str, Any]) -> None:
    secret, creditor = read_secret(case), read_address(case)
    original = (secret.ref, secret.anchor)
    proof = compute_refund_proof(secret.network, original, creditor, Minor(case["amount"]))
    assert proof.hex() == case["refund_proof"]
    back = RefundReference(secret.ref, Digest(raw(case["refund_proof"])))
    notes: dict[str, MemoNote] = {"address_note": ReturnAddress(creditor), "refund_note": back}
    for name, note in notes.items():
        assert pack_note(note).hex() == case[name] and read_note(raw(case[name])) == note
    received = Original(secret.ref, Minor(case["amount"]), secret.anchor, Memo())
    made = [MadeRefund(Minor(1), is_dead=True)] * 3
    chosen = plan_refund(received, made, creditor, None, secret.network)
    assert chosen.payment_id.hex() == case["refund_id"] and chosen.order.memo.note == back
    own = read_address(case, "own_view", "own_spend")
    assert compute_given_message(secret.network, own, creditor).hex() == case["given"]


@CASES
def test_a_request_for_return(case: dict[str, Any]) -> None:
    secret, time = read_secret(case), Timestamp(case["time"])
    request = build_return_request(secret, read_address(case), time, case["reason"])
    assert request.proof.hex() == case["return_proof"]
    bank = ParticipantNumber(case["payers_bank"])
    assert compute_return_message(request, secret.network, bank).hex() == case["asked"]
    assert prove_answer(secret, case["answer"]).hex() == case["answer_proof"]
    assert name_return(secret).hex() == case["return_id"]
