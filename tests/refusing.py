"""How tests ask for a refusal: its code, or that there is none."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pytest

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

P = ParamSpec("P")
T = TypeVar("T")


def refuse(call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> ErrorCode:
    """The code with which a call refuses; it must refuse."""
    with pytest.raises(SpecieError) as refused:
        call(*args, **kwargs)
    return refused.value.code


def attempt(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | ErrorCode:
    """What a call gives, or the code with which it refuses."""
    try:
        return call(*args, **kwargs)
    except SpecieError as error:
        return error.code
