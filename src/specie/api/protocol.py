"""uvicorn's HTTP protocol, with the connection's certificate in each request's scope.

And with an end to waiting and to generosity: a head that does not come in time, or does not end,
an answer that is not taken, closes the connection. One holder, a service by its certificate or an
address, has only so many; when all are in use, whoever has most loses its newest.
"""

import asyncio
from typing import Any, Final
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from specie.api.gate import PEER
from specie.api.quotas import name_place
from specie.remote.wire import get_certified
from specie.values.limits import (
    ANSWER_SECONDS_MAX,
    CONNECTIONS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX,
    CONNECTIONS_PER_SERVICE_MAX,
    HEAD_BYTES_MAX,
    MESSAGE_SECONDS_MAX,
    PIPELINE_MAX,
)

_Connected = dict[str, dict["CertifiedProtocol", None]]
_CONNECTED: Final[WeakKeyDictionary[object, _Connected]] = WeakKeyDictionary()
"""Listener → holder → its connections, the oldest first."""


class CertifiedProtocol(HttpToolsProtocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None
    _extensions: dict[str, Any] | None = None
    _head_bytes: int = 0  # that came, of a head without an end
    _first_bytes: int = 0  # of what has just come, if a message begins with it
    _named_bytes: int = 0  # that were read of a head, or behind a body: path, names and values
    _idle_bytes: int = 0  # that came since there was any of a body
    _is_in_message: bool = False
    _is_in_body: bool = False
    _holder: str = ""

    def connection_made(  # type: ignore[override]  # narrower, as uvicorn's own is
        self, transport: asyncio.Transport
    ) -> None:
        """TLS is done; what it says of the other side holds for all requests."""
        super().connection_made(transport)
        certified = get_certified(transport.get_extra_info("peercert"))
        self._extensions = {PEER: certified}
        self._await(MESSAGE_SECONDS_MAX)
        address = name_place(str(self.client[0])) if self.client else ""
        self._holder = min(certified.names, default=address) if certified else address
        most = CONNECTIONS_PER_SERVICE_MAX if certified else CONNECTIONS_PER_ADDRESS_MAX
        connected = _CONNECTED.setdefault(self.config, {})
        mine = connected.setdefault(self._holder, {})
        mine[self] = None
        if self._holder and len(mine) > most:
            self.give_up()
        elif sum(map(len, connected.values())) > CONNECTIONS_MAX:
            largest = max(connected.values(), key=len)
            crowd = mine if len(mine) == len(largest) else largest
            next(reversed(crowd)).give_up()

    def data_received(self, data: bytes) -> None:
        """Up to a head's end only so much, empty lines before it among that.

        Between two requests uvicorn waits no longer once anything has come: we do.
        """
        self._head_bytes += len(data)
        self._first_bytes = 0 if self._is_in_message else len(data)
        self._idle_bytes += len(data)
        super().data_received(data)
        unread = self._idle_bytes if self._is_in_body else self._head_bytes
        if unread > HEAD_BYTES_MAX:
            self.give_up()
        is_idle = getattr(self.cycle, "response_complete", True)  # no cycle before the first
        if is_idle and self._waiting is None and not self.transport.is_closing():
            self._await(MESSAGE_SECONDS_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        self._stop_sending()
        self._leave()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The other side does not read: not for long."""
        super().pause_writing()
        self._stop_sending()
        self._sending = self.loop.call_later(ANSWER_SECONDS_MAX, self.give_up)

    def resume_writing(self) -> None:
        """It reads on."""
        self._stop_sending()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """A request begins: its head has to be here soon."""
        if len(self.pipeline) >= PIPELINE_MAX:
            self.give_up()
            raise ConnectionAbortedError  # the parser goes no further in what has come
        super().on_message_begin()
        self.scope["extensions"] = self._extensions or {}
        self._is_in_message = True
        self._head_bytes, self._first_bytes = self._first_bytes, 0
        self._named_bytes = 0
        self._await(MESSAGE_SECONDS_MAX)

    def on_url(self, url: bytes) -> None:
        """Of the head, a part of it."""
        if self._has_room(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of the head; trailers behind a body are nothing to us, and not many."""
        if self._has_room(len(name) + len(value)) and not self._is_in_body:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """What is between its parts, sizes of chunks, is little."""
        self._idle_bytes = 0
        if not self.transport.is_closing():  # else it would be the body of the one before
            super().on_body(body)

    def on_headers_complete(self) -> None:
        """The head is here; the gate limits the body, also of who is refused before it is read.

        Nothing is asked by a head that was too long, though all of it may be here.
        """
        self._is_in_body = True
        self._named_bytes = self._idle_bytes = 0
        if self.transport.is_closing():
            return
        self._await(2 * MESSAGE_SECONDS_MAX)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Nothing of this request is to come."""
        self._is_in_message = self._is_in_body = False
        self._head_bytes = 0
        self._stop_waiting()
        if not self.transport.is_closing():
            super().on_message_complete()

    def _has_room(self, size: int) -> bool:
        self._named_bytes += size
        if self._named_bytes > HEAD_BYTES_MAX:
            self.give_up()
        return self._named_bytes <= HEAD_BYTES_MAX

    def _await(self, seconds: float) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(seconds, self.give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _leave(self) -> None:
        connected = _CONNECTED.setdefault(self.config, {})
        mine = connected.get(self._holder, {})
        mine.pop(self, None)
        if not mine:
            connected.pop(self._holder, None)

    def give_up(self) -> None:
        """Closed at once, whatever is under way; what was asked has one effect if asked again."""
        self._leave()
        if not self.transport.is_closing():
            self.transport.abort()
