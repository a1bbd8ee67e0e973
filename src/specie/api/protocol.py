"""uvicorn's HTTP protocol, with the connection's certificate in each request's scope.

And with an end to waiting and to generosity: a head that does not come in time, or does not end,
closes the connection, and from one address come only so many.
"""

import asyncio
from collections import Counter
from typing import Any, Final
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from specie.api.gate import PEER
from specie.remote.wire import get_certified
from specie.values.limits import (
    CONNECTIONS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX,
    HEAD_BYTES_MAX,
    MESSAGE_SECONDS_MAX,
)

_CONNECTED: Final[WeakKeyDictionary[object, Counter[str]]] = WeakKeyDictionary()
"""Listener → address → its connections."""


class CertifiedProtocol(HttpToolsProtocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None
    _extensions: dict[str, Any] | None = None
    _head_bytes: int = 0
    _is_in_body: bool = False
    _address: str = ""

    def connection_made(  # type: ignore[override]  # narrower, as uvicorn's own is
        self, transport: asyncio.Transport
    ) -> None:
        """TLS is done; what it says of the other side holds for all requests."""
        super().connection_made(transport)
        certified = get_certified(transport.get_extra_info("peercert"))
        self._extensions = {PEER: certified}
        self._await(MESSAGE_SECONDS_MAX)
        self._address = str(self.client[0]) if self.client else ""
        connected = _CONNECTED.setdefault(self.config, Counter())
        connected[self._address] += 1
        mine = connected[self._address] if self._address else 0
        if mine > CONNECTIONS_PER_ADDRESS_MAX or connected.total() > CONNECTIONS_MAX:
            transport.abort()  # who was here before stays

    def data_received(self, data: bytes) -> None:
        """Up to a head's end only so much."""
        self._head_bytes += len(data)
        super().data_received(data)
        is_in_head = self._waiting is not None and not self._is_in_body
        if is_in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        connected = _CONNECTED.setdefault(self.config, Counter())
        connected[self._address] -= 1
        if connected[self._address] <= 0:
            del connected[self._address]
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins: its head has to be here soon."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions or {}
        self._head_bytes = 0
        self._await(MESSAGE_SECONDS_MAX)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of the head; trailers behind a body are nothing to us, however many."""
        if not self._is_in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here; the gate limits the body, also of who is refused before it is read."""
        self._is_in_body = True
        self._await(2 * MESSAGE_SECONDS_MAX)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Nothing of this request is to come."""
        self._is_in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def _await(self, seconds: float) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
