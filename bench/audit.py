"""How fast `specie audit` is, and how much memory it takes, on a log made for the purpose.

The reference of the same run is hashing the same leaves into the Merkle tree and nothing else.
The audit runs in a process of its own, so that its peak memory is its own.

    python -m bench.audit --leaves 100000 --mode aggregated --json
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.synthetic import SyntheticLog
from specie.cli.audit import audit_folder
from specie.identity.genesis import ProofMode
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.log_files import LogFolder


def measure_audit(folder: Path, size: int, mode: ProofMode) -> dict[str, Any]:
    """Figures of one audit of a folder of `size` leaves."""
    started = time.perf_counter()
    leaves = LogFolder(folder).iterate_leaves(size)
    Frontier().append(compute_leaf_hash(leaf) for leaf in leaves).compute_root()
    reference_s = time.perf_counter() - started
    command = [sys.executable, "-m", "bench.audit", "--inner", str(folder)]
    done = subprocess.run(  # noqa: S603  # this very module
        command, capture_output=True, text=True, check=True
    )
    inner = json.loads(done.stdout)
    return {
        "measured": "specie audit of a synthetic log, from files to the verified sum",
        "mode": mode.name.lower(),
        "leaves": size,
        "audit_s": round(inner["audit_s"], 2),
        "leaves_per_s": round(size / inner["audit_s"]),
        "peak_memory_mib": round(inner["peak_kib"] / 1024),
        "reference": "hashing the same leaves into the tree",
        "reference_s": round(reference_s, 2),
        "ratio_to_reference": round(inner["audit_s"] / reference_s, 1),
    }


def run_inner(folder: Path) -> None:
    """One audit in this process; prints its time and peak memory."""
    started = time.perf_counter()
    audit_folder(folder)
    audit_s = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"audit_s": audit_s, "peak_kib": peak}))


def main() -> None:
    """Make a log, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=20_000)
    parser.add_argument("--mode", choices=["published", "aggregated"], default="aggregated")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inner", type=Path)
    options = parser.parse_args()
    if options.inner:
        run_inner(options.inner)
        return
    mode = ProofMode[options.mode.upper()]
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as folder:
        size = SyntheticLog(Path(folder), mode).write(options.leaves)
        figures = measure_audit(Path(folder), size, mode)
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name:>20}: {value}\n")


if __name__ == "__main__":
    main()
