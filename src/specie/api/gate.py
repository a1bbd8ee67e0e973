"""Before anything is done: who asks, may it, is it well-formed, is there room (RFC 9421, RFC 9457).

    quota → route → head → who signed it → may this caller ask for this
    → body, limited in size and time → its turn
    → in a thread: decode, the handler, encode → sign → answer

The head's signature covers the body's digest, so nothing is read of who is not known; to who is not
known nothing is signed either. Quotas are of whoever a connection is from, so that floods are
refused before they cost a verification: by certificate, or by address on the public face. What
nobody has to sign for there is counted for all addresses together, and costs clients and officers
nothing of theirs.

Each listener has its own threads: handlers that wait for other institutions hold up none of those
that other institutions wait for. On the public face officers, clients and strangers have threads of
their own each. Of one caller only so many requests are here at once, and fewer in threads.
"""

import asyncio
import functools
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import anyio
import structlog
from anyio import CapacityLimiter
from opentelemetry import propagate, trace
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from specie.api.bodies import read_body, read_message
from specie.api.metrics import count_request
from specie.api.openapi import Face, describe_face
from specie.api.pages import DOCUMENT, Served
from specie.api.quotas import Rationed, RationedRoute, Rations, name_place
from specie.api.turns import Turns, make_turns
from specie.crypto.secrets import InstitutionKey
from specie.identity.services import ServiceRole
from specie.ports.clock import Clock
from specie.remote.channel import Speaker
from specie.remote.encoding import CBOR, JSON, PROBLEM, encode, encode_problem
from specie.remote.fields import Message
from specie.remote.operations import VERSION, Caller, Operation
from specie.remote.peers import CLIENT, OFFICER, READER, SIGNATORY, Certified, Peers
from specie.remote.signing import (
    RECEIVER,
    SPOKEN,
    Asked,
    SignedBy,
    Target,
    check_digest,
    check_time,
    name_receiver,
    read_signer,
    sign_answer,
    verify_request,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, ParticipantNumber, ServiceName
from specie.values.limits import (
    CALLS_AT_ONCE_MAX,
    MESSAGE_BYTES_MAX,
    REFUSAL_SECONDS,
    STRANGER_BYTES_MAX,
)

PEER: Final = "specie.peer"  # in an ASGI scope's extensions: what the connection's certificate says
_PERSONS: Final = (Caller.CLIENT, Caller.OFFICER, Caller.SIGNATORY, Caller.READER)
_ALL: Final = "all"  # the name of a whole face's bucket
_TRACER: Final = trace.get_tracer("specie.api")
_LOG: Final = structlog.get_logger("specie.api")


class Listener(Enum):
    """Where a request came in."""

    INSTITUTIONS = "institutions"  # mutual TLS
    PUBLIC = "public"  # TLS
    CONTROL = "control"  # a socket of this machine, for who runs the institution


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, established."""

    kind: Caller | ServiceRole
    name: str
    number: ParticipantNumber = ParticipantNumber(0)  # of a service's participant
    officer: int = 0


Handler = Callable[[Asking, Any], Message]
Offer = tuple[Operation[Any, Any], Handler]
FindClient = Callable[[str], tuple[str, InstitutionPublicKey]]
"""Name of a device → the client, and the device's key."""


def _find_no_client(name: str) -> tuple[str, InstitutionPublicKey]:
    raise SpecieError(ErrorCode.CALLER_UNKNOWN, f"no clients here: {name}")


def _make_idle() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True, repr=False)
class Gate:
    """One listener's way in."""

    listener: Listener
    service: ServiceName
    speaker: Speaker
    peers: Peers
    clock: Clock
    find_client: FindClient = _find_no_client
    find_signatory: FindClient = _find_no_client
    find_reader: FindClient = _find_no_client
    is_draining: bool = False
    rations: Rations = field(default_factory=Rations)
    _at_work: Counter[str] = field(default_factory=Counter)
    _is_idle: asyncio.Event = field(default_factory=_make_idle)
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(math.inf))
    _turns: dict[Caller | None, Turns] = field(default_factory=make_turns)  # None: institutions

    def build_app(
        self,
        offers: Sequence[Offer],
        pages: Sequence[Served] = (),
        streams: Sequence[BaseRoute] = (),
    ) -> Starlette:
        """The operations of this listener, pages and streams beside them."""
        offered = [(one, handler) for one, handler in offers if self._is_offered(one)]
        routes: list[BaseRoute] = [
            Route(one.path, self._make_endpoint(one, handler), methods=[one.method])
            for one, handler in offered
        ]

        async def describe(_request: Request) -> Response:
            return JSONResponse(document())

        handed_out = [(DOCUMENT, describe), *pages]
        operations, shown = [one for one, _ in offered], [page for page, _ in handed_out]
        document = functools.cache(lambda: describe_face(self._describe(), operations, shown))
        pages_shown = [Route(page.path, show, methods=[page.method]) for page, show in handed_out]
        routes += [
            RationedRoute(one, self.admit_stranger, self._refuse_flood) for one in pages_shown
        ]
        return Starlette(
            routes=[*streams, *routes],
            middleware=[Middleware(Rationed, admit=self.admit, refuse=self._refuse_flood)],
            exception_handlers={HTTPException: self._refuse_route, Exception: self._fail},
        )

    def identify(self, request: Request, operation: Operation[Any, Any]) -> Asking:
        """Who asks for a stream, if it may; what an operation is refused with."""
        asking = self._identify(request, operation)
        if self.is_draining:
            raise SpecieError(ErrorCode.DRAINING, "this process is about to stop; ask it again")
        _check_version(request.headers)
        self._check_flood(request, asking)
        return asking

    def is_heard(self, signed: SignedBy, name: str) -> bool:
        """Whether who signed with this still speaks for the same client, or is who it was."""
        try:
            return self._find_signer(signed)[0].name == name
        except SpecieError:
            return False

    async def refuse(self, request: Request, error: SpecieError) -> Response:
        """As operations are refused, signed for whoever is known."""
        status, body = encode_problem(error)
        signed = await self._sign(request, status, body)
        return self._respond(request, status, body, PROBLEM, signed)

    def admit(self, scope: Mapping[str, Any], now: float) -> bool:
        """Whether the source of this request may ask now; counted if so."""
        if self.listener is Listener.CONTROL:
            return True
        source = self._name_source(scope)
        if self.listener is Listener.INSTITUTIONS:
            return self.rations.services.take(source, now)
        return self.rations.addresses.take(source, now)

    def admit_stranger(self, _scope: Mapping[str, Any], now: float) -> bool:
        """Whether one more of those whom nobody knows may ask, of all of them; counted if so."""
        return self.listener is not Listener.PUBLIC or self.rations.everybody.take(_ALL, now)

    async def wait_for_work(self, seconds: float) -> bool:
        """Until what has begun is answered; gives whether it is."""
        with anyio.move_on_after(seconds):
            await self._is_idle.wait()
        return self._is_idle.is_set()

    def _describe(self) -> Face:
        """Where it is reached, by the newest list."""
        found = self.peers.services.services.get(self.service)
        url = ""
        if found is not None and self.listener is not Listener.CONTROL:
            is_public = self.listener is Listener.PUBLIC
            url = found.public_url if is_public else found.url
        return Face(self.service, self.listener.value, url)

    def _is_offered(self, operation: Operation[Any, Any]) -> bool:
        callers = operation.callers
        if self.listener is Listener.CONTROL:
            return Caller.OPERATOR in callers
        if self.listener is Listener.PUBLIC:
            return bool(callers & {Caller.ANYONE, *_PERSONS})
        return Caller.ANYONE in callers or bool(callers & frozenset(ServiceRole))

    def _make_endpoint(
        self, operation: Operation[Any, Any], handler: Handler
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            with _TRACER.start_as_current_span(
                f"{self.service} {operation.name}",
                context=propagate.extract(dict(request.headers)),
                kind=trace.SpanKind.SERVER,
            ) as span:
                response = await self._answer(request, operation, handler)
                span.set_attribute("http.response.status_code", response.status_code)
                return response

        return endpoint

    async def _answer(
        self, request: Request, operation: Operation[Any, Any], handler: Handler
    ) -> Response:
        started = asyncio.get_running_loop().time()
        status, kind = 200, CBOR if CBOR in request.headers.get("accept", "") else JSON
        try:
            body = await self._carry_out(request, operation, handler, kind)
        except SpecieError as error:
            status, body = encode_problem(error)
            kind = PROBLEM
            if getattr(request.state, "is_flood", False):
                await asyncio.sleep(REFUSAL_SECONDS)
            told = {"operation": operation.name, "code": error.code.value}
            if isinstance(error.__cause__, SpecieError):
                told["because"] = error.__cause__.code.value  # for our own people alone
            _LOG.info("refused", **told, caller=_name_institution(request))
        seconds = asyncio.get_running_loop().time() - started
        count_request(operation.name, status, seconds)
        return self._respond(request, status, body, kind, await self._sign(request, status, body))

    async def _sign(self, request: Request, status: int, body: bytes) -> dict[str, str]:
        """For whoever is known, or may ask without being known; a token takes its time for it."""
        asked: Asked | None = _read_asked(request)
        asking: Asking | None = getattr(request.state, "answered", None)
        if asked is None or asking is None:
            return {}
        name, key = self.speaker.name, self.speaker.key

        def sign() -> dict[str, str]:
            return sign_answer(status, body, asked, name, key, self.clock.now())

        if isinstance(key, InstitutionKey):
            return sign()
        async with self._get_turns(asking).take(asking.name):
            return await anyio.to_thread.run_sync(sign, limiter=self._limiter)

    def _respond(
        self,
        request: Request,
        status: int,
        body: bytes,
        kind: str,
        signed: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        headers = {SPOKEN: str(VERSION), "cache-control": "no-store", **signed}
        if getattr(request.state, "is_flood", False):
            headers["retry-after"] = str(REFUSAL_SECONDS)
        return Response(body, status, headers, media_type=kind)

    async def _carry_out(
        self, request: Request, operation: Operation[Any, Any], handler: Handler, kind: str
    ) -> bytes:
        asking = self._identify(request, operation)
        if self.is_draining:
            raise SpecieError(ErrorCode.DRAINING, "this process is about to stop; ask it again")
        _check_version(request.headers)
        self._check_flood(request, asking)
        self._at_work[asking.name] += 1
        self._is_idle.clear()
        try:
            body = await read_body(request, self._get_limit(operation))
            self._charge(request, asking, len(body))
            is_stranger = asking.kind in (Caller.OPERATOR, Caller.ANYONE)
            if not is_stranger or "content-digest" in request.headers:
                check_digest(body, request.headers)

            def work() -> bytes:
                answer = handler(asking, read_message(request, operation, body))
                return encode(answer, kind, int(request.headers.get(SPOKEN, VERSION)))

            async with self._get_turns(asking).take(asking.name):
                return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._leave(asking.name)

    def _get_turns(self, asking: Asking) -> Turns:
        return self._turns[None if isinstance(asking.kind, ServiceRole) else asking.kind]

    def _check_flood(self, request: Request, asking: Asking) -> None:
        """`rate_exceeded`: too much is here, or has come from one person's many addresses."""
        now = asyncio.get_running_loop().time()
        is_much = self._at_work[asking.name] >= CALLS_AT_ONCE_MAX
        if is_much or (asking.kind in _PERSONS and not self.rations.persons.take(asking.name, now)):
            request.state.is_flood = True
            raise SpecieError(ErrorCode.RATE_EXCEEDED, "too much of this caller is here already")

    def _check_strangers(self, request: Request) -> None:
        """`rate_exceeded`, unsigned: too much has come from all that nobody knows."""
        if not self.admit_stranger(request.scope, asyncio.get_running_loop().time()):
            request.state.is_flood = True
            raise SpecieError(ErrorCode.RATE_EXCEEDED, "too many requests in a second")

    def _charge(self, request: Request, asking: Asking, size: int) -> None:
        now, source = asyncio.get_running_loop().time(), self._name_source(request.scope)
        if self.listener is Listener.INSTITUTIONS:
            self.rations.services.charge(source, size, now)
        elif self.listener is Listener.PUBLIC:
            self.rations.addresses.charge(source, size, now)
        if asking.kind in _PERSONS:
            self.rations.persons.charge(asking.name, size, now)

    def _name_source(self, scope: Mapping[str, Any]) -> str:
        """Whose connection it is, before anything that it says is believed."""
        if self.listener is Listener.INSTITUTIONS:
            certified: Certified | None = scope.get("extensions", {}).get(PEER)
            return min(certified.names, default="") if certified else ""
        client = scope.get("client")
        return name_place(client[0]) if client else ""

    def _get_limit(self, operation: Operation[Any, Any]) -> int:
        """Strangers have little to say."""
        is_stranger = self.listener is Listener.PUBLIC and Caller.ANYONE in operation.callers
        return STRANGER_BYTES_MAX if is_stranger else MESSAGE_BYTES_MAX

    def _leave(self, name: str) -> None:
        self._at_work[name] -= 1
        if not self._at_work[name]:
            del self._at_work[name]
        if not self._at_work:
            self._is_idle.set()

    def _identify(self, request: Request, operation: Operation[Any, Any]) -> Asking:
        if self.listener is Listener.CONTROL:
            return Asking(Caller.OPERATOR, "operator")
        if self.listener is Listener.PUBLIC and Caller.ANYONE in operation.callers:
            self._check_strangers(request)
            stranger = Asking(Caller.ANYONE, self._name_source(request.scope))
            request.state.answered = stranger
            return stranger
        signed = read_signer(request.headers)
        asking, key = self._find_signer(signed)
        target = _read_target(request)
        if target.receiver != name_receiver(self.peers.network, self.service):
            raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "meant for somebody else")
        verify_request(target, request.headers, signed, key)
        request.state.answered = asking
        check_time(signed, self.clock.now())
        self._check_asking(request, asking)
        if not {asking.kind, Caller.ANYONE} & operation.callers:
            raise SpecieError(ErrorCode.CALLER_NOT_ALLOWED, f"not for a {asking.kind.value}")
        return asking

    def _find_signer(self, signed: SignedBy) -> tuple[Asking, InstitutionPublicKey]:
        """Of the lists, whatever may have been done to it since."""
        if self.listener is Listener.INSTITUTIONS:
            service = self.peers.services.get(ServiceName(signed.name))
            return Asking(service.role, service.name, service.number), service.key
        if signed.name.startswith(OFFICER):
            number = signed.name.removeprefix(OFFICER)
            officer = int(number) if number.isdecimal() and len(number) < 4 else 0
            key = self.peers.get_officer_key(officer)
            return Asking(Caller.OFFICER, f"{OFFICER}{officer}", officer=officer), key
        if signed.name.startswith(CLIENT):
            client, key = self.find_client(signed.name.removeprefix(CLIENT))
            return Asking(Caller.CLIENT, client), key
        if signed.name.startswith(SIGNATORY):
            device, key = self.find_signatory(signed.name.removeprefix(SIGNATORY))
            return Asking(Caller.SIGNATORY, device), key
        if signed.name.startswith(READER):
            reader, key = self.find_reader(signed.name.removeprefix(READER))
            return Asking(Caller.READER, reader), key
        raise SpecieError(ErrorCode.CALLER_UNKNOWN, "services use the other face")

    def _check_asking(self, request: Request, asking: Asking) -> None:
        """An institution: active, and on a connection that is its own."""
        if self.listener is Listener.INSTITUTIONS:
            service = self.peers.get_service(ServiceName(asking.name))
            certified: Certified | None = request.scope.get("extensions", {}).get(PEER)
            self.peers.check_certified(service.name, certified, self.clock.now())

    async def _refuse_flood(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Unread and unsigned: it settles nothing."""
        await self._respond_flood(Request(scope, receive))(scope, receive, send)

    def _respond_flood(self, request: Request) -> Response:
        request.state.is_flood = True
        error = SpecieError(ErrorCode.RATE_EXCEEDED, "too many requests in a second")
        status, body = encode_problem(error)
        count_request("none", status, 0)
        return self._respond(request, status, body, PROBLEM)

    async def _refuse_route(self, request: Request, error: Exception) -> Response:
        """No such path, or not with this method: then with those that there are (RFC 9110)."""
        if not self.admit_stranger(request.scope, asyncio.get_running_loop().time()):
            await asyncio.sleep(REFUSAL_SECONDS)
            return self._respond_flood(request)
        status = error.status_code if isinstance(error, HTTPException) else 404
        refused = SpecieError(ErrorCode.NOT_FOUND, "nothing is offered here")
        _, body = encode_problem(refused, status)
        count_request("none", status, 0)
        response = self._respond(request, status, body, PROBLEM)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["allow"] = ", ".join(_list_methods(request))
        return response

    async def _fail(self, request: Request, error: Exception) -> Response:
        """Our own mistake: told to the log by its kind and place, to the caller as `internal`."""
        trail = error.__traceback__
        while trail is not None and trail.tb_next is not None:
            trail = trail.tb_next
        place = f"{trail.tb_frame.f_code.co_filename}:{trail.tb_lineno}" if trail else ""
        _LOG.error("failed", error=type(error).__name__, place=place)
        status, body = encode_problem(SpecieError(ErrorCode.INTERNAL, "our mistake, see the log"))
        count_request("none", status, 0)
        signed = await self._sign(request, status, body)
        return self._respond(request, status, body, PROBLEM, signed)


def _list_methods(request: Request) -> list[str]:
    """What this path may be asked with, by all of its routes."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)


def _read_target(request: Request) -> Target:
    return Target(
        request.method,
        request.scope["raw_path"].decode("ascii", "replace"),
        request.scope["query_string"].decode("ascii", "replace"),
        request.headers.get(RECEIVER, ""),
        request.headers.get(SPOKEN, ""),
    )


def _name_institution(request: Request) -> str:
    """Whose signature held, if it is an institution's; of people nothing is written down."""
    asking: Asking | None = getattr(request.state, "answered", None)
    is_service = asking is not None and isinstance(asking.kind, ServiceRole)
    return asking.name if asking is not None and is_service else "not an institution"


def _read_asked(request: Request) -> Asked | None:
    """What an answer is bound to; None without a signature, which binds to nothing."""
    digest, signature = (request.headers.get(name) for name in ("content-digest", "signature"))
    if not digest or not signature:
        return None
    return Asked(_read_target(request), digest, signature)


def _check_version(headers: Mapping[str, str]) -> None:
    asked = headers.get(SPOKEN, str(VERSION))
    if asked not in (str(VERSION), str(VERSION - 1)):
        reason = f"versions {VERSION - 1} and {VERSION} are spoken here"
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, reason)
