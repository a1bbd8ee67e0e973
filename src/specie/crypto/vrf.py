"""A verifiable random function (spec page 01): one value for each key and message.

    γ = x·h(P, message)      value = γ32 ‖ proof64

Who has the key says γ and proves it; nobody else can guess it, or name another for this message.
"""

from typing import Final

from specie._kernel import verify_vrf as _verify
from specie.crypto.native import translated_errors
from specie.crypto.secrets import VrfKey
from specie.values.identifiers import Digest, PublicKey

VALUE_BYTES: Final = 96
_POINT_BYTES: Final = 32


def evaluate(key: VrfKey, message: Digest) -> bytes:
    """γ of a tagged hash, and the proof of it, 96 bytes; the proof differs each time."""
    with translated_errors():
        return key.evaluate(message)


def verify_value(public: PublicKey, message: Digest, value: bytes) -> bytes:
    """γ, once the proof holds; `proof_invalid` otherwise."""
    with translated_errors():
        _verify(public, message, value)
    return get_output(value)


def get_output(value: bytes) -> bytes:
    """γ of a value that is our own."""
    return value[:_POINT_BYTES]
