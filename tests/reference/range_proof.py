"""Bulletproofs+ range proofs, 64 bits, one or more commitments (eprint 2020/735, docs/spec/03).

Byte-compatible with tari_bulletproofs_plus 0.4: its h is our H (values), its g is our G (masks).
n = 64 bits, m = commitments padded with the identity to a power of two, N = n*m, indexes from 0.

    generators   SHAKE256("GeneratorsChain" || "G" or "H" || party u32), 64 bytes each, mapped
    transcript   label "specie/v1/range"; "dom-sep" "Bulletproofs+ Range Proof"; "H" H; "G" G;
                 "N" 64, "T" 1, "M" m as u64; m times "Ci" C_j; m times "vi - minimum_value" 0
                 "A" A -> y, z;   "L" L_k, "R" R_k -> e_k;   "A1" A1, "B" B -> e
    proof        0x01 || d1 || A || A1 || B || r1 || s1 || (L_k || R_k)...    32 bytes each

    d_i   = z^(2(j+1)) * 2^b                    i = 64 j + b
    A^    = A - z * sum G_i + sum (d_i y^(N-i) + z) H_i + y^(N+1) * sum z^(2(j+1)) C_j
            + ((z - z^2) * sum_{i=1..N} y^i - z y^(N+1) * sum d_i) * H
    P     = A^ + sum (e_k^2 L_k + e_k^-2 R_k)
    s_i   = product over rounds k of e_k if bit k of i (from the top) is set, else of 1/e_k
    G'    = sum s_i y^-i G_i            H' = sum s_i^-1 H_i
    holds   iff   e^2 P + e A1 + B = e r1 G' + e s1 H' + r1 y s1 * H + d1 * G

Not constant-time. One proof at a time, so no batch weights.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.reference import ristretto
from tests.reference.commitment import decode_points, value_generator
from tests.reference.hashing import ORDER, decode_scalar, encode_scalar, u32, u64
from tests.reference.merlin import Transcript
from tests.reference.refusals import Refused
from tests.reference.ristretto import Point

BITS: Final = 64
LABEL: Final = b"specie/v1/range"
DEGREE: Final = 1
COVERS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Proof:
    """The elements of a proof, points still encoded."""

    d1: int
    a: bytes
    a1: bytes
    b: bytes
    r1: int
    s1: int
    left: tuple[bytes, ...]
    right: tuple[bytes, ...]

    def pack(self) -> bytes:
        """577 + 64 log2(m) bytes."""
        head = bytes([DEGREE]) + encode_scalar(self.d1) + self.a + self.a1 + self.b
        rounds = (one + other for one, other in zip(self.left, self.right, strict=True))
        return head + encode_scalar(self.r1) + encode_scalar(self.s1) + b"".join(rounds)


@dataclass(frozen=True, slots=True)
class Challenges:
    """What the transcript answers."""

    y: int
    z: int
    rounds: tuple[int, ...]
    final: int


class RangeTranscript:
    """The Merlin transcript of one proof; prover and verifier walk it alike."""

    def __init__(self, commitments: Sequence[bytes]) -> None:
        inner = Transcript(LABEL)
        inner.append(b"dom-sep", b"Bulletproofs+ Range Proof")
        inner.append(b"H", ristretto.encode(value_generator()))
        inner.append(b"G", ristretto.encode(ristretto.BASE))
        inner.append(b"N", u64(BITS))
        inner.append(b"T", u64(DEGREE))
        inner.append(b"M", u64(len(commitments)))
        for commitment in commitments:
            inner.append(b"Ci", commitment)
        for _ in commitments:
            inner.append(b"vi - minimum_value", u64(0))
        self._inner = inner

    def challenge_y_z(self, a: bytes) -> tuple[int, int]:
        """y and z, after A."""
        self._append(b"A", a)
        return self._challenge(b"y"), self._challenge(b"z")

    def challenge_round(self, left: bytes, right: bytes) -> int:
        """e_k, after L_k and R_k."""
        self._append(b"L", left)
        self._append(b"R", right)
        return self._challenge(b"e")

    def challenge_final(self, a1: bytes, b: bytes) -> int:
        """e, after A1 and B."""
        self._append(b"A1", a1)
        self._append(b"B", b)
        return self._challenge(b"e")

    def _append(self, label: bytes, point: bytes) -> None:
        if point == bytes(32):
            raise Refused("proof_invalid")
        self._inner.append(label, point)

    def _challenge(self, label: bytes) -> int:
        scalar = int.from_bytes(self._inner.challenge(label, 64), "little") % ORDER
        if scalar == 0:
            raise Refused("proof_invalid")
        return scalar


def pad_count(covers: int) -> int:
    """m: the next power of two."""
    if not 1 <= covers <= COVERS_MAX:
        raise Refused("size_invalid")
    return 1 << (covers - 1).bit_length()


def range_proof_size(covers: int) -> int:
    """577 + 64 log2(m)."""
    return 577 + 64 * (pad_count(covers).bit_length() - 1)


@cache
def bit_generators(letter: str, count: int) -> tuple[Point, ...]:
    """`count` generators G_i or H_i, 64 to a party, each party with a chain of its own."""
    points = []
    for party in range(count // BITS):
        label = b"GeneratorsChain" + letter.encode() + u32(party)
        chain = hashlib.shake_256(label).digest(64 * BITS)
        points += [ristretto.map_one_way(chain[64 * i : 64 * i + 64]) for i in range(BITS)]
    return tuple(points)


def weigh_bits(z: int, parties: int) -> list[int]:
    """d_i."""
    return [
        pow(z, 2 * (party + 1), ORDER) * 2**bit % ORDER
        for party in range(parties)
        for bit in range(BITS)
    ]


def verify_range(proof: bytes, commitments: bytes) -> None:
    """Refuses unless every commitment (n*32 bytes) holds an amount in 0..2^64-1."""
    decode_points(commitments)
    count = len(commitments) // 32
    if len(proof) != range_proof_size(count):
        raise Refused("proof_invalid")
    padded = commitments.ljust(32 * pad_count(count), b"\0")
    encoded = [padded[at : at + 32] for at in range(0, len(padded), 32)]
    try:
        parts = unpack_proof(proof)
        challenges = _draw_challenges(parts, RangeTranscript(encoded))
        scalars, points = _check_equation(parts, challenges, encoded)
    except Refused:
        raise Refused("proof_invalid") from None
    if not ristretto.is_identity(ristretto.multiply_many(scalars, points)):
        raise Refused("proof_invalid")


def unpack_proof(proof: bytes) -> Proof:
    """The inverse of `Proof.pack`; scalars must be canonical."""
    if len(proof) % 32 != 1 or proof[0] != DEGREE:
        raise Refused("proof_invalid")
    words = [proof[at : at + 32] for at in range(1, len(proof), 32)]
    return Proof(
        d1=decode_scalar(words[0]),
        a=words[1],
        a1=words[2],
        b=words[3],
        r1=decode_scalar(words[4]),
        s1=decode_scalar(words[5]),
        left=tuple(words[6::2]),
        right=tuple(words[7::2]),
    )


def _draw_challenges(proof: Proof, transcript: RangeTranscript) -> Challenges:
    y, z = transcript.challenge_y_z(proof.a)
    pairs = zip(proof.left, proof.right, strict=True)
    rounds = tuple(transcript.challenge_round(left, right) for left, right in pairs)
    return Challenges(y, z, rounds, transcript.challenge_final(proof.a1, proof.b))


def _check_equation(
    proof: Proof, challenges: Challenges, commitments: Sequence[bytes]
) -> tuple[list[int], list[Point]]:
    """Scalars and points whose sum is (right side) - (left side) of the equation above."""
    y, z, e = challenges.y, challenges.z, challenges.final
    size, parties = BITS * len(commitments), len(commitments)
    top = pow(y, size + 1, ORDER)
    d = weigh_bits(z, parties)
    y_sum = sum(pow(y, i, ORDER) for i in range(1, size + 1))
    folded = _fold_products(challenges.rounds, size)
    y_inverse = pow(y, -1, ORDER)

    terms: list[tuple[int, Point]] = []
    for i, (g, h) in enumerate(
        zip(bit_generators("G", size), bit_generators("H", size), strict=True)
    ):
        shift = d[i] * pow(y, size - i, ORDER) + z
        terms.append((e * proof.r1 * folded[i] * pow(y_inverse, i, ORDER) + e * e * z, g))
        terms.append((e * proof.s1 * pow(folded[i], -1, ORDER) - e * e * shift, h))
    for party, commitment in enumerate(commitments):
        weight = pow(z, 2 * (party + 1), ORDER) * top
        terms.append((-e * e * weight, ristretto.decode(commitment)))
    for challenge, left, right in zip(challenges.rounds, proof.left, proof.right, strict=True):
        terms.append((-e * e * pow(challenge, 2, ORDER), ristretto.decode(left)))
        terms.append((-e * e * pow(challenge, -2, ORDER), ristretto.decode(right)))
    constant = (z - z * z) * y_sum - z * top * sum(d)
    terms.append((proof.r1 * y * proof.s1 - e * e * constant, value_generator()))
    terms.append((proof.d1, ristretto.BASE))
    terms.append((-e * e, ristretto.decode(proof.a)))
    terms.append((-e, ristretto.decode(proof.a1)))
    terms.append((-1, ristretto.decode(proof.b)))
    return [scalar for scalar, _ in terms], [point for _, point in terms]


def _fold_products(rounds: Sequence[int], size: int) -> list[int]:
    """s_i: round k halves by the k-th bit of i from the top."""
    products = [1]
    for challenge in rounds:
        inverse = pow(challenge, -1, ORDER)
        products = [one * part % ORDER for one in products for part in (inverse, challenge)]
    if len(products) != size:
        raise Refused("proof_invalid")
    return products
