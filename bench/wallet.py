"""A wallet builds a payment: `python -m bench.wallet [--json] [--seconds S]`.

2 inputs, 2 outputs across two banks: outputs sealed and derived, proofs, kernel, both owners'
signatures, and the disclosure for the banks. The reference, timed alternately in the same run, is
proving the same two ranges and nothing else. Bytes are what the notary gets, with its witnesses.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.metering import measure_seconds
from bench.payments import AMOUNT, Bench, build_one, mint, open_bench
from specie.crypto.proofs import prove_range
from specie.crypto.secrets import Mask
from specie.identity.genesis import ProofMode
from specie.ledger.transactions import SignedTransaction
from specie.ledger.wire import encode_signed
from specie.tokens.building import PaymentOrder, build_payment
from specie.tokens.holdings import Memo, Token
from specie.values.amounts import Minor

SECONDS: Final = 15.0
RATIO_MAX: Final = 1.5
BYTES_MAX: Final = {ProofMode.PUBLISHED: 2_600, ProofMode.AGGREGATED: 2_048}
_ROUNDS_MIN: Final = 10
_AMOUNTS: Final = [Minor(1_234), Minor(766)]


def measure_wallet(mode: ProofMode, seconds: float) -> dict[str, Any]:
    """In one proof mode."""
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as folder:
        bench = open_bench(Path(folder), mode)
        tokens = mint(bench, 2)[:2]
        masks = [Mask.generate(), Mask.generate()]

        def prove() -> None:
            if mode is ProofMode.AGGREGATED:
                prove_range(_AMOUNTS, masks)
            else:
                for amount, mask in zip(_AMOUNTS, masks, strict=True):
                    prove_range([amount], [mask])

        building: list[float] = []
        proving: list[float] = []
        end = time.perf_counter() + seconds
        while len(building) < _ROUNDS_MIN or time.perf_counter() < end:
            building.append(measure_seconds(lambda: build(bench, tokens)))
            proving.append(measure_seconds(prove))
        sent = build_one(bench, tokens)
        size = len(encode_signed(build(bench, tokens)))
        bench.network.databases.close()
    return {
        "mode": mode.name.lower(),
        "payments": len(building),
        "build_ms": round(median(building) * 1e3, 3),
        "prove_ms": round(median(proving) * 1e3, 3),
        "ratio_to_proving": round(median(building) / median(proving), 3),
        "ratio_max": RATIO_MAX,
        "bytes_to_the_notary": len(sent),
        "bytes_max": BYTES_MAX[mode],
        "bytes_before_attestation": size,
    }


def build(bench: Bench, tokens: list[Token]) -> SignedTransaction:
    """As a wallet does before it asks the banks."""
    assert sum(token.amount for token in tokens) == sum(_AMOUNTS) == 2 * AMOUNT, "proofs alike"
    order = PaymentOrder(bench.payee.address, _AMOUNTS[0], Memo())
    return build_payment([order], tokens, bench.payer, bench.context).signed


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.wallet", description="Building a payment.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="to measure for, each mode")
    options = parser.parse_args(arguments)
    report = {
        "benchmark": "wallet",
        "reference": "proving the two ranges and nothing else, same run, one core",
        "figures": [measure_wallet(mode, options.seconds) for mode in ProofMode],
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
            f"{one['mode']:<11} build {one['build_ms']:7.3f} ms, bare proving"
            f" {one['prove_ms']:7.3f} ms, ratio {one['ratio_to_proving']:.3f}"
            f" (at most {one['ratio_max']}); {one['bytes_to_the_notary']:,} bytes to the notary"
            f" (at most {one['bytes_max']:,}); {one['payments']} payments"
        )


if __name__ == "__main__":
    main()
