"""A call to another process: encode, sign, send, verify the answer, decode or raise.

    us → POST /v1/… , signed ──mutual TLS 1.3──→ them
    us ←  answer, signed, bound to the request ──  them

Every operation has one effect however often it is sent, so a connection that breaks is opened again
once; whoever hears nothing gets `unreachable` and sends the same again later.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from opentelemetry import propagate, trace
from urllib3.exceptions import HTTPError

from specie.crypto.secrets import InstitutionSigner
from specie.identity.services import Service
from specie.ports.clock import Clock
from specie.remote.encoding import CBOR, decode, decode_problem, encode, write_fields
from specie.remote.fields import Message
from specie.remote.operations import VERSION, Operation
from specie.remote.peers import Certified, Peers
from specie.remote.signing import Target, name_receiver, sign_request, verify_answer
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from specie.values.limits import MESSAGE_BYTES_MAX

_CONNECT_S: Final = 3.0
_ANSWER_S: Final = 30.0
_POOLED: Final = 16
_TRACER: Final = trace.get_tracer("specie.remote")

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True, repr=False)
class Speaker:
    """In whose name messages are signed."""

    name: str  # a service, an officer, a client
    key: InstitutionSigner


@dataclass(slots=True, repr=False)
class Channel:
    """Calls to all services of a network, in one party's name."""

    speaker: Speaker
    peers: Peers
    context: ssl.SSLContext
    clock: Clock
    is_public: bool = False  # whether we have no certificate, and use the public faces
    answer_s: float = _ANSWER_S
    _pool: urllib3.PoolManager = field(init=False)

    def __post_init__(self) -> None:
        self._pool = self._make_pool()
        self.peers.watch(self.reconnect)

    def call(
        self, to: ServiceName, operation: Operation[Request, Response], request: Request
    ) -> Response:
        """The answer; whatever the other side refuses is raised with its code."""
        with _TRACER.start_as_current_span(f"{to} {operation.name}", kind=trace.SpanKind.CLIENT):
            return self._call(to, operation, request)

    def reconnect(self) -> None:
        """Connections that were opened under older lists are closed."""
        old, self._pool = self._pool, self._make_pool()
        old.clear()

    def close(self) -> None:
        """All connections."""
        self._pool.clear()

    def _call(
        self, to: ServiceName, operation: Operation[Request, Response], request: Request
    ) -> Response:
        service = self.peers.get_service(to)
        path, query, body = build_request(operation, request)
        target = Target(operation.method, path, query, name_receiver(self.peers.network, to))
        headers = {"accept": CBOR, "specie-version": str(VERSION)}
        if body:
            headers["content-type"] = CBOR
        propagate.inject(headers)
        now = self.clock.now()
        headers |= sign_request(target, body, self.speaker.name, self.speaker.key, now)
        answer = self._send(service, target, body, headers)
        found = {name.lower(): value for name, value in answer.headers.items()}
        asked, expected = headers["signature"], (str(to), service.key)
        verify_answer(answer.status, answer.data, found, asked, expected, self.clock.now())
        if answer.status != 200:
            raise decode_problem(answer.data)
        return decode(answer.data, found.get("content-type", ""), operation.response)

    def _send(
        self, service: Service, target: Target, body: bytes, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        base = service.public_url if self.is_public else service.url
        url = base + target.path + (f"?{target.query}" if target.query else "")
        pool = self._pool
        for is_last in (False, True):
            try:
                answer = pool.request(
                    target.method,
                    url,
                    body=body or None,
                    headers=dict(headers),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    timeout=urllib3.Timeout(connect=_CONNECT_S, read=self.answer_s),
                )
                return _read(answer)
            except (HTTPError, OSError) as error:
                if is_last or not _is_stale(error):
                    reason = f"{service.name}: {_describe(error)}"
                    raise SpecieError(ErrorCode.UNREACHABLE, reason) from None
        raise AssertionError("the last try returns or raises")

    def _make_pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(
            num_pools=64, maxsize=_POOLED, block=False, ssl_context=self.context
        )


def build_request(operation: Operation[Request, Any], request: Request) -> tuple[str, str, bytes]:
    """Path, query and body."""
    fields = write_fields(request) if "{" in operation.path or operation.method == "GET" else {}
    path = operation.path
    for name in list(fields):
        mark = f"{{{name}}}"
        if mark in path:
            path = path.replace(mark, quote(fields.pop(name), safe=""))
    if operation.method == "GET":
        return path, urlencode(fields), b""
    return path, "", encode(request, CBOR)


def get_certified(certificate: Mapping[str, Any] | None) -> Certified | None:
    """From what `ssl` says of the other side's certificate."""
    if not certificate:
        return None
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
    return Certified(int(certificate["serialNumber"], 16), frozenset(names))


def _read(answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    """All of it, if it is not too long; `data` has it then."""
    length = answer.headers.get("content-length", "")
    if not length.isdigit() or int(length) > 2 * MESSAGE_BYTES_MAX:
        answer.close()
        raise SpecieError(ErrorCode.UNREACHABLE, "an answer without end")
    _ = answer.data
    return answer


def _is_stale(error: Exception) -> bool:
    """A kept connection that the other side has closed meanwhile."""
    text = type(error).__name__
    return text in {"ProtocolError", "ConnectionResetError", "BrokenPipeError", "SSLError"}


def _describe(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}".split("(", maxsplit=1)[0][:200]


def wait_until(is_done: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again, for who waits for another process."""
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def get_host(url: str) -> tuple[str, int]:
    """Host and port of one of our URLs."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{url}: https://host:port")
    return parts.hostname, parts.port
