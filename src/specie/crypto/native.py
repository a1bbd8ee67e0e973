"""Turns the kernel's errors into ours, code for code."""

from types import TracebackType

from specie._kernel import KernelError
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


class _Translation:
    """Has no state, so that one serves all: a payment passes here some thirty times."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, KernelError):
            raise translate(error) from None


def translate(error: KernelError) -> SpecieError:
    """Ours of the same code."""
    return SpecieError(ErrorCode(error.code), str(error.args[1]))


_TRANSLATION = _Translation()


def translated_errors() -> _Translation:
    """Within: a `KernelError` leaves as the `SpecieError` of the same code."""
    return _TRANSLATION
