"""A device opens its holder's wallet: it shows that address and device key are its own (T3, T2).

    m = H("opening", network ‖ bank u32 ‖ address bank u32 ‖ H("code", code) ‖ A ‖ B ‖ D)

    by B   Schnorr, the address's spend key     nobody else's address is taken
    by D   Ed25519, the device's key            nobody else's device is named

`bank` is asked; the address is of this bank, or of one whose successor it is. The view key comes
sealed under the code. So whoever knows an address, or has its view key, opens nothing in its name.
"""

from dataclasses import dataclass
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner, SealingKey, SpendKey, derive_sealing_key
from specie.crypto.signatures import (
    sign,
    sign_as_institution,
    verify_institution_signature,
    verify_signature,
)
from specie.values.encoding import encode_text, u32
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    ServiceName,
    Signature,
)

_SALT: Final = b"specie opening.."  # the code itself is random: 16 bytes, used once


@dataclass(frozen=True, slots=True)
class OpeningRequest:
    """What is opened: where, whose, with which code, for which device."""

    network: NetworkId
    bank: ParticipantNumber  # that is asked
    code_hash: Digest
    address: Address
    device: InstitutionPublicKey


@dataclass(frozen=True, slots=True)
class OpeningProofs:
    """By the spend key, and by the device's key."""

    spend: Signature
    device: Signature


def derive_transit_key(code: bytes) -> SealingKey:
    """Under which a view key travels to the bank that drew the code."""
    return derive_sealing_key(code.hex(), _SALT)


def compute_transit_aad(network: NetworkId, bank: ServiceName) -> bytes:
    """What a view key in transit is bound to."""
    return b"opening\0" + network + encode_text(bank)


def sign_opening(
    request: OpeningRequest, spend: SpendKey, device: InstitutionSigner
) -> OpeningProofs:
    """On the device."""
    message = compute_opening_message(request)
    return OpeningProofs(sign(spend, message), sign_as_institution(device, message))


def verify_opening(request: OpeningRequest, proofs: OpeningProofs) -> None:
    """`signature_invalid` unless both keys have signed this opening."""
    message = compute_opening_message(request)
    verify_signature(request.address.spend, message, proofs.spend)
    verify_institution_signature(request.device, message, proofs.device)


def compute_opening_message(request: OpeningRequest) -> Digest:
    """What both keys sign."""
    address = request.address
    return tagged_hash(
        "opening",
        request.network,
        u32(request.bank),
        u32(address.bank),
        request.code_hash,
        address.view,
        address.spend,
        request.device,
    )
