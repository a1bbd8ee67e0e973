"""Sums of commitments for the public check (spec page 05).

Σ C_created - Σ C_spent - supply·H - ΣK - Σo·G = 0
"""

from collections.abc import Sequence

from specie._kernel import PointSum
from specie._kernel import sum_scalars as _sum_scalars
from specie.crypto.native import translated_errors
from specie.values.identifiers import Scalar


class SupplySum:
    """Running sum over a ledger; bounded memory whatever its length."""

    __slots__ = ("_sum",)

    def __init__(self) -> None:
        self._sum = PointSum()

    def add_commitments(self, commitments: Sequence[bytes]) -> None:
        """Created outputs."""
        with translated_errors():
            self._sum.add_points(b"".join(commitments))

    def subtract_commitments(self, commitments: Sequence[bytes]) -> None:
        """Spent outputs, and kernels."""
        with translated_errors():
            self._sum.subtract_points(b"".join(commitments))

    def subtract_offset(self, offset: Scalar) -> None:
        """A batch's Σo."""
        with translated_errors():
            self._sum.subtract_blinding(offset)

    def subtract_supply(self, supply: int) -> None:
        """The issued total, in minor units."""
        with translated_errors():
            self._sum.add_value(-supply)

    def verify_balanced(self) -> None:
        """`balance_invalid` unless everything cancels."""
        with translated_errors():
            self._sum.verify_zero()


def sum_scalars(scalars: Sequence[Scalar]) -> Scalar:
    """Σ mod ℓ."""
    with translated_errors():
        return Scalar(_sum_scalars(b"".join(scalars)))
