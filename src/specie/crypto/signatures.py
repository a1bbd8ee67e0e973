"""Schnorr on ristretto255 and Ed25519 (spec page 01).

Schnorr:  s·G = R + c·P,  c = challenge(message, P, R)      owners, kernels, attestations
Ed25519:  RFC 8032, strict verification                     what institutions say
"""

from specie._kernel import verify_institution_signature as _verify_institution
from specie._kernel import verify_signature as _verify_schnorr
from specie.crypto.native import translated_errors
from specie.crypto.secrets import InstitutionSigner, SigningKey, SpendKey
from specie.values.identifiers import InstitutionPublicKey, PublicKey, Signature


def sign(key: SigningKey | SpendKey, message: bytes) -> Signature:
    """Schnorr signature over a 32-byte tagged hash."""
    with translated_errors():
        return Signature(key.sign(message))


def verify_signature(public: PublicKey, message: bytes, signature: Signature) -> None:
    """Raise `signature_invalid` unless the key's owner signed this 32-byte message."""
    with translated_errors():
        _verify_schnorr(public, message, signature)


def sign_as_institution(key: InstitutionSigner, message: bytes) -> Signature:
    """Ed25519 signature of an institution or an officer."""
    with translated_errors():
        return Signature(key.sign(message))


def verify_institution_signature(
    public: InstitutionPublicKey, message: bytes, signature: Signature
) -> None:
    """Raise `signature_invalid` unless the institution signed this message."""
    with translated_errors():
        _verify_institution(public, message, signature)
