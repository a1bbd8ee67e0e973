"""Fixed-width little-endian records: a writer and a reader that accepts one spelling only.

Spec page 00. The reader counts every byte: short input is `truncated`, left-over input is
`trailing_bytes`.
"""

import unicodedata
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import SUPPLY_CHANGE_MAX
from specie.values.times import Timestamp, check_timestamp

_REFUSED: Final = {"Cc", "Cs"}  # controls; halves of surrogate pairs, which have no UTF-8


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
    """Eight bytes, two's complement, little-endian."""
    return value.to_bytes(8, "little", signed=True)


def encode_text(text: str) -> bytes:
    """UTF-8; `text_invalid` for what has none. Python's own error would carry the text."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise SpecieError(ErrorCode.TEXT_INVALID, "half a character, which is no text")
    return text.encode()


def pad_text(text: str, size: int) -> bytes:
    """UTF-8 in NFC, padded with zeros to `size`; refuses what is too long or holds a control."""
    normal = unicodedata.normalize("NFC", text)
    raw = normal.encode(errors="replace")
    if len(raw) > size or any(unicodedata.category(letter) in _REFUSED for letter in normal):
        raise SpecieError(ErrorCode.TEXT_INVALID, f"text of at most {size} bytes, no controls")
    return raw.ljust(size, b"\0")


def unpad_text(raw: bytes) -> str:
    """The inverse of `pad_text`; refuses a second spelling."""
    try:
        text = raw.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.TEXT_INVALID, "text is not UTF-8") from None
    if pad_text(text, len(raw)) != raw:
        raise SpecieError(ErrorCode.TEXT_INVALID, "text is not in its one spelling")
    return text


@dataclass(slots=True)
class Reader:
    """Reads fields off the front of `data`; `finish` refuses what is left over."""

    data: bytes
    position: int = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.position + size
        if end > len(self.data):
            raise SpecieError(ErrorCode.TRUNCATED, f"ends at byte {len(self.data)}, needs {end}")
        part = self.data[self.position : end]
        self.position = end
        return part

    def take_many(self, count: int, size: int) -> list[bytes]:
        """The next `count` records of `size` bytes."""
        run = self.take(count * size)
        return [run[place : place + size] for place in range(0, count * size, size)]

    def unpack(self, form: Struct) -> tuple[Any, ...]:
        """The next fields of fixed width; `form` is little-endian without padding."""
        return form.unpack(self.take(form.size))

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two bytes."""
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """Eight bytes."""
        return int.from_bytes(self.take(8), "little")

    def supply_change(self) -> int:
        """Signed; -2**63 has no positive twin and is refused."""
        value = int.from_bytes(self.take(8), "little", signed=True)
        if abs(value) > SUPPLY_CHANGE_MAX:
            raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "supply change out of range")
        return value

    def time(self) -> Timestamp:
        """A time in milliseconds."""
        return check_timestamp(self.u64())

    def count(self, least: int, most: int, what: str) -> int:
        """A one-byte count within its limits."""
        number = self.u8()
        if not least <= number <= most:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{what}: {number}, {least}-{most} allowed")
        return number

    def finish(self) -> None:
        """Every byte must be accounted for."""
        if self.position != len(self.data):
            left = len(self.data) - self.position
            raise SpecieError(ErrorCode.TRAILING_BYTES, f"{left} bytes after the end")


def split_fixed(data: bytes, size: int) -> list[bytes]:
    """Cut a run of equal records; refuses a remainder."""
    if len(data) % size:
        raise SpecieError(ErrorCode.TRUNCATED, f"not a whole number of {size}-byte records")
    return [data[start : start + size] for start in range(0, len(data), size)]
