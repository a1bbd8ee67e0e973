"""New keys for an institution that stays (T2): shown to be its own, agreed to by officers.

    message = H("rotation", network ‖ n8 ‖ service ‖ n8 ‖ present institution key
                            ‖ n8 ‖ new institution key ‖ n8 ‖ new attestation key)

With the present key in it, a proof counts once: keys that have ended do not come back. Each new key
signs the message, so nobody puts another's key in a list; an officer's too, with "officer-N" for
the service and neither a present nor an attestation key.

A cosigner's keys likewise, a proof by each of them; its list names older keys for good:

    message = H("cosigner", network ‖ n8 ‖ role ‖ u16 ‖ vkey … of the new keys
                            ‖ u16 ‖ vkey … of its present keys),   each n16 ‖ text

What was signed with the old keys stays valid: receipts rest on the notary's key and on the log, and
auditors verify a batch by the list that was in force then. An officer's key is never replaced: a
new number is added, the old one ends. The notary's, the list's and the scan keys stay with their
network (`check_successor`).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from specie.crypto.cosigning import (
    ML_DSA_44_SIGNATURE_SIZE,
    CosignerKey,
    sign_as_cosigner,
    verify_ml_dsa_44,
)
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner, SigningKey
from specie.crypto.signatures import (
    sign,
    sign_as_institution,
    verify_institution_signature,
    verify_signature,
)
from specie.identity.cosigners import CosignerList, CosignerRole
from specie.identity.participants import Officer, ParticipantList, Role, Status
from specie.identity.services import Service, ServiceRole
from specie.log.notes import SignatureType, VerifierKey, get_verifier_key, parse_verifier_key
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u8, u16
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    NetworkId,
    PublicKey,
    ServiceName,
    Signature,
)
from specie.values.limits import OFFICERS_MAX

_KEY, _SIGNATURE = 32, 64
_PROOF_SIZES: Final = {
    SignatureType.COSIGNER_ED25519: _SIGNATURE,
    SignatureType.COSIGNER_ML_DSA_44: ML_DSA_44_SIGNATURE_SIZE,
}
ROTATION_FIELDS: Final[Mapping[str, type]] = {
    "service": str,
    "institution": str,
    "institution_proof": str,
    "attestation": str,
    "attestation_proof": str,
}


@dataclass(frozen=True, slots=True)
class Rotation:
    """The new public keys with their proofs; attestation is empty but for banks."""

    service: ServiceName
    institution: InstitutionPublicKey
    institution_proof: Signature
    attestation: bytes = b""
    attestation_proof: bytes = b""

    def format(self) -> dict[str, str]:
        """As parameters of a decision, in hex."""
        return {
            "service": self.service,
            "institution": self.institution.hex(),
            "institution_proof": self.institution_proof.hex(),
            "attestation": self.attestation.hex(),
            "attestation_proof": self.attestation_proof.hex(),
        }


def parse_rotation(fields: Mapping[str, Any]) -> Rotation:
    """The inverse of `format`; `setting_invalid` names what is not as long as it should be."""
    sizes = {"institution": _KEY, "institution_proof": _SIGNATURE}
    sizes |= {"attestation": _KEY, "attestation_proof": _SIGNATURE}
    for name in ("attestation", "attestation_proof"):
        sizes[name] *= bool(fields[name])
    found = {name: read_hex(fields, name, size) for name, size in sizes.items()}
    return Rotation(
        ServiceName(fields["service"]),
        InstitutionPublicKey(found["institution"]),
        Signature(found["institution_proof"]),
        found["attestation"],
        found["attestation_proof"],
    )


def read_hex(fields: Mapping[str, Any], name: str, size: int) -> bytes:
    """One parameter of a decision, `size` bytes; `setting_invalid` names it."""
    try:
        found = bytes.fromhex(fields[name])
    except ValueError:
        found = None
    if found is None or len(found) != size:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{name}: {2 * size} hex digits")
    return found


def sign_rotation(
    network: NetworkId,
    service: ServiceName,
    present: bytes,
    institution: InstitutionSigner,
    attestation: SigningKey | None,
) -> Rotation:
    """By who has both new keys."""
    key = InstitutionPublicKey(institution.public)
    attesting = attestation.public if attestation is not None else b""
    message = compute_rotation_message(network, service, (present, key, attesting))
    return Rotation(
        service,
        key,
        sign_as_institution(institution, message),
        attesting,
        sign(attestation, message) if attestation is not None else b"",
    )


def verify_rotation(rotation: Rotation, network: NetworkId, service: Service) -> None:
    """`signature_invalid`; `setting_invalid` for an attestation key where none is, or none."""
    if bool(rotation.attestation) != (service.role is ServiceRole.BANK):
        raise SpecieError(ErrorCode.SETTING_INVALID, "attestation: of banks, and only of them")
    keys = (service.key, rotation.institution, rotation.attestation)
    message = compute_rotation_message(network, rotation.service, keys)
    verify_institution_signature(rotation.institution, message, rotation.institution_proof)
    if rotation.attestation:
        proof = Signature(rotation.attestation_proof)
        verify_signature(PublicKey(rotation.attestation), message, proof)


def compute_rotation_message(
    network: NetworkId, service: ServiceName, keys: tuple[bytes, bytes, bytes]
) -> Digest:
    """What both new keys sign: the present key, the new one, the new attestation key."""
    name = encode_text(service)
    parts = [part for one in (name, *keys) for part in (u8(len(one)), one)]
    return tagged_hash("rotation", network, *parts)


@dataclass(frozen=True, slots=True)
class CosignerProof:
    """New keys of one witness or auditor, and of each a signature in the same place."""

    keys: tuple[VerifierKey, ...]
    proofs: tuple[bytes, ...]

    def format(self) -> dict[str, str]:
        """As parameters of a decision: keys as in the list, proofs in base64."""
        return {
            "keys": " ".join(key.format() for key in self.keys),
            "proofs": " ".join(base64.b64encode(one).decode() for one in self.proofs),
        }


def parse_cosigner(fields: Mapping[str, Any]) -> CosignerProof:
    """The inverse of `format`; `checkpoint_invalid`, `setting_invalid`."""
    keys = tuple(_parse_key(one) for one in fields["keys"].split(" "))
    try:
        spelled = fields["proofs"].split(" ")
        proofs = tuple(base64.b64decode(one, validate=True) for one in spelled)
    except (binascii.Error, ValueError):
        raise SpecieError(ErrorCode.SETTING_INVALID, "proofs: base64") from None
    if len(proofs) != len(keys) or len(set(keys)) != len(keys):
        raise SpecieError(ErrorCode.SETTING_INVALID, "proofs: one for each key, in their order")
    sizes = [_PROOF_SIZES.get(key.type) for key in keys]
    if [len(one) for one in proofs] != sizes:
        reason = "keys and proofs: of a cosigner, each proof as long as its key's signatures"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    return CosignerProof(keys, proofs)


def _parse_key(text: str) -> VerifierKey:
    try:
        return parse_verifier_key(text)
    except SpecieError as error:
        if error.code is not ErrorCode.SIZE_INVALID:
            raise
        raise SpecieError(ErrorCode.SETTING_INVALID, "keys: one of another size") from None


def sign_cosigner(
    network: NetworkId,
    role: CosignerRole,
    name: ServiceName,
    keys: tuple[InstitutionSigner, CosignerKey],
    listed: CosignerList,
) -> CosignerProof:
    """By who has the new keys; it counts while the list names no others of this cosigner."""
    plain, quantum_safe = keys
    named = tuple(get_verifier_key(name, one) for one in keys)
    message = compute_cosigner_message(network, role, named, listed)
    proofs = (sign_as_institution(plain, message), sign_as_cosigner(quantum_safe, message))
    return CosignerProof(named, proofs)


def verify_cosigner(
    shown: CosignerProof, network: NetworkId, role: CosignerRole, listed: CosignerList
) -> None:
    """`signature_invalid` unless each key has signed; `setting_invalid` for a log's key."""
    message = compute_cosigner_message(network, role, shown.keys, listed)
    for key, proof in zip(shown.keys, shown.proofs, strict=True):
        if key.type is SignatureType.COSIGNER_ED25519:
            public = InstitutionPublicKey(key.public)
            verify_institution_signature(public, message, Signature(proof))
        elif key.type is SignatureType.COSIGNER_ML_DSA_44:
            verify_ml_dsa_44(key.public, message, proof)
        else:
            raise SpecieError(ErrorCode.SETTING_INVALID, "keys: of a cosigner")


def compute_cosigner_message(
    network: NetworkId, role: CosignerRole, keys: Sequence[VerifierKey], listed: CosignerList
) -> Digest:
    """What all new keys sign: they themselves, and those that the list names now."""
    present = [key for key in listed.keys if key.name == keys[0].name]
    texts = [role.value.encode()]
    for some in (keys, present):
        spelled = [one.format().encode() for one in some]
        texts += [u16(len(spelled)), *(part for one in spelled for part in (u16(len(one)), one))]
    return tagged_hash("cosigner", network, u8(len(texts[0])), *texts)


def rotate_member(
    members: ParticipantList, service: Service, rotation: Rotation
) -> ParticipantList:
    """The participant list with the new keys, where it has a key for this service."""
    if service.role is ServiceRole.NOTARY:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "the notary's key stays")
    if service.role is ServiceRole.CENTRAL_BANK:
        return members  # the desk speaks with a key of the list of services
    if service.role is ServiceRole.ACCOUNTING:
        return replace(members, accounting_key=rotation.institution)
    member = members.get(service.number)
    changed = replace(member, institution_key=rotation.institution)
    if member.role is Role.BANK:
        changed = replace(changed, attestation_key=PublicKey(rotation.attestation))
    return replace(members, participants={**members.participants, member.number: changed})


def verify_officer(network: NetworkId, number: int, key: bytes, proof: bytes) -> None:
    """`signature_invalid` unless who has the key wants to be this officer."""
    message = compute_rotation_message(network, name_officer(number), (b"", key, b""))
    verify_institution_signature(InstitutionPublicKey(key), message, Signature(proof))


def name_officer(number: int) -> ServiceName:
    """As messages are signed."""
    return ServiceName(f"officer-{number}")


def add_officer(members: ParticipantList, number: int, key: bytes) -> ParticipantList:
    """Under a number that nobody has had; again is nothing."""
    officer = Officer(number, Status.ACTIVE, InstitutionPublicKey(key))
    known = members.officers.get(number)
    if known is not None and known.key == officer.key:
        return members
    is_taken = known is not None or any(one.key == key for one in members.officers.values())
    if is_taken or not 1 <= number <= 255 or len(members.officers) >= OFFICERS_MAX:
        reason = f"a new number and a new key, for at most {OFFICERS_MAX} officers"
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, reason)
    return replace(members, officers={**members.officers, number: officer})


def set_officer_status(
    members: ParticipantList, number: int, status: Status, required: int
) -> ParticipantList:
    """Suspend, reinstate or end; those who are left can still decide."""
    officer = members.officers.get(number)
    if officer is None:
        raise SpecieError(ErrorCode.PARTICIPANT_UNKNOWN, f"no officer {number}")
    if officer.status is Status.REVOKED and status is not Status.REVOKED:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "who was removed stays so")
    changed = {**members.officers, number: replace(officer, status=status)}
    active = [one for one in changed.values() if one.status is Status.ACTIVE]
    if len(active) < required:
        reason = f"{required} officers have to be able to decide: add one first"
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, reason)
    return replace(members, officers=changed)
