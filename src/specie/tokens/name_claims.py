"""A payer's name, as its bank vouches for it (T9; spec page 10).

    m = H("name-claim", network ‖ payer's bank ‖ payee's bank ‖ A ‖ B ‖ amount ‖ order ‖ end-to-end
                        ‖ name48)
    name_signature = Ed25519(the payer's bank, m)         in the memo, sealed, beside the name

The claim is for one payment: this much, to this address, under these ids, of which the payer draws
one afresh. A payee that copies it into another payment has a signature that does not hold there.
"""

from collections.abc import Collection
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.identity.participants import ParticipantList, Role, Status
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import pad_text, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO16,
    ZERO64,
    Digest,
    NetworkId,
    OrderId,
    ParticipantNumber,
    Signature,
)
from specie.values.limits import NAME_BYTES_MAX


@dataclass(frozen=True, slots=True, repr=False)
class NameClaim:
    """Who pays what to whom, under which ids."""

    network: NetworkId
    payee: Address
    amount: Minor
    order: OrderId
    end_to_end_id: bytes
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class ShownName:
    """A name as its payee reads it."""

    name: str
    bank: ParticipantNumber | None  # that vouches for it; None: the payer's own word


def cut_name(name: str) -> str:
    """As much of a registered name as a memo has room for, at a whole character."""
    return name.encode()[:NAME_BYTES_MAX].decode(errors="ignore").strip()


def sign_claim(claim: NameClaim, bank: ParticipantNumber, key: InstitutionSigner) -> Signature:
    """By the payer's bank; `request_invalid` if nothing tells this payment from others."""
    if claim.end_to_end_id == ZERO16 or not claim.name:
        raise SpecieError(ErrorCode.REQUEST_INVALID, "a claim has a name and an end-to-end id")
    return sign_as_institution(key, compute_claim_message(claim, bank))


def verify_claim(
    claim: NameClaim, signature: Signature, members: ParticipantList
) -> ParticipantNumber:
    """The bank that has signed it, among those that are active; `signature_invalid` if none has.

    A memo has no room for the bank's number; a bank's signature says which it is.
    """
    for member in members.participants.values():
        if member.role is not Role.BANK or member.status is not Status.ACTIVE:
            continue
        message = compute_claim_message(claim, member.number)
        try:
            verify_institution_signature(member.institution_key, message, signature)
        except SpecieError:
            continue
        return member.number
    raise SpecieError(ErrorCode.SIGNATURE_INVALID, "no bank vouches for this name here")


def judge_name(
    memo: Memo,
    paid: tuple[Address, Minor],
    network: NetworkId,
    members: ParticipantList,
    seen: Collection[Signature],
) -> ShownName | None:
    """What a payee may read into a memo; None if it shows no name.

    `seen` are claims of earlier payments: one that comes again vouches for nothing.
    """
    if not memo.name:
        return None
    payee, amount = paid
    claim = NameClaim(network, payee, amount, memo.order_id, memo.end_to_end_id, memo.name)
    is_fresh = memo.name_signature != ZERO64 and memo.name_signature not in seen
    if not is_fresh or memo.end_to_end_id == ZERO16:
        return ShownName(memo.name, None)
    try:
        return ShownName(memo.name, verify_claim(claim, memo.name_signature, members))
    except SpecieError:
        return ShownName(memo.name, None)


def compute_claim_message(claim: NameClaim, bank: ParticipantNumber) -> Digest:
    """What the payer's bank signs."""
    return tagged_hash(
        "name-claim",
        claim.network,
        u32(bank),
        u32(claim.payee.bank),
        claim.payee.view,
        claim.payee.spend,
        u64(claim.amount),
        claim.order,
        claim.end_to_end_id,
        pad_text(claim.name, NAME_BYTES_MAX),
    )
