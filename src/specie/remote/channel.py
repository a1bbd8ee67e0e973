"""A call to another process: encode, sign, send, verify the answer, decode or raise.

    us → POST /v1/… , signed ──mutual TLS 1.3──→ them
    us ←  answer, signed, bound to the request ──  them

Every operation has one effect however often it is sent, so a connection that breaks is opened again
once; whoever hears nothing gets `unreachable` and sends the same again later. Of one service no
more is asked at once than it allows; what is more waits here, not there.
"""

import contextlib
import itertools
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from opentelemetry import propagate, trace

from specie.crypto.secrets import InstitutionSigner
from specie.ports.clock import Clock
from specie.remote.encoding import (
    CBOR,
    check_sayable,
    decode,
    decode_problem,
    encode,
    write_fields,
)
from specie.remote.fields import Message
from specie.remote.operations import VERSION, Operation
from specie.remote.peers import Certified, Peers
from specie.remote.signing import (
    SPOKEN,
    Asked,
    Target,
    name_receiver,
    sign_request,
    verify_answer,
)
from specie.remote.wire import Answer, Wire
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from specie.values.limits import CALLS_AT_ONCE_MAX, MESSAGE_BYTES_MAX

ANSWER_S: Final = 30.0
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
    answer_s: float = ANSWER_S
    _places: dict[ServiceName, BoundedSemaphore] = field(default_factory=dict)
    _versions: dict[ServiceName, int] = field(default_factory=dict)
    _wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self._wire = self._make_wire()
        self.peers.watch(self.reconnect)

    def call(
        self, to: ServiceName, operation: Operation[Request, Response], request: Request
    ) -> Response:
        """The answer; whatever the other side refuses is raised with its code."""
        with _TRACER.start_as_current_span(f"{to} {operation.name}", kind=trace.SpanKind.CLIENT):
            return self._call(to, operation, request)

    @contextlib.contextmanager
    def open_stream(
        self, to: ServiceName, operation: Operation[Any, Any], headers: Mapping[str, str]
    ) -> Iterator[Iterator[bytes]]:
        """Lines without end, of whoever has the service's certificate; nobody signs them."""
        service = self.peers.get_service(to)
        receiver = name_receiver(self.peers.network, to)
        target = Target(operation.method, operation.path, "", receiver, str(VERSION))
        now = self.clock.now()
        signed = sign_request(target, b"", self.speaker.name, self.speaker.key, now)
        base = service.public_url if self.is_public else service.url
        with self._wire.stream(base + target.path, {**headers, **signed}) as (status, lines):
            if status != 200:
                raise decode_problem(b"\n".join(itertools.islice(lines, 100)))
            yield lines

    def reconnect(self) -> None:
        """Connections that were opened under older lists are closed."""
        old, self._wire = self._wire, self._make_wire()
        old.close()

    def close(self) -> None:
        """All connections."""
        self._wire.close()

    def _call(
        self, to: ServiceName, operation: Operation[Request, Response], request: Request
    ) -> Response:
        for is_last in (False, True):
            spoken = max(operation.since, self._versions.get(to, VERSION))
            with self._take_place(to):
                answer = self._ask(to, operation, request, spoken)
            if answer.status == 200:
                kind = answer.headers.get("content-type", "")
                return decode(answer.data, kind, operation.response)
            refused = decode_problem(answer.data)
            is_other = max(operation.since, self._versions.get(to, VERSION)) != spoken
            if is_last or refused.code is not ErrorCode.VERSION_UNKNOWN or not is_other:
                raise refused
        raise AssertionError("the last try returns or raises")

    def _ask(
        self, to: ServiceName, operation: Operation[Any, Any], request: Message, version: int
    ) -> Answer:
        """Sent, answered, verified; and what version the other side speaks is remembered."""
        service = self.peers.get_service(to)
        check_sayable(request, version)
        path, query, body = build_request(operation, request, version)
        receiver = name_receiver(self.peers.network, to)
        target = Target(operation.method, path, query, receiver, str(version))
        headers = {"accept": CBOR}
        if body:
            headers["content-type"] = CBOR
        propagate.inject(headers)
        now = self.clock.now()
        headers |= sign_request(target, body, self.speaker.name, self.speaker.key, now)
        base = service.public_url if self.is_public else service.url
        url = base + target.path + (f"?{target.query}" if target.query else "")
        try:
            answer = self._wire.ask(target.method, url, 2 * MESSAGE_BYTES_MAX, body, headers)
        except SpecieError as error:
            raise SpecieError(error.code, f"{to}: {error.message}") from None
        if "signature" not in answer.headers:
            raise _build_unsigned(to, operation, answer)
        asked = Asked(target, headers["content-digest"], headers["signature"])
        expected = (str(to), service.key)
        now = self.clock.now()
        try:
            verify_answer(answer.status, answer.data, answer.headers, asked, expected, now)
        except SpecieError as error:  # not its answer, or its keys are new and our lists are not
            raise SpecieError(ErrorCode.UNREACHABLE, f"{to}: {error}") from None
        self._versions[to] = choose_version(answer.headers.get(SPOKEN, ""))
        return answer

    @contextlib.contextmanager
    def _take_place(self, to: ServiceName) -> Iterator[None]:
        place = self._places.setdefault(to, BoundedSemaphore(CALLS_AT_ONCE_MAX))
        if not place.acquire(timeout=self.answer_s):
            raise SpecieError(ErrorCode.UNREACHABLE, f"{to}: too much of ours waits for it")
        try:
            yield
        finally:
            place.release()

    def _check_server(self, host: str, port: int, found: Certified | None) -> None:
        """Before a request is sent: is it the service that the lists have at this address?"""
        for service in self.peers.services.services.values():
            url = service.public_url if self.is_public else service.url
            if url and get_host(url) == (host, port):
                with contextlib.suppress(SpecieError):
                    self.peers.check_certified(service.name, found, self.clock.now())
                    return
        raise SpecieError(ErrorCode.UNREACHABLE, "the certificate there is not the service's")

    def _make_wire(self) -> Wire:
        return Wire(self.context, self.answer_s, self._check_server)


def choose_version(heard: str) -> int:
    """The newest that both sides speak, by what the other side says is its newest."""
    return VERSION - 1 if heard == str(VERSION - 1) else VERSION


def build_request(
    operation: Operation[Request, Any], request: Request, version: int = VERSION
) -> tuple[str, str, bytes]:
    """Path, query and body, in a version that can say all of it."""
    fields = write_fields(request) if "{" in operation.path or operation.method == "GET" else {}
    path = operation.path
    for name in list(fields):
        mark = f"{{{name}}}"
        if mark in path:
            path = path.replace(mark, quote(fields.pop(name), safe=""))
    if operation.method == "GET":
        return path, urlencode(fields), b""
    return path, "", encode(request, CBOR, version)


def _build_unsigned(to: ServiceName, operation: Operation[Any, Any], answer: Answer) -> SpecieError:
    """Nobody vouches for it, so it settles nothing; for people it may say why.

    A path that is not there is one that a process of the version before has not got: nothing was
    done, and it is no use to ask again before it is upgraded.
    """
    if answer.status == 200:
        return SpecieError(ErrorCode.UNREACHABLE, f"{to}: an answer that nobody signed")
    why = decode_problem(answer.data)
    spoken = choose_version(answer.headers.get(SPOKEN, ""))
    if why.code is ErrorCode.NOT_FOUND and spoken < operation.since:
        reason = f"{to} speaks version {spoken}, {operation.name} came with {operation.since}"
        return SpecieError(ErrorCode.VERSION_UNKNOWN, reason)
    reason = f"{to}: {why} (status {answer.status}, signed by nobody)"
    return SpecieError(ErrorCode.UNREACHABLE, reason)


def get_host(url: str) -> tuple[str, int]:
    """Host and port of one of our URLs."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{url}: https://host:port")
    return parts.hostname, parts.port
