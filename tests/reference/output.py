"""Outputs: 414 bytes from an opening, and back (docs/spec/02).

    core   = v u64 || kind u8 || label u32 || bank u32 || lock32 || expiry u64
    r      = Hs("ephemeral", anchor || A || B || core || memo)     R = r*G
    s      = H("shared", r*A || R || A || B)                       payee: a*R in place of r*A
    t      = Hs("owner", s)      P = B + t*G      m = Hs("mask", s)      C = v*H + m*G
    tag    = H("tag", s)[0]
    hint   = H("client", A || B)[:8] xor H("hint", r*V_bank)[:8]   bank: x*R in place of r*V_bank
    audit  = s xor H("audit", r*V_label)  if label != 0, else  H("audit-pad", s)
    terms  = H("terms", nonce || kind || label || bank || lock || expiry)
    nonce  = H("terms-nonce", s)[:16]
    sealed = ChaCha20-Poly1305(key H("seal", s), nonce 0, aad R || P || C,
                               anchor || v || kind || label || lock || expiry || memo)
    output = P32 || R32 || tag1 || C32 || hint8 || audit32 || terms32 || sealed245

Nobody's secret leaves as bytes in the kernel; here masks and owner keys are plain integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.reference import ristretto
from tests.reference.commitment import commit
from tests.reference.hashing import tagged_hash, tagged_scalar, u8, u32, u64
from tests.reference.refusals import Refused
from tests.reference.schnorr import public_key

OUTPUT_SIZE: Final = 414
OPENING_SIZE: Final = 297
NO_LOCK: Final = bytes(32)
NO_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything an output is made of. `lock` 32 zero bytes, `expiry` 0, `label` 0: none."""

    view_public: bytes
    spend_public: bytes
    bank: int
    anchor: bytes
    value: int
    kind: int
    label: int
    lock: bytes
    expiry: int
    memo: bytes

    def pack(self) -> bytes:
        """The 297 bytes that the kernel takes and gives."""
        start = self.view_public + self.spend_public + u32(self.bank) + self.anchor
        return start + u64(self.value) + self.limits() + self.memo

    def limits(self) -> bytes:
        """kind || label || lock || expiry."""
        return u8(self.kind) + u32(self.label) + self.lock + u64(self.expiry)

    def core(self) -> bytes:
        """What r is bound to."""
        head = u64(self.value) + u8(self.kind) + u32(self.label) + u32(self.bank)
        return head + self.lock + u64(self.expiry)

    def sealed_plain(self) -> bytes:
        """The 229 bytes that only the payee reads."""
        return self.anchor + u64(self.value) + self.limits() + self.memo


@dataclass(frozen=True, slots=True)
class Derived:
    """An output with what its maker and its payee know besides."""

    output: bytes
    shared: bytes
    mask: int
    owner_tweak: int
    terms_nonce: bytes


def unpack_opening(data: bytes) -> Opening:
    """The inverse of `Opening.pack`."""
    assert len(data) == OPENING_SIZE
    return Opening(
        view_public=data[:32],
        spend_public=data[32:64],
        bank=int.from_bytes(data[64:68], "little"),
        anchor=data[68:84],
        value=int.from_bytes(data[84:92], "little"),
        kind=data[92],
        label=int.from_bytes(data[93:97], "little"),
        lock=data[97:129],
        expiry=int.from_bytes(data[129:137], "little"),
        memo=data[137:],
    )


def derive_anchor(wallet_secret: bytes, random: bytes, first_input: bytes, index: int) -> bytes:
    """16 bytes that stay unguessable if either the wallet's secret or the randomness does."""
    return tagged_hash("anchor", wallet_secret + random + first_input + u32(index))[:16]


def derive_output(opening: Opening, bank_scan: bytes, audit_key: bytes | None) -> Derived:
    """The payer's side: all 414 bytes follow from the opening and two public keys."""
    if (audit_key is not None) != (opening.label != 0):
        raise Refused("audit_key_invalid")
    view = ristretto.decode_key(opening.view_public)
    ristretto.decode_key(opening.spend_public)
    keys = opening.view_public + opening.spend_public
    r = tagged_scalar("ephemeral", opening.anchor + keys + opening.core() + opening.memo)
    ephemeral = public_key(r)
    shared = derive_shared(ristretto.encode(ristretto.multiply(r, view)), ephemeral, keys)
    tweak, mask = tagged_scalar("owner", shared), tagged_scalar("mask", shared)
    owner, commitment = tweak_key(opening.spend_public, tweak), commit(opening.value, mask)
    nonce = tagged_hash("terms-nonce", shared)[:16]
    sealed = ChaCha20Poly1305(tagged_hash("seal", shared)).encrypt(
        NO_NONCE, opening.sealed_plain(), ephemeral + owner + commitment
    )
    parts = (
        owner,
        ephemeral,
        tagged_hash("tag", shared)[:1],
        commitment,
        derive_hint(keys, multiply_key(r, bank_scan)),
        derive_audit(shared, r, audit_key),
        derive_terms(nonce, opening),
        sealed,
    )
    return Derived(b"".join(parts), shared, mask, tweak, nonce)


def derive_shared(product: bytes, ephemeral: bytes, keys: bytes) -> bytes:
    """s, from r*A or a*R."""
    return tagged_hash("shared", product + ephemeral + keys)


def derive_hint(keys: bytes, product: bytes) -> bytes:
    """Which client, readable by the serving bank only; `product` is r*V_bank or x*R."""
    return xor(tagged_hash("client", keys)[:8], tagged_hash("hint", product)[:8])


def derive_audit(shared: bytes, r: int, audit_key: bytes | None) -> bytes:
    """s for the label's authority, or padding that looks the same."""
    if audit_key is None:
        return tagged_hash("audit-pad", shared)
    return xor(shared, tagged_hash("audit", multiply_key(r, audit_key)))


def derive_terms(nonce: bytes, opening: Opening) -> bytes:
    """The public hash of kind, label, bank, lock and expiry."""
    head = nonce + u8(opening.kind) + u32(opening.label) + u32(opening.bank)
    return tagged_hash("terms", head + opening.lock + u64(opening.expiry))


def derive_reference(output: bytes) -> bytes:
    """OutputRef."""
    return tagged_hash("output", output)


def open_output(
    output: bytes,
    view: int,
    spend_public: bytes,
    bank: int,
    bank_scan: bytes,
    audit_keys: Mapping[int, bytes],
) -> Opening | None:
    """The payee's side. None: not ours. Refused: ours by its owner key, but does not rebuild."""
    owner, ephemeral, tag = output[:32], output[32:64], output[64:65]
    keys = public_key(view) + spend_public
    shared = derive_shared(multiply_key(view, ephemeral), ephemeral, keys)
    if tagged_hash("tag", shared)[:1] != tag:
        return None
    if tweak_key(spend_public, tagged_scalar("owner", shared)) != owner:
        return None
    plain = _unseal(shared, output)
    opening = unpack_opening(keys + u32(bank) + plain)
    audit_key = audit_keys.get(opening.label)
    if opening.label and audit_key is None:
        raise Refused("opening_mismatch")
    rebuilt = derive_output(opening, bank_scan, audit_key if opening.label else None)
    if rebuilt.output != output:
        raise Refused("opening_mismatch")
    return opening


def open_audit(output: bytes, authority_scan: int) -> tuple[int, bytes]:
    """The authority's side of labelled money: (amount, memo) with x of V_label = x*G."""
    ephemeral, audit = output[32:64], output[105:137]
    product = multiply_key(authority_scan, ephemeral)
    plain = _unseal(xor(audit, tagged_hash("audit", product)), output)
    return int.from_bytes(plain[16:24], "little"), plain[69:]


def owner_key(spend: int, view: int, output: bytes) -> int:
    """b + t, checked against the output's P."""
    ephemeral = output[32:64]
    keys = public_key(view) + public_key(spend)
    shared = derive_shared(multiply_key(view, ephemeral), ephemeral, keys)
    secret = spend + tagged_scalar("owner", shared)
    if public_key(secret) != output[:32]:
        raise Refused("opening_mismatch")
    return secret


def multiply_key(secret: int, public: bytes) -> bytes:
    """Diffie-Hellman: secret * public, encoded; the identity is refused."""
    return ristretto.encode(ristretto.multiply(secret, ristretto.decode_key(public)))


def tweak_key(public: bytes, tweak: int) -> bytes:
    """public + tweak*G."""
    moved = ristretto.multiply(tweak, ristretto.BASE)
    return ristretto.encode(ristretto.add(ristretto.decode_key(public), moved))


def xor(left: bytes, right: bytes) -> bytes:
    """Byte by byte."""
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def _unseal(shared: bytes, output: bytes) -> bytes:
    owner, ephemeral, commitment, sealed = (
        output[:32],
        output[32:64],
        output[65:97],
        output[169:],
    )
    try:
        return ChaCha20Poly1305(tagged_hash("seal", shared)).decrypt(
            NO_NONCE, sealed, ephemeral + owner + commitment
        )
    except InvalidTag:
        raise Refused("opening_mismatch") from None
