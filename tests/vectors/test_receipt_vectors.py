"""Golden receipts of spec page 07 hold forever (X2, X13)."""

from typing import Any

import pytest

from specie.identity.genesis import verify_genesis
from specie.identity.participants import verify_participants
from specie.ledger.receipts import ReceiptTrust, verify_receipt
from specie.log.notes import SignatureType, parse_verifier_key
from specie.values.errors import SpecieError
from tests.vectors.files import load, raw

CONTENT: dict[str, Any] = load("receipts")


@pytest.fixture(scope="module")
def trust() -> ReceiptTrust:
    genesis = verify_genesis(raw(CONTENT["genesis"]))
    members = verify_participants(raw(CONTENT["participants"]), genesis)
    keys = tuple(parse_verifier_key(line) for line in CONTENT["cosigners"])
    return ReceiptTrust(genesis, members, keys)


@pytest.mark.parametrize("name", ["payment", "payment_quantum_safe"])
def test_a_payment_is_proven(trust: ReceiptTrust, name: str) -> None:  # X2
    receipt = verify_receipt(CONTENT[name], trust)
    assert receipt.payment is not None
    assert receipt.payment.opening.amount == CONTENT["paid"]
    assert receipt.checkpoint.checkpoint.size == CONTENT["log_size"]


def test_only_one_of_them_outlives_ed25519(trust: ReceiptTrust) -> None:  # X13
    safe = verify_receipt(CONTENT["payment_quantum_safe"], trust).checkpoint.signers
    small = verify_receipt(CONTENT["payment"], trust).checkpoint.signers
    assert SignatureType.COSIGNER_ML_DSA_44 in {key.type for key in safe}
    assert SignatureType.COSIGNER_ML_DSA_44 not in {key.type for key in small}
    assert len(CONTENT["payment"].encode()) <= 4096 < len(CONTENT["payment_quantum_safe"])


def test_every_leaf_has_its_receipt(trust: ReceiptTrust) -> None:
    for position, text in enumerate(CONTENT["leaves"]):
        assert verify_receipt(text, trust).index == position


def test_another_network_s_keys_do_not_help(trust: ReceiptTrust) -> None:
    stranger = ReceiptTrust(trust.genesis, trust.participants, trust.cosigners[1:])
    with pytest.raises(SpecieError, match="checkpoint_invalid"):
        verify_receipt(CONTENT["payment"], stranger)
