"""Payments per second of a notary: `python -m bench.notary [--json] [--seconds S] [--payments N]`.

    bytes in → decoded → checked → verified → durably recorded → promised → published

Four callers hand in batches, one publishes, all over one database with synced commits. The
reference is the limit: proofs and signatures of such payments verified by the kernel on all cores,
in batches of 256, with nothing else done. It is timed before and after, in the same run.

Then a house like it takes half of that load, one payment at a time at random moments. The time from
a payment's moment to its promise is set against what it cannot avoid: the age of its batch when
that is begun, the verification of the batch, and the durable record.
"""

import argparse
import json
import os
import platform
import random
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final
from unittest import mock

from bench.metering import Part, metered
from bench.payments import split
from bench.prepared import House, get_cache, open_house, prepare
from bench.statements import make_payment
from specie.assembly.system import tune_interpreter
from specie.crypto.proofs import Statement, verify_statements
from specie.crypto.secrets import SigningKey
from specie.identity.genesis import ProofMode
from specie.ledger.transactions import Promise
from specie.notary import notarisation, service
from specie.notary.notarisation import Notarisation
from specie.notary.publisher import Publisher
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.limits import BATCH_TRANSACTIONS_MAX

SECONDS: Final = 15.0
PAYMENTS: Final = 40_960
YARDSTICKS: Final = {"four Corda nodes": 300, "100 million a day": 1_157, "ten times R": 4_090}
LIMIT_BATCH: Final = 256
_CALLERS: Final = 4
_PUBLISH_EVERY_MS: Final = 50
_HALF_LOAD_CALLERS: Final = 256
_LIMIT_ROUNDS: Final = 9

_PARTS: Final[tuple[Part, ...]] = (
    ("decode", notarisation, "decode_candidate"),
    ("look up inputs", Notarisation, "_look_up_inputs"),
    ("check form, build statements", Notarisation, "prepare"),
    ("call the kernel", Notarisation, "verify"),
    ("judge in order", notarisation, "judge"),
    ("look up what has changed", Notarisation, "_look_up_state"),
    ("promise", notarisation, "promise_final"),
    ("record", SqliteNotaryStore, "record_batch"),
    ("settle, the rest", Notarisation, "settle"),
    ("publish: leaves", service, "build_batch"),
    ("publish: record", SqliteNotaryStore, "record_publication"),
    ("publish: log", LogFolder, "write_leaves"),
    ("publish: archive", BatchFolder, "write"),
    ("publish: checkpoint", LogFolder, "write_checkpoint"),
    ("publish: the rest", service.Notary, "publish"),
)


def measure_notary(
    mode: ProofMode,
    seconds: float,
    payments: int,
    database: str | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """In one proof mode: throughput against the limit, where the time goes, latency."""
    prepared = prepare(mode, payments, cache or get_cache())
    statements = make_statements(mode)
    limits = [measure_limit(statements)]
    with open_house(prepared, database) as house:
        broken = house.notary.count_broken_promises()  # of what was put there to be spent
        used, started = time.process_time(), time.perf_counter()
        done = run_batches(house, seconds)
        passed, used = time.perf_counter() - started, time.process_time() - used
        late = house.notary.count_broken_promises() - broken
        batches = house.store.load_batch_number() - house.first_batch
    limits.append(measure_limit(statements))
    rate, limit = done / passed, median(limits)
    with open_house(prepared, database) as house:
        parts = measure_parts(house, seconds / 3)
    with open_house(prepared, database) as house:
        latency = measure_latency(house, rate / 2, seconds)
    return {
        "mode": mode.name.lower(),
        "store": "postgresql" if database else "sqlite",
        "payments": done,
        "seconds": round(passed, 2),
        "payments_per_second": round(rate, 1),
        "limit_per_second": round(limit, 1),
        "limits_before_and_after": [round(one, 1) for one in limits],
        "ratio_to_limit": round(rate / limit, 3),
        "publication_batches": batches,
        "promises_published_late": late,
        "cores_busy": round(used / passed, 2),
        "microseconds_per_payment": parts,
        "half_load": latency,
    }


def measure_parts(house: House, seconds: float) -> dict[str, float]:
    """Processor time of a payment by part, in µs; clocking itself takes some of it."""
    used = time.process_time()
    with metered(_PARTS) as meter:
        done = run_batches(house, seconds)
    used = time.process_time() - used
    rest = used - sum(meter.spent.values())
    parts = {name: round(meter.spent[name] * 1e6 / done, 1) for name, _, _ in _PARTS}
    return {**parts, "kernel's threads, system": round(rest * 1e6 / done, 1)}


def make_statements(mode: ProofMode) -> list[Statement]:
    """What the limit is measured on: 2 in, 2 out, two attestations."""
    banks = [SigningKey.generate(), SigningKey.generate()]
    is_aggregated = mode is ProofMode.AGGREGATED
    return [make_payment(banks, is_aggregated=is_aggregated) for _ in range(LIMIT_BATCH)]


def measure_limit(statements: list[Statement]) -> float:
    """Payments per second of verification alone, on all cores."""
    verify_statements(statements)
    times = []
    for _ in range(_LIMIT_ROUNDS):
        started = time.perf_counter()
        verify_statements(statements)
        times.append(time.perf_counter() - started)
    return len(statements) / median(times)


def measure_latency(house: House, rate: float, seconds: float) -> dict[str, Any]:
    """From the moment a payment comes to its promise, at `rate` payments per second."""
    dice, moment = random.Random(1), 0.0  # noqa: S311  # the same arrivals in every run
    moments = []
    for _ in house.payments:
        moment += dice.expovariate(rate)
        if moment > seconds:
            break
        moments.append(moment)
    began: dict[bytes, float] = {}
    latencies: list[float] = []
    with _watched(began) as stages:
        started = time.perf_counter()

        def pay(data: bytes, moment: float) -> None:
            house.notary.notarise(data)
            latencies.append(time.perf_counter() - started - moment)

        with (
            Publisher(house.notary.publish, _PUBLISH_EVERY_MS),
            ThreadPoolExecutor(_HALF_LOAD_CALLERS) as pool,
        ):
            for data, moment in zip(house.payments, moments, strict=False):
                time.sleep(max(0.0, started + moment - time.perf_counter()))
                began[data] = time.perf_counter()
                pool.submit(pay, data, moment)
    assert len(latencies) == len(moments), "every payment has its promise"
    cuts = quantiles(latencies, n=100, method="inclusive")
    reference = sum(median(stage) for stage in stages.values())
    return {
        "payments_per_second": round(rate, 1),
        "payments": len(moments),
        "p50_ms": round(cuts[49] * 1e3, 2),
        "p99_ms": round(cuts[98] * 1e3, 2),
        "reference_ms": {name: round(median(one) * 1e3, 2) for name, one in stages.items()},
        "p50_as_multiple": round(cuts[49] / reference, 2),
        "p99_as_multiple": round(cuts[98] / reference, 2),
        "payments_in_a_batch": round(len(moments) / max(1, len(stages["record"])), 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.notary", description="Payments per second.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="to measure for, at most")
    parser.add_argument("--payments", type=int, default=PAYMENTS, help="to prepare, for each mode")
    parser.add_argument("--database", default=None, help="postgresql:// URL besides SQLite")
    options = parser.parse_args(arguments)
    tune_interpreter()
    figures = [
        measure_notary(mode, options.seconds, options.payments, database)
        for database in ([None, options.database] if options.database else [None])
        for mode in ProofMode
    ]
    report = {
        "benchmark": "notary",
        "reference": f"limit: verification alone, batches of {LIMIT_BATCH} on all cores, same run",
        "figures": figures,
        "yardsticks_per_second": YARDSTICKS,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "prepared_payments_mib": round(options.payments * 2_554 / 2**20),
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
            f" ({one['payments']} payments in {one['seconds']} s, {one['cores_busy']} cores busy,"
            f" {one['publication_batches']} publications)"
        )
        for name, spent in one["microseconds_per_payment"].items():
            print(f"    {name:<30} {spent:8.1f} µs of processor time a payment")
        half = one["half_load"]
        parts = " + ".join(f"{value} ms {name}" for name, value in half["reference_ms"].items())
        print(
            f"    at {half['payments_per_second']} payments/s: p50 {half['p50_ms']} ms, p99"
            f" {half['p99_ms']} ms; {half['p50_as_multiple']} and {half['p99_as_multiple']} times"
            f" ({parts})"
        )
    yardsticks = ", ".join(f"{rate:,}/s {name}" for name, rate in YARDSTICKS.items())
    print(f"yardsticks: {yardsticks}")
    held = report["prepared_payments_mib"]
    print(
        f"peak memory {report['peak_memory_mib']} MiB, with some {held} MiB of payments to hand in;"
        f" {report['cpus']} cores"
    )


def run_batches(house: House, seconds: float) -> int:
    """Batch after batch, published as they become due; everything is published at the end."""
    done = hand_in_batches(house, seconds)
    publish_rest(house)
    return done


def publish_rest(house: House) -> None:
    """What is promised and not published."""
    while house.notary.publish(is_forced=True):
        pass


def hand_in_batches(house: House, seconds: float) -> int:
    """Batch after batch until all are promised; what becomes due meanwhile is published."""
    batches = iter(list(split(house.payments, BATCH_TRANSACTIONS_MAX)))
    lock, until = threading.Lock(), time.perf_counter() + seconds

    def hand_in() -> int:
        done = 0
        while time.perf_counter() < until:
            with lock:
                batch = next(batches, None)
            if batch is None:
                break
            for outcome in house.notary.notarise_batch(batch):
                if not isinstance(outcome, Promise):
                    raise outcome
            done += len(batch)
        return done

    with (
        Publisher(house.notary.publish, _PUBLISH_EVERY_MS),
        ThreadPoolExecutor(_CALLERS) as pool,
    ):
        callers = [pool.submit(hand_in) for _ in range(_CALLERS)]
        return sum(one.result() for one in callers)


@contextmanager
def _watched(began: dict[bytes, float]) -> Iterator[dict[str, list[float]]]:
    """Within: how old each batch was when it was begun, and how long its two long stages took."""
    stages: dict[str, list[float]] = {"batch age": [], "verification": [], "record": []}
    prepare_batch = Notarisation.prepare

    def watch_age(one: Notarisation, *arguments: Any) -> None:
        first = min(began.get(data, time.perf_counter()) for data in one.batch)
        stages["batch age"].append(time.perf_counter() - first)
        prepare_batch(one, *arguments)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(Notarisation, "prepare", watch_age))
        for name, owner, attribute in (
            ("verification", Notarisation, "verify"),
            ("record", SqliteNotaryStore, "record_batch"),
        ):
            timed = _time_into(stages[name], getattr(owner, attribute))
            stack.enter_context(mock.patch.object(owner, attribute, timed))
        yield stages


def _time_into(times: list[float], function: Any) -> Any:
    def call(*arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            times.append(time.perf_counter() - started)

    return call


if __name__ == "__main__":
    main()
