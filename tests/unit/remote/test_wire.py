"""Answers of servers that are slow, endless, packed or somebody else, over real TLS (P12)."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server, socket

import pytest

from specie.assembly.tls import ROOT, build_public_context, build_server_context
from specie.identity.certificates import name_peer
from specie.remote import wire as wires
from specie.remote.peers import Certified
from specie.remote.wire import Wire
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.remote.certified import PASSWORD, write_certified

NETWORK = NetworkId(b"a network".ljust(16))
BANK = ServiceName("bank-2")
SECONDS = 0.6
OK = b"HTTP/1.1 200 OK\r\n"

Behave = Callable[[ssl.SSLSocket], None]


class Server:
    """Speaks TLS as it should, and HTTP as the test wants."""

    def __init__(self, folder: Path) -> None:
        leaf = write_certified(folder, BANK, NETWORK)
        self.serial = leaf.serial_number
        self.ends = Timestamp(int(leaf.not_valid_after_utc.timestamp()) * 1000)
        self.trust = build_public_context(folder / ROOT)
        self.context = build_server_context(folder, PASSWORD, is_mutual=False)
        self.listening: socket = create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listening.getsockname()[1]}/"
        self.behave: Behave = lambda _: None
        self.requests: list[bytes] = []
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.is_stopping.set()
        with suppress(OSError), socket() as waker:
            waker.connect(self.listening.getsockname())
        self.thread.join()
        self.listening.close()

    def _serve(self) -> None:
        while True:
            plain, _ = self.listening.accept()
            if self.is_stopping.is_set():
                plain.close()
                return
            with suppress(OSError), self.context.wrap_socket(plain, server_side=True) as secure:
                self._answer(secure)

    def _answer(self, secure: ssl.SSLSocket) -> None:
        while asked := secure.recv(65_536):
            self.requests.append(asked)
            self.behave(secure)

    def drip(self, secure: ssl.SSLSocket, data: bytes) -> None:
        """A byte now and then, never as late as a socket's own limit."""
        for byte in data:
            if self.is_stopping.wait(0.05):
                return
            secure.sendall(bytes([byte]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("tls"))
    yield found
    found.stop()


def ask(server: Server, behave: Behave, seconds: float = SECONDS) -> bytes:
    server.behave = behave
    wire = Wire(server.trust, seconds)
    try:
        return wire.ask("GET", server.url, 1_000).data
    finally:
        wire.close()


def test_an_answer_is_read_whole(server: Server) -> None:
    head = OK + b"content-length: 5\r\n\r\n"

    def answer(secure: ssl.SSLSocket) -> None:
        secure.sendall(head + b"he")
        secure.sendall(b"llo")

    assert ask(server, answer, 10) == b"hello"


@pytest.mark.parametrize(("told", "tries"), [(b"retry-after: 0\r\n", 2), (b"", 1)])
def test_who_asks_too_much_asks_again(server: Server, told: bytes, tries: int) -> None:
    """As long as it is told to wait; a refusal without a time is the answer."""
    answers = [b"HTTP/1.1 429 no\r\n" + told, OK]
    server.requests.clear()

    def answer(secure: ssl.SSLSocket) -> None:
        secure.sendall(answers.pop(0) + b"content-length: 1\r\n\r\n" + str(tries).encode())

    assert ask(server, answer, 10) == str(tries).encode()
    assert len(server.requests) == tries


def test_who_tells_us_not_to_wait_is_not_asked_without_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this moment once, or twice: as often as the shortest wait allows, here half of it."""
    monkeypatch.setattr(wires, "_WAIT_S_MIN", SECONDS / 2)
    server.requests.clear()
    refusal = b"HTTP/1.1 429 no\r\nretry-after: 0\r\ncontent-length: 5\r\n\r\nlater"
    assert ask(server, lambda secure: secure.sendall(refusal)) == b"later"
    assert 1 <= len(server.requests) <= 2


def test_no_time_is_left_to_ask_again(server: Server) -> None:
    server.requests.clear()
    refusal = b"HTTP/1.1 429 no\r\nretry-after: 1\r\ncontent-length: 5\r\n\r\nlater"
    assert ask(server, lambda secure: secure.sendall(refusal)) == b"later"
    assert len(server.requests) == 1


def test_who_drips_a_head_is_cut_off(server: Server) -> None:
    started = time.monotonic()
    with refused(ErrorCode.UNREACHABLE):
        ask(server, lambda secure: server.drip(secure, OK + b"a: b\r\n" * 100))
    assert time.monotonic() - started < 20 * SECONDS  # thirty seconds of dripping were left


def test_who_drips_a_body_is_left(server: Server) -> None:
    def answer(secure: ssl.SSLSocket) -> None:
        secure.sendall(OK + b"content-length: 600\r\n\r\n")
        server.drip(secure, bytes(600))

    with refused(ErrorCode.UNREACHABLE) as error:
        ask(server, answer)
    assert "slowly" in str(error.value)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"content-length: 1001", b""),
        (b"content-length: 99999999999999999", b""),
        (b"content-length: -1", b""),
        (b"content-length: 5\r\ncontent-encoding: gzip", b"12345"),
        (b"transfer-encoding: chunked", b"1\r\na\r\n0\r\n\r\n"),
        (b"content-length: 2\r\ntransfer-encoding: chunked", b"1\r\na\r\n0\r\n\r\n"),
        (b"connection: close", b"without end"),
    ],
)
def test_an_answer_has_a_length_and_is_not_packed(server: Server, head: bytes, body: bytes) -> None:
    with refused(ErrorCode.UNREACHABLE) as error:
        ask(server, lambda secure: secure.sendall(OK + head + b"\r\n\r\n" + body), 10)
    assert "without end, or packed" in str(error.value)


def test_an_answer_that_ends_early(server: Server) -> None:
    def answer(secure: ssl.SSLSocket) -> None:
        secure.sendall(OK + b"content-length: 10\r\n\r\nhalf")
        secure.close()

    with refused(ErrorCode.UNREACHABLE):
        ask(server, answer, 10)


def test_a_closed_connection_is_opened_again_once(server: Server) -> None:
    wire = Wire(server.trust, 10)
    close = [False, True, False]

    def answer(secure: ssl.SSLSocket) -> None:
        if close.pop(0):
            secure.close()
        else:
            secure.sendall(OK + b"content-length: 2\r\n\r\nhi")

    server.behave = answer
    assert [wire.ask("GET", server.url, 10).data for _ in range(2)] == [b"hi", b"hi"]
    assert close == []
    wire.close()


def test_nothing_is_said_to_somebody_else(server: Server) -> None:
    """The certificate is looked at before the request leaves."""
    server.requests.clear()
    shown: list[Certified | None] = []

    def check(_host: str, _port: int, found: Certified | None) -> None:
        shown.append(found)
        raise SpecieError(ErrorCode.UNREACHABLE, "somebody else")

    wire = Wire(server.trust, 10, check)
    with refused(ErrorCode.UNREACHABLE) as error:
        wire.ask("POST", server.url, 10, b"a secret")
    assert "somebody else" in str(error.value)
    wire.close()
    names = frozenset({name_peer(NETWORK, BANK)})
    assert shown == [Certified(server.serial, names, server.ends)]
    assert server.requests == []


def test_nobody_is_there(server: Server) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    wire = Wire(server.trust, 2)
    with refused(ErrorCode.UNREACHABLE):
        wire.ask("GET", f"https://127.0.0.1:{port}/", 10)
    wire.close()


def test_nobody_there_is_told_in_a_sentence() -> None:
    with create_server(("127.0.0.1", 0)) as closed:
        place = f"https://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(SpecieError) as caught:
        Wire(None, SECONDS).ask("GET", f"{place}/v1/lists?a=b", 100)
    assert str(caught.value) == f"unreachable: nobody listens at {place}"


def test_no_answer_in_time_is_told_in_a_sentence() -> None:
    """It takes the connection, and says nothing more."""
    with create_server(("127.0.0.1", 0)) as silent:
        place = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SpecieError) as caught:
            Wire(None, SECONDS).ask("GET", f"{place}/", 100)
    assert str(caught.value) == f"unreachable: no answer in time from {place}"
