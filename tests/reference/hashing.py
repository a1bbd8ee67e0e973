"""Tagged hashes (docs/spec/00).

H(tag, x)  = SHA-256("specie/v1/" || tag || 0x00 || x)              32 bytes
Hs(tag, x) = SHA-512("specie/v1/" || tag || 0x00 || x) mod l        little-endian, 64 bytes in
l          = 2^252 + 27742317777372353535851937790883648493
"""

import hashlib
from typing import Final

from tests.reference.refusals import Refused

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
PREFIX: Final = b"specie/v1/"


def frame(tag: str, data: bytes) -> bytes:
    """What goes into the hash function. A tag is 1 to 32 ASCII bytes without 0x00."""
    raw = tag.encode()
    if not 1 <= len(raw) <= 32 or not tag.isascii() or b"\x00" in raw:
        raise Refused("tag_invalid")
    return PREFIX + raw + b"\x00" + data


def tagged_hash(tag: str, data: bytes) -> bytes:
    """H(tag, data)."""
    return hashlib.sha256(frame(tag, data)).digest()


def tagged_hash_many(tag: str, records: bytes, width: int) -> bytes:
    """H(tag, record) of each record of `width` bytes."""
    if width == 0 or len(records) % width:
        raise Refused("size_invalid")
    starts = range(0, len(records), width)
    return b"".join(tagged_hash(tag, records[at : at + width]) for at in starts)


def tagged_scalar(tag: str, data: bytes) -> int:
    """Hs(tag, data)."""
    return int.from_bytes(hashlib.sha512(frame(tag, data)).digest(), "little") % ORDER


def encode_scalar(scalar: int) -> bytes:
    """32 bytes of a scalar, reduced."""
    return (scalar % ORDER).to_bytes(32, "little")


def decode_scalar(data: bytes) -> int:
    """The one canonical spelling of a scalar; 32 bytes, below l."""
    if len(data) != 32:
        raise Refused("size_invalid")
    value = int.from_bytes(data, "little")
    if value >= ORDER:
        raise Refused("scalar_invalid")
    return value


def u8(value: int) -> bytes:
    """One byte."""
    return value.to_bytes(1, "little")


def u16(value: int) -> bytes:
    """Two bytes, little-endian."""
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    """Four bytes, little-endian."""
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    """Eight bytes, little-endian."""
    return value.to_bytes(8, "little")


def i64(value: int) -> bytes:
    """Eight bytes, two's complement, little-endian; -2^63 is refused."""
    if value == -(2**63):
        raise Refused("amount_out_of_range")
    return value.to_bytes(8, "little", signed=True)
