"""Points and scalars from outside (spec page 01): one spelling each, and never the identity."""

from collections.abc import Iterable

from specie._kernel import check_point as _check_point
from specie._kernel import check_scalar as _check_scalar
from specie.crypto.native import translated_errors
from specie.values.identifiers import Scalar


def check_points(points: Iterable[bytes]) -> None:
    """`point_invalid` or `identity_point` unless each is a canonical point and not the identity."""
    with translated_errors():
        for point in points:
            _check_point(point)


def check_scalar(scalar: bytes) -> Scalar:
    """`scalar_invalid` unless it is below the group's order."""
    with translated_errors():
        _check_scalar(scalar)
    return Scalar(scalar)
