"""Cancelling a signed transaction (spec page 05): its owner says that it shall never be final.

void = Schnorr(one-time key of the first input, H("void", network ‖ txid))
"""

from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign, verify_signature
from specie.ledger.messages import compute_void_message
from specie.ledger.state import LedgerView
from specie.ledger.transactions import AttestedTransaction, SignedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Signature


def sign_void(signed: SignedTransaction, owner: SigningKey) -> Signature:
    """By the key of the first input."""
    return sign(owner, compute_void_message(signed.body.network, signed.txid))


def check_void_signed(
    transaction: AttestedTransaction, signature: Signature, ledger: LedgerView
) -> None:
    """`owner_signature_invalid` unless the owner of the first input cancels it."""
    body = transaction.body
    known = ledger.find_output(body.inputs[0]) if body.inputs else None
    if known is None:
        raise SpecieError(ErrorCode.INPUT_UNKNOWN, "nobody owns its first input")
    try:
        verify_signature(
            known.output.owner, compute_void_message(body.network, body.txid), signature
        )
    except SpecieError:
        raise SpecieError(
            ErrorCode.OWNER_SIGNATURE_INVALID, "not cancelled by the owner of its first input"
        ) from None
