"""What wrong equations leave, by plain arithmetic (tests/reference), and moving what they leave.

signature   s·G - R - c·P                                        = 0
balance     ΣC_out - ΣC_in - value·H - ΣK - o·G                  = 0
"""

from dataclasses import replace

from tests.kernel_batches.statements import Parts, Record, move_response
from tests.reference import ristretto, schnorr
from tests.reference.commitment import value_generator
from tests.reference.hashing import decode_scalar
from tests.reference.ristretto import BASE, IDENTITY, Point


def compute_signature_residue(record: Record) -> Point:
    """s·G - R - c·P."""
    public, message, signature = record
    s = decode_scalar(signature[32:63] + bytes([signature[63] & 0x7F]))
    c = schnorr.challenge(public, message, signature[:32])
    expected = ristretto.subtract(
        ristretto.multiply(s, BASE), ristretto.multiply(c, ristretto.decode(public))
    )
    return ristretto.subtract(expected, ristretto.decode(signature[:32]))


def compute_balance_residue(parts: Parts) -> Point:
    """ΣC_out - ΣC_in - value·H - ΣK - o·G."""
    assert parts.offset is not None
    total = ristretto.multiply_many(
        [-parts.value, -decode_scalar(parts.offset)], [value_generator(), BASE]
    )
    for output in parts.outputs:
        total = ristretto.add(total, ristretto.decode(output))
    kernels = [public for public, _, _ in parts.signatures[: parts.kernels]]
    for taken in (*parts.inputs, *kernels):
        total = ristretto.subtract(total, ristretto.decode(taken))
    return total


def add_all(*points: Point) -> Point:
    """Their sum."""
    total = IDENTITY
    for point in points:
        total = ristretto.add(total, point)
    return total


def check_cancelling(*residues: Point) -> None:
    """None is zero, yet their sum is: with equal weights they would pass."""
    assert not any(ristretto.is_identity(residue) for residue in residues)
    assert ristretto.is_identity(add_all(*residues))


def put_signature(parts: Parts, place: int, record: Record) -> Parts:
    """The same statement with another signature."""
    signatures = list(parts.signatures)
    signatures[place] = record
    return replace(parts, signatures=tuple(signatures))


def move(record: Record, step: int) -> Record:
    """The record with s + step."""
    return record[0], record[1], move_response(record[2], step)
