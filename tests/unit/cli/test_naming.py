"""Who hears no answer has the order's id, so that nothing is begun twice (T8, P2)."""

import signal

import pytest

from specie.cli.naming import naming_order
from specie.cli.stopping import Stopped
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

ORDER = bytes(range(16))
ADVICE = f"recorded or sent perhaps: go on with --order {ORDER.hex()}"


def raise_in(code: ErrorCode, end: str = "") -> SpecieError:
    """What a command ends with when its call is refused so."""
    with pytest.raises(SpecieError) as caught, naming_order(ORDER, find_end=lambda: end):
        raise SpecieError(code, "notary: silent")
    return caught.value


@pytest.mark.parametrize("code", ["unreachable", "rate_exceeded", "draining", "internal"])
def test_what_settles_nothing_names_the_order(code: str) -> None:
    assert str(raise_in(ErrorCode(code))) == f"{code}: notary: silent; {ADVICE}"


def test_what_is_decided_does_not() -> None:
    assert str(raise_in(ErrorCode.ACCOUNT_OVERDRAWN)) == "account_overdrawn: notary: silent"


@pytest.mark.parametrize("code", ["unreachable", "account_overdrawn"])
def test_what_is_known_of_its_end_is_said_instead(code: str) -> None:
    assert str(raise_in(ErrorCode(code), "it is begun")) == f"{code}: notary: silent; it is begun"


def test_who_stops_it_has_the_id() -> None:
    with pytest.raises(Stopped) as caught, naming_order(ORDER, "--id"):
        raise Stopped(signal.SIGINT)
    assert caught.value.describe() == f"interrupted; {ADVICE.replace('--order', '--id')}"
