"""Payments per second of a notary: `python -m bench.notary [--json] [--seconds S] [--payments N]`.

    bytes in → decoded → checked → verified → durably recorded → promised → published

The reference is the limit: the same payments' proofs and signatures verified by the kernel on all
cores, with nothing else done. It is timed before and after, in the same run.
"""

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest import mock

from bench.payments import Bench, build_payments, open_bench, split
from bench.statements import make_payment
from specie.crypto.proofs import verify_statements
from specie.crypto.secrets import SigningKey
from specie.identity.genesis import ProofMode
from specie.ledger import judging
from specie.ledger.transactions import Promise
from specie.notary import notarisation, service
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.limits import BATCH_TRANSACTIONS_MAX

SECONDS: Final = 15.0
PAYMENTS: Final = 15_000
YARDSTICKS: Final = {"four Corda nodes": 300, "100 million a day": 1_157, "ten times R": 4_090}
_BATCH: Final = 256


def measure_notary(
    mode: ProofMode, seconds: float, payments: int, database: str | None = None
) -> dict[str, Any]:
    """In one proof mode; needs at least a batch of payments."""
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as folder:
        bench = open_bench(Path(folder), mode, database)
        prepared = time.perf_counter()
        batches = list(split(build_payments(bench, payments, os.cpu_count() or 1), _BATCH))
        prepared = time.perf_counter() - prepared
        bench.notary.publish(is_forced=True)
        limits = [_measure_limit(mode)]
        with _timed() as parts:
            done, passed = _run(bench, batches, seconds)
        limits.append(_measure_limit(mode))
        bench.network.databases.close()
    rate, limit = done / passed, median(limits)
    return {
        "mode": mode.name.lower(),
        "store": "postgresql" if database else "sqlite",
        "payments": done,
        "seconds": round(passed, 2),
        "payments_per_second": round(rate, 1),
        "limit_per_second": round(limit, 1),
        "ratio_to_limit": round(rate / limit, 3),
        "microseconds_per_payment": {
            name: round(spent * 1e6 / done, 1) for name, spent in sorted(parts.items())
        },
        "prepared_in_seconds": round(prepared, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.notary", description="Payments per second.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="to measure for, at most")
    parser.add_argument("--payments", type=int, default=PAYMENTS, help="to prepare, for each mode")
    parser.add_argument("--database", default=None, help="postgresql:// URL; else SQLite")
    options = parser.parse_args(arguments)
    figures = [
        measure_notary(mode, options.seconds, options.payments, options.database)
        for mode in ProofMode
    ]
    report = {
        "benchmark": "notary",
        "reference": "limit: verification alone, batches of 256 on all cores, same run",
        "figures": figures,
        "yardsticks_per_second": YARDSTICKS,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "specie": version("specie"),
    }
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print_figures(report)


def print_figures(report: dict[str, Any]) -> None:
    """For people."""
    for one in report["figures"]:
        print(
            f"{one['mode']:<11} {one['store']:<10} {one['payments_per_second']:8.1f} payments/s;"
            f" limit {one['limit_per_second']:8.1f}, ratio {one['ratio_to_limit']:.3f}"
            f" ({one['payments']} payments in {one['seconds']} s)"
        )
        for name, spent in one["microseconds_per_payment"].items():
            print(f"    {name:<24} {spent:8.1f} µs a payment")
    yardsticks = ", ".join(f"{rate:,}/s {name}" for name, rate in YARDSTICKS.items())
    print(f"yardsticks: {yardsticks}")
    print(f"peak memory {report['peak_memory_mib']} MiB, {report['cpus']} cores")


def _run(bench: Bench, batches: list[list[bytes]], seconds: float) -> tuple[int, float]:
    """Batch after batch, published as they become due; everything is published at the end."""
    assert _BATCH <= BATCH_TRANSACTIONS_MAX, "the notary takes it at once"
    done, started = 0, time.perf_counter()
    for batch in batches:
        outcomes = bench.notary.notarise_batch(batch)
        refused = [one for one in outcomes if not isinstance(one, Promise)]
        if refused:
            raise refused[0]
        bench.notary.publish()
        done += len(batch)
        if time.perf_counter() - started > seconds:
            break
    while bench.notary.publish(is_forced=True):
        pass
    return done, time.perf_counter() - started


def _measure_limit(mode: ProofMode) -> float:
    """Payments per second of verification alone."""
    banks = [SigningKey.generate(), SigningKey.generate()]
    is_aggregated = mode is ProofMode.AGGREGATED
    statements = [make_payment(banks, is_aggregated=is_aggregated) for _ in range(_BATCH)]
    verify_statements(statements)
    times = []
    for _ in range(7):
        started = time.perf_counter()
        verify_statements(statements)
        times.append(time.perf_counter() - started)
    return _BATCH / median(times)


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Within: how many seconds each part of the way takes; parts do not overlap."""
    spent: dict[str, float] = defaultdict(float)
    parts: list[tuple[str, object, str]] = [
        ("decode", notarisation, "decode_candidate"),
        ("verify", judging, "verify_statements"),
        ("look up promises", SqliteNotaryStore, "find_promises"),
        ("look up ledger", SqliteNotaryStore, "load_view"),
        ("record", SqliteNotaryStore, "record_batch"),
        ("promise", notarisation, "promise_final"),
        ("publish: load", SqliteNotaryStore, "load_waiting"),
        ("publish: leaves", service, "build_batch"),
        ("publish: record", SqliteNotaryStore, "record_publication"),
        ("publish: log", LogFolder, "write_leaves"),
        ("publish: checkpoint", LogFolder, "write_checkpoint"),
    ]
    with ExitStack() as stack:
        for name, owner, method in parts:
            clocked = _clocked(getattr(owner, method), name, spent)
            stack.enter_context(mock.patch.object(owner, method, clocked))
        yield spent


def _clocked(
    function: Callable[..., Any], name: str, spent: dict[str, float]
) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.perf_counter() - started

    return call


if __name__ == "__main__":
    main()
