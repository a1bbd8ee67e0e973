"""A payer asks for its money back, of the payee, through both banks (T8; spec page 10).

    proof     = H("return-proof", network ‖ OutputRef ‖ anchor16 ‖ bank u32 ‖ A ‖ B ‖ time u64
                                  ‖ H("return-text", reason))
    signature = Ed25519(the payer's bank, H("return-request", network ‖ payer's bank u32 ‖ OutputRef
                        ‖ bank u32 ‖ A ‖ B ‖ time u64 ‖ H("return-text", reason) ‖ proof))
    answer    = H("return-answer", network ‖ OutputRef ‖ anchor16 ‖ H("return-text", text))

Who makes the proof knows what is sealed in the payment; the bank signs that it is its client who
paid. A payee believes both together. Nothing is ever reversed: the payee pays back, or says no.
"""

from dataclasses import dataclass
from enum import StrEnum

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.identity.participants import ParticipantList, Role, Status
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, pad_text, u32, u64, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    Signature,
)
from specie.values.limits import RETURN_REQUEST_MS_MAX, TEXT_MAX
from specie.values.times import Timestamp


class ReturnState(StrEnum):
    """What has become of a request for return."""

    ASKED = "asked"
    DECLINED = "declined"
    RETURNED = "returned"
    PARTLY = "partly returned"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, repr=False)
class PaidSecret:
    """What payer, payee and both banks know of an output, and nobody else."""

    network: NetworkId
    ref: OutputRef
    anchor: bytes  # 16


@dataclass(frozen=True, slots=True, repr=False)
class ReturnRequest:
    """Which payment, where to, why, asked when."""

    ref: OutputRef
    creditor: Address  # of the payer, for this payee alone
    time: Timestamp  # by the payer's device
    reason: str
    proof: Digest


@dataclass(frozen=True, slots=True, repr=False)
class SignedReturn:
    """As the payee's side gets it."""

    request: ReturnRequest
    bank: ParticipantNumber  # of the payer
    signature: Signature


def build_return_request(
    paid: PaidSecret, creditor: Address, time: Timestamp, reason: str
) -> ReturnRequest:
    """On the payer's device; `text_invalid` for a reason that is none."""
    proof = compute_return_proof(paid, creditor, time, check_text(reason))
    return ReturnRequest(paid.ref, creditor, time, reason, proof)


def verify_return_proof(request: ReturnRequest, paid: PaidSecret) -> None:
    """`return_request_invalid` unless who asks knows what was paid."""
    found = compute_return_proof(paid, request.creditor, request.time, check_text(request.reason))
    if request.ref != paid.ref or found != request.proof:
        raise _build_invalid("who asks does not know what was paid")


def sign_return(
    request: ReturnRequest, network: NetworkId, bank: ParticipantNumber, key: InstitutionSigner
) -> SignedReturn:
    """By the payer's bank, whose client has paid it."""
    message = compute_return_message(request, network, bank)
    return SignedReturn(request, bank, sign_as_institution(key, message))


def verify_return(signed: SignedReturn, paid: PaidSecret, members: ParticipantList) -> None:
    """By the payee's bank, and by the payee's wallet for itself: `return_request_invalid`."""
    verify_return_proof(signed.request, paid)
    member = members.participants.get(signed.bank)
    if member is None or member.role is not Role.BANK or member.status is not Status.ACTIVE:
        raise _build_invalid("no bank that takes part has signed it")
    message = compute_return_message(signed.request, paid.network, signed.bank)
    try:
        verify_institution_signature(member.institution_key, message, signed.signature)
    except SpecieError:
        raise _build_invalid("the payer's bank has not signed it") from None


def compute_return_proof(
    paid: PaidSecret, creditor: Address, time: Timestamp, reason: str
) -> Digest:
    """By whoever knows the anchor."""
    return tagged_hash(
        "return-proof",
        *(paid.network, paid.ref, paid.anchor),
        *(u32(creditor.bank), creditor.view, creditor.spend),
        u64(time),
        _hash_text(reason),
    )


def compute_return_message(
    request: ReturnRequest, network: NetworkId, bank: ParticipantNumber
) -> Digest:
    """What the payer's bank signs."""
    creditor = request.creditor
    return tagged_hash(
        "return-request",
        *(network, u32(bank), request.ref),
        *(u32(creditor.bank), creditor.view, creditor.spend),
        u64(request.time),
        _hash_text(request.reason),
        request.proof,
    )


def prove_answer(paid: PaidSecret, text: str) -> Digest:
    """By the payee, who says no; also how the payer verifies it."""
    answered = (paid.network, paid.ref, paid.anchor, _hash_text(check_text(text)))
    return tagged_hash("return-answer", *answered)


def verify_answer(paid: PaidSecret, text: str, proof: Digest) -> None:
    """`return_request_invalid` unless who answers knows what was paid."""
    if prove_answer(paid, text) != proof:
        raise _build_invalid("who answers does not know what was paid")


def name_return(paid: PaidSecret) -> bytes:
    """The id under which both banks keep it, 16 bytes; it tells nobody which output it is about."""
    return tagged_hash("return-id", paid.network, paid.ref, paid.anchor)[:16]


def compute_return_state(
    amount: Minor, returned: Minor, asked: Timestamp, now: Timestamp, *, is_declined: bool
) -> ReturnState:
    """Money counts more than words, and both more than the clock."""
    if returned:
        return ReturnState.RETURNED if returned >= amount else ReturnState.PARTLY
    if is_declined:
        return ReturnState.DECLINED
    return ReturnState.EXPIRED if is_return_over(asked, now) else ReturnState.ASKED


def is_return_over(asked: Timestamp, now: Timestamp) -> bool:
    """Nobody answers any more."""
    return now > asked + RETURN_REQUEST_MS_MAX


def check_text(text: str) -> str:
    """`text_invalid` unless it is short, in form NFC and without controls."""
    is_plain = unpad_text(pad_text(text, 4 * TEXT_MAX)) == text
    if len(text) > TEXT_MAX or not is_plain:
        raise SpecieError(ErrorCode.TEXT_INVALID, f"text of at most {TEXT_MAX} characters, NFC")
    return text


def _hash_text(text: str) -> Digest:
    return tagged_hash("return-text", encode_text(text))


def _build_invalid(reason: str) -> SpecieError:
    return SpecieError(ErrorCode.RETURN_REQUEST_INVALID, reason)
