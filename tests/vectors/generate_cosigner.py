"""Makes `cosigner.json`: keys published by NIST, signatures that hold forever, and refused ones.

    signature = c~32 ‖ z2304 ‖ h84,  h = indices80 ‖ cuts4

NIST's key pairs are nobody's to make again, and signing is hedged, here and in the PyPI library
`cryptography` (OpenSSL): what the file holds of both is taken over as it is.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from specie import _kernel as kernel
from tests.reference import handles, sealing
from tests.reference.building import Draw

Content = dict[str, Any]

HINT: Final = 2336  # where the hint stands in a signature
OMEGA: Final = 80  # most ones in a hint
MESSAGES: Final = (
    b"",
    b"\x00",
    b"specie.example/log\n20852163\nCsUYapGGPo4dkMgIAUqom\n",
    b"x" * 5000,
)


def is_supported() -> bool:
    """Whether this build of `cryptography` has ML-DSA."""
    try:
        MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    except UnsupportedAlgorithm:
        return False
    return True


def open_key(seed: bytes) -> kernel.CosignerKey:
    """A seed ξ as the kernel's handle, through the twin of sealing."""
    sealed = sealing.seal(handles.plain_key(), handles.NONCE, "cosigner-key", seed, handles.AAD)
    return kernel.CosignerKey.unseal(handles.native_key(), sealed, handles.AAD)


def compute_public(seed: bytes) -> bytes:
    """The public key of a seed, by OpenSSL."""
    return MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def make_cosigner(old: Mapping[str, Any]) -> Content:
    """Three keys, every message signed by both, and what is refused of the first signature."""
    draw = Draw(b"cosigner.json")
    seeds = [draw.take(32) for _ in range(3)]
    signed = old.get("signed") or _sign(seeds)
    return {
        "provenance": "published: NIST, ACVP-Server, ML-DSA-keyGen-FIPS204 (vsId 42), tests of "
        "ML-DSA-44, as packed in the crate fips204 0.5.0. Public keys of `keys`: the PyPI library "
        "`cryptography` (OpenSSL). Signatures: made_by kernel (fips204 0.5.0 through "
        "specie._kernel) or cryptography, both hedged, made once. Seeds are in the open: use them "
        "nowhere. docs/spec/01.",
        "published": old["published"],
        "keys": [{"seed": seed.hex(), "public": compute_public(seed).hex()} for seed in seeds],
        "signed": signed,
        "refused": old.get("refused") or _forge(seeds, signed),
    }


def _sign(seeds: Sequence[bytes]) -> list[Content]:
    """Every message by both, each time with another key."""
    cases = []
    for at, message in enumerate(MESSAGES):
        key = at % len(seeds)
        twin = MLDSA44PrivateKey.from_seed_bytes(seeds[key])
        for made_by, signature in (
            ("kernel", open_key(seeds[key]).sign(message)),
            ("cryptography", twin.sign(message)),
        ):
            cases.append(
                {
                    "made_by": made_by,
                    "key": key,
                    "message": message.hex(),
                    "signature": signature.hex(),
                }
            )
    return cases


def _forge(seeds: Sequence[bytes], signed: Sequence[Mapping[str, Any]]) -> list[Content]:
    """Each is `signature_invalid`: the first signature changed, or of something else."""
    message, good = MESSAGES[0], bytes.fromhex(signed[0]["signature"])
    twin = MLDSA44PrivateKey.from_seed_bytes(seeds[0])
    cases = {
        "another message": (0, MESSAGES[1], good),
        "another key": (1, message, good),
        "a context": (0, message, twin.sign(message, b"specie")),
        "the context's length in the message": (0, b"\x00\x00" + message, good),
        "prehashed message": (0, hashlib.sha512(message).digest(), good),
        "challenge changed": (0, message, flip(good, 0)),
        "response changed": (0, message, flip(good, 1000)),
        "response as large as it can be": (0, message, good[:32] + bytes(3) + good[35:]),
        **{why: (0, message, good[:HINT] + hint) for why, hint in _spoil_hint(good[HINT:]).items()},
        "all zeros": (0, message, bytes(len(good))),
    }
    return [
        {"why": why, "key": key, "message": text.hex(), "signature": signature.hex()}
        for why, (key, text, signature) in cases.items()
    ]


def _spoil_hint(hint: bytes) -> dict[str, bytes]:
    """Spellings that FIPS 204 (Algorithm 21) refuses; the first three say the same hint."""
    indices, cuts = hint[:OMEGA], hint[OMEGA:]
    used = cuts[-1]
    assert 2 <= cuts[0] < cuts[1] and used < OMEGA, "let it sign again"
    repeated = indices[:1] + indices[: OMEGA - 1] + bytes(cut + 1 for cut in cuts)
    swapped = indices[1::-1] + indices[2:] + cuts
    padded = indices[: OMEGA - 1] + b"\x01" + cuts
    return {
        "index of the hint repeated": repeated,
        "indices of the hint swapped": swapped,
        "padding of the hint not zero": padded,
        "cut of the hint above omega": indices + cuts[:3] + bytes([OMEGA + 1]),
        "cuts of the hint falling": indices + bytes([cuts[1], cuts[0]]) + cuts[2:],
        "an index of the hint changed": flip(indices, used - 1) + cuts,
        "no hint": bytes(len(hint)),
    }


def flip(data: bytes, at: int) -> bytes:
    """One bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
