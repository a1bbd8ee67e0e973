"""Commands without the cost of starting Python: imports everything once, then forks for each.

A line of JSON in, `{"arguments": […], "stdin": ""}`; one out, `{"code": 0, "out": "", "err": ""}`.
Each command is a process of its own, as people's are; only its imports are there already.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import IO, Any

from specie.cli import main
from specie.cli.lazy import COMMANDS


def run(arguments: Sequence[str], stdin: str) -> dict[str, Any]:
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(stdin.encode())
        files[0].seek(0)
        child = os.fork()
        if child == 0:
            _become(arguments, files)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out, err = (_read(one) for one in files[1:])
    return {"code": code, "out": out, "err": err}


def _become(arguments: Sequence[str], files: Sequence[IO[bytes]]) -> None:
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.argv = ["specie", *arguments]
    code = 70
    try:
        main()
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def serve() -> None:
    for place in COMMANDS.values():
        import_module(f"specie.cli.{place.partition(':')[0]}")
    for line in sys.stdin:
        wanted = json.loads(line)
        sys.stdout.write(json.dumps(run(wanted["arguments"], wanted["stdin"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
