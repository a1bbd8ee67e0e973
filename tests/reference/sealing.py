"""Sealing at rest.

    key    = Argon2id(passphrase, salt; memory, passes, lanes), version 1.3, 32 bytes    RFC 9106
    aad'   = "specie/v1/sealed/" || kind || 0x00 || aad
    sealed = nonce24 || XChaCha20-Poly1305(key, nonce24, aad', plain)                  with tag16

`kind` says what is sealed ("bytes", or the name of a secret), so one never opens as another.
By `argon2-cffi` (the reference C code) and PyNaCl (libsodium).
"""

from argon2.low_level import Type, hash_secret_raw
from nacl import bindings
from nacl.exceptions import CryptoError

from tests.reference.refusals import Refused


def derive_key(passphrase: bytes, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    """32 bytes that cost memory and time to guess."""
    return hash_secret_raw(
        passphrase,
        salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=lanes,
        hash_len=32,
        type=Type.ID,
    )


def seal(key: bytes, nonce: bytes, kind: str, plain: bytes, aad: bytes) -> bytes:
    """nonce24 || ciphertext || tag16, with a given nonce."""
    framed = _frame(kind, aad)
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, framed, nonce, key)
    return nonce + bytes(sealed)


def unseal(key: bytes, kind: str, sealed: bytes, aad: bytes) -> bytes:
    """The plain bytes; refuses a wrong key, another kind or `aad`, and any changed byte."""
    nonce, body = sealed[:24], sealed[24:]
    if len(body) < 16:
        raise Refused("sealed_invalid")
    framed = _frame(kind, aad)
    try:
        return bytes(bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(body, framed, nonce, key))
    except CryptoError:
        raise Refused("sealed_invalid") from None


def _frame(kind: str, aad: bytes) -> bytes:
    return b"specie/v1/sealed/" + kind.encode() + b"\0" + aad
