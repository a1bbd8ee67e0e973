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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from specie.assembly.tls import ROOT, build_client_context, build_public_context

_AT_ONCE = 8  # requests that are written before an answer is waited for


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
    """From its first refusals on, or as far as this machine comes in half a minute."""
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
    tasks = [
        asyncio.create_task(flood(one, answers[one.name]))
        for one in targets
        for _ in range(one.connections)
    ]
    until = time.monotonic() + 30
    while time.monotonic() < until:  # looked at, now and then
        await asyncio.sleep(0.1)
        if all(is_refused(one, answers[one.name]) for one in targets):
            break
    say("refused")
    await asyncio.to_thread(sys.stdin.readline)
    say(json.dumps(answers))
    for task in tasks:
        task.cancel()


def is_refused(target: Target, answers: Counter[str]) -> bool:
    """Requests, or connections when nothing is asked on them."""
    return ("429" if target.request else "closed") in answers


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def flood(target: Target, answers: Counter[str]) -> None:
    """One connection, again and again."""
    folder = Path(target.folder)
    context: ssl.SSLContext | None = build_public_context(folder / ROOT)
    if target.password:
        context = build_client_context(folder, bytes.fromhex(target.password))
    if not target.request:
        context = None
    while True:
        try:
            await insist(target, context, answers)
        except (OSError, EOFError):
            answers["closed"] += 1
            await asyncio.sleep(0.1)


async def insist(target: Target, context: ssl.SSLContext | None, answers: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection(
        target.host, target.port, ssl=context, local_addr=(target.source, 0)
    )
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
