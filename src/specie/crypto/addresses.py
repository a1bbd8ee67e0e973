"""Addresses: where a payee is paid (spec page 01).

payload = version u8 ‖ bank u32 ‖ A32 ‖ B32
address = bech32m(prefix, payload ‖ H("address", prefix ‖ 0x00 ‖ payload)[:8])
"""

from dataclasses import dataclass
from typing import Final

from specie._kernel import bech32m_decode, bech32m_encode, check_point
from specie.crypto.hashing import tagged_hash
from specie.crypto.native import translated_errors
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, encode_text, u8, u32
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber, PublicKey

_VERSION: Final = 1
_CHECK_SIZE: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Public view key A and spend key B, and the bank that serves them."""

    bank: ParticipantNumber
    view: PublicKey
    spend: PublicKey

    def client_tag(self) -> bytes:
        """H("client", A ‖ B)[:8]: by it a bank finds its client in an output's hint."""
        return tagged_hash("client", self.view, self.spend)[:_CHECK_SIZE]


def format_address(address: Address, prefix: str) -> str:
    """The text form on the network with this address prefix."""
    payload = u8(_VERSION) + u32(address.bank) + address.view + address.spend
    with translated_errors():
        return bech32m_encode(prefix, payload + _compute_check(prefix, payload))


def parse_address(text: str, prefix: str) -> Address:
    """Refuses another network's prefix, every typing error, and keys that are not points."""
    encode_text(text)  # else what is no text is refused with an error that carries it
    with translated_errors():
        found, raw = bech32m_decode(text)
    if found != prefix:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "the address belongs to another network")
    reader = Reader(raw)
    payload = reader.take(69)
    check = reader.take(_CHECK_SIZE)
    reader.finish()
    if check != _compute_check(prefix, payload):
        raise SpecieError(ErrorCode.ADDRESS_INVALID, "the address has a typing error")
    fields = Reader(payload)
    if fields.u8() != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown address version")
    bank = ParticipantNumber(fields.u32())
    view, spend = PublicKey(fields.take(32)), PublicKey(fields.take(32))
    with translated_errors():
        check_point(view)
        check_point(spend)
    return Address(bank, view, spend)


def _compute_check(prefix: str, payload: bytes) -> bytes:
    return tagged_hash("address", prefix.encode(), b"\0", payload)[:_CHECK_SIZE]
