"""Starts processes by a zygote: one for all tests of a worker, a connection for each network."""

import atexit
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from specie.cli.processes import NetworkProcesses


class Connection:
    """To the zygote; what was begun by it ends with it. One question at a time, from any thread."""

    def __init__(self, script: str = "zygote") -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(_find_zygote(script))
        self._stream = self._socket.makefile("rw")
        self._asking = threading.Lock()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """With our environment and folder as they are now."""
        asked |= {"environ": dict(os.environ), "folder": str(Path.cwd())}
        with self._asking:
            self._stream.write(json.dumps(asked) + "\n")
            self._stream.flush()
            found: dict[str, Any] = json.loads(self._stream.readline())
        return found

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


@dataclass(slots=True)
class Running:
    """What a test does with a process: the part of `subprocess.Popen` that is used."""

    pid: int
    connection: Connection

    def poll(self) -> int | None:
        """How it has ended, if it has."""
        found: int | None = self.connection.ask(poll=self.pid)["code"]
        return found

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(0.02)
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, 15)


@dataclass(slots=True)
class ForkedNetwork(NetworkProcesses):
    """Its processes begin as copies of one that has imported everything."""

    connection: Connection = field(default_factory=Connection)

    def begin(self, arguments: Sequence[str], log: Path) -> Running:
        pid = self.connection.ask(serve=arguments, log=str(log))["pid"]
        return Running(pid, self.connection)

    def stop(self) -> None:
        NetworkProcesses.stop(self)
        self.connection.close()


def write_command(path: Path) -> None:
    """A `specie` for shells, which has the zygote do what it is asked for."""
    asking = Path(__file__).with_name("asking.py")
    line = shlex.join([sys.executable, "-I", "-S", str(asking), _find_zygote("zygote")])
    path.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    path.chmod(0o755)


_STARTING = threading.Lock()


def _find_zygote(script: str) -> str:
    """Gives its socket; started once, whoever asks first."""
    with _STARTING:
        return _start_zygote(script)


@cache
def _start_zygote(script: str) -> str:
    """It ends with us."""
    folder = tempfile.TemporaryDirectory(prefix="sz")
    path = f"{folder.name}/s"
    zygote = subprocess.Popen(
        [sys.executable, "-m", f"tests.network.{script}", path],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert zygote.stdout is not None
    assert zygote.stdout.readline() == "ready\n"
    atexit.register(_stop_zygote, zygote, folder)
    return path


def _stop_zygote(zygote: "subprocess.Popen[str]", folder: Any) -> None:
    assert zygote.stdin is not None and zygote.stdout is not None
    zygote.stdin.close()
    zygote.wait()
    zygote.stdout.close()
    folder.cleanup()
