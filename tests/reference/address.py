"""Addresses: bech32m without its length limit, and eight hash bytes behind it (docs/spec/01).

payload = version u8 (1) || bank u32 || A32 || B32                       69 bytes
check   = H("address", prefix || 0x00 || payload)[:8]
address = bech32m(prefix, payload || check)

bech32m (BIP-350): prefix "1" data checksum, five bits a letter; the checksum makes
polymod(expand(prefix) || data || checksum) = 0x2bc830a3
"""

from collections.abc import Iterable
from typing import Final

from tests.reference import ristretto
from tests.reference.hashing import tagged_hash, u8, u32
from tests.reference.refusals import Refused

PREFIX_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
PREFIX_LENGTH_MAX: Final = 16
ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CONSTANT: Final = 0x2BC830A3
GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
VERSION: Final = 1


def bech32m_encode(prefix: str, payload: bytes) -> str:
    """prefix, "1", the payload in letters of five bits, six letters of checksum."""
    _check_prefix(prefix)
    return encode_digits(prefix, regroup_out(payload))


def encode_digits(prefix: str, data: list[int]) -> str:
    """The same from groups of five bits; also writes what `bech32m_decode` must refuse."""
    residue = _polymod([*_expand(prefix), *data, 0, 0, 0, 0, 0, 0]) ^ CONSTANT
    checksum = [residue >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(ALPHABET[digit] for digit in [*data, *checksum])


def bech32m_decode(text: str) -> tuple[str, bytes]:
    """The inverse: all lower or all upper case, right checksum, zero padding of under 5 bits."""
    if not text.isascii() or (text != text.lower() and text != text.upper()):
        raise Refused("address_invalid")
    prefix, separator, letters = text.lower().rpartition("1")
    digits = [ALPHABET.find(letter) for letter in letters]
    if not separator or len(digits) < 6 or -1 in digits:
        raise Refused("address_invalid")
    _check_prefix(prefix)
    if _polymod([*_expand(prefix), *digits]) != CONSTANT:
        raise Refused("address_invalid")
    return prefix, _regroup_in(digits[:-6])


def encode_address(prefix: str, bank: int, view_public: bytes, spend_public: bytes) -> str:
    """The address of (A, B) at a bank."""
    payload = u8(VERSION) + u32(bank) + view_public + spend_public
    return bech32m_encode(prefix, payload + _check(prefix, payload))


def decode_address(text: str) -> tuple[str, int, bytes, bytes]:
    """(prefix, bank, A, B); refuses another version, a wrong check, and keys that are no keys."""
    prefix, data = bech32m_decode(text)
    payload, check = data[:69], data[69:]
    if len(data) != 77 or check != _check(prefix, payload) or payload[0] != VERSION:
        raise Refused("address_invalid")
    view_public, spend_public = payload[5:37], payload[37:]
    for key in (view_public, spend_public):
        ristretto.decode_key(key)
    return prefix, int.from_bytes(payload[1:5], "little"), view_public, spend_public


def _check_prefix(prefix: str) -> None:
    """1 to 16 characters a-z, 0-9."""
    if not 1 <= len(prefix) <= PREFIX_LENGTH_MAX or set(prefix) - set(PREFIX_LETTERS):
        raise Refused("address_invalid")


def _check(prefix: str, payload: bytes) -> bytes:
    return tagged_hash("address", prefix.encode() + b"\0" + payload)[:8]


def _expand(prefix: str) -> list[int]:
    high = [ord(letter) >> 5 for letter in prefix]
    return [*high, 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(digits: Iterable[int]) -> int:
    """Remainder of the checksum's polynomial over GF(32)."""
    residue = 1
    for digit in digits:
        top = residue >> 25
        residue = (residue & 0x1FFFFFF) << 5 ^ digit
        for place, term in enumerate(GENERATOR):
            residue ^= term if top >> place & 1 else 0
    return residue


def regroup_out(payload: bytes) -> list[int]:
    """Bytes to groups of five bits, big end first, padded with zeros."""
    bits = "".join(f"{byte:08b}" for byte in payload)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]


def _regroup_in(digits: list[int]) -> bytes:
    """Groups of five bits to bytes; what is left must be under 5 bits and zero."""
    bits = "".join(f"{digit:05b}" for digit in digits)
    whole = len(bits) // 8 * 8
    if len(bits) - whole >= 5 or "1" in bits[whole:]:
        raise Refused("address_invalid")
    return bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))
