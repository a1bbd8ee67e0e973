"""Benchmarks do what they say they measure; how fast is not asserted (T26)."""

import pytest

from bench.notary import measure_notary
from specie.cli.benchmarks import run_benchmark
from specie.identity.genesis import ProofMode
from specie.values.catalogue import ErrorCode
from tests.country import refused


def test_the_notary_is_measured() -> None:
    figures = measure_notary(ProofMode.AGGREGATED, 30.0, 256)
    assert figures["mode"] == "aggregated"
    assert figures["payments"] == 256  # all of them promised, or it would have raised
    assert figures["store"] == "sqlite"
    rate, limit = figures["payments_per_second"], figures["limit_per_second"]
    assert figures["ratio_to_limit"] == pytest.approx(rate / limit, abs=0.001)
    parts = figures["microseconds_per_payment"]
    assert {"decode", "verify", "record", "promise", "publish: log"} <= set(parts)
    assert all(spent > 0 for spent in parts.values())


def test_an_unknown_benchmark_is_refused() -> None:
    with refused(ErrorCode.SETTING_INVALID):
        run_benchmark("nothing", 1.0, is_json=False)
