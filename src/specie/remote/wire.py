"""HTTPS to who may be slow, endless or somebody else: bounded in bytes and in time.

connect → TLS → whose certificate is it → request → head → body, piece by piece

Whoever is told that it asks too much waits as long as it is told, for a second at least, and asks
the same again: who answers with no wait at all would have us ask without end.

A time limit of a socket counts from byte to byte; whoever sends one a second never meets it. So a
timer cuts the connection when the head has not come within `seconds`, and no piece of the body is
read after them. With a piece that is waited for, and a second try, it is a few times as long.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ClosedPoolError, HTTPError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as TimeoutHTTPError

from specie.remote.peers import Certified
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import MESSAGE_AGE_MS_MAX
from specie.values.times import Timestamp

CheckPeer = Callable[[str, int, Certified | None], None]
"""Host, port, what its certificate says → raises unless that is who is meant."""

_CONNECT_S: Final = 3.0
_WAIT_S_MIN: Final = 1.0
_WAIT_S_MAX: Final = 5.0
_POOLED: Final = 16
_PIECE: Final = 65_536
_STALE: Final = (ProtocolError, ConnectionResetError, BrokenPipeError, SSLError, ClosedPoolError)
"""A kept connection that the other side, or we, have closed meanwhile."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All of it."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    data: bytes


class Wire:
    """Connections that are kept, to any number of addresses."""

    def __init__(
        self, context: ssl.SSLContext | None, seconds: float, check: CheckPeer | None = None
    ) -> None:
        self.seconds = seconds
        self._pool = urllib3.PoolManager(
            num_pools=64, maxsize=_POOLED, block=False, ssl_context=context
        )
        self._made: WeakSet[_Pool] = WeakSet()
        classes: Any = {"https": partial(_Pool, seconds, check, self._made)}  # makes one, too
        self._pool.pool_classes_by_scheme = classes

    def ask(
        self,
        method: str,
        url: str,
        bytes_max: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`unreachable` without a whole answer in time; tried again once if a kept one was closed.

        So what is asked for must have one effect however often it is asked. A flood's refusal
        (429, `retry-after`) is given back when no time is left to ask again.
        """
        end = time.monotonic() + min(self.seconds, MESSAGE_AGE_MS_MAX / 2_000)
        while True:
            answer = self._insist(method, url, bytes_max, body, headers)
            wait_s = _read_wait(answer)
            if wait_s is None or time.monotonic() + wait_s > end:
                return answer
            time.sleep(wait_s)

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Status, and lines as they come; `unreachable` if none comes for `seconds`."""
        wait = urllib3.Timeout(connect=_CONNECT_S, read=self.seconds)
        try:
            answer = self._pool.request(
                "GET",
                url,
                headers=dict(headers),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=wait,
            )
        except (HTTPError, OSError) as error:
            raise SpecieError(ErrorCode.UNREACHABLE, _describe(error, url)) from None
        try:
            yield answer.status, _read_lines(answer, url)
        finally:
            answer.close()

    def close(self) -> None:
        """All connections; those at work when their answer is here."""
        self._pool.clear()
        for pool in list(self._made):
            pool.close()

    def _insist(
        self,
        method: str,
        url: str,
        bytes_max: int,
        body: bytes,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        end = time.monotonic() + self.seconds
        for is_last in (False, True):
            try:
                return self._ask(method, url, bytes_max, body, headers or {})
            except (HTTPError, OSError) as error:
                is_stale = isinstance(error, _STALE) and time.monotonic() < end
                if is_last or not is_stale:
                    raise SpecieError(ErrorCode.UNREACHABLE, _describe(error, url)) from None
        raise AssertionError("the last try returns or raises")

    def _ask(
        self, method: str, url: str, bytes_max: int, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        end = time.monotonic() + self.seconds
        answer = self._pool.request(
            method,
            url,
            body=body or None,
            headers=dict(headers),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=self.seconds),
        )
        found = {name.lower(): value for name, value in answer.headers.items()}
        try:
            data = _read(answer, found, bytes_max, end)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        return Answer(answer.status, found, data)


class _Connection(HTTPSConnection):
    """Checked when it is made, cut when it takes too long."""

    def __init__(self, seconds: float, check: CheckPeer | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds = seconds
        self._check = check
        self._timer: threading.Timer | None = None

    def connect(self) -> None:
        """Before anything is sent."""
        super().connect()
        if self._check is not None and isinstance(self.sock, ssl.SSLSocket):
            self._check(self.host, self.port, get_certified(self.sock.getpeercert()))

    def request(self, *args: Any, **kwargs: Any) -> None:
        """From here time counts."""
        self._timer = threading.Timer(self._seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()
        try:
            super().request(*args, **kwargs)
        except BaseException:
            self._timer.cancel()
            raise

    def getresponse(self) -> Any:
        """The head; the body is read by whoever asked, who looks at the clock."""
        try:
            return super().getresponse()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _cut(self) -> None:
        if isinstance(self.sock, socket.socket):
            try:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # below TLS: wakes the reader
            except OSError:
                return


class _Pool(HTTPSConnectionPool):
    def __init__(
        self,
        seconds: float,
        check: CheckPeer | None,
        made_so_far: "WeakSet[_Pool]",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        made_so_far.add(self)
        made = partial(_Connection, seconds, check)
        self.ConnectionCls = made  # type: ignore[assignment]  # called, as the class would be


def get_certified(certificate: Mapping[str, Any] | None) -> Certified | None:
    """From what `ssl` says of the other side's certificate."""
    if not certificate:
        return None
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
    ends = Timestamp(ssl.cert_time_to_seconds(certificate["notAfter"]) * 1000)
    return Certified(int(certificate["serialNumber"], 16), frozenset(names), ends)


def _read(
    answer: urllib3.BaseHTTPResponse, headers: Mapping[str, str], bytes_max: int, end: float
) -> bytes:
    """As long as its head says, unpacked by nobody."""
    length = headers.get("content-length", "")
    is_plain = not {"transfer-encoding", "content-encoding"} & headers.keys()
    is_short = length.isascii() and length.isdigit() and len(length) < 12
    if not is_plain or not is_short or int(length) > bytes_max:
        raise SpecieError(ErrorCode.UNREACHABLE, "an answer without end, or packed")
    data = bytearray()
    while len(data) < int(length):
        if time.monotonic() > end:
            raise SpecieError(ErrorCode.UNREACHABLE, "an answer that came too slowly")
        piece = answer.read1(_PIECE, decode_content=False)
        if not piece:
            raise SpecieError(ErrorCode.UNREACHABLE, "an answer that ended early")
        data += piece
    return bytes(data)


def _read_lines(answer: urllib3.BaseHTTPResponse, url: str) -> Iterator[bytes]:
    """Without their ends; one that does not end is nobody's."""
    rest = b""
    while True:
        try:
            piece = answer.read1(_PIECE, decode_content=False)
        except (HTTPError, OSError) as error:
            raise SpecieError(ErrorCode.UNREACHABLE, _describe(error, url)) from None
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if not piece:
            if rest:
                yield rest
            return
        if len(rest) > _PIECE:
            raise SpecieError(ErrorCode.UNREACHABLE, "a line without end")


def _read_wait(answer: Answer) -> float | None:
    """Seconds until it may be asked again; None if this is the answer."""
    told = answer.headers.get("retry-after", "")
    is_flood = answer.status == 429 and told.isascii() and told.isdigit()
    return min(max(float(told), _WAIT_S_MIN), _WAIT_S_MAX) if is_flood else None


def _describe(error: Exception, url: str) -> str:
    cause = error.__cause__ or error
    place = "://".join(urlsplit(url)[:2])
    if isinstance(cause, ConnectionRefusedError):
        return f"nobody listens at {place}"
    if isinstance(cause, socket.gaierror):
        return f"no address is known for {place}"
    if isinstance(cause, TimeoutError | TimeoutHTTPError):
        return f"no answer in time from {place}"
    return f"{place}: {type(cause).__name__}: {cause}".split("(", maxsplit=1)[0][:200]
