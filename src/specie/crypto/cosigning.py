"""ML-DSA-44 (FIPS 204): what cosigners say of checkpoints, quantum-safe (spec page 01).

    public    = ρ ‖ t1                 A = ExpandA(ρ), A·s1 + s2 = t1·2^13 + t0     1312 bytes
    μ         = SHAKE256(SHAKE256(public)[:64] ‖ 0 ‖ 0 ‖ message)[:64]              empty context
    signature = c~ ‖ z ‖ h             z = y + c·s1, c from c~                      2420 bytes
    holds     : z small, h canonical, c~ = SHAKE256(μ ‖ UseHint(h, A·z - c·t1·2^13))[:32]

The mask y is hedged: from the secret, the message and fresh randomness. One signature is good for
one message and key, but a signer makes a new one each time: never compare signatures.
"""

from typing import Final

from specie._kernel import CosignerKey
from specie._kernel import verify_cosignature as _verify_cosignature
from specie.crypto.native import translated_errors

__all__ = [
    "ML_DSA_44_PUBLIC_SIZE",
    "ML_DSA_44_SIGNATURE_SIZE",
    "CosignerKey",
    "sign_as_cosigner",
    "verify_ml_dsa_44",
]

ML_DSA_44_PUBLIC_SIZE: Final = 1312
ML_DSA_44_SIGNATURE_SIZE: Final = 2420


def sign_as_cosigner(key: CosignerKey, message: bytes) -> bytes:
    """ML-DSA-44 signature, 2420 bytes; the message says what it is for and on which network."""
    with translated_errors():
        return key.sign(message)


def verify_ml_dsa_44(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise `signature_invalid` unless the key's owner signed this message; `size_invalid`."""
    with translated_errors():
        _verify_cosignature(public, message, signature)
