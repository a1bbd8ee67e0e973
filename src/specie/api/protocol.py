"""uvicorn's HTTP protocol, with the connection's certificate in each request's scope.

And with an end to waiting: a head that does not come in time closes the connection.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from specie.api.gate import PEER
from specie.remote.channel import get_certified
from specie.values.limits import MESSAGE_SECONDS_MAX


class CertifiedProtocol(HttpToolsProtocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None
    _extensions: dict[str, Any] | None = None

    def connection_made(  # type: ignore[override]  # narrower, as uvicorn's own is
        self, transport: asyncio.Transport
    ) -> None:
        """TLS is done; what it says of the other side holds for all requests."""
        super().connection_made(transport)
        certified = get_certified(transport.get_extra_info("peercert"))
        self._extensions = {PEER: certified}
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins: its head has to be here soon."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions or {}
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is here; the gate limits the body."""
        self._stop_waiting()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(MESSAGE_SECONDS_MAX, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
