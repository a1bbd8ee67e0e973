"""Payments that several people sign together (T1): m of n signatories of a legal entity.

    subject   what is asked: a payment (its txid), a withdrawal, another set of signatories
    vote      H("approval", network ‖ bank u32 ‖ H("code", client) ‖ kind u8 ‖ digest32 ‖ yes u8)
              signed by the signatory's own device, Ed25519

The entity's wallet has the spend key and signs first; the bank attests nothing of it before m
signatories in force have said yes. A no is for good: once fewer than m are left, it is refused. So
neither the wallet, nor m - 1 signatories, nor the bank alone moves the money.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.ports.approvals import Seat, SigningRule, Subject
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u8, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    ParticipantNumber,
    Signature,
)
from specie.values.limits import NAME_BYTES_MAX, SIGNATORIES_MAX


class Outcome(StrEnum):
    """What the votes say so far."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"


def compute_vote_message(
    network: NetworkId, bank: ParticipantNumber, subject: Subject, *, is_yes: bool
) -> Digest:
    """What a signatory signs."""
    return tagged_hash(
        "approval",
        network,
        u32(bank),
        tagged_hash("code", encode_text(subject.client)),
        u8(subject.kind),
        subject.digest,
        u8(int(is_yes)),
    )


def sign_vote(
    network: NetworkId,
    bank: ParticipantNumber,
    subject: Subject,
    key: InstitutionSigner,
    *,
    is_yes: bool,
) -> Signature:
    """On the signatory's device, after it has recomputed what the subject is."""
    return sign_as_institution(key, compute_vote_message(network, bank, subject, is_yes=is_yes))


def verify_vote(
    network: NetworkId,
    bank: ParticipantNumber,
    subject: Subject,
    key: InstitutionPublicKey,
    vote: tuple[bool, Signature],
) -> None:
    """`signature_invalid` unless this key has said this of this subject."""
    is_yes, signature = vote
    message = compute_vote_message(network, bank, subject, is_yes=is_yes)
    verify_institution_signature(key, message, signature)


def compute_withdrawal_digest(order: OrderId, amount: Minor) -> Digest:
    """What names a withdrawal: its order, and how much."""
    return tagged_hash("approval-order", order, u64(amount))


def compute_change_digest(need: int, version: int, seats: Sequence[Seat]) -> Digest:
    """What names another set of signatories: how many are needed, who, with which codes."""
    named = [one.code_hash + tagged_hash("code", encode_text(one.name)) for one in seats]
    return tagged_hash("approval-seats", u32(need), u32(version), *named)


def compute_enrolment_message(
    network: NetworkId, bank: ParticipantNumber, code_hash: Digest, key: InstitutionPublicKey
) -> Digest:
    """What the device of a signatory signs when it comes with its code."""
    return tagged_hash("signatory", network, u32(bank), code_hash, key)


def check_seats(need: int, names: Sequence[str]) -> None:
    """`setting_invalid` unless m of n is possible; 0 of nobody ends it."""
    if len(names) > SIGNATORIES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {SIGNATORIES_MAX} signatories")
    is_none = need == 0 and not names
    if not is_none and not 1 <= need <= len(names):
        raise SpecieError(ErrorCode.SETTING_INVALID, "as many as sign at most, and at least one")
    if len({*names}) != len(names):
        raise SpecieError(ErrorCode.SETTING_INVALID, "every signatory has a name of its own")
    if any(not name.strip() or len(name.encode()) > NAME_BYTES_MAX for name in names):
        raise SpecieError(ErrorCode.TEXT_INVALID, f"a name has 1 to {NAME_BYTES_MAX} bytes")


def judge(rule: SigningRule, votes: Mapping[InstitutionPublicKey, bool]) -> Outcome:
    """By those in force: votes of who is signatory no more, or was never, do not count."""
    said = [votes[key] for key in rule.keys if key in votes]
    if sum(said) >= rule.need:
        return Outcome.APPROVED
    if len(said) - sum(said) > len(rule.seats) - rule.need:
        return Outcome.REJECTED
    return Outcome.OPEN
