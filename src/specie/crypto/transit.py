"""A secret on its way to one receiver: HPKE (RFC 9180), base mode, one message.

    suite   DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305
    sent    enc32 ‖ ciphertext ‖ tag16

`info` binds it to where it belongs: with another one it does not open (`sealed_invalid`). A handle
shows its bytes to nobody, so what travels is the secret of a key that seals it:

    secret32, random      sealed = handle under Argon2id(secret)      sent = HPKE(secret)

The secret is as strong as any key, so Argon2id has nothing to slow down: its least cost.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from specie.crypto.native import translated_errors
from specie.crypto.secrets import SealingKey
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

TRANSIT_KEY_BYTES: Final = 32
_SALT: Final = b"specie transit.."
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class TransitKey:
    """A receiver's private key; its bytes leave for the store that seals them, nowhere else."""

    __slots__ = ("_private",)

    def __init__(self, private: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(private)

    @property
    def public(self) -> bytes:
        """32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def open(self, sent: bytes, info: bytes) -> bytes:
        """`sealed_invalid` if it is for another key, was changed, or belongs elsewhere."""
        try:
            return _SUITE.decrypt(sent, self._private, info)
        except (InvalidTag, ValueError):
            raise SpecieError(ErrorCode.SEALED_INVALID, "not sealed to us, or changed") from None


def draw_transit_key() -> bytes:
    """A new private key, for a store that seals it."""
    return secrets.token_bytes(TRANSIT_KEY_BYTES)


def seal_for(public: bytes, plain: bytes, info: bytes) -> bytes:
    """To whoever has the private key; `point_invalid` if this is no public key of X25519."""
    try:
        return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info)
    except ValueError:
        raise SpecieError(ErrorCode.POINT_INVALID, "not a public key to seal for") from None


def draw_transit_secret() -> bytes:
    """What a handle is sealed under while it travels."""
    return secrets.token_bytes(TRANSIT_KEY_BYTES)


def derive_transit_sealing(secret: bytes) -> SealingKey:
    """The key that it makes; `size_invalid` unless it has 32 bytes."""
    if len(secret) != TRANSIT_KEY_BYTES:
        raise SpecieError(ErrorCode.SIZE_INVALID, "a transit secret has 32 bytes")
    with translated_errors():
        return SealingKey.derive(secret, _SALT, 8, 1, 1)
