"""Processes of `specie` without the cost of starting Python: imports once, then forks for each.

Each connection to its socket has a process of its own, which forks for what it is asked for. What
runs is a process as people's are; only its imports are there already. A line of JSON in, one out:

    {"run": […], "stdin": "", …}          → {"code": 0, "out": "", "err": ""}     waits for its end
    {"lend": […], …}                      → {"code": 0}       the same, with files that came beside
    {"serve": […], "log": "path", …}      → {"pid": 1}                           goes on beside us
    {"poll": 1}                           → {"code": null}                       or how it has ended

`environ` and `folder` are whose who asks. Who hangs up leaves no process behind.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

from specie.cli import main
from specie.cli.lazy import BANK_COMMANDS, COMMANDS, load

_BYTES = 65_536  # of a question that are read at a time


def run(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A command until its end."""
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(asked["stdin"].encode())
        files[0].seek(0)
        code = _carry_out(asked, asked["run"], [one.fileno() for one in files])
        out, err = (_read(one) for one in files[1:])
    return {"code": code, "out": out, "err": err}


def lend(asked: Mapping[str, Any], lent: Sequence[int]) -> dict[str, Any]:
    """The same; it reads from and writes to what who asks has for input, output and errors."""
    code = _carry_out(asked, asked["lend"], lent)
    for descriptor in lent:
        os.close(descriptor)
    return {"code": code}


def serve(asked: Mapping[str, Any]) -> int:
    """A process that goes on, in a session of its own, as `specie up` starts it."""
    with Path(os.devnull).open("rb") as silence, Path(asked["log"]).open("ab") as log:
        child = os.fork()
        if child == 0:
            os.setsid()
            _become(asked, asked["serve"], [one.fileno() for one in (silence, log, log)])
    return child


def _carry_out(asked: Mapping[str, Any], arguments: Sequence[str], files: Sequence[int]) -> int:
    """By a copy of us; gives how it has ended."""
    child = os.fork()
    if child == 0:
        _become_briefly(asked, arguments, files)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _become_briefly(
    asked: Mapping[str, Any], arguments: Sequence[str], files: Sequence[int]
) -> NoReturn:
    """Without tidying up a copy of everything that was imported."""
    code = 70
    try:
        _become(asked, arguments, files)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become(asked: Mapping[str, Any], arguments: Sequence[str], files: Sequence[int]) -> NoReturn:
    """It ends as a process of its own does, with all that is to be done at an end."""
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["folder"])
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.argv = ["specie", *arguments]
    main()
    raise SystemExit


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@dataclass(slots=True)
class Attendant:
    """Of one who asks, until it hangs up."""

    begun: dict[int, int | None] = field(default_factory=dict)  # pid → how it has ended

    def attend(self, connection: socket.socket) -> None:
        for line, lent in read_lines(connection):
            connection.sendall(json.dumps(self._answer(json.loads(line), lent)).encode() + b"\n")
        for pid in [pid for pid in self.begun if self._poll(pid) is None]:
            os.killpg(pid, signal.SIGKILL)

    def _answer(self, asked: Mapping[str, Any], lent: Sequence[int]) -> dict[str, Any]:
        if "run" in asked:
            return run(asked)
        if "lend" in asked:
            return lend(asked, lent)
        if "poll" in asked:
            return {"code": self._poll(asked["poll"])}
        pid = serve(asked)
        self.begun[pid] = None
        return {"pid": pid}

    def _poll(self, pid: int) -> int | None:
        if self.begun[pid] is None:
            ended, status = os.waitpid(pid, os.WNOHANG)
            self.begun[pid] = os.waitstatus_to_exitcode(status) if ended else None
        return self.begun[pid]


def listen(path: str) -> None:
    """Until standard input ends: who has started us is gone."""
    for name, place in (COMMANDS | BANK_COMMANDS).items():
        load(name, place)
    gc.freeze()  # what all have in common stays common
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                attend_beside(connection)
            reap()
    reap()


def read_lines(connection: socket.socket) -> Iterator[tuple[bytes, list[int]]]:
    """Each with the descriptors that came beside; who asks waits for the answer."""
    line, lent = b"", list[int]()
    while True:
        data, found, _, _ = socket.recv_fds(connection, _BYTES, 3)
        if not data:
            return
        line, lent = line + data, lent + found
        if line.endswith(b"\n"):
            yield line, lent
            line, lent = b"", []


def attend_beside(connection: socket.socket) -> None:
    """In a process of its own, which ends here."""
    if os.fork() == 0:
        Attendant().attend(connection)
        raise SystemExit


def reap() -> None:
    """Attendants that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


if __name__ == "__main__":
    listen(sys.argv[1])
