"""Cancelling a signed transaction (spec page 05): its owner says that it shall never be final.

void = Schnorr(one-time key of the first input, H("void", network ‖ txid))
"""

from dataclasses import dataclass

from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign, verify_signature
from specie.ledger.messages import compute_owner_message, compute_void_message
from specie.ledger.state import LedgerView
from specie.ledger.transactions import AttestedTransaction, SignedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, OutputRef, PublicKey, Signature
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class VoidRequest:
    """What an owner hands in: the signed transaction without attestations, and what cancels it."""

    time: Timestamp  # when the notary took it
    data: bytes
    signature: Signature


def sign_void(signed: SignedTransaction, owner: SigningKey) -> Signature:
    """By the key of the first input."""
    return sign(owner, compute_void_message(signed.body.network, signed.txid))


def check_void(transaction: AttestedTransaction, signature: Signature, ledger: LedgerView) -> None:
    """Refuse it unless the owners of all inputs signed this body, and the first cancels it.

    `input_unknown`, `owner_signature_invalid`, and `input_spent` for what is not void already: a
    void after another spend would hide that the owner has signed twice.
    """
    check_void_signed(transaction, signature, ledger)
    if ledger.has_void(transaction.txid):
        return
    if any(ledger.find_spend(ref) for ref in transaction.body.inputs):
        raise SpecieError(ErrorCode.INPUT_SPENT, "an input is spent by another transaction")


def check_void_signed(
    transaction: AttestedTransaction, signature: Signature, ledger: LedgerView
) -> None:
    """What holds of a void for ever: `input_unknown`, `owner_signature_invalid`."""
    body, signed = transaction.body, transaction.signed
    owners = [_find_owner(ref, ledger) for ref in body.inputs]
    if not owners:
        raise SpecieError(ErrorCode.INPUT_UNKNOWN, "nobody owns its first input")
    _verify(owners[0], compute_void_message(body.network, body.txid), signature)
    for ref, owner, own in zip(body.inputs, owners, signed.owner_signatures, strict=True):
        window = (body.not_before, body.not_after)
        _verify(owner, compute_owner_message(body.network, ref, *window, body.txid), own)


def _find_owner(ref: OutputRef, ledger: LedgerView) -> PublicKey:
    known = ledger.find_output(ref)
    if known is None:
        raise SpecieError(ErrorCode.INPUT_UNKNOWN, "nobody is known to own an input")
    return known.output.owner


def _verify(owner: PublicKey, message: Digest, signature: Signature) -> None:
    try:
        verify_signature(owner, message, signature)
    except SpecieError:
        raise SpecieError(
            ErrorCode.OWNER_SIGNATURE_INVALID, "not signed and cancelled by its owner"
        ) from None
