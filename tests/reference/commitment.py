"""Pedersen commitments to amounts (docs/spec/01).

    G = base point of RFC 9496                                        masks, keys
    H = one-way map of SHA-512("specie/v1/generator/value" || 0x00)   values
    C(v, m) = v*H + m*G                                               0 <= v < 2^64

Public check: a running sum of points, v*H and s*G must come to the identity.
"""

import hashlib
from functools import cache

from tests.reference import ristretto
from tests.reference.hashing import ORDER, decode_scalar, encode_scalar, frame
from tests.reference.refusals import Refused
from tests.reference.ristretto import Point


@cache
def value_generator() -> Point:
    """H."""
    return ristretto.map_one_way(hashlib.sha512(frame("generator/value", b"")).digest())


def commit(value: int, mask: int) -> bytes:
    """C(v, m), encoded."""
    assert 0 <= value < 2**64
    return ristretto.encode(
        ristretto.multiply_many([value, mask], [value_generator(), ristretto.BASE])
    )


def sum_scalars(scalars: bytes) -> bytes:
    """Sum of n canonical scalars mod l."""
    if len(scalars) % 32:
        raise Refused("size_invalid")
    parts = (decode_scalar(scalars[at : at + 32]) for at in range(0, len(scalars), 32))
    return encode_scalar(sum(parts) % ORDER)


class PointSum:
    """Twin of the kernel's `PointSum`, one operation at a time."""

    def __init__(self) -> None:
        self.total = ristretto.IDENTITY

    def add_points(self, points: bytes) -> None:
        """Add n encoded points; the identity is refused, and then nothing is added."""
        for point in decode_points(points):
            self.total = ristretto.add(self.total, point)

    def subtract_points(self, points: bytes) -> None:
        """Subtract n encoded points."""
        for point in decode_points(points):
            self.total = ristretto.subtract(self.total, point)

    def add_value(self, value: int) -> None:
        """Add value*H, signed; within 2^127 of zero."""
        if abs(value) >= 2**127:
            raise Refused("value_range")
        part = ristretto.multiply(value % ORDER, value_generator())
        self.total = ristretto.add(self.total, part)

    def add_blinding(self, scalar: bytes) -> None:
        """Add scalar*G."""
        part = ristretto.multiply(decode_scalar(scalar), ristretto.BASE)
        self.total = ristretto.add(self.total, part)

    def subtract_blinding(self, scalar: bytes) -> None:
        """Subtract scalar*G."""
        part = ristretto.multiply(decode_scalar(scalar), ristretto.BASE)
        self.total = ristretto.subtract(self.total, part)

    def verify_zero(self) -> None:
        """Refuses unless the sum is the identity."""
        if not ristretto.is_identity(self.total):
            raise Refused("balance_invalid")

    def encoded(self) -> bytes:
        """The sum so far."""
        return ristretto.encode(self.total)


def decode_points(points: bytes) -> list[Point]:
    """n encoded points, none of them the identity."""
    if len(points) % 32:
        raise Refused("size_invalid")
    return [ristretto.decode_key(points[at : at + 32]) for at in range(0, len(points), 32)]
