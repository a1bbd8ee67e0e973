"""Points and scalars from outside (spec page 01): one spelling each, and never the identity."""

from collections.abc import Sequence
from typing import Final

from specie._kernel import PointSum
from specie._kernel import check_point as _check_point
from specie._kernel import check_scalar as _check_scalar
from specie.crypto.native import translated_errors
from specie.values.identifiers import Scalar

_MANY: Final = 64


def check_points(points: Sequence[bytes]) -> None:
    """`point_invalid` or `identity_point` unless each is a canonical point and not the identity."""
    with translated_errors():
        if len(points) < _MANY:
            for point in points:
                _check_point(point)
        else:  # a sum decodes what it adds as strictly, and on all cores
            PointSum().add_points(b"".join(points))


def check_scalar(scalar: bytes) -> Scalar:
    """`scalar_invalid` unless it is below the group's order."""
    with translated_errors():
        _check_scalar(scalar)
    return Scalar(scalar)
