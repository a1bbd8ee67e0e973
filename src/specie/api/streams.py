"""Events as they happen, for devices: a stream of server-sent events (WHATWG HTML, 9.2).

    id: number of the event      event: its kind      data: JSON      a comment every ten seconds

Whoever comes again with `last-event-id` hears what came after it: each event at least once, in
order. A stream holds a page of events at most and no thread: one task looks for all of them what is
new. A device that was lost hears nothing from then on: each page and each comment asks again
whether it speaks for its client. A reader that hangs is cut off like any other
(`api/protocol.py`), and comes again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from specie.api.gate import Gate
from specie.assembly.bank_process import BankProcess
from specie.assembly.foundation import Process
from specie.ports.events import Event, EventStore
from specie.remote.payment_operations import STREAM_EVENTS
from specie.remote.signing import SignedBy, read_signer
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId
from specie.values.limits import STREAM_SECONDS_MAX, STREAMS_MAX, STREAMS_PER_CLIENT_MAX

LAST: Final = "last-event-id"
KIND: Final = "text/event-stream"
_PAGE: Final = 64
_THREADS: Final = 4
_LOOK_S: Final = 0.3
_COMMENT_S: Final = 10.0


@dataclass(slots=True, eq=False, repr=False)
class _Stream:
    client: ClientId
    seen: int
    device: SignedBy
    is_over: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """Of one bank's public face."""

    def __init__(self, gate: Gate, store: EventStore) -> None:
        self._gate = gate
        self._store = store
        self._open: dict[_Stream, None] = {}  # the oldest first
        self._looking: asyncio.Task[None] | None = None
        self._threads = CapacityLimiter(_THREADS)

    async def answer(self, request: Request) -> Response:
        """Refused as operations are, or a stream without end."""
        try:
            asking = self._gate.identify(request, STREAM_EVENTS)
            after = _read_last(request)
            self._check_room()
        except SpecieError as error:
            return await self._gate.refuse(request, error)
        stream = _Stream(ClientId(asking.name), after, read_signer(request.headers))
        return StreamingResponse(
            self._tell(stream), media_type=KIND, headers={"cache-control": "no-store"}
        )

    def _check_room(self) -> None:
        if len(self._open) >= STREAMS_MAX:
            raise SpecieError(ErrorCode.RATE_EXCEEDED, "too many listen to this bank")

    async def _tell(self, stream: _Stream) -> AsyncIterator[bytes]:
        self._enter(stream)
        end = asyncio.get_running_loop().time() + STREAM_SECONDS_MAX
        try:
            yield b"retry: 3000\n\n"
            while not self._is_over(stream, end):
                stream.wake.clear()
                for event in await self._load(stream):
                    yield format_event(event)
                    stream.seen = event.number
                    stream.wake.set()  # there may be more
                if not stream.is_over and not await _wait(stream.wake):
                    yield b":\n\n"
        finally:
            self._open.pop(stream, None)

    def _is_over(self, stream: _Stream, end: float) -> bool:
        is_late = asyncio.get_running_loop().time() > end
        return stream.is_over or is_late or self._gate.is_draining

    async def _load(self, stream: _Stream) -> list[Event]:
        """Nothing, and the end, if the device is the client's no more by then."""

        def load() -> list[Event]:
            found = self._store.load(stream.client, stream.seen, _PAGE)
            stream.is_over |= not self._gate.is_heard(stream.device, stream.client)
            return [] if stream.is_over else found

        return await anyio.to_thread.run_sync(load, limiter=self._threads)

    def _enter(self, stream: _Stream) -> None:
        mine = [one for one in self._open if one.client == stream.client]
        for old in mine[: len(mine) + 1 - STREAMS_PER_CLIENT_MAX]:
            old.is_over = True
            old.wake.set()
        self._open[stream] = None
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """While anybody listens: who has something new?"""
        while self._open:
            await asyncio.sleep(_LOOK_S)
            clients = list({one.client for one in self._open})
            try:
                heads = await anyio.to_thread.run_sync(
                    self._store.load_heads, clients, limiter=self._threads
                )
            except SpecieError:  # the database is busy: the next look
                continue
            for one in list(self._open):
                if self._gate.is_draining or heads.get(one.client, 0) > one.seen:
                    one.wake.set()


def list_streams(gate: Gate, process: Process) -> Sequence[BaseRoute]:
    """A bank has them; nobody else."""
    if not isinstance(process, BankProcess):
        return ()
    streams = Streams(gate, process.payments.events)
    return (Route(STREAM_EVENTS.path, streams.answer, methods=[STREAM_EVENTS.method]),)


def format_event(event: Event) -> bytes:
    """A few lines: JSON has no line ends of its own."""
    return f"id: {event.number}\nevent: {event.kind.value}\ndata: {event.data}\n\n".encode()


async def _wait(wake: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(wake.wait(), _COMMENT_S)
    except TimeoutError:
        return False
    return True


def _read_last(request: Request) -> int:
    text = request.headers.get(LAST, "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "the number of an event stands there")
    return int(text)
