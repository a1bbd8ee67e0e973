"""Points from outside (spec page 01): strict decoding, and never the identity."""

from collections.abc import Iterable

from specie._kernel import check_point as _check_point
from specie.crypto.native import translated_errors


def check_points(points: Iterable[bytes]) -> None:
    """`point_invalid` or `identity_point` unless each is a canonical point and not the identity."""
    with translated_errors():
        for point in points:
            _check_point(point)
