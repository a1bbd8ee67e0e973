"""Named checks of form, state and attestation; one rule, one code, one test each (T16).

Every check takes the transaction and its context, and raises or returns nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from specie.crypto.points import check_points
from specie.identity.genesis import Genesis, ProofMode
from specie.identity.participants import SERVING_ROLES, ParticipantList, Status
from specie.ledger.evidence import find_evidence
from specie.ledger.records import Attestation, AttestationRole, Kind, Terms
from specie.ledger.state import LedgerView
from specie.ledger.transactions import AttestedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import ParticipantNumber, PublicKey
from specie.values.limits import WINDOW_MS_MAX
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class ContractContext:
    """What a contract may look at: the network, who takes part, the batch's time, the ledger."""

    genesis: Genesis
    participants: ParticipantList
    now: Timestamp
    ledger: LedgerView


Check = Callable[[AttestedTransaction, ContractContext], None]


# --- form ---------------------------------------------------------------------------------------


def check_network(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Money of one network is nothing on another."""
    if transaction.body.network != context.genesis.network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "transaction of another network")


def check_window(transaction: AttestedTransaction, context: ContractContext) -> None:
    """A window that is empty or long would leave a wallet waiting for nothing."""
    length = transaction.body.not_after - transaction.body.not_before
    if not 0 <= length <= WINDOW_MS_MAX:
        raise SpecieError(ErrorCode.WINDOW_INVALID, "not_before to not_after: 0 to 48 hours")


def check_not_early(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The batch's time is at or after not_before."""
    if context.now < transaction.body.not_before:
        raise SpecieError(ErrorCode.NOT_YET_VALID, "the window has not begun")


def check_not_late(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The batch's time is at or before not_after."""
    if context.now > transaction.body.not_after:
        raise SpecieError(ErrorCode.EXPIRED, "the window is over")


def check_inputs_present(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Only an issue makes money from nothing."""
    if not transaction.body.inputs and transaction.body.supply_change <= 0:
        raise SpecieError(ErrorCode.INPUTS_MISSING, "a payment spends at least one output")


def check_inputs_distinct(transaction: AttestedTransaction, context: ContractContext) -> None:
    """An input counts once."""
    if len(set(transaction.body.inputs)) != len(transaction.body.inputs):
        raise SpecieError(ErrorCode.INPUT_REPEATED, "an input is named twice")


def check_outputs_distinct(transaction: AttestedTransaction, context: ContractContext) -> None:
    """References are unique over the ledger, so also within a transaction."""
    refs = {output.ref for output in transaction.body.outputs}
    if len(refs) != len(transaction.body.outputs):
        raise SpecieError(ErrorCode.OUTPUT_REPEATED, "an output is there twice")


def check_points_sound(transaction: AttestedTransaction, context: ContractContext) -> None:
    """P, R, C of every output and every K: an identity would be anyone's to spend or to sign."""
    check_transaction_points(transaction)


def check_transaction_points(transaction: AttestedTransaction) -> None:
    """`check_points_sound`, for which the transaction is enough."""
    commitments = [output.commitment for output in transaction.body.outputs]
    kernels = [kernel.public for kernel in transaction.signed.kernels]
    check_points([*list_owner_points(transaction), *commitments, *kernels])


def list_owner_points(transaction: AttestedTransaction) -> list[PublicKey]:
    """P and R of every output: no proof of the transaction is about them."""
    outputs = transaction.body.outputs
    return [point for one in outputs for point in (one.owner, one.ephemeral)]


def check_terms(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The terms shown are those that the output's hash fixes."""
    for output, terms in zip(transaction.body.outputs, transaction.body.terms, strict=True):
        if terms.compute_hash() != output.terms:
            raise SpecieError(ErrorCode.TERMS_MISMATCH, "terms do not fit the output")


def check_terms_are_cash(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Cash has no label, no lock and no expiry."""
    for terms in transaction.body.terms:
        if terms != Terms(terms.nonce, Kind.CASH, terms.bank):
            raise SpecieError(ErrorCode.TERMS_NOT_ALLOWED, "cash has no label, lock or expiry")


def check_range_cover(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Each output is covered once, in order, the way the network chose at genesis."""
    covers = [proof.covers for proof in transaction.body.proofs]
    count = len(transaction.body.outputs)
    is_published = context.genesis.proof_mode is ProofMode.PUBLISHED
    if covers != ([1] * count if is_published else [count]):
        raise SpecieError(ErrorCode.RANGE_COVER_INVALID, "range proofs do not fit the outputs")


# --- state --------------------------------------------------------------------------------------


def check_not_void(transaction: AttestedTransaction, context: ContractContext) -> None:
    """What its owner has cancelled never becomes final, so its tokens may be signed for again."""
    if context.ledger.has_void(transaction.txid):
        raise SpecieError(ErrorCode.TRANSACTION_VOID, "the owner has cancelled this transaction")


def check_inputs_known(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Only outputs of the ledger, or made earlier in the same batch, can be spent."""
    for ref in transaction.body.inputs:
        if context.ledger.find_output(ref) is None:
            raise SpecieError(ErrorCode.INPUT_UNKNOWN, "an input is not in the ledger")


def check_inputs_unspent(transaction: AttestedTransaction, context: ContractContext) -> None:
    """An output is spent once; the error carries both signatures as evidence (T15).

    The first signature is shown only after the second has been verified, so that nobody can
    fish for signatures by naming other people's outputs.
    """
    body = transaction.body
    for index, ref in enumerate(body.inputs):
        spend = context.ledger.find_spend(ref)
        if spend is None or spend.txid == body.txid:
            continue
        known = context.ledger.find_output(ref)
        assert known is not None, "check_inputs_known runs first"
        signature = transaction.signed.owner_signatures[index]
        evidence = find_evidence(body, signature, known, spend)
        if evidence is None:
            raise SpecieError(ErrorCode.INPUT_SPENT, "an input was spent in an earlier window")
        raise SpentError("an input is spent already", evidence)


def check_outputs_new(transaction: AttestedTransaction, context: ContractContext) -> None:
    """References are unique over the ledger."""
    for output in transaction.body.outputs:
        if context.ledger.find_output(output.ref) is not None:
            raise SpecieError(ErrorCode.OUTPUT_EXISTS, "an output is in the ledger already")


def check_kernels_new(transaction: AttestedTransaction, context: ContractContext) -> None:
    """K is unique over the log, so that a kernel cannot be replayed."""
    publics = [kernel.public for kernel in transaction.signed.kernels]
    is_repeated = len(set(publics)) != len(publics)
    if is_repeated or any(context.ledger.has_kernel(public) for public in publics):
        raise SpecieError(ErrorCode.KERNEL_EXISTS, "a kernel is in the ledger already")


# --- attestation --------------------------------------------------------------------------------


def check_attestation_form(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Bits name what exists; a payee's bank speaks for outputs only, a payer's for inputs too."""
    body = transaction.body
    for attestation in transaction.attestations:
        is_beyond = attestation.inputs >> len(body.inputs) or attestation.outputs >> len(
            body.outputs
        )
        has_inputs = attestation.inputs != 0
        is_payee = attestation.role is AttestationRole.PAYEE
        if is_beyond or has_inputs == is_payee or (is_payee and not attestation.outputs):
            raise SpecieError(ErrorCode.ATTESTATION_EXCESS, "attestation for what is not there")


def check_attesters_active(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Revoked means revoked: the list decides, not the certificate."""
    for attestation in transaction.attestations:
        member = context.participants.participants.get(attestation.bank)
        if member is None:
            raise SpecieError(ErrorCode.ATTESTER_UNKNOWN, "attested by no participant")
        if member.status is Status.SUSPENDED:
            raise SpecieError(ErrorCode.ATTESTER_SUSPENDED, "attested by a suspended bank")
        if member.status is Status.REVOKED:
            raise SpecieError(ErrorCode.ATTESTER_REVOKED, "attested by a revoked bank")
        if member.role not in SERVING_ROLES:
            raise SpecieError(ErrorCode.ATTESTER_WRONG, "attested by who serves nobody")


def check_inputs_attested(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Each input, once, by its serving bank or that bank's successor (T2, T16)."""
    for index, ref in enumerate(transaction.body.inputs):
        known = context.ledger.find_output(ref)
        assert known is not None, "check_inputs_known runs first"
        found = [one for one in transaction.attestations if one.inputs >> index & 1]
        _check_attester(found, known.bank, context)


def check_outputs_attested(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Each output, once, by the bank its terms name or that bank's successor."""
    for index, terms in enumerate(transaction.body.terms):
        found = [one for one in transaction.attestations if one.outputs >> index & 1]
        _check_attester(found, terms.bank, context)


def _check_attester(
    found: list[Attestation], bank: ParticipantNumber, context: ContractContext
) -> None:
    if not found:
        raise SpecieError(ErrorCode.ATTESTATION_MISSING, "no bank has attested")
    if len(found) > 1:
        raise SpecieError(ErrorCode.ATTESTATION_EXCESS, "two banks speak for one output")
    attester = context.participants.find_attester(bank)
    if attester is None or attester.number != found[0].bank:
        raise SpecieError(ErrorCode.ATTESTER_WRONG, "attested by a bank that does not serve it")
