"""ristretto255 (RFC 9496) in plain Python. Not constant-time.

    p = 2^255 - 19      d = -121665/121666      curve: -x^2 + y^2 = 1 + d x^2 y^2
    a point is (X : Y : Z : T) with x = X/Z, y = Y/Z, xy = T/Z           extended coordinates
    P ~ Q  <=>  x1 y2 = y1 x2  or  y1 y2 = x1 x2                         RFC 9496 4.3.3

A ristretto element is a class of four such points; `encode` gives all four the same 32 bytes.
"Negative" means odd. Names of constants and steps are those of the RFC.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.reference.hashing import ORDER
from tests.reference.refusals import Refused

P: Final = 2**255 - 19
D: Final = -121665 * pow(121666, -1, P) % P
SQRT_M1: Final = pow(2, (P - 1) // 4, P)
SQRT_AD_MINUS_ONE: Final = (
    25063068953384623474111414158702152701244531502492656460079210482610430750235
)
INVSQRT_A_MINUS_D: Final = (
    54469307008909316920995813868745141605393597292927456921205312896311721017578
)
ONE_MINUS_D_SQ: Final = (1 - D * D) % P
D_MINUS_ONE_SQ: Final = (D - 1) * (D - 1) % P
SCALAR_BITS: Final = 253


class Point(NamedTuple):
    """Extended coordinates, each reduced mod p."""

    x: int
    y: int
    z: int
    t: int


IDENTITY: Final = Point(0, 1, 1, 0)
_BASE_X: Final = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y: Final = 46316835694926478169428394003475163141307993866256225615783033603165251855960
BASE: Final = Point(_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


# --- the group -------------------------------------------------------------------------------


def add(left: Point, right: Point) -> Point:
    """left + right, complete for every pair (Hisil et al. 2008, 3.1, a = -1)."""
    a = (left.y - left.x) * (right.y - right.x) % P
    b = (left.y + left.x) * (right.y + right.x) % P
    c = 2 * D * left.t * right.t % P
    d = 2 * left.z * right.z % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def double(point: Point) -> Point:
    """2 * point (Hisil et al. 2008, 3.3, a = -1)."""
    a = point.x * point.x % P
    b = point.y * point.y % P
    c = 2 * point.z * point.z % P
    h = a + b
    e = h - (point.x + point.y) ** 2
    g = a - b
    f = c + g
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def negate(point: Point) -> Point:
    """-point."""
    return Point(-point.x % P, point.y, point.z, -point.t % P)


def subtract(left: Point, right: Point) -> Point:
    """left - right."""
    return add(left, negate(right))


def multiply(scalar: int, point: Point) -> Point:
    """scalar * point, bit by bit from the top."""
    total = IDENTITY
    for bit in f"{scalar % ORDER:b}":
        total = double(total)
        if bit == "1":
            total = add(total, point)
    return total


def multiply_many(scalars: Sequence[int], points: Sequence[Point]) -> Point:
    """Sum of scalar_i * point_i: Pippenger's buckets, window by window from the top."""
    assert len(scalars) == len(points)
    width = max(2, len(points).bit_length() - 3)
    reduced = [scalar % ORDER for scalar in scalars]
    total = IDENTITY
    for shift in reversed(range(0, SCALAR_BITS, width)):
        for _ in range(width):
            total = double(total)
        total = add(total, _sum_window(reduced, points, shift, width))
    return total


def _sum_window(scalars: Sequence[int], points: Sequence[Point], shift: int, width: int) -> Point:
    """Sum of digit_i * point_i, where digit_i is `width` bits of scalar_i at `shift`."""
    buckets = [IDENTITY] * (1 << width)
    for scalar, point in zip(scalars, points, strict=True):
        digit = scalar >> shift & ((1 << width) - 1)
        if digit:
            buckets[digit] = add(buckets[digit], point)
    running = total = IDENTITY
    for bucket in reversed(buckets[1:]):
        running = add(running, bucket)
        total = add(total, running)
    return total


def is_equal(left: Point, right: Point) -> bool:
    """The same ristretto element (RFC 9496 4.3.3)."""
    crosswise = (left.x * right.y - left.y * right.x) % P
    alongside = (left.y * right.y - left.x * right.x) % P
    return crosswise == 0 or alongside == 0


def is_identity(point: Point) -> bool:
    """The neutral element."""
    return is_equal(point, IDENTITY)


# --- encoding --------------------------------------------------------------------------------


def decode(data: bytes) -> Point:
    """RFC 9496 4.3.1: the strict decoding; refuses every other spelling."""
    if len(data) != 32:
        raise Refused("size_invalid")
    s = int.from_bytes(data, "little")
    if s >= P or _is_negative(s):
        raise Refused("point_invalid")
    ss = s * s % P
    u1, u2 = (1 - ss) % P, (1 + ss) % P
    u2_sqr = u2 * u2 % P
    v = (-D * u1 * u1 - u2_sqr) % P
    was_square, invsqrt = sqrt_ratio_m1(1, v * u2_sqr % P)
    den_x = invsqrt * u2 % P
    den_y = invsqrt * den_x * v % P
    x = _absolute(2 * s * den_x)
    y = u1 * den_y % P
    t = x * y % P
    if not was_square or _is_negative(t) or y == 0:
        raise Refused("point_invalid")
    return Point(x, y, 1, t)


def decode_key(data: bytes) -> Point:
    """`decode` where the identity is refused: keys, ephemerals, kernels, commitments."""
    point = decode(data)
    if is_identity(point):
        raise Refused("identity_point")
    return point


def encode(point: Point) -> bytes:
    """RFC 9496 4.3.2: the same 32 bytes for all four points of the class."""
    x0, y0, z0, t0 = point
    u1 = (z0 + y0) * (z0 - y0) % P
    u2 = x0 * y0 % P
    _, invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2 % P)
    den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inv = den1 * den2 * t0 % P
    if _is_negative(t0 * z_inv % P):
        x, y = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P
        den_inv = den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den_inv = x0, y0, den2
    if _is_negative(x * z_inv % P):
        y = -y % P
    return _absolute(den_inv * (z0 - y)).to_bytes(32, "little")


# --- hashing to the group --------------------------------------------------------------------


def map_one_way(data: bytes) -> Point:
    """RFC 9496 4.3.4: 64 uniform bytes to an element nobody knows the logarithm of."""
    assert len(data) == 64
    mask = 2**255 - 1
    low = int.from_bytes(data[:32], "little") & mask
    high = int.from_bytes(data[32:], "little") & mask
    return add(_map_field(low % P), _map_field(high % P))


def _map_field(t: int) -> Point:
    """MAP of RFC 9496 4.3.4 (Elligator 2 on the Jacobi quartic)."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    was_square, s = sqrt_ratio_m1(u, v)
    c = -1
    if not was_square:
        s = -_absolute(s * t) % P
        c = r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    ss = s * s % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - ss) % P, (1 + ss) % P
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def sqrt_ratio_m1(u: int, v: int) -> tuple[bool, int]:
    """RFC 9496 4.2: (True, sqrt(u/v)) if u/v is a square, else (False, sqrt(i*u/v)); root even."""
    v3 = v * v * v % P
    r = u * v3 * pow(u * v3 * v3 * v % P, (P - 5) // 8, P) % P
    check = v * r * r % P
    correct, flipped = check == u % P, check == -u % P
    flipped_i = check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, _absolute(r)


def _is_negative(element: int) -> bool:
    return element % 2 == 1


def _absolute(element: int) -> int:
    element %= P
    return P - element if _is_negative(element) else element
