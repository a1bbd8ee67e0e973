"""Whoever hears no answer is told the order's id: the same under it again is the same order.

Without it they would have to begin another one, and pay twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from specie.cli.stopping import Stopped
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_PASSING: Final = frozenset(
    {
        ErrorCode.UNREACHABLE,
        ErrorCode.CORE_BANK_UNREACHABLE,
        ErrorCode.RATE_EXCEEDED,
        ErrorCode.DRAINING,
        ErrorCode.INTERNAL,
    }
)
"""Nothing was decided for good: the same may be sent again."""


@contextmanager
def naming_order(
    identifier: bytes, option: str = "--order", find_end: Callable[[], str] = str
) -> Iterator[None]:
    """Around what records or sends it: an error that settles nothing, or a stop, names the id.

    `find_end` looks what has become of it and says so, if there is more to say than that.
    """
    advice = f"recorded or sent perhaps: go on with {option} {identifier.hex()}"
    try:
        yield
    except SpecieError as error:
        known = find_end()
        if not known and error.code not in _PASSING:
            raise
        raise SpecieError(error.code, f"{error.message}; {known or advice}") from None
    except Stopped as stopped:
        stopped.note = advice
        raise
