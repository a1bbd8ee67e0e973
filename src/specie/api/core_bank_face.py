"""The sample core bank over HTTP: who asks, is it well-formed, carried out in a thread, answered.

The bank is known by its secret (RFC 6750); who may open the socket in its folder is at the counter.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from specie.api.bodies import read_body, read_message
from specie.api.gate import Asking, Handler, Offer
from specie.api.openapi import Face, Schema, describe_face
from specie.core_bank.service import AccountBalance, SampleCoreBank
from specie.identity.services import ServiceRole
from specie.remote import core_bank_models as core
from specie.remote import core_bank_operations as operations
from specie.remote.encoding import JSON, PROBLEM, encode, encode_problem
from specie.remote.fields import Empty
from specie.remote.operations import Caller, Operation
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import STRANGER_BYTES_MAX

_BEARER: Final = "Bearer "
_THREADS: Final = 16
_NOTHING: Final = Empty()
_ASKING: Final = Asking(ServiceRole.BANK, "gateway")  # nobody else is let in
_HEADERS: Final = {"cache-control": "no-store"}
_LOG: Final = structlog.get_logger("specie.core_bank")


def offer_core_bank(service: SampleCoreBank) -> Sequence[Offer]:
    """Everything, for the gateway and for the counter."""
    return (*_offer_accounts(service), *_offer_movements(service))


def build_core_app(service: SampleCoreBank, secret: str, url: str = "") -> Starlette:
    """`secret`: the bank's; without one it is the counter's socket."""
    kind = ServiceRole.BANK if secret else Caller.OPERATOR
    offered = [(one, done) for one, done in offer_core_bank(service) if kind in one.callers]
    face = _CoreFace(secret, CapacityLimiter(_THREADS))

    async def describe(_request: Request) -> Response:
        found = [one for one, _ in offered]
        return JSONResponse(describe_core_bank(found, url, has_secret=bool(secret)))

    routes: list[BaseRoute] = [
        Route(one.path, face.make_endpoint(one, done), methods=[one.method])
        for one, done in offered
    ]
    routes.append(Route("/openapi.json", describe))
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: _refuse_route, Exception: _fail},
    )


def describe_core_bank(
    offered: Sequence[Operation[Any, Any]], url: str, *, has_secret: bool
) -> Schema:
    """OpenAPI 3.1: as of the institutions' faces, but for who is let in."""
    document = describe_face(Face("core-bank", "core", url), offered)
    document["info"]["description"] = (
        "The sample core bank, as docs/core-bank.md tells it. POST has one effect by its "
        "end-to-end id. Errors are problems (RFC 9457) whose `code` is listed in "
        "docs/reference/errors.md."
    )
    bearer = {"bearer": {"type": "http", "scheme": "bearer"}} if has_secret else {}
    document["components"] = {
        "schemas": document["components"]["schemas"],
        "securitySchemes": bearer,
    }
    for path in document["paths"].values():
        for operation in path.values():
            operation["security"] = [{"bearer": []}] if has_secret else []
    return document


class _CoreFace:
    def __init__(self, secret: str, limiter: CapacityLimiter) -> None:
        self._secret = secret
        self._limiter = limiter

    def make_endpoint(
        self, operation: Operation[Any, Any], handler: Handler
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                self._check_caller(request)
                body = await read_body(request, STRANGER_BYTES_MAX)
                data = await to_thread.run_sync(
                    lambda: encode(handler(_ASKING, read_message(request, operation, body)), JSON),
                    limiter=self._limiter,
                )
            except SpecieError as error:
                _LOG.info("refused", operation=operation.name, code=error.code.value)
                return _refuse(error)
            return Response(data, headers=_HEADERS, media_type=JSON)

        return endpoint

    def _check_caller(self, request: Request) -> None:
        if not self._secret:
            return
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"{_BEARER}{self._secret}".encode()):
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "not the bank's secret")


def _offer_accounts(service: SampleCoreBank) -> Sequence[Offer]:
    def find(_: object, one: core.Customer) -> core.CoreAccounts:
        found = service.list_accounts(one.customer)
        return core.CoreAccounts(accounts=[_wrap(account) for account in found])

    def get(_: object, one: core.CoreAccountQuery) -> core.CoreAccountRecord:
        return _wrap(service.describe(one.account))

    def open_account(_: object, one: core.Customer) -> core.CoreAccountRecord:
        return _wrap(service.describe(service.open_account(one.customer)))

    def close(_: object, one: core.CoreAccountQuery) -> Empty:
        service.close_account(one.account)
        return _NOTHING

    def list_entries(_: object, one: core.StatementQuery) -> core.Statement:
        found = service.list_entries(one.account, one.start, one.limit)
        return core.Statement(
            entries=[
                core.StatementEntry(
                    entry=line.entry,
                    time=line.time,
                    text=line.text,
                    amount=line.amount,
                    is_credit=line.is_credit,
                )
                for line in found
            ]
        )

    return (
        (operations.FIND_ACCOUNTS, find),
        (operations.GET_ACCOUNT, get),
        (operations.OPEN_ACCOUNT, open_account),
        (operations.CLOSE_ACCOUNT, close),
        (operations.LIST_ENTRIES, list_entries),
    )


def _offer_movements(service: SampleCoreBank) -> Sequence[Offer]:
    def hold(_: object, one: core.CoreMovement) -> Empty:
        service.hold(one.end_to_end_id, one.account, one.amount)
        return _NOTHING

    def settle(_: object, one: core.CoreReference) -> Empty:
        service.settle(one.end_to_end_id)
        return _NOTHING

    def release(_: object, one: core.CoreReference) -> Empty:
        service.release(one.end_to_end_id)
        return _NOTHING

    def credit(_: object, one: core.CoreMovement) -> Empty:
        service.credit(one.end_to_end_id, one.account, one.amount)
        return _NOTHING

    def pay_in(_: object, one: core.CoreMovement) -> Empty:
        service.pay_in(one.end_to_end_id, one.account, one.amount)
        return _NOTHING

    def get_position(_: object, _request: Empty) -> core.CorePosition:
        return core.CorePosition.wrap(service.count_position())

    return (
        (operations.HOLD, hold),
        (operations.SETTLE, settle),
        (operations.RELEASE, release),
        (operations.CREDIT, credit),
        (operations.PAY_IN, pay_in),
        (operations.GET_POSITION, get_position),
    )


def _wrap(found: AccountBalance) -> core.CoreAccountRecord:
    return core.CoreAccountRecord(
        account=found.account.number,
        customer=found.account.customer,
        is_open=found.account.is_open,
        booked=found.booked,
        available=found.available,
    )


def _refuse(error: SpecieError, status: int = 0) -> Response:
    status, body = encode_problem(error, status)
    return Response(body, status, _HEADERS, media_type=PROBLEM)


async def _refuse_route(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _refuse(SpecieError(ErrorCode.NOT_FOUND, "nothing is offered here"), status)


async def _fail(_request: Request, error: Exception) -> Response:
    """Our own mistake: its kind is in the log, and nothing of what was asked."""
    _LOG.error("failed", error=type(error).__name__)
    return _refuse(SpecieError(ErrorCode.INTERNAL, "our mistake, see the log"))
