"""What a payment costs as the ledger grows: `python -m bench.growth [--json] [--payments N]`.

The same payments, of 2 inputs and 2 outputs, are notarised and published by a notary whose ledger
holds 10^4, 10^5 and 10^6 outputs of others, three quarters of them spent. The first ledger is the
reference, measured in the same run; bytes are what database and public folder grow by.

What fills the ledger was never verified: its rows have the sizes of real ones and random keys, so
that a look-up finds its way through as many pages.
"""

import argparse
import json
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.notary import run_batches
from bench.prepared import House, get_cache, open_house, prepare
from specie.assembly.system import tune_interpreter
from specie.identity.genesis import ProofMode
from specie.store.database import Database, insert_rows
from specie.store.notary_store import METADATA

PAYMENTS: Final = 10_240
SIZES: Final = (10_000, 100_000, 1_000_000)
RATIO_MAX: Final = 1.3
_AT_ONCE: Final = 10_000
_FIRST: Final = 1_000_000_000  # sequence numbers of the filling: behind all that comes by itself
_OLD_BATCH: Final = 1


def measure_growth(
    mode: ProofMode, payments: int, sizes: Sequence[int] = SIZES, cache: Path | None = None
) -> list[dict[str, Any]]:
    """Cost and bytes of a payment, for each size of the ledger."""
    prepared = prepare(mode, payments, cache or get_cache())
    figures: list[dict[str, Any]] = []
    for size in sizes:
        with open_house(prepared) as house:
            fill(house.database, size, len(house.payments[0]))
            figures.append({"mode": mode.name.lower(), "outputs": size, **_measure(house)})
        first = figures[0]
        for name in ("microseconds_per_payment", "bytes_per_payment"):
            figures[-1][f"ratio_of_{name.split('_')[0]}"] = round(
                figures[-1][name] / first[name], 3
            )
    return figures


def fill(database: Database, outputs: int, size: int) -> None:
    """So many outputs of others, two of each transaction; three quarters of them are spent."""
    for start in range(0, outputs // 2, _AT_ONCE):
        numbers = range(_FIRST + start, _FIRST + min(start + _AT_ONCE, outputs // 2))
        refs = [(os.urandom(32), number) for number in numbers for _ in range(2)]
        rows: dict[str, list[tuple[Any, ...]]] = {
            "output": [(ref, number, 200, 1, 2) for ref, number in refs],
            "spend": [one for place, one in enumerate(refs) if place % 4],
            "kernel": [(os.urandom(32),) for _ in numbers],
            "wire": [(number, bytes(size)) for number in numbers],
            "notarised": [
                (number, os.urandom(32), 1, 1, bytes(64), 1, _OLD_BATCH) for number in numbers
            ],
        }
        with database.transaction() as connection:
            for name, some in rows.items():
                insert_rows(connection, METADATA.tables[name], some)


def _measure(house: House) -> dict[str, Any]:
    before = _count_bytes(house)
    started = time.perf_counter()
    done = run_batches(house, float("inf"))
    passed = time.perf_counter() - started
    grown = _count_bytes(house) - before
    return {
        "payments": done,
        "payments_per_second": round(done / passed, 1),
        "microseconds_per_payment": round(passed * 1e6 / done, 1),
        "bytes_per_payment": round(grown / done),
    }


def _count_bytes(house: House) -> int:
    """Of database and public folder, once the write-ahead log is in the file."""
    with closing(sqlite3.connect(house.folder / "notary.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(path.stat().st_size for path in house.folder.rglob("*") if path.is_file())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.growth", description="Cost as a ledger grows.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--payments", type=int, default=PAYMENTS, help="to notarise for each size")
    options = parser.parse_args(arguments)
    tune_interpreter()
    figures = [one for mode in ProofMode for one in measure_growth(mode, options.payments)]
    report = {
        "benchmark": "growth",
        "reference": f"the same payments on a ledger of {SIZES[0]:,} outputs, same run",
        "figures": figures,
        "ratio_max": RATIO_MAX,
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
            f"{one['mode']:<11} {one['outputs']:>9,} outputs: {one['payments_per_second']:8.1f}"
            f" payments/s, {one['microseconds_per_payment']:6.1f} µs and"
            f" {one['bytes_per_payment']:,} bytes a payment; ratios"
            f" {one['ratio_of_microseconds']:.3f} and {one['ratio_of_bytes']:.3f}"
            f" (at most {report['ratio_max']})"
        )


if __name__ == "__main__":
    main()
