"""Benchmarks do what they say they measure; how fast is not asserted (T26)."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.growth import measure_growth
from bench.kernel import main as measure_kernel
from bench.notary import measure_notary
from bench.prepared import prepare
from bench.wallet import BYTES_MAX
from specie.cli import app
from specie.cli.benchmarks import NAMES, run_benchmark
from specie.identity.genesis import ProofMode
from specie.values.catalogue import ErrorCode
from tests.country import refused
from tests.unit.cli.conftest import run

PAYMENTS = 128
MODE = ProofMode.AGGREGATED


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Payments that are prepared once."""
    folder = tmp_path_factory.mktemp("cache")
    prepare(MODE, PAYMENTS, folder)
    return folder


def test_the_notary_is_measured(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.notary.LIMIT_BATCH", 16)
    figures = measure_notary(MODE, 30.0, PAYMENTS, cache=cache)
    assert figures["mode"] == "aggregated"
    assert figures["payments"] == PAYMENTS  # all of them promised, or it would have raised
    assert figures["store"] == "sqlite"
    rate, limit = figures["payments_per_second"], figures["limit_per_second"]
    assert figures["ratio_to_limit"] == pytest.approx(rate / limit, abs=0.001)
    parts = figures["microseconds_per_payment"]
    assert {"decode", "call the kernel", "record", "promise", "publish: log"} <= set(parts)
    assert all(spent > 0 for spent in parts.values())
    half = figures["half_load"]
    assert 0 < half["payments"] <= PAYMENTS
    assert half["p99_ms"] >= half["p50_ms"] > 0
    reference = sum(half["reference_ms"].values())
    assert half["p50_as_multiple"] == pytest.approx(half["p50_ms"] / reference, rel=0.05)


def test_prepared_payments_are_used_again(cache: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    prepare(MODE, PAYMENTS, cache)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


def test_growth_is_measured_against_the_smallest_ledger(cache: Path) -> None:
    small, large = measure_growth(MODE, PAYMENTS, (1_000, 20_000), cache)
    assert (small["outputs"], large["outputs"]) == (1_000, 20_000)
    assert small["payments"] == large["payments"] == PAYMENTS
    assert small["ratio_of_bytes"] == small["ratio_of_microseconds"] == 1
    assert large["bytes_per_payment"] > 2_000  # the payment itself, at least


def test_a_wallets_payment_is_measured_and_fits() -> None:
    """By the command, which runs a program of its own."""
    done = run("bench", "wallet", "--json", "--seconds", "0")
    assert (done.code, done.errors) == (0, [])
    report = json.loads("\n".join(done.lines))
    assert report["benchmark"] == "wallet"
    assert [one["mode"] for one in report["figures"]] == [one.name.lower() for one in ProofMode]
    for mode, figures in zip(ProofMode, report["figures"], strict=True):
        ratio = figures["build_ms"] / figures["prove_ms"]
        assert figures["ratio_to_proving"] == pytest.approx(ratio, rel=0.01)
        assert figures["bytes_to_the_notary"] <= BYTES_MAX[mode]
        assert figures["bytes_before_attestation"] == figures["bytes_to_the_notary"] - 2 * 78


def test_the_kernels_limit_is_the_largest_batch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.kernel.BATCH_SIZES", (1, 8))
    measure_kernel(["--json", "--seconds", "0.01"])
    report = json.loads(capsys.readouterr().out)
    assert report["benchmark"] == "kernel"
    medians = {one["name"]: one["median"] for one in report["figures"]}
    assert all(median > 0 for median in medians.values())
    for mode, rate in report["limit_payments_per_second"].items():
        largest = medians[f"verify payments, 2 in, 2 out, {mode}, batch of 8"]
        assert rate == pytest.approx(1e6 / largest, rel=0.01)


def test_an_unknown_benchmark_is_refused() -> None:
    with refused(ErrorCode.SETTING_INVALID):
        run_benchmark("nothing", 1.0, is_json=False)


def test_help_names_all_that_there_are() -> None:
    told = CliRunner().invoke(app, ["bench", "--help"]).output
    assert [name for name in NAMES if name not in told] == []
