"""TLS that never comes to its end takes no place of others, over real sockets (X5, P12)."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from socket import create_connection, create_server, socket

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from specie.api import accepting, protocol
from specie.api.accepting import Server
from specie.api.protocol import CertifiedProtocol
from specie.assembly.tls import ROOT, build_client_context, build_public_context
from specie.assembly.tls import build_server_context as build_context
from specie.values.identifiers import NetworkId, ServiceName
from tests.unit.api.test_protocol import ask, read_all
from tests.unit.remote.certified import PASSWORD, write_certified

Address = tuple[str, int]


async def answer(_request: Request) -> Response:
    return PlainTextResponse("hello")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    write_certified(made, ServiceName("bank-2"), NetworkId(b"a network".ljust(16)))
    return made


@contextmanager
def listening(folder: Path, *, is_mutual: bool = False) -> Iterator[Address]:
    """As a process does it: uvloop, our protocol behind our door."""
    context = build_context(folder, PASSWORD, is_mutual=is_mutual)
    config = uvicorn.Config(
        Starlette(routes=[Route("/", answer)]),
        http=CertifiedProtocol,
        ssl_context_factory=lambda _config, _default: context,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = Server(config)

    def run(bound: socket) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets=[bound]))

    with create_server(("127.0.0.1", 0)) as bound:
        address = bound.getsockname()
        thread = threading.Thread(target=run, args=(bound,), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield address
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "nobody who is at it holds up the stop"


@pytest.fixture
def address(folder: Path) -> Iterator[Address]:
    with listening(folder) as found:
        yield found


Connect = Callable[..., socket]


@pytest.fixture
def connect(address: Address) -> Iterator[Connect]:
    """TCP alone, from a chosen address of this machine."""
    with ExitStack() as stack:

        def make(host: str = "127.0.0.1") -> socket:
            made = create_connection(address, source_address=(host, 0))
            time.sleep(0.05)
            return stack.enter_context(made)

        yield make


def fetch(folder: Path, address: Address, host: str = "127.0.0.1") -> bytes:
    """By an honest client."""
    context = build_public_context(folder / ROOT)
    with create_connection(address, source_address=(host, 0)) as plain:
        plain.settimeout(10)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            return ask(secure)


def is_open(connection: socket) -> bool:
    connection.settimeout(0.1)
    with suppress(TimeoutError):
        return connection.recv(1) != b""
    return True


def test_of_one_address_the_oldest_gives_way(
    folder: Path, address: Address, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An honest client from the same address is through before its turn comes."""
    monkeypatch.setattr(accepting, "HANDSHAKES_PER_ADDRESS_MAX", 3)
    silent = [connect() for _ in range(3)]
    other = connect("127.0.0.2")
    assert fetch(folder, address).endswith(b"hello")
    assert [is_open(one) for one in (*silent, other)] == [False, True, True, True]
    silent.append(connect())
    silent.append(connect())
    assert [is_open(one) for one in (*silent[1:], other)] == [False, True, True, True, True]


def test_of_all_the_oldest_gives_way(
    folder: Path, address: Address, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "HANDSHAKES_MAX", 3)
    silent = [connect(f"127.0.0.{one}") for one in range(2, 5)]
    assert fetch(folder, address).endswith(b"hello")
    assert [is_open(one) for one in silent] == [False, True, True]


def test_a_handshake_has_its_time(
    folder: Path, address: Address, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "HANDSHAKE_SECONDS_MAX", 0.5)
    silent, broken = connect(), connect()
    broken.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert read_all(silent) == b""
    assert b"HTTP" not in read_all(broken)
    assert fetch(folder, address).endswith(b"hello")


def test_new_connections_have_a_rate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs a handshake, also if it is used for nothing."""
    monkeypatch.setattr(accepting, "CONNECTIONS_SECOND_MAX", 0)
    monkeypatch.setattr(accepting, "CONNECTIONS_PER_ADDRESS_MAX", 2)
    with listening(folder) as address:
        for _ in range(2):
            assert fetch(folder, address).endswith(b"hello")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            fetch(folder, address)
        assert fetch(folder, address, "127.0.0.2").endswith(b"hello")


def test_a_service_has_so_many_connections_from_anywhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by its certificate."""
    monkeypatch.setattr(protocol, "CONNECTIONS_PER_SERVICE_MAX", 2)
    context = build_client_context(folder, PASSWORD)
    with listening(folder, is_mutual=True) as address, ExitStack() as stack:

        def connect(host: str) -> ssl.SSLSocket:
            plain = create_connection(address, source_address=(host, 0))
            made = context.wrap_socket(plain, server_hostname="127.0.0.1")
            time.sleep(0.1)
            return stack.enter_context(made)

        kept = [connect("127.0.0.1"), connect("127.0.0.2")]
        assert read_all(connect("127.0.0.3")) == b""
        assert [ask(one)[-5:] for one in kept] == [b"hello"] * 2
