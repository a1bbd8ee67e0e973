"""A prover for `range_proof`: Bulletproofs+ with every nonce given. Not constant-time.

a_L = the bits of all values, low bit first        a_R = a_L - 1
A   = sum a_L G_i + sum a_R H_i + alpha * G                         -> y, z
a   = a_L - z        b = a_R + d y^(N-i) + z        alpha += y^(N+1) * sum z^(2(j+1)) m_j

each round, n halves; lo and hi are the halves, w = y^n:                    (old n = 2 n)
L   = sum (a_lo/w) G_hi + sum b_hi H_lo + (sum a_lo y^i b_hi) H + dL G            i = 1..n
R   = sum (a_hi w) G_lo + sum b_lo H_hi + (sum a_hi y^(n+i) b_lo) H + dR G         -> e
G   = G_lo/e + (e/w) G_hi      H = e H_lo + H_hi/e
a   = e a_lo + (w/e) a_hi      b = b_lo/e + e b_hi      alpha += e^2 dL + dR/e^2

A1  = r G + s H' + (r y b + s y a) H + d G        B = r y s H + eta G              -> e
r1  = r + a e      s1 = s + b e      d1 = eta + d e + alpha e^2
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tests.reference import ristretto
from tests.reference.commitment import commit, value_generator
from tests.reference.hashing import ORDER
from tests.reference.range_proof import (
    BITS,
    Proof,
    RangeTranscript,
    bit_generators,
    pad_count,
    weigh_bits,
)
from tests.reference.ristretto import Point


@dataclass(frozen=True, slots=True)
class Nonces:
    """All randomness of one proof: (dL, dR) for each round, and five more."""

    alpha: int
    rounds: tuple[tuple[int, int], ...]
    r: int
    s: int
    d: int
    eta: int


@dataclass(slots=True)
class _Fold:
    """The vectors that every round halves."""

    g: list[Point]
    h: list[Point]
    a: list[int]
    b: list[int]
    alpha: int


def derive_nonces(seed: bytes, covers: int) -> Nonces:
    """Nonces for golden proofs: SHA-512(seed || counter) mod l."""

    def draw(counter: int) -> int:
        wide = hashlib.sha512(seed + counter.to_bytes(4, "little")).digest()
        return int.from_bytes(wide, "little") % ORDER

    count = (BITS * pad_count(covers)).bit_length() - 1
    rounds = tuple((draw(5 + 2 * k), draw(6 + 2 * k)) for k in range(count))
    return Nonces(draw(0), rounds, draw(1), draw(2), draw(3), draw(4))


def prove_range(values: Sequence[int], masks: Sequence[int], nonces: Nonces) -> bytes:
    """A proof that every C(v_j, m_j) is in range; padded with v = 0, m = 0."""
    missing = pad_count(len(values)) - len(values)
    values, masks = [*values, *[0] * missing], [*masks, *[0] * missing]
    size = BITS * len(values)
    transcript = RangeTranscript([commit(v, m) for v, m in zip(values, masks, strict=True)])
    low = [value >> bit & 1 for value in values for bit in range(BITS)]
    high = [bit - 1 for bit in low]
    g, h = list(bit_generators("G", size)), list(bit_generators("H", size))
    a = _encode_sum([*low, *high, nonces.alpha], [*g, *h, ristretto.BASE])

    y, z = transcript.challenge_y_z(a)
    d = weigh_bits(z, len(values))
    fold = _Fold(
        g=g,
        h=h,
        a=[bit - z for bit in low],
        b=[high[i] + d[i] * pow(y, size - i, ORDER) + z for i in range(size)],
        alpha=nonces.alpha
        + pow(y, size + 1, ORDER)
        * sum(pow(z, 2 * (party + 1), ORDER) * mask for party, mask in enumerate(masks)),
    )
    pairs = [_fold_round(fold, y, transcript, pair) for pair in nonces.rounds]
    return _finish(a, pairs, fold, y, transcript, nonces).pack()


def _fold_round(
    fold: _Fold, y: int, transcript: RangeTranscript, blinds: tuple[int, int]
) -> tuple[bytes, bytes]:
    """One halving; gives L and R and changes `fold`."""
    n = len(fold.a) // 2
    weight = pow(y, n, ORDER)
    unweight = pow(weight, -1, ORDER)
    a_lo, a_hi, b_lo, b_hi = fold.a[:n], fold.a[n:], fold.b[:n], fold.b[n:]
    g_lo, g_hi, h_lo, h_hi = fold.g[:n], fold.g[n:], fold.h[:n], fold.h[n:]
    bases = [value_generator(), ristretto.BASE]
    cross_left = sum(a_lo[i] * pow(y, i + 1, ORDER) * b_hi[i] for i in range(n))
    cross_right = sum(a_hi[i] * pow(y, n + i + 1, ORDER) * b_lo[i] for i in range(n))
    left = _encode_sum(
        [*(a * unweight for a in a_lo), *b_hi, cross_left, blinds[0]], [*g_hi, *h_lo, *bases]
    )
    right = _encode_sum(
        [*(a * weight for a in a_hi), *b_lo, cross_right, blinds[1]], [*g_lo, *h_hi, *bases]
    )
    e = transcript.challenge_round(left, right)
    inverse = pow(e, -1, ORDER)
    fold.g = [_pair_sum(inverse, g_lo[i], e * unweight, g_hi[i]) for i in range(n)]
    fold.h = [_pair_sum(e, h_lo[i], inverse, h_hi[i]) for i in range(n)]
    fold.a = [(a_lo[i] * e + a_hi[i] * weight * inverse) % ORDER for i in range(n)]
    fold.b = [(b_lo[i] * inverse + b_hi[i] * e) % ORDER for i in range(n)]
    fold.alpha += e * e * blinds[0] + inverse * inverse * blinds[1]
    return left, right


def _finish(
    a: bytes,
    pairs: Sequence[tuple[bytes, bytes]],
    fold: _Fold,
    y: int,
    transcript: RangeTranscript,
    nonces: Nonces,
) -> Proof:
    """The last step, with vectors of length one."""
    [a_last], [b_last] = fold.a, fold.b
    bases = [value_generator(), ristretto.BASE]
    cross = nonces.r * y * b_last + nonces.s * y * a_last
    a1 = _encode_sum([nonces.r, nonces.s, cross, nonces.d], [*fold.g, *fold.h, *bases])
    b = _encode_sum([nonces.r * y * nonces.s, nonces.eta], bases)
    e = transcript.challenge_final(a1, b)
    return Proof(
        d1=nonces.eta + nonces.d * e + fold.alpha * e * e,
        a=a,
        a1=a1,
        b=b,
        r1=nonces.r + a_last * e,
        s1=nonces.s + b_last * e,
        left=tuple(left for left, _ in pairs),
        right=tuple(right for _, right in pairs),
    )


def _pair_sum(one: int, point: Point, other: int, second: Point) -> Point:
    """one*point + other*second."""
    return ristretto.multiply_many([one, other], [point, second])


def _encode_sum(scalars: Sequence[int], points: Sequence[Point]) -> bytes:
    return ristretto.encode(ristretto.multiply_many(scalars, points))
