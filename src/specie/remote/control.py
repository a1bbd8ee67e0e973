"""Calls to one's own institution, over the socket in its folder: who may open it may ask."""

import http.client
import socket
from pathlib import Path
from typing import Final, TypeVar

from specie.remote.channel import build_request
from specie.remote.encoding import CBOR, decode, decode_problem
from specie.remote.fields import Message
from specie.remote.operations import Operation
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import MESSAGE_BYTES_MAX

CONTROL: Final = "control.sock"  # in the institution's folder
_ANSWER_S: Final = 60.0

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a socket with a name in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_S)
        self._path = path

    def connect(self) -> None:
        """Instead of a host and a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_ANSWER_S)
        self.sock.connect(str(self._path))


def call_control(path: Path, operation: Operation[Request, Response], request: Request) -> Response:
    """`unreachable` if no process listens there; what it refuses is raised with its code."""
    place, query, body = build_request(operation, request)
    url = place + (f"?{query}" if query else "")
    headers = {"accept": CBOR, "content-type": CBOR}
    connection = _SocketConnection(path)
    try:
        connection.request(operation.method, url, body or None, headers)
        answer = connection.getresponse()
        data = answer.read(2 * MESSAGE_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        is_barred = isinstance(error, PermissionError)
        what = (
            "only its owner may open it" if is_barred else "nobody answers; does the process run?"
        )
        reason = f"{path}: {what}"
        raise SpecieError(ErrorCode.UNREACHABLE, reason) from None
    finally:
        connection.close()
    if answer.status != 200:
        raise decode_problem(data)
    return decode(data, answer.headers.get("content-type", ""), operation.response)
