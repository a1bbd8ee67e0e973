"""Times of the kernel's operations: `python -m bench.kernel [--json] [--seconds S]`.

Everything is measured through `specie.crypto`, the way the rest of the system calls it. Rounds go
over all operations, so that a disturbance hits all alike, and before each sample a fixed piece of
work is timed: SHA-256 of 1 MiB on one core. The ratio of the two medians is what to compare.
What verifies or scans many uses all cores; everything else uses one.
"""

import argparse
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from statistics import median, quantiles
from typing import Any, Final

from bench.statements import (
    MESSAGE,
    make_foreign_outputs,
    make_payment,
    make_proof,
    make_scanner,
    make_signature,
)
from specie.crypto.proofs import prove_range, verify_statements
from specie.crypto.secrets import Mask, ScanKey, SigningKey
from specie.crypto.signatures import sign, verify_signature
from specie.values.amounts import Minor
from specie.values.identifiers import PublicKey

SECONDS: Final = 10.0
ROUNDS_MIN: Final = 5
REFERENCE: Final = "SHA-256 of 1 MiB, one core"
BATCH_SIZES: Final = (1, 16, 64, 256)
_BLOCK: Final = bytes(1 << 20)


@dataclass(slots=True)
class Operation:
    """Something to time: each call of `work` handles `items` items."""

    name: str
    items: int
    work: Callable[[], object]
    is_parallel: bool = False
    samples: list[float] = field(default_factory=list)  # µs per item
    references: list[float] = field(default_factory=list)  # µs


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of one operation, in µs per item."""

    name: str
    unit: str
    items: int  # in one call
    cores: int
    n: int  # samples
    median: float
    p10: float
    p90: float
    ratio: float  # of the medians, to the reference timed beside it


def measure_kernel(seconds: float = SECONDS) -> dict[str, Any]:
    """Figures of all operations, measured for about `seconds` after the preparations."""
    operations = [
        *_list_proofs(),
        *_list_payments(),
        *_list_signatures(),
        *_list_scans(),
    ]
    for operation in operations:
        operation.work()  # warm: pools, tables, caches
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < ROUNDS_MIN or time.perf_counter() < end:
        for operation in operations:
            _take_sample(operation)
        rounds += 1
    references = [value for operation in operations for value in operation.references]
    return {
        "benchmark": "kernel",
        "reference": {"name": REFERENCE, "unit": "µs", **_summarise(references)},
        "figures": [asdict(_build_figure(operation)) for operation in operations],
        "limit_payments_per_second": {
            mode: round(1e6 / median(operation.samples), 1)
            for operation in operations
            for mode in ("published", "aggregated")
            if operation.name.endswith(f"{mode}, batch of {BATCH_SIZES[-1]}")
        },
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "specie": version("specie"),
    }


def print_figures(report: dict[str, Any]) -> None:
    """For people."""
    print(f"{'µs per item':<58} {'median':>9} {'p10':>9} {'p90':>9} {'ratio':>8} {'n':>5}")
    for figure in report["figures"]:
        name = figure["name"] + (f" ({figure['cores']} cores)" if figure["cores"] > 1 else "")
        spread = f"{figure['median']:9.1f} {figure['p10']:9.1f} {figure['p90']:9.1f}"
        print(f"{name:<58} {spread} {figure['ratio']:8.4f} {figure['n']:5}")
    print(f"ratio: to {REFERENCE}, {report['reference']['median']:.1f} µs")
    limits = report["limit_payments_per_second"].items()
    print("limit: " + ", ".join(f"{rate:,.1f} payments/s {mode}" for mode, rate in limits))
    print(f"{report['cpus']} cores, {report['machine']}, Python {report['python']}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.kernel", description="Times of the kernel.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="to measure for")
    options = parser.parse_args(arguments)
    report = measure_kernel(options.seconds)
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print_figures(report)


# --- what is measured ----------------------------------------------------------------------------


def _list_proofs() -> list[Operation]:
    masks = [Mask.generate(), Mask.generate()]
    amounts = [Minor(5), Minor(2**63)]
    alone = make_proof()
    proofs = [make_proof() for _ in range(64)]
    return [
        Operation("prove one output", 1, lambda: prove_range(amounts[:1], masks[:1])),
        Operation("prove two outputs, aggregated", 1, lambda: prove_range(amounts, masks)),
        Operation("verify one proof alone", 1, lambda: verify_statements([alone])),
        Operation("verify 64 proofs", 64, lambda: verify_statements(proofs), is_parallel=True),
    ]


def _list_payments() -> list[Operation]:
    """Batches of several sizes; the largest is the limit of a notary on this machine."""
    banks = [SigningKey.generate(), SigningKey.generate()]
    operations = []
    for mode, is_aggregated in (("published", False), ("aggregated", True)):
        payments = [
            make_payment(banks, is_aggregated=is_aggregated) for _ in range(BATCH_SIZES[-1])
        ]
        operations += [
            Operation(
                f"verify payments, 2 in, 2 out, {mode}, batch of {size}",
                size,
                partial(verify_statements, payments[:size]),
                is_parallel=size > 1,
            )
            for size in BATCH_SIZES
        ]
    return operations


def _list_signatures() -> list[Operation]:
    key = SigningKey.generate()
    public, signature = PublicKey(key.public), sign(key, MESSAGE)
    signatures = [make_signature() for _ in range(256)]

    def sign_many() -> None:
        for _ in range(50):
            sign(key, MESSAGE)

    def verify_many() -> None:
        for _ in range(50):
            verify_signature(public, MESSAGE, signature)

    return [
        Operation("sign", 50, sign_many),
        Operation("verify a signature alone", 50, verify_many),
        Operation(
            "verify 256 signatures", 256, lambda: verify_statements(signatures), is_parallel=True
        ),
    ]


def _list_scans() -> list[Operation]:
    scan_key = ScanKey.generate()
    outputs = make_foreign_outputs(scan_key, 1_000)
    wallet, bank = make_scanner(scan_key, 1), make_scanner(scan_key, 1_000)
    return [
        Operation(
            "scan an output, one view key", 1_000, lambda: wallet.scan(outputs), is_parallel=True
        ),
        Operation(
            "scan an output by hint, 1,000 clients",
            1_000,
            lambda: bank.scan_hinted(scan_key, outputs),
            is_parallel=True,
        ),
    ]


# --- measuring -----------------------------------------------------------------------------------


def _take_sample(operation: Operation) -> None:
    operation.references.append(_time(lambda: hashlib.sha256(_BLOCK)))
    operation.samples.append(_time(operation.work) / operation.items)


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1e3


def _build_figure(operation: Operation) -> Figure:
    return Figure(
        name=operation.name,
        unit="µs per item",
        items=operation.items,
        cores=(os.cpu_count() or 1) if operation.is_parallel else 1,
        ratio=round(median(operation.samples) / median(operation.references), 5),
        **_summarise(operation.samples),
    )


def _summarise(samples: list[float]) -> dict[str, Any]:
    tenths = quantiles(samples, n=10, method="inclusive")
    return {
        "n": len(samples),
        "median": round(median(samples), 2),
        "p10": round(tenths[0], 2),
        "p90": round(tenths[-1], 2),
    }


if __name__ == "__main__":
    main()
