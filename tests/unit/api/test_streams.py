"""Streams of events: who listens hears what is his, in order, from where he stopped (T18).

A reader that hangs holds one page and no thread; all on the ASGI border, with real signatures.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from specie.api.gate import Gate, Listener
from specie.api.streams import Streams
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.ports.events import EventKind
from specie.remote.channel import Speaker
from specie.remote.listening import HeardEvent, read_events
from specie.remote.operations import VERSION
from specie.remote.payment_operations import STREAM_EVENTS
from specie.remote.peers import CLIENT
from specie.remote.signing import Target, name_receiver, sign_request
from specie.store.event_store import SqliteEventStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, InstitutionPublicKey, ServiceName
from specie.values.limits import STREAMS_PER_CLIENT_MAX
from tests.clocks import MORNING, ManualClock
from tests.country import refused
from tests.unit.api.cast import make_cast

BANK = ServiceName("bank-2")
ANNA, BORIS = ClientId("anna"), ClientId("boris")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class House:
    """A bank's public face, and the devices of its clients."""

    def __init__(self, place: Path) -> None:
        cast = make_cast()
        self.peers = cast.peers
        self.keys = {client: InstitutionKey.generate() for client in (ANNA, BORIS)}
        self.store = SqliteEventStore(place, SealingKey.generate())
        speaker = Speaker(BANK, cast.bank_key)
        clock = ManualClock(MORNING)
        self.gate = Gate(Listener.PUBLIC, BANK, speaker, cast.peers, clock, self.find)
        self.streams = Streams(self.gate, self.store)
        route = Route(STREAM_EVENTS.path, self.streams.answer, methods=["GET"])
        self.app = self.gate.build_app((), (), (route,))

    def find(self, name: str) -> tuple[str, InstitutionPublicKey]:
        for client, key in self.keys.items():
            if name == client:
                return client, InstitutionPublicKey(key.public)
        raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody's device")

    def add(self, client: ClientId, count: int = 1) -> None:
        for _ in range(count):
            self.store.add(client, EventKind.SETTLED, MORNING, '{"minor": 5}')

    async def listen(self, client: str, after: str, send: Send, key: Any = None) -> None:
        receiver = name_receiver(self.peers.network, BANK)
        target = Target("GET", STREAM_EVENTS.path, "", receiver, str(VERSION))
        signer = key or self.keys[ClientId(client)]
        headers = sign_request(target, b"", CLIENT + client, signer, MORNING)
        headers["last-event-id"] = after
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": STREAM_EVENTS.path,
            "raw_path": STREAM_EVENTS.path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "scheme": "https",
            "root_path": "",
            "extensions": {},
        }

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(3600)
            raise AssertionError("nobody waits so long")

        await self.app(scope, receive, send)  # type: ignore[arg-type]  # a plain dictionary


class Reader:
    """What one device has heard."""

    def __init__(self, house: House, client: ClientId, after: int = 0) -> None:
        self.status = 0
        self.data = b""
        self.task = asyncio.create_task(house.listen(client, str(after), self.send))

    async def send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.data += message.get("body", b"")

    @property
    def heard(self) -> list[int]:
        return [one.number for one in read_events(self.data.split(b"\n"))]

    async def wait(self, numbers: list[int]) -> None:
        for _ in range(600):
            if self.heard == numbers:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"heard {self.heard}, not {numbers}")

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "bank.db")


def test_a_device_hears_its_own_events_as_they_happen(house: House) -> None:
    async def story() -> None:
        house.add(ANNA, 70)  # more than a page
        house.add(BORIS)
        anna, boris = Reader(house, ANNA), Reader(house, BORIS)
        await anna.wait(list(range(1, 71)))
        await boris.wait([1])
        house.add(ANNA)
        await anna.wait(list(range(1, 72)))
        await anna.stop()
        again = Reader(house, ANNA, after=70)
        await again.wait([71])
        assert boris.heard == [1] and boris.status == again.status == 200
        for one in (again, boris):
            await one.stop()

    asyncio.run(story())


def test_a_reader_that_hangs_holds_up_nobody(house: House) -> None:
    async def story() -> None:
        house.add(ANNA, 300)
        got: list[int] = []

        async def hang(message: dict[str, Any]) -> None:
            got.append(len(message.get("body", b"")))
            await asyncio.sleep(3600)

        stuck = [asyncio.create_task(house.listen(ANNA, "0", hang)) for _ in range(2)]
        await asyncio.sleep(0.2)
        house.add(BORIS, 3)
        boris = Reader(house, BORIS)
        await boris.wait([1, 2, 3])
        assert sum(got) == 0, "it has taken the head at most, and nobody has read on for it"
        for one in stuck:
            one.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        await boris.stop()

    asyncio.run(story())


def test_a_further_stream_ends_the_oldest(house: House) -> None:
    async def story() -> None:
        readers = []
        for _ in range(STREAMS_PER_CLIENT_MAX + 1):
            readers.append(Reader(house, ANNA))
            await asyncio.sleep(0.1)
        await asyncio.wait_for(readers[0].task, 20)
        house.add(ANNA)
        for one in readers[1:]:
            await one.wait([1])
            await one.stop()
        assert readers[0].heard == []

    asyncio.run(story())


def test_a_lost_device_hears_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the loss on: neither what comes then, nor for ever nothing (T19, X7)."""
    monkeypatch.setattr("specie.api.streams._COMMENT_S", 0.5)

    async def story() -> None:
        house.add(ANNA)
        told, silent = Reader(house, ANNA), Reader(house, BORIS)
        await told.wait([1])
        del house.keys[ANNA]
        house.add(ANNA)
        await asyncio.wait_for(told.task, 20)
        assert told.heard == [1]
        assert not silent.task.done()
        del house.keys[BORIS]
        await asyncio.wait_for(silent.task, 20)

    asyncio.run(story())


def test_a_stream_ends_when_the_bank_is_about_to(house: House) -> None:
    async def story() -> None:
        anna = Reader(house, ANNA)
        await asyncio.sleep(0.2)
        house.gate.is_draining = True
        await asyncio.wait_for(anna.task, 20)

    asyncio.run(story())


def test_nobody_listens_to_another(house: House) -> None:
    async def ask(client: str, after: str, key: Any) -> int:
        found: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            found.append(message.get("status", 0))

        await house.listen(client, after, send, key)
        return found[0]

    stranger = InstitutionKey.generate()
    assert asyncio.run(ask(ANNA, "0", stranger)) == 401
    assert asyncio.run(ask(ANNA, "0", house.keys[BORIS])) == 401
    assert asyncio.run(ask("nobody", "0", stranger)) == 401
    for wrong in ("-1", "x", "1" * 20):
        assert asyncio.run(ask(ANNA, wrong, house.keys[ANNA])) == 422


def test_what_is_no_event_is_passed_over_or_refused() -> None:
    lines = b": hello\n\nretry: 3\n\nid: 7\nevent: a\ndata: {}\n\nid: 8\ndata: x".split(b"\n")
    assert list(read_events(lines)) == [HeardEvent(7, "a", "{}")]
    with refused(ErrorCode.UNREACHABLE):
        list(read_events([b"id: seven", b""]))
