"""What else a memo may hold where it shows no name: a return address, or what it returns (page 02).

    body64 ‖ 0xff ‖ kind u8 ‖ rest46        in the place of a name's signature and of the name

    1  return address   body A32 ‖ B32                    rest bank u32 ‖ zeros
    2  refund           body OutputRef ‖ proof            rest zeros

No name in UTF-8 begins with 0xff. Payers write what they like: what is none of these is nothing.
"""

from dataclasses import dataclass
from typing import Final

from specie.crypto.addresses import Address
from specie.values.encoding import u8, u32
from specie.values.identifiers import Digest, OutputRef, ParticipantNumber, PublicKey

NOTE_BYTES: Final = 112
_MARK: Final = 0xFF
_ADDRESS: Final = 1
_REFUND: Final = 2
_BANK_END: Final = 70  # behind body, mark, kind and the bank's number
_REFUND_END: Final = 66


@dataclass(frozen=True, slots=True, repr=False)
class ReturnAddress:
    """Where the payer takes money back: an address of its own that it gave to nobody else."""

    address: Address


@dataclass(frozen=True, slots=True, repr=False)
class RefundReference:
    """Which output this pays back, and that who says so knows what was in it."""

    ref: OutputRef
    proof: Digest


MemoNote = ReturnAddress | RefundReference


def pack_note(note: MemoNote) -> bytes:
    """112 bytes."""
    if isinstance(note, ReturnAddress):
        address = note.address
        kind, body, rest = _ADDRESS, address.view + address.spend, u32(address.bank)
    else:
        kind, body, rest = _REFUND, note.ref + note.proof, b""
    return (body + u8(_MARK) + u8(kind) + rest).ljust(NOTE_BYTES, b"\0")


def read_note(data: bytes) -> MemoNote | None:
    """The inverse; None of what is no note, or has anything where zeros belong."""
    if len(data) != NOTE_BYTES or data[64] != _MARK:
        return None
    first, second = data[:32], data[32:64]
    bank = int.from_bytes(data[66:_BANK_END], "little")
    if data[65] == _ADDRESS and bank and not any(data[_BANK_END:]):
        address = Address(ParticipantNumber(bank), PublicKey(first), PublicKey(second))
        return ReturnAddress(address)
    if data[65] == _REFUND and not any(data[_REFUND_END:]):
        return RefundReference(OutputRef(first), Digest(second))
    return None
