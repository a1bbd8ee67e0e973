"""Bodies of requests, limited in size and time: who sends slowly holds nothing up for long."""

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request

from specie.remote.encoding import CBOR, decode, read_fields
from specie.remote.fields import Message
from specie.remote.operations import Operation
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import MESSAGE_SECONDS_MAX


async def read_body(request: Request, bytes_max: int) -> bytes:
    """All of it; `limit_exceeded`, `message_out_of_time`, `message_malformed` if it ends early."""
    body = bytearray()
    try:
        async with asyncio.timeout(MESSAGE_SECONDS_MAX):
            async for chunk in request.stream():
                body += chunk
                _check_length(len(body), bytes_max)
    except TimeoutError:
        raise SpecieError(ErrorCode.MESSAGE_OUT_OF_TIME, "the body came too slowly") from None
    except ClientDisconnect:
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "the body ended early") from None
    return bytes(body)


def _check_length(length: int, bytes_max: int) -> None:
    if length > bytes_max:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"a body has at most {bytes_max:,} bytes here")


def read_message(request: Request, operation: Operation[Any, Any], body: bytes) -> Message:
    """What an operation asks for, of path, query and body; `message_malformed`."""
    path = {name: str(value) for name, value in request.path_params.items()}
    if operation.method == "GET":
        query = request.query_params
        if len(query) != len(query.multi_items()):
            raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "a parameter stands there twice")
        found: Message = read_fields({**query, **path}, operation.request)
        return found
    kind = request.headers.get("content-type", CBOR).split(";")[0].strip()
    message: Message = decode(body, kind, operation.request)
    shown = message.model_dump(mode="json")
    if any(str(shown[name]) != value for name, value in path.items()):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "path and body name different things")
    return message
