"""A flood from a process of its own: as many connections and requests as it can, until told to end.

Reads what to flood as JSON from its standard input, ends at the line after it, and prints what it
was answered: for each target, status → how often. Its own work has a low priority, as if it had
machines of its own.
"""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from specie.assembly.tls import ROOT, build_client_context, build_public_context

_AT_ONCE = 8  # requests that are written before an answer is waited for
_OPENING = 4  # connections that begin TLS together: of all at once, begun slowly, none is in time
_LET_IN_S, _REFUSED_S = 120.0, 30.0  # to wait for, at most


@dataclass(frozen=True)
class Target:
    """Whom to ask what, from which of this machine's addresses, on how many connections."""

    name: str
    host: str
    port: int
    source: str
    request: str  # with its head; none: connections that never begin TLS
    folder: str  # whose certificate
    password: str = ""  # none: without a certificate
    connections: int = 64


@dataclass
class Flood:
    """While it lasts, and what it was answered."""

    running: subprocess.Popen[str]
    answers: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: float = 0.0  # how long it was, with its start and its end


@contextmanager
def flooding(targets: Sequence[Target]) -> Iterator[Flood]:
    """From its first refusals on, or as far as this machine comes in half a minute.

    Before that everybody has let it in, however long that takes.
    """
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.network.flooding"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        flood = Flood(running)
        assert running.stdin is not None and running.stdout is not None
        running.stdin.write(json.dumps([asdict(one) for one in targets]) + "\n")
        running.stdin.flush()
        assert running.stdout.readline() == "refused\n"
        try:
            yield flood
        finally:
            told, _ = running.communicate("end\n", 30)
            flood.answers, flood.seconds = json.loads(told), time.monotonic() - started


async def main() -> None:
    os.nice(10)
    targets = [Target(**one) for one in json.loads(sys.stdin.readline())]
    answers = {one.name: Counter[str]() for one in targets}
    tasks = [task for one in targets for task in begin(one, answers[one.name])]
    started = time.monotonic()
    while True:  # looked at, now and then
        await asyncio.sleep(0.1)
        if not waits(targets, answers, time.monotonic() - started):
            break
    say("refused")
    await asyncio.to_thread(sys.stdin.readline)
    say(json.dumps(answers))
    for task in tasks:
        task.cancel()


def begin(target: Target, answers: Counter[str]) -> list[asyncio.Task[None]]:
    """All its connections."""
    context, opening = build_context(target), asyncio.Semaphore(_OPENING)
    floods = (flood(target, context, opening, answers) for _ in range(target.connections))
    return [asyncio.create_task(one) for one in floods]


def build_context(target: Target) -> ssl.SSLContext | None:
    folder = Path(target.folder)
    if not target.request:
        return None
    if target.password:
        return build_client_context(folder, bytes.fromhex(target.password))
    return build_public_context(folder / ROOT)


def waits(targets: Sequence[Target], answers: Mapping[str, Counter[str]], seconds: float) -> bool:
    """Whether it is too early to say that all have refused."""
    asked = [one for one in targets if one.request]
    if seconds < _LET_IN_S and not all(is_let_in(answers[one.name]) for one in asked):
        return True
    return seconds < _REFUSED_S and not all(is_refused(one, answers[one.name]) for one in targets)


def is_let_in(answers: Counter[str]) -> bool:
    """Something was answered that is no refusal."""
    return any(status.isdigit() and status != "429" for status in answers)


def is_refused(target: Target, answers: Counter[str]) -> bool:
    """Requests, or connections when nothing is asked on them."""
    return ("429" if target.request else "closed") in answers


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def flood(
    target: Target,
    context: ssl.SSLContext | None,
    opening: asyncio.Semaphore,
    answers: Counter[str],
) -> None:
    """One connection, again and again."""
    while True:
        try:
            async with opening:
                opened = await asyncio.open_connection(
                    target.host, target.port, ssl=context, local_addr=(target.source, 0)
                )
            await insist(target, *opened, answers)
        except (OSError, EOFError):
            answers["closed"] += 1
            await asyncio.sleep(0.1)


async def insist(
    target: Target,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: Counter[str],
) -> None:
    try:
        while True:
            writer.write(_AT_ONCE * target.request.encode())
            for _ in range(_AT_ONCE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = head.partition("content-length: ")[2].partition("\r\n")[0]
                await reader.readexactly(int(length))
                answers[head.split()[1]] += 1
    finally:
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(main())
