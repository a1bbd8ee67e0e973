"""What a client is told of its own limits (T20)."""

from types import SimpleNamespace
from typing import Any

import pytest

from specie.cli.waterfalls import describe_switches, naming_limit
from specie.remote.client_models import Standing, Waterfall
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

CURRENCY = Currency("DCU", 2)


def build_online(limit: Minor | None, code: ErrorCode | None = None) -> Any:
    """A wallet whose bank tells its limits, or does not answer."""

    def get_waterfall() -> Waterfall:
        if code is not None:
            raise SpecieError(code)
        return Waterfall(waterfall=False, reverse_waterfall=False, payment_limit=limit)

    genesis = SimpleNamespace(currency=CURRENCY)
    channel = SimpleNamespace(peers=SimpleNamespace(roster=SimpleNamespace(genesis=genesis)))
    return SimpleNamespace(bank=SimpleNamespace(get_waterfall=get_waterfall), channel=channel)


def pay(online: Any, code: ErrorCode) -> str:
    """What a refused payment says."""
    with pytest.raises(SpecieError) as caught, naming_limit(online):
        raise SpecieError(code, "more than that")
    assert caught.value.code is code
    return caught.value.message


def test_who_pays_too_much_is_told_how_much_may_be_paid() -> None:
    over = ErrorCode.PAYMENT_LIMIT_EXCEEDED
    assert pay(build_online(Minor(100_000)), over) == "more than that: at most 1,000.00 DCU at once"
    for online in (build_online(None), build_online(None, ErrorCode.VERSION_UNKNOWN)):
        assert pay(online, over) == "more than that"
    other = ErrorCode.DAILY_LIMIT_EXCEEDED
    assert pay(build_online(Minor(100_000)), other) == "more than that"


def test_the_account_shows_the_limits_that_there_are() -> None:
    bare = Standing(deposit=Minor(5), status="good")
    off = {"waterfall": False, "reverse waterfall": False}
    assert describe_switches(bare, CURRENCY, as_json=True) == off
    whole = bare.model_copy(update={"holding_limit": 300_000, "payment_limit": 100_000})
    told = describe_switches(whole, CURRENCY, as_json=False)
    assert (told["holding limit"], told["payment limit"]) == ("3,000.00 DCU", "1,000.00 DCU")
    assert (told["payment limit minor"], told["waterfall"]) == (100_000, "off")
