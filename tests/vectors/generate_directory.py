"""Makes `directory.json`: the secret function, entries, leaves, promises (docs/spec/01, 09)."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from specie import _kernel as kernel
from tests.reference import hashing, schnorr, vrf
from tests.reference.building import Draw

Content = dict[str, Any]

_ORDER: Final = hashing.ORDER


def make_directory(old: Mapping[str, Any]) -> Content:
    """Everything from seeds, but what the kernel has evaluated: its proofs are hedged."""
    draw = Draw(b"directory.json")
    made = [_evaluate_plainly(draw) for _ in range(3)]
    kept = [one for one in old.get("values", []) if one["made_by"] == "kernel"]
    return {
        "provenance": "docs/spec/01. made_by twin: tests/reference with given nonces; "
        "made_by kernel: schnorrkel 0.11.5 through specie._kernel, made once.",
        "values": [*made, *(kept or [_evaluate_natively(place) for place in range(3)])],
        "refused_values": _forge(draw),
    }


def _evaluate_plainly(draw: Draw) -> Content:
    secret, nonce, message = draw.scalar(), draw.scalar(), draw.take(32)
    return {
        "made_by": "twin",
        "secret": hashing.encode_scalar(secret).hex(),
        "nonce": hashing.encode_scalar(nonce).hex(),
        "public": schnorr.public_key(secret).hex(),
        "message": message.hex(),
        "value": vrf.evaluate(secret, nonce, message).hex(),
    }


def _evaluate_natively(place: int) -> Content:
    key, message = kernel.VrfKey.generate(), hashlib.sha256(bytes([place])).digest()
    return {
        "made_by": "kernel",
        "public": key.public.hex(),
        "message": message.hex(),
        "value": key.evaluate(message).hex(),
    }


def _forge(draw: Draw) -> list[Content]:
    secret, nonce, message = draw.scalar(), draw.scalar(), draw.take(32)
    public, good = schnorr.public_key(secret), vrf.evaluate(secret, nonce, message)
    gamma, c, s = good[:32], good[32:64], good[64:]
    other = vrf.evaluate(secret, nonce, hashlib.sha256(message).digest())
    beyond = (int.from_bytes(s, "little") + _ORDER).to_bytes(32, "little")
    cases = {
        "another message": (public, hashlib.sha256(message).digest(), good),
        "another key": (schnorr.public_key(secret + 1), message, good),
        "gamma of another message": (public, message, other[:32] + good[32:]),
        "gamma negated": (public, message, _negate(gamma) + c + s),
        "gamma is the identity": (public, message, bytes(32) + c + s),
        "gamma not canonical": (public, message, b"\x01" + bytes(31) + c + s),
        "c and s exchanged": (public, message, gamma + s + c),
        "s + l, a second spelling": (public, message, gamma + c + beyond),
        "P is the identity": (bytes(32), message, good),
        "P not canonical": (b"\x01" + bytes(31), message, good),
    }
    return [
        {"why": why, "public": key.hex(), "message": text.hex(), "value": value.hex()}
        for why, (key, text, value) in cases.items()
    ]


def _negate(point: bytes) -> bytes:
    from_zero = kernel.PointSum()
    from_zero.subtract_points(point)
    return from_zero.encoded()
