"""`specie bench NAME`: runs the benchmarks that live beside the source, in `bench/`."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

NAMES: Final = ("kernel", "notary")


def run_benchmark(name: str, seconds: float, *, is_json: bool) -> int:
    """Exit code of the benchmark; `setting_invalid` if there is none of this name here."""
    root = Path(__file__).resolve().parents[3]
    if name not in NAMES:
        raise SpecieError(
            ErrorCode.SETTING_INVALID, f"no benchmark {name}; there are: {', '.join(NAMES)}"
        )
    if not (root / "bench" / f"{name}.py").is_file():
        raise SpecieError(ErrorCode.SETTING_INVALID, "benchmarks run from a clone of the source")
    options = ["--seconds", str(seconds), *(["--json"] if is_json else [])]
    command = [sys.executable, "-m", f"bench.{name}", *options]
    return subprocess.run(command, cwd=root, check=False).returncode  # noqa: S603  # our own module
