"""A process from start to stop: listeners, worker, readiness, drain.

institutions   mutual TLS 1.3        operations   loopback: /live /ready /metrics /alarms
public         TLS 1.3               control      a socket in the process' own folder

start   open and verify everything → work once → listen → ready
stop    a signal, or other keys of ours in the lists: who started us starts us again, with them;
        or a database that came back from an old copy, which is refused at the next start
        not ready → no new requests → what has begun is answered → worker → connections → database
"""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
import uvicorn
import uvloop
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from specie.api.accepting import Server
from specie.api.faces import list_offers, list_pages
from specie.api.gate import Gate, Listener, Offer
from specie.api.metrics import count_round, show_ages, show_alarms
from specie.api.pages import Served
from specie.api.protocol import CertifiedProtocol
from specie.api.streams import list_streams
from specie.assembly.alarms import ALARMS
from specie.assembly.bank_process import BankProcess
from specie.assembly.foundation import Process, Worker
from specie.assembly.renewing import renew_if_due
from specie.assembly.tls import build_server_context
from specie.remote.channel import Speaker, get_host
from specie.remote.control import CONTROL
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import DESCRIPTORS_MAX

_LOOK_S: Final = 0.5  # whether the lists name other keys of ours
_PATH_MAX: Final = 100  # of a socket's name, a limit of the system
_LOG: Final = structlog.get_logger("specie.process")


@dataclass(slots=True, repr=False)
class Serving:
    """One process."""

    process: Process
    gates: list[Gate] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    is_ready: bool = False

    def run(self, started: Callable[[], None]) -> None:
        """Until a signal; `started` once everything listens."""
        _ask_descriptors()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(started))

    async def _run(self, started: Callable[[], None]) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        base = self.process.base
        offers = list_offers(self.process)
        self._open(Listener.INSTITUTIONS, offers, (), base.settings.listen.institutions)
        self._open(Listener.PUBLIC, offers, list_pages(self.process), base.settings.listen.public)
        self._open_control(offers)
        self._open_operations(base.settings.listen.operations)
        running = [asyncio.create_task(server.serve(sockets=[one])) for server, one in self._pairs]
        interval_ms = base.settings.work.interval_ms
        worker = Worker(self.process, interval_ms, count_round, lambda: renew_if_due(base))
        worker.start()
        await self._wait_started(running)
        self.is_ready = True
        started()
        _LOG.info("ready", service=base.name)
        while not (stopping.is_set() or base.is_outdated or base.is_behind):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_S)
        await self._drain(worker, running)
        _LOG.info("stopped", service=base.name)

    _pairs: list[tuple[Server, socket.socket]] = field(default_factory=list)

    async def _wait_started(self, running: Sequence[asyncio.Task[None]]) -> None:
        while not all(server.started for server in self.servers):
            for task in running:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)

    async def _drain(self, worker: Worker, running: Sequence[asyncio.Task[None]]) -> None:
        """Not ready any more, then nothing new, then what has begun, then the rest."""
        self.is_ready = False
        for gate in self.gates:
            gate.is_draining = True
        seconds = self.process.base.settings.work.drain_ms / 1000
        idle = [await gate.wait_for_work(seconds) for gate in self.gates]
        if not all(idle):
            _LOG.warning("stopped before everything was answered")
        await asyncio.to_thread(worker.stop)
        for server in self.servers:
            server.should_exit = True
        await asyncio.gather(*running)
        self.process.close()

    def _open(
        self,
        listener: Listener,
        offers: Sequence[Offer],
        pages: Sequence[Served],
        address: str,
    ) -> None:
        base = self.process.base
        is_mutual = listener is Listener.INSTITUTIONS
        context = build_server_context(base.folder, base.tls_password, is_mutual=is_mutual)
        base.contexts.append(context)
        gate = self._make_gate(listener)
        streams = () if is_mutual else list_streams(gate, self.process)
        config = uvicorn.Config(
            gate.build_app(offers, pages, streams),
            http=CertifiedProtocol,
            ssl_context_factory=lambda _config, _default: context,
            **SHARED,
        )
        self._add(Server(config), bind(address))

    def _open_control(self, offers: Sequence[Offer]) -> None:
        path = self.process.base.folder / CONTROL
        app = self._make_gate(Listener.CONTROL).build_app(offers)
        config = uvicorn.Config(app, http=CertifiedProtocol, **SHARED)
        self._add(Server(config), bind_control(path))

    def _open_operations(self, address: str) -> None:
        app = Starlette(
            routes=[
                Route("/live", self._show_live),
                Route("/ready", self._show_ready),
                Route("/metrics", self._show_metrics),
                Route("/alarms", self._show_alarms),
            ]
        )
        config = uvicorn.Config(app, http=CertifiedProtocol, **SHARED)
        self._add(Server(config), bind(address))

    def _make_gate(self, listener: Listener) -> Gate:
        base = self.process.base
        speaker: Speaker = base.channel.speaker
        gate = Gate(listener, base.name, speaker, base.peers, base.clock)
        if isinstance(self.process, BankProcess):
            gate.find_client = self.process.devices.find_by_name
            gate.find_signatory = self.process.people.signing.find_device
            gate.find_reader = self.process.consents.find_reader
        self.gates.append(gate)
        return gate

    def _add(self, server: Server, bound: socket.socket) -> None:
        self.servers.append(server)
        self._pairs.append((server, bound))

    async def _show_live(self, _request: Request) -> Response:
        return PlainTextResponse("live\n")

    async def _show_ready(self, _request: Request) -> Response:
        status = 200 if self.is_ready else 503
        return PlainTextResponse("ready\n" if self.is_ready else "not ready\n", status)

    async def _show_alarms(self, _request: Request) -> Response:
        return JSONResponse(dict(self.process.base.alarms.list()))

    async def _show_metrics(self, _request: Request) -> Response:
        show_ages(self.process.base.describe_age())
        show_alarms(self.process.base.alarms.list(), ALARMS)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


SHARED: Final[dict[str, Any]] = {
    "lifespan": "off",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "date_header": False,
    "timeout_keep_alive": 75,
    "timeout_graceful_shutdown": 1,
    "ws": "none",
    "proxy_headers": False,
}


def _ask_descriptors() -> None:
    """As many as all connections need, so that a flood leaves some for the database."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bind(address: str) -> socket.socket:
    """`setting_invalid` if it is somebody else's, or none of this machine."""
    host, port = get_host(f"https://{address}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{address}: {error.strerror}") from None
    return bound


def bind_control(path: Path) -> socket.socket:
    """Readable for its owner alone from the first moment: the folder is."""
    if len(str(path).encode()) > _PATH_MAX:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: too long for a socket's name")
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    path.chmod(0o600)
    return bound


def log_to(stream: TextIO = sys.stderr, level: str = "info") -> None:
    """JSON lines: time, level, what happened; never an amount, a name or a key."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(file=stream),
    )
