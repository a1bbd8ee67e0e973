"""Connections of strangers: a head that is long or late, and too many from one place (X5, P12)."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from socket import create_connection, create_server, socket

import pytest
import uvicorn
import uvicorn.protocols.http.httptools_impl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from specie.api import protocol
from specie.api.protocol import CertifiedProtocol
from specie.values.limits import HEAD_BYTES_MAX, PIPELINE_MAX

LONG = 16 * 1024 * 1024  # more than the system keeps of a connection
ASK = b"GET / HTTP/1.1\r\nhost: x\r\n"


SEEN = list[bytes]()


async def answer(request: Request) -> Response:
    SEEN.append(await request.body())
    return PlainTextResponse("hello")


BUSY, FREE = threading.Event(), threading.Event()


async def stay_busy(_request: Request) -> Response:
    """The whole loop, so that nothing is read meanwhile."""
    BUSY.set()
    FREE.wait(10)
    return PlainTextResponse("done")


async def answer_long(_request: Request) -> Response:
    return PlainTextResponse(bytes(LONG))


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    config = uvicorn.Config(
        Starlette(
            routes=[
                Route("/", answer, methods=["GET", "POST"]),
                Route("/long", answer_long),
                Route("/busy", stay_busy),
            ]
        ),
        http=CertifiedProtocol,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


def read_all(connection: socket) -> bytes:
    """Until the other side closes."""
    connection.settimeout(10)
    found = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            found += part
    return found


def count_all(connection: socket) -> int:
    """Bytes until the other side closes."""
    connection.settimeout(10)
    found = 0
    with suppress(ConnectionResetError):
        while part := len(connection.recv(1024 * 1024)):
            found += part
    return found


def ask(connection: socket) -> bytes:
    connection.sendall(ASK + b"connection: close\r\n\r\n")
    return read_all(connection)


def test_a_head_that_ends_is_answered(address: tuple[str, int]) -> None:
    with create_connection(address) as connection:
        connection.sendall(ASK)
        time.sleep(0.1)
        connection.sendall(b"a: " + b"b" * (HEAD_BYTES_MAX // 2) + b"\r\nconnection: close\r\n\r\n")
        assert read_all(connection).endswith(b"hello")


def test_a_head_without_end_closes_the_connection(address: tuple[str, int]) -> None:
    with create_connection(address) as connection:
        connection.sendall(ASK)
        with suppress(OSError):  # it is cut while we write
            for _ in range(2 * HEAD_BYTES_MAX // 1_024):
                connection.sendall(b"a: " + b"b" * 1_019 + b"\r\n")
        assert read_all(connection) == b""
    with create_connection(address) as connection:
        assert ask(connection).endswith(b"hello")


WHOLE = b"\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "end"),
    [(b"", b""), (b"", WHOLE), (ASK + b"\r\n", WHOLE)],
    ids=["without an end", "whole", "behind another"],
)
def test_a_head_that_comes_all_at_once_is_not_longer_than_others(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, before: bytes, end: bytes
) -> None:
    """While the server is busy the system keeps it, so that one read has all of it."""
    monkeypatch.setattr(protocol, "MESSAGE_SECONDS_MAX", 3_600.0)
    BUSY.clear()
    FREE.clear()
    with create_connection(address) as busy, create_connection(address) as connection:
        busy.sendall(b"GET /busy HTTP/1.1\r\nhost: x\r\n\r\n")
        BUSY.wait(10)
        connection.sendall(before + ASK + b"a: " + b"b" * HEAD_BYTES_MAX + end)
        FREE.set()
        assert read_all(connection).count(b"hello") == 0


def test_a_trailer_without_an_end_closes_the_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no part of a body counts as a head does, or a parser would keep all of it."""
    monkeypatch.setattr(protocol, "MESSAGE_SECONDS_MAX", 3_600.0)
    with create_connection(address) as connection:
        head = ASK.replace(b"GET", b"POST") + b"transfer-encoding: chunked\r\n\r\n"
        connection.sendall(head + b"5\r\nhello\r\n0\r\na: ")
        sent = 0
        with suppress(OSError):  # it is cut while we write
            while sent < LONG:
                sent += connection.send(b"b" * 1_024)
        assert sent < LONG
        read_all(connection)


def test_a_long_body_in_parts_is_no_trailer(address: tuple[str, int]) -> None:
    with create_connection(address) as connection:
        head = ASK.replace(b"GET", b"POST") + b"transfer-encoding: chunked\r\n"
        connection.sendall(head + b"connection: close\r\n\r\n")
        for _ in range(4 * HEAD_BYTES_MAX // 1_024):
            connection.sendall(b"400\r\n" + b"c" * 1_024 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert read_all(connection).endswith(b"hello")


def test_a_body_is_never_anothers(address: tuple[str, int]) -> None:
    """That of a request whose head was too long, behind one that is under way."""
    SEEN.clear()
    post = ASK.replace(b"GET /", b"POST /")
    first = post + b"content-length: 4\r\n\r\ngood"
    second = post + b"a: " + b"b" * HEAD_BYTES_MAX + b"\r\ncontent-length: 4\r\n\r\nevil"
    with create_connection(address) as connection:
        connection.sendall(first + second)
        read_all(connection)
    with create_connection(address) as connection:
        assert ask(connection).endswith(b"hello")
    assert set(SEEN) <= {b"good", b""}


@pytest.mark.parametrize("count", [PIPELINE_MAX + 1, PIPELINE_MAX + 2])
def test_so_many_requests_wait_for_their_turn(address: tuple[str, int], count: int) -> None:
    """One is under way; who sends more than may wait is answered no more."""
    BUSY.clear()
    FREE.clear()
    with create_connection(address) as busy, create_connection(address) as connection:
        busy.sendall(b"GET /busy HTTP/1.1\r\nhost: x\r\n\r\n")
        BUSY.wait(10)
        connection.sendall((ASK + b"\r\n") * (count - 1) + ASK + b"connection: close\r\n\r\n")
        FREE.set()
        answers = read_all(connection).count(b"hello")
    assert answers == (count if count <= PIPELINE_MAX + 1 else 0)


def test_a_short_head_behind_a_long_body_is_answered(address: tuple[str, int]) -> None:
    """In one read: only what belongs to the second message counts for it."""
    body = b"c" * (2 * HEAD_BYTES_MAX)
    with create_connection(address) as connection:
        length = f"content-length: {len(body)}\r\n\r\n".encode()
        connection.sendall(ASK.replace(b"GET", b"POST") + length + body + ASK)
        time.sleep(0.1)
        connection.sendall(b"connection: close\r\n\r\n")
        assert read_all(connection).endswith(b"hello")


def test_a_late_head_closes_the_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MESSAGE_SECONDS_MAX", 0.2)
    with create_connection(address) as silent, create_connection(address) as slow:
        slow.sendall(ASK)
        assert read_all(slow) == read_all(silent) == b""


def ask_and_stay(connection: socket) -> None:
    """A whole answer; the connection is kept."""
    connection.sendall(ASK + b"\r\n")
    found = b""
    while not found.endswith(b"hello"):
        found += connection.recv(65_536)


def test_empty_lines_keep_no_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind an answer they begin no request, and uvicorn's own time is over with the first."""
    monkeypatch.setattr(protocol, "MESSAGE_SECONDS_MAX", 0.5)
    with create_connection(address) as connection:
        ask_and_stay(connection)
        end = time.monotonic() + 5
        with suppress(OSError):
            while time.monotonic() < end:
                connection.sendall(b"\r\n")
                time.sleep(0.05)
        assert time.monotonic() < end, "it is cut"


def test_empty_lines_have_an_end(address: tuple[str, int]) -> None:
    with create_connection(address) as connection:
        ask_and_stay(connection)
        connection.sendall(b"\r\n" * 100)
        ask_and_stay(connection)
        connection.settimeout(5)
        with suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(b"\r\n" * HEAD_BYTES_MAX)
            assert connection.recv(1) == b"", "it is cut before its time is over"


def test_trailers_are_not_kept_and_end(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a refused body somebody sends header fields without end."""
    monkeypatch.setattr(protocol, "MESSAGE_SECONDS_MAX", 0.5)
    kept: list[int] = []
    add = uvicorn.protocols.http.httptools_impl.HttpToolsProtocol.on_header

    def count(self: CertifiedProtocol, name: bytes, value: bytes) -> None:
        kept.append(len(value))
        add(self, name, value)

    monkeypatch.setattr(uvicorn.protocols.http.httptools_impl.HttpToolsProtocol, "on_header", count)
    with create_connection(address) as connection:
        connection.sendall(ASK + b"transfer-encoding: chunked\r\n\r\n0\r\n")
        end = time.monotonic() + 20
        with suppress(OSError):
            while time.monotonic() < end:
                connection.sendall(b"a: " + b"b" * 1_000 + b"\r\n")
        assert time.monotonic() < end, "it is cut"
    assert len(kept) == 2, "host and transfer-encoding"


@pytest.mark.parametrize("limit", ["CONNECTIONS_PER_ADDRESS_MAX", "CONNECTIONS_MAX"])
def test_only_so_many_connections_are_open(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """The next is closed; whoever is there stays, and a place that is left is free again."""
    monkeypatch.setattr(protocol, limit, 3)
    with ExitStack() as stack:
        kept = [stack.enter_context(create_connection(address)) for _ in range(3)]
        time.sleep(0.2)
        with create_connection(address) as refused:
            assert read_all(refused) == b""
        assert ask(kept[0]).endswith(b"hello")
        kept[0].close()
        time.sleep(0.2)
        with create_connection(address) as again:
            assert ask(again).endswith(b"hello")


def test_when_all_are_in_use_the_largest_holder_loses_one(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its newest; whoever comes from elsewhere is let in, until each has as many."""
    monkeypatch.setattr(protocol, "CONNECTIONS_MAX", 4)
    with ExitStack() as stack:

        def connect(host: str) -> socket:
            made = stack.enter_context(create_connection(address, source_address=(host, 0)))
            time.sleep(0.1)
            return made

        flood = [connect("127.0.0.1") for _ in range(4)]
        others = [connect("127.0.0.2") for _ in range(2)]
        assert read_all(flood[3]) == read_all(flood[2]) == b""
        assert read_all(connect("127.0.0.2")) == b"", "no more than the other"
        for one in (*flood[:2], *others):
            assert ask(one).endswith(b"hello")


def test_an_answer_that_is_not_taken_closes_the_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "ANSWER_SECONDS_MAX", 0.3)
    with create_connection(address) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(1)
        assert count_all(connection) < LONG
    with create_connection(address) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert count_all(connection) > LONG, "who reads on gets all of it"
