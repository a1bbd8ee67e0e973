"""Turns the kernel's errors into ours, code for code."""

from collections.abc import Iterator
from contextlib import contextmanager

from specie._kernel import KernelError
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


@contextmanager
def translated_errors() -> Iterator[None]:
    """Within: a `KernelError` leaves as the `SpecieError` of the same code."""
    try:
        yield
    except KernelError as error:
        raise SpecieError(ErrorCode(error.code), str(error.args[1])) from None
