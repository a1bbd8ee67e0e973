"""Connections are accepted here, so that those that never finish TLS are counted too.

    TCP → may this address open another → TLS, in so many seconds → uvicorn's protocol

When too many are at it, of an address or in all, the one that has tried longest gives way: an
honest client needs milliseconds, so it is through before its turn to give way comes.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import uvicorn

from specie.api.quotas import Quotas, name_place
from specie.values.limits import (
    CONNECTIONS_PER_ADDRESS_MAX,
    CONNECTIONS_SECOND_MAX,
    HANDSHAKE_SECONDS_MAX,
    HANDSHAKES_MAX,
    HANDSHAKES_PER_ADDRESS_MAX,
)

_AGAIN_S: Final = 0.1  # after the system had no descriptor for a connection
_WAITING: Final = 1_024  # connections that the system keeps for us until they are accepted


class Door:
    """One bound socket with TLS; closed and waited for as asyncio's servers are."""

    def __init__(
        self,
        bound: socket.socket,
        context: ssl.SSLContext,
        make_protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        self._bound = bound
        self._context = context
        self._make_protocol = make_protocol
        self._quotas = Quotas(CONNECTIONS_SECOND_MAX, CONNECTIONS_PER_ADDRESS_MAX)
        self._at_it: dict[asyncio.Task[None], str] = {}  # the oldest first, with their places
        bound.settimeout(0)  # never waits
        bound.listen(_WAITING)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Nobody comes in any more."""
        for task in (self._accepting, *self._at_it):
            task.cancel()

    async def wait_closed(self) -> None:
        """Until nobody is at it."""
        await asyncio.gather(self._accepting, *self._at_it, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0)  # others' turn, however many come
            try:
                connection, address = await loop.sock_accept(self._bound)
            except ConnectionError:  # whoever it was is gone
                continue
            except OSError:  # no descriptors
                await asyncio.sleep(_AGAIN_S)
                continue
            place = name_place(str(address[0]))
            if not self._quotas.take(place, loop.time()):
                connection.close()
                continue
            self._make_room(place)
            task = loop.create_task(self._shake_hands(connection))
            self._at_it[task] = place
            task.add_done_callback(self._forget)

    def _make_room(self, place: str) -> None:
        mine = [task for task, where in self._at_it.items() if where == place]
        if len(mine) >= HANDSHAKES_PER_ADDRESS_MAX:
            self._give_up(mine[0])
        elif len(self._at_it) >= HANDSHAKES_MAX:
            self._give_up(next(iter(self._at_it)))

    def _give_up(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        self._forget(task)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._at_it.pop(task, None)

    async def _shake_hands(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # no TLS, no certificate, or not in time
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make_protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS_MAX,
            )


class Server(uvicorn.Server):
    """uvicorn's, with our door before TLS. Signals are ours."""

    def capture_signals(  # type: ignore[override]  # a generator there
        self,
    ) -> contextlib.AbstractContextManager[None]:
        """None are its own."""
        return contextlib.nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Sockets without TLS are left to asyncio: their connections count from the first byte."""
        context = self.config.ssl
        if context is None:
            await super().startup(sockets)
            return
        await super().startup([])
        doors: Sequence[Any] = [
            Door(bound, context, self._make_protocol) for bound in sockets or ()
        ]
        self.servers = list(doors)

    def _make_protocol(self) -> asyncio.Protocol:
        make = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)
        return make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
