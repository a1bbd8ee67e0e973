"""Merlin transcripts over STROBE-128 over Keccak-f[1600] (merlin.cool, FIPS 202).

    Transcript(label)            = STROBE("Merlin v1.0"); append("dom-sep", label)
    append(label, message)       = meta-AD(label || len u32); AD(message)
    challenge(label, n)          = meta-AD(label || n u32);   PRF(n)

STROBE keeps 200 bytes of state of which R = 166 take input. Every operation begins by absorbing
(where the last one began, its flags); PRF first runs the permutation. Only the three operations
above are here: nothing in this project's public transcripts needs more.
"""

from typing import Final

_MASK: Final = 2**64 - 1
_RATE: Final = 166
_FLAG_I, _FLAG_A, _FLAG_C, _FLAG_M = 1, 2, 4, 16
_ROTATIONS: Final = (
    (0, 36, 3, 41, 18),
    (1, 44, 10, 45, 2),
    (62, 6, 43, 15, 61),
    (28, 55, 25, 21, 56),
    (27, 20, 39, 8, 14),
)


def _round_constants() -> tuple[int, ...]:
    """iota's constants from their 8-bit shift register (FIPS 202, 3.2.5)."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for position in range(7):
            constant |= (register & 1) << ((1 << position) - 1)
            register <<= 1
            register ^= 0x171 * (register >> 8)
        constants.append(constant)
    return tuple(constants)


_CONSTANTS: Final = _round_constants()


def _rotate(lane: int, count: int) -> int:
    return (lane << count | lane >> (64 - count)) & _MASK


def permute(state: bytes) -> bytes:
    """Keccak-f[1600]: theta, rho, pi, chi, iota, 24 times; lane (x, y) at 8*(x + 5*y)."""
    lanes = [
        [int.from_bytes(state[8 * (x + 5 * y) :][:8], "little") for y in range(5)] for x in range(5)
    ]
    for constant in _CONSTANTS:
        columns = [lane[0] ^ lane[1] ^ lane[2] ^ lane[3] ^ lane[4] for lane in lanes]
        moved = [[0] * 5 for _ in range(5)]
        for x in range(5):
            theta = columns[x - 1] ^ _rotate(columns[(x + 1) % 5], 1)
            for y in range(5):
                turned = _rotate(lanes[x][y] ^ theta, _ROTATIONS[x][y])
                moved[y][(2 * x + 3 * y) % 5] = turned
        lanes = [
            [moved[x][y] ^ (~moved[(x + 1) % 5][y] & moved[(x + 2) % 5][y]) for y in range(5)]
            for x in range(5)
        ]
        lanes[0][0] ^= constant
    return b"".join(lanes[x][y].to_bytes(8, "little") for y in range(5) for x in range(5))


class _Strobe:
    """STROBE-128 v1.0.2 without transport and keys."""

    def __init__(self, protocol: bytes) -> None:
        start = bytes([1, _RATE + 2, 1, 0, 1, 96]) + b"STROBEv1.0.2"
        self.state = bytearray(permute(start.ljust(200, b"\0")))
        self.position = 0
        self.begin = 0
        self.operate(_FLAG_M | _FLAG_A, protocol)

    def operate(self, flags: int, data: bytes) -> None:
        """meta-AD or AD of `data`."""
        self._begin(flags)
        self._absorb(data)

    def squeeze(self, size: int) -> bytes:
        """PRF: `size` bytes out, erased behind us."""
        self._begin(_FLAG_I | _FLAG_A | _FLAG_C)
        out = bytearray()
        for _ in range(size):
            out.append(self.state[self.position])
            self.state[self.position] = 0
            self._advance()
        return bytes(out)

    def _begin(self, flags: int) -> None:
        before, self.begin = self.begin, self.position + 1
        self._absorb(bytes([before, flags]))
        if flags & _FLAG_C and self.position:
            self._run()

    def _absorb(self, data: bytes) -> None:
        for byte in data:
            self.state[self.position] ^= byte
            self._advance()

    def _advance(self) -> None:
        self.position += 1
        if self.position == _RATE:
            self._run()

    def _run(self) -> None:
        self.state[self.position] ^= self.begin
        self.state[self.position + 1] ^= 0x04
        self.state[_RATE + 1] ^= 0x80
        self.state = bytearray(permute(bytes(self.state)))
        self.position = self.begin = 0


class Transcript:
    """A Merlin transcript: append messages, draw challenges that depend on all of them."""

    def __init__(self, label: bytes) -> None:
        self._strobe = _Strobe(b"Merlin v1.0")
        self.append(b"dom-sep", label)

    def append(self, label: bytes, message: bytes) -> None:
        """Bind `message` under `label`."""
        self._strobe.operate(_FLAG_M | _FLAG_A, label + len(message).to_bytes(4, "little"))
        self._strobe.operate(_FLAG_A, message)

    def challenge(self, label: bytes, size: int) -> bytes:
        """`size` bytes that depend on everything appended so far."""
        self._strobe.operate(_FLAG_M | _FLAG_A, label + size.to_bytes(4, "little"))
        return self._strobe.squeeze(size)
