"""Signals: at once, or where the work can bear it. Each in a process of its own."""

import subprocess
import sys

import pytest

_BEGIN = """
import signal
from specie.cli.stopping import Stopped, give_way, patiently, watch_signals
watch_signals()
try:
"""
_END = """
except Stopped as stopped:
    print(stopped.exit_code)
"""


def run(*lines: str) -> list[str]:
    script = _BEGIN + "".join(f"    {line}\n" for line in lines) + _END
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(("name", "code"), [("SIGINT", "130"), ("SIGTERM", "143")])
def test_a_signal_stops_at_once(name: str, code: str) -> None:
    assert run(f"signal.raise_signal(signal.{name})", "print('went on')") == [code]


def test_patience_waits_for_the_place_to_stop() -> None:
    lines = ["with patiently():", "    signal.raise_signal(signal.SIGTERM)", "    print('one')"]
    assert run(*lines, "    give_way()", "    print('two')") == ["one", "143"]


def test_patience_ends_with_the_work() -> None:
    lines = ["with patiently():", "    signal.raise_signal(signal.SIGINT)", "    print('one')"]
    assert run(*lines, "print('two')") == ["one", "130"]


def test_an_error_on_the_way_out_is_the_signals_doing() -> None:
    lines = ["with patiently():", "    signal.raise_signal(signal.SIGTERM)"]
    assert run(*lines, "    raise BrokenPipeError") == ["143"]


def test_a_socket_that_breaks_is_an_error_and_stops_nobody() -> None:
    lines = ["import socket", "ours, theirs = socket.socketpair()", "theirs.close()", "try:"]
    lines += ["    ours.send(bytes(9))", "except BrokenPipeError:", "    print('told')"]
    assert run(*lines, "print('went on')") == ["told", "went on"]


def test_an_output_that_nobody_reads_stops_at_once() -> None:
    lines = ["import os, sys", "ours, theirs = os.pipe()", "os.dup2(theirs, 1)"]
    lines += ["os.close(theirs)", "os.close(ours)", "try:", "    print('a', flush=True)"]
    lines += ["except BrokenPipeError:", "    print('went on', file=sys.stderr)"]
    script = _BEGIN + "".join(f"    {line}\n" for line in lines)
    script += "except Stopped as stopped:\n    os._exit(stopped.exit_code)\n"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.returncode == 141


def test_a_second_signal_is_not_heard() -> None:
    lines = ["with patiently():", "    signal.raise_signal(signal.SIGTERM)"]
    assert run(*lines, "    signal.raise_signal(signal.SIGINT)") == ["143"]
