"""Feeds a target with mutated inputs, guided by coverage: `python -m tests.fuzz.run TARGET [...]`.

libFuzzer by way of atheris. It ends with exit code 0 after so many runs or seconds, or at the first
input that breaks the target's rule, which it prints as hex; `--replay HEX` feeds that one again.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import atheris  # type: ignore[import-untyped]  # it ships no types

with atheris.instrument_imports(include=["specie"]):
    from tests.fuzz.targets import TARGETS, Target

from specie.values.errors import SpecieError


def feed(target: Target, data: bytes) -> None:
    """Refused with a code is right; everything else that comes out is a finding."""
    try:
        target.feed(data)
    except SpecieError:
        return
    except BaseException:
        print(f"finding: --replay {data.hex()}", flush=True)  # noqa: T201  # what it is for
        raise


def main() -> int:
    """Exit code 0 if nothing was found."""
    options = _read_options()
    if options.replay is not None:
        for name in options.targets:
            feed(TARGETS[name], bytes.fromhex(options.replay))
        return 0
    return max(_fuzz_apart(name, options) for name in options.targets)


def _fuzz_apart(name: str, options: argparse.Namespace) -> int:
    """libFuzzer ends its process without a word to Python, so it gets one of its own."""
    with tempfile.TemporaryDirectory(prefix="specie-fuzz-") as scratch:
        corpus = (
            Path(scratch) if options.corpus is None else options.corpus / name.replace(" ", "-")
        )
        print(f"target: {name}", flush=True)  # noqa: T201  # what follows is of it
        child = os.fork()
        if child == 0:
            _fuzz(TARGETS[name], corpus, options)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return abs(code)


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", choices=sorted(TARGETS), nargs="+", metavar="TARGET")
    parser.add_argument("--runs", type=int, default=-1, help="inputs to try; -1 without end")
    parser.add_argument("--seconds", type=int, default=0, help="to go on for; 0 without end")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; 0 a fresh one")
    parser.add_argument(
        "--corpus", type=Path, help="folder that keeps what was interesting, by target"
    )
    parser.add_argument("--replay", help="one input, as hex")
    return parser.parse_args()


def _fuzz(target: Target, corpus: Path, options: argparse.Namespace) -> NoReturn:
    """Ends the process."""
    folder = corpus / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        feed(target, seed)
        (folder / f"seed-{number:03}").write_bytes(seed)
    arguments = [
        sys.argv[0],
        str(folder),
        f"-runs={options.runs}",
        f"-max_total_time={options.seconds}",
        f"-seed={options.seed}",
        f"-max_len={target.size_max}",
        f"-artifact_prefix={corpus}/",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup(arguments, lambda data: feed(target, data), internal_libfuzzer=True)
    atheris.Fuzz()
    os._exit(1)  # it ends by itself


if __name__ == "__main__":
    sys.exit(main())
