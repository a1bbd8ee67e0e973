"""Secret handles and sealing at rest.

A handle shows nothing, does not pickle or copy, and gives its bytes only sealed:

    sealed = nonce24 ‖ XChaCha20-Poly1305(key, nonce, aad, bytes)
    key    = Argon2id(passphrase, salt, memory, passes, lanes)        RFC 9106

Branches of a phrase (spec page 01): a_i, b_i, w_i from BIP-39's seed, hardened by hashing.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from specie._kernel import (
    InstitutionKey,
    KeyTree,
    Mask,
    ScanKey,
    SealingKey,
    SigningKey,
    SpendKey,
    ViewKey,
    VrfKey,
    WalletSecret,
)
from specie.crypto.native import translated_errors
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.limits import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    PASSPHRASE_BYTES_MAX,
)

__all__ = [
    "InstitutionKey",
    "InstitutionSigner",
    "KeyTree",
    "Mask",
    "ScanKey",
    "Sealable",
    "SealingKey",
    "SigningKey",
    "SpendKey",
    "ViewKey",
    "VrfKey",
    "WalletSecret",
    "derive_sealing_key",
    "open_sealed",
    "parse_phrase",
    "unseal",
]

Handle = TypeVar("Handle")


class InstitutionSigner(Protocol):
    """An institution's Ed25519 key, wherever it lies: here, sealed in a file, or in an HSM."""

    @property
    def public(self) -> bytes:
        """32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """RFC 8032, 64 bytes, over a message of any length."""
        ...


class Sealable(Protocol):
    """A secret that can be stored sealed."""

    def seal(self, key: SealingKey, aad: bytes) -> bytes:
        """Its bytes, sealed under `key` and bound to `aad`."""
        ...


def derive_sealing_key(passphrase: str, salt: bytes) -> SealingKey:
    """Argon2id with the parameters of `limits`; `salt` is 16 random bytes kept beside the data."""
    raw = encode_text(passphrase)
    if len(raw) > PASSPHRASE_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "passphrase too long")
    with translated_errors():
        return SealingKey.derive(raw, salt, ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES)


def parse_phrase(phrase: str) -> KeyTree:
    """A BIP-39 phrase of 12 to 24 words → its key tree; `phrase_invalid` otherwise."""
    encode_text(phrase)  # the kernel's own refusal of what is no text would carry the phrase
    with translated_errors():
        return KeyTree.from_phrase(phrase)


def unseal(
    opener: Callable[[SealingKey, bytes, bytes], Handle],
    key: SealingKey,
    sealed: bytes,
    aad: bytes,
) -> Handle:
    """Open a sealed handle, e.g. `unseal(ViewKey.unseal, key, sealed, aad)`; `sealed_invalid`."""
    with translated_errors():
        return opener(key, sealed, aad)


def open_sealed(key: SealingKey, sealed: bytes, aad: bytes) -> bytes:
    """Open sealed plain data (openings, names); `sealed_invalid` if changed or another key's."""
    with translated_errors():
        return key.open(sealed, aad)
