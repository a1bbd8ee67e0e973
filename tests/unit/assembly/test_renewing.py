"""A certificate that is due is asked for until there is one (T2)."""

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest

from specie.assembly import renewing
from specie.assembly.foundation import Foundation
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

DAY = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


def test_it_is_tried_again_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon at first, for a network that starts; at last once a minute, for a desk that is gone."""
    now, tried, is_there = [0.0], list[float](), [False]

    def renew(base: Foundation) -> Any:
        del base
        tried.append(now[0])
        if not is_there[0]:
            raise SpecieError(ErrorCode.UNREACHABLE, "central-bank")
        return SimpleNamespace(not_valid_after_utc=DAY + dt.timedelta(days=90))

    base: Any = SimpleNamespace(
        certificate_ends=DAY + dt.timedelta(days=1),
        clock=SimpleNamespace(now=lambda: int(DAY.timestamp() * 1000)),
        renewal_due=float("-inf"),
        renewal_pause_s=0.0,
    )
    monkeypatch.setattr(renewing, "renew", renew)
    monkeypatch.setattr("specie.assembly.renewing.time.monotonic", lambda: now[0])
    told = 0
    for second in range(200):
        now[0] = float(second)
        told += len(renewing.renew_if_due(cast("Foundation", base)))
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert told == len(tried)

    is_there[0], now[0] = True, 243.0
    assert renewing.renew_if_due(base) == []
    assert base.certificate_ends == DAY + dt.timedelta(days=90)
    now[0] = 1_000.0
    assert renewing.renew_if_due(base) == []
    assert tried[-1] == 243.0
