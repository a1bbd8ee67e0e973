"""Makes `output.json`: openings of every shape, and what follows from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.reference import schnorr
from tests.reference.building import Draw
from tests.reference.commitment import commit
from tests.reference.hashing import encode_scalar, tagged_hash, u64
from tests.reference.output import NO_LOCK, Opening, derive_output, derive_reference


def make_outputs(_: Mapping[str, Any]) -> dict[str, Any]:
    """One client, one bank, one authority; nine openings."""
    draw = Draw(b"output.json")
    secrets = {name: draw.scalar() for name in ("view", "spend", "bank_scan", "authority_scan")}
    publics = {name: schnorr.public_key(secret) for name, secret in secrets.items()}
    plain = Opening(
        view_public=publics["view"],
        spend_public=publics["spend"],
        bank=7,
        anchor=draw.take(16),
        value=12_345,
        kind=1,
        label=0,
        lock=NO_LOCK,
        expiry=0,
        memo=bytes(160),
    )
    claim = "Bäckerei Müller, Köln".encode().ljust(48, b"\0")
    full = b"".join([bytes([0x11] * 16), bytes([0x22] * 16), bytes([0x33] * 16), draw.take(64)])
    device = schnorr.public_key(draw.scalar())
    lock = tagged_hash("lock-offline", device + bytes([0x44] * 32) + u64(1_800_000_000_000))
    cases = {
        "cash": plain,
        "nothing (a zero change)": replace(plain, value=0),
        "the largest amount": replace(plain, value=2**64 - 1),
        "the smallest bank number": replace(plain, bank=0),
        "labelled, expires": replace(plain, kind=2, label=4_711, expiry=1_900_000_000_000),
        "labelled, largest numbers": replace(plain, kind=2, label=2**32 - 1, bank=2**32 - 1),
        "offline, locked": replace(plain, kind=3, lock=lock),
        "expires": replace(plain, expiry=2**64 - 1),
        "full memo": replace(plain, memo=full + claim),
        "memo of ones": replace(plain, memo=b"\xff" * 160),
        "everything": replace(
            plain, kind=2, label=1, lock=b"\xff" * 32, expiry=1, value=2**63, memo=b"\xff" * 160
        ),
    }
    return {
        "provenance": "docs/spec/02, computed by tests/reference with cryptography's "
        "ChaCha20-Poly1305. `shared` is s, `tweak` is t, `blinding` is m*G.",
        "secrets": {name: encode_scalar(secret).hex() for name, secret in secrets.items()},
        "publics": {name: public.hex() for name, public in publics.items()},
        "outputs": [
            _describe(name, replace(opening, anchor=draw.take(16)), publics, secrets["spend"])
            for name, opening in cases.items()
        ],
    }


def _describe(
    name: str, opening: Opening, publics: Mapping[str, bytes], spend: int
) -> dict[str, Any]:
    audit_key = publics["authority_scan"] if opening.label else None
    derived = derive_output(opening, publics["bank_scan"], audit_key)
    return {
        "name": name,
        "bank": opening.bank,
        "anchor": opening.anchor.hex(),
        "value": opening.value,
        "kind": opening.kind,
        "label": opening.label,
        "lock": opening.lock.hex(),
        "expiry": opening.expiry,
        "memo": opening.memo.hex(),
        "opening": opening.pack().hex(),
        "output": derived.output.hex(),
        "reference": derive_reference(derived.output).hex(),
        "shared": derived.shared.hex(),
        "tweak": encode_scalar(derived.owner_tweak).hex(),
        "owner_secret": encode_scalar(spend + derived.owner_tweak).hex(),
        "mask": encode_scalar(derived.mask).hex(),
        "blinding": commit(0, derived.mask).hex(),
        "commitment": commit(opening.value, derived.mask).hex(),
        "terms_nonce": derived.terms_nonce.hex(),
    }
