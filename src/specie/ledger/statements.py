"""From a checked transaction to what the kernel verifies for it, and back to a code if it fails.

balance, kernel signatures, owner signatures, attestations, range proofs      (spec page 03)
"""

from collections.abc import Sequence
from typing import Final

from specie.crypto.proofs import Failure, Statement, build_statement
from specie.ledger.checks import ContractContext
from specie.ledger.messages import (
    compute_attestation_message,
    compute_kernel_message,
    compute_owner_message,
)
from specie.ledger.transactions import AttestedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

Signed = tuple[bytes, bytes, bytes]
"""Public key, message, signature."""

_CODES: Final = {
    "kernel": ErrorCode.KERNEL_SIGNATURE_INVALID,
    "balance": ErrorCode.BALANCE_INVALID,
    "proof": ErrorCode.PROOF_INVALID,
    "point": ErrorCode.POINT_INVALID,
    "scalar": ErrorCode.SCALAR_INVALID,
}
_ORDER: Final = ("point", "scalar", "kernel", "signature", "proof", "balance")


def build_transaction_statement(
    transaction: AttestedTransaction, context: ContractContext
) -> Statement:
    """Needs the contract's checks to have passed: inputs are known, attesters are participants."""
    return _build(transaction, context, get_attestation_signatures(transaction, context))


def build_unattested_statement(
    transaction: AttestedTransaction, context: ContractContext
) -> Statement:
    """The same, of one whose attestations were verified before."""
    return _build(transaction, context, [])


def get_failure_error(transaction: AttestedTransaction, failures: Sequence[Failure]) -> SpecieError:
    """The error of a statement that does not hold, in the contract's words.

    A point that does not decode fails its proof and the balance as well, so causes come first.
    The kernel counts signatures after the kernels': first the owners', then the attestations.
    """
    first = min(failures, key=lambda one: (_ORDER.index(one.part), one.position))
    code = _CODES.get(first.part)
    if code is None:
        is_owner = first.position < len(transaction.signed.owner_signatures)
        code = (
            ErrorCode.OWNER_SIGNATURE_INVALID
            if is_owner
            else ErrorCode.ATTESTATION_SIGNATURE_INVALID
        )
    return SpecieError(code, f"{first.part} {first.position} does not hold")


def get_attestation_signatures(
    transaction: AttestedTransaction, context: ContractContext
) -> list[Signed]:
    """(key, message, signature) of each attestation; attesters are participants."""
    body = transaction.body
    found: list[Signed] = []
    for one in transaction.attestations:
        message = compute_attestation_message(
            body.network, body.txid, one.role, one.inputs, one.outputs, one.claim, one.policy
        )
        member = context.participants.get(one.bank)
        found.append((member.attestation_key, message, one.signature))
    return found


def _build(
    transaction: AttestedTransaction, context: ContractContext, attestations: list[Signed]
) -> Statement:
    body = transaction.body
    signatures = [
        *_get_kernel_signatures(transaction),
        *_get_owner_signatures(transaction, context),
        *attestations,
    ]
    inputs = []
    for ref in body.inputs:
        known = context.ledger.find_output(ref)
        assert known is not None, "check_inputs_known runs first"
        inputs.append(known.output.commitment)
    return build_statement(
        signatures,
        len(transaction.signed.kernels),
        inputs,
        [output.commitment for output in body.outputs],
        body.supply_change,
        body.offset,
        [(proof.data, proof.covers) for proof in body.proofs],
    )


def _get_kernel_signatures(transaction: AttestedTransaction) -> list[Signed]:
    body = transaction.body
    message = compute_kernel_message(body.network, body.txid, body.supply_change)
    return [(kernel.public, message, kernel.signature) for kernel in transaction.signed.kernels]


def _get_owner_signatures(
    transaction: AttestedTransaction, context: ContractContext
) -> list[Signed]:
    body = transaction.body
    found: list[Signed] = []
    for ref, signature in zip(body.inputs, transaction.signed.owner_signatures, strict=True):
        known = context.ledger.find_output(ref)
        assert known is not None, "check_inputs_known runs first"
        message = compute_owner_message(
            body.network, ref, body.not_before, body.not_after, body.txid
        )
        found.append((known.output.owner, message, signature))
    return found
