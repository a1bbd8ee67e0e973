"""The sample core bank as a process: listeners, readiness, stop.

bank         TLS 1.3, its own certificate, the bank's secret
operations   loopback: /live /ready            control   a socket in the process' own folder
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from specie.api.accepting import Server
from specie.api.core_bank_face import build_core_app
from specie.api.protocol import CertifiedProtocol
from specie.api.serving import SHARED, bind, bind_control
from specie.assembly.core_bank_process import CERTIFICATE, KEY, CoreBankProcess
from specie.remote.control import CONTROL
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_LOG: Final = structlog.get_logger("specie.core_bank")


@dataclass(slots=True, repr=False)
class CoreBankServing:
    """Until a signal comes."""

    process: CoreBankProcess
    is_ready: bool = False
    _pairs: list[tuple[Server, socket.socket]] = field(default_factory=list)

    def run(self) -> None:
        """In the foreground."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        self._open()
        running = [asyncio.create_task(server.serve(sockets=[one])) for server, one in self._pairs]
        await self._wait_started(running)
        self.is_ready = True
        _LOG.info("ready", service="core-bank")
        await stopping.wait()
        self.is_ready = False
        for server, _ in self._pairs:
            server.should_exit = True
        await asyncio.gather(*running)
        self.process.close()
        _LOG.info("stopped", service="core-bank")

    def _open(self) -> None:
        folder, settings = self.process.folder, self.process.settings
        service, secret = self.process.service, self.process.secret
        context = _build_context(self.process)
        app = build_core_app(service, secret, f"https://{settings.listen}")
        config = uvicorn.Config(
            app,
            http=CertifiedProtocol,
            ssl_context_factory=lambda _config, _default: context,
            **SHARED,
        )
        self._add(config, bind(settings.listen))
        counter = build_core_app(service, "")
        control = uvicorn.Config(counter, http=CertifiedProtocol, **SHARED)
        self._add(control, bind_control(folder / CONTROL))
        routes = [Route("/live", self._show_live), Route("/ready", self._show_ready)]
        looked_at = uvicorn.Config(Starlette(routes=routes), http=CertifiedProtocol, **SHARED)
        self._add(looked_at, bind(settings.operations))

    def _add(self, config: uvicorn.Config, bound: socket.socket) -> None:
        self._pairs.append((Server(config), bound))

    async def _wait_started(self, running: Sequence[asyncio.Task[None]]) -> None:
        while not all(server.started for server, _ in self._pairs):
            for task in running:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)

    async def _show_live(self, _request: Request) -> Response:
        return PlainTextResponse("live\n")

    async def _show_ready(self, _request: Request) -> Response:
        status = 200 if self.is_ready else 503
        return PlainTextResponse("ready\n" if self.is_ready else "not ready\n", status)


def _build_context(process: CoreBankProcess) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(process.folder / CERTIFICATE, process.folder / KEY)
    except (ssl.SSLError, OSError):
        reason = f"{process.folder}: certificate and key do not fit"
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, reason) from None
    return context
