"""What has to hold for a transaction, checked one thing at a time (docs/spec/03).

    every signature holds;  every proof holds over the outputs it covers, in order
    sum C_out - sum C_in - value*H = sum K_i + o*G        skipped if o is not given

The kernel verifies many statements as one random combination; here nothing is combined. What
cannot be read is named by itself (`point`, `scalar`) and so is everything that depends on it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.reference import ristretto, schnorr
from tests.reference.commitment import PointSum
from tests.reference.hashing import decode_scalar
from tests.reference.range_proof import verify_range
from tests.reference.refusals import Refused

RECORD: Final = 128

Failure = tuple[int, str, int]
"""(statement, part, position inside the part)"""


@dataclass(frozen=True, slots=True)
class Statement:
    """As the kernel's `Statement`; a signature is public32 || message32 || signature64."""

    signatures: bytes
    kernels: int
    inputs: bytes
    outputs: bytes
    value: int
    offset: bytes | None
    proofs: Sequence[tuple[bytes, int]]


def find_failures(statements: Sequence[Statement]) -> tuple[Failure, ...]:
    """Every part that does not hold, sorted; empty if all hold."""
    failures = [
        (index, part, position)
        for index, statement in enumerate(statements)
        for part, position, check in _list_checks(statement)
        if _fails(check)
    ]
    return tuple(sorted(failures))


def split_records(signatures: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """(public, message, signature) of each record."""
    starts = range(0, len(signatures), RECORD)
    records = [signatures[at : at + RECORD] for at in starts]
    return [(record[:32], record[32:64], record[64:]) for record in records]


def _list_checks(statement: Statement) -> Iterator[tuple[str, int, Callable[[], object]]]:
    for at, record in enumerate(split_records(statement.signatures)):
        rest = at - statement.kernels
        part = ("kernel", at) if rest < 0 else ("signature", rest)
        yield *part, partial(schnorr.verify, *record)
    points = statement.inputs + statement.outputs
    for at in range(len(points) // 32):
        yield "point", at, partial(ristretto.decode_key, points[32 * at : 32 * at + 32])
    start = 0
    for at, (proof, covers) in enumerate(statement.proofs):
        covered = statement.outputs[32 * start : 32 * (start + covers)]
        start += covers
        yield "proof", at, partial(verify_range, proof, covered)
    if statement.offset is not None:
        yield "scalar", 0, partial(decode_scalar, statement.offset)
        yield "balance", 0, partial(verify_balance, statement, statement.offset)


def verify_balance(statement: Statement, offset: bytes) -> None:
    """Refuses unless both sides are the same point."""
    total = PointSum()
    total.add_points(statement.outputs)
    total.subtract_points(statement.inputs)
    total.add_value(-statement.value)
    for public, _, _ in split_records(statement.signatures)[: statement.kernels]:
        total.subtract_points(public)
    total.subtract_blinding(offset)
    total.verify_zero()


def _fails(check: Callable[[], object]) -> bool:
    try:
        check()
    except Refused:
        return True
    return False
