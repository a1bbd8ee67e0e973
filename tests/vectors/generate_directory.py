"""Makes `directory.json`: the secret function, entries, leaves, promises (docs/spec/01, 09)."""

import hashlib
import struct
from collections.abc import Mapping
from typing import Any, Final

from specie import _kernel as kernel
from tests.reference import hashing, schnorr, vrf
from tests.reference.building import NETWORK, NOT_AFTER, NOT_BEFORE, Draw
from tests.vectors.generate_ledger import get_ed25519_public, sign_ed25519

Content = dict[str, Any]

_ORDER: Final = hashing.ORDER
_ENTRIES: Final[Mapping[str, tuple[str, int, int, str]]] = {
    "active, with a name": ("+77015550101", 1, 1, "Дана Қуанова"),
    "hidden": ("+4915112345678", 2, 2, ""),
    "closed by its owner": ("+1234567", 3, 2, ""),
}


def make_directory(old: Mapping[str, Any]) -> Content:
    """Everything from seeds, but what the kernel has evaluated: its proofs are hedged."""
    draw = Draw(b"directory.json")
    made = [_evaluate_plainly(draw) for _ in range(3)]
    kept = [one for one in old.get("values", []) if one["made_by"] == "kernel"]
    return {
        "provenance": "docs/spec/01 and 09. Entries, leaves and promises packed with struct and "
        "hashed by tests/reference, Ed25519 by `cryptography`. made_by twin: tests/reference with "
        "given nonces; made_by kernel: schnorrkel 0.11.5 through specie._kernel, made once.",
        "values": [*made, *(kept or [_evaluate_natively(place) for place in range(3)])],
        "refused_values": _forge(draw),
        "network": NETWORK.hex(),
        "entries": [_make_entry(name, fields) for name, fields in _ENTRIES.items()],
    }


def _make_entry(name: str, fields: tuple[str, int, int, str]) -> Content:
    """From the number to the promise: all that is hashed and signed, but the Schnorr signatures."""
    phone, state, authority, shown = fields
    draw = Draw(f"directory.json, {name}".encode())
    secret, owner, view = draw.scalar(), draw.scalar(), draw.scalar()
    list_seed, bank_seed, notary_seed = draw.take(32), draw.take(32), draw.take(32)
    public = schnorr.public_key(secret)
    message = hashing.tagged_hash("phone", NETWORK + phone.encode().ljust(16, b"\0"))
    value = vrf.evaluate(secret, draw.scalar(), message)
    index = hashing.tagged_hash("phone-index", public + value[:32])
    keys = schnorr.public_key(view) + schnorr.public_key(owner)
    head = struct.pack("<B16s32sIBBII", 1, NETWORK, index, 2**32 - 1, state, authority, 2, 3)
    rest = struct.pack("<Q16s48s", NOT_BEFORE, draw.take(16), shown.encode())
    entry = head + keys + rest
    entry_hash = hashing.tagged_hash("directory-entry", entry)
    said = index + struct.pack("<I", 2**32 - 1) + public + entry_hash
    signature = sign_ed25519(list_seed, hashing.tagged_hash("directory-leaf", NETWORK + said))
    leaf = b"\x06" + said + signature
    leaf_hash = hashlib.sha256(b"\0" + leaf).digest()
    promised = hashing.tagged_hash(
        "directory-promise", NETWORK + leaf_hash + struct.pack("<Q", NOT_AFTER)
    )
    owned = hashing.tagged_hash("directory-owner", entry)
    return {
        "name": name,
        "phone": phone,
        "public": public.hex(),
        "value": value.hex(),
        "index": index.hex(),
        "entry": entry.hex(),
        "hash": entry_hash.hex(),
        "owner": schnorr.sign(owner, draw.scalar(), owned).hex(),
        "bank_key": get_ed25519_public(bank_seed).hex(),
        "bank": sign_ed25519(bank_seed, hashing.tagged_hash("directory-bank", entry)).hex(),
        "list_key": get_ed25519_public(list_seed).hex(),
        "leaf": leaf.hex(),
        "notary_key": get_ed25519_public(notary_seed).hex(),
        "publish_by": NOT_AFTER,
        "promise": sign_ed25519(notary_seed, promised).hex(),
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
