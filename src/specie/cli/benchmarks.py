"""`specie bench NAME`: runs the benchmarks that live beside the source, in `bench/`."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

NAMES: Final = ("kernel", "notary", "network", "people", "wallet", "growth")


def run_benchmark(name: str, seconds: float | None, *, is_json: bool) -> int:
    """Exit code of the benchmark; `setting_invalid` if there is none of this name here.

    Without `seconds` it measures for as long as it takes by itself.
    """
    root = Path(__file__).resolve().parents[3]
    if name not in NAMES:
        raise SpecieError(
            ErrorCode.SETTING_INVALID, f"no benchmark {name}; there are: {', '.join(NAMES)}"
        )
    if not (root / "bench" / f"{name}.py").is_file():
        raise SpecieError(ErrorCode.SETTING_INVALID, "benchmarks run from a clone of the source")
    timing = [] if seconds is None else ["--seconds", str(seconds)]
    command = [sys.executable, "-m", f"bench.{name}", *timing, *(["--json"] if is_json else [])]
    return subprocess.run(command, cwd=root, check=False).returncode  # noqa: S603  # our own module
