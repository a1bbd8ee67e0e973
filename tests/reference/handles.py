"""Secrets that a test knows, as the kernel's handles; and the bytes inside a handle.

The kernel lets secrets in and out only sealed, so this goes through the twin of sealing.
"""

from collections.abc import Callable
from functools import cache
from typing import Final, Protocol, TypeVar

from specie import _kernel as kernel
from tests.reference import sealing
from tests.reference.hashing import encode_scalar

PASSPHRASE: Final = b"a passphrase that only tests use"
SALT: Final = b"sixteen bytes ok"
AAD: Final = b"tests"
NONCE: Final = bytes(24)

T = TypeVar("T")


class _Sealable(Protocol):
    def seal(self, key: kernel.SealingKey, aad: bytes) -> bytes: ...


@cache
def native_key() -> kernel.SealingKey:
    """The sealing key as a handle."""
    return kernel.SealingKey.derive(PASSPHRASE, SALT, 64, 1, 1)


@cache
def plain_key() -> bytes:
    """The same key as bytes."""
    return sealing.derive_key(PASSPHRASE, SALT, 64, 1, 1)


def expose(handle: _Sealable, kind: str) -> bytes:
    """The secret bytes inside a handle."""
    return sealing.unseal(plain_key(), kind, handle.seal(native_key(), AAD), AAD)


def view_key(secret: int) -> kernel.ViewKey:
    """a as a handle."""
    return _enter(kernel.ViewKey.unseal, "view-key", encode_scalar(secret))


def spend_key(secret: int) -> kernel.SpendKey:
    """b as a handle."""
    return _enter(kernel.SpendKey.unseal, "spend-key", encode_scalar(secret))


def scan_key(secret: int) -> kernel.ScanKey:
    """x as a handle."""
    return _enter(kernel.ScanKey.unseal, "scan-key", encode_scalar(secret))


def signing_key(secret: int) -> kernel.SigningKey:
    """A Schnorr secret as a handle."""
    return _enter(kernel.SigningKey.unseal, "signing-key", encode_scalar(secret))


def institution_key(seed: bytes) -> kernel.InstitutionKey:
    """An Ed25519 seed as a handle."""
    return _enter(kernel.InstitutionKey.unseal, "institution-key", seed)


def vrf_key(secret: int) -> kernel.VrfKey:
    """A secret of the random function as a handle."""
    return _enter(kernel.VrfKey.unseal, "vrf-key", encode_scalar(secret))


def _enter(unseal: Callable[[kernel.SealingKey, bytes, bytes], T], kind: str, raw: bytes) -> T:
    return unseal(native_key(), sealing.seal(plain_key(), NONCE, kind, raw, AAD), AAD)
