"""Stands between all processes: sees every message; cuts, delays, doubles, reorders, twists it.

It has everybody's TLS keys, which no attacker has: to each caller it is the service, to each
service the caller. Their signatures are not its own, so what it changes nobody believes.
"""

import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from specie.assembly.ceremony import Plan, create_network, draw_port
from specie.assembly.core_bank_process import CERTIFICATE, CORE_SETTINGS, KEY, load_core_settings
from specie.assembly.service_settings import load_settings, write_settings
from specie.assembly.system import SystemClock
from specie.assembly.tls import (
    ROOT,
    build_client_context,
    build_public_context,
    build_server_context,
)
from specie.cli.processes import list_core_banks, list_processes
from specie.remote.channel import get_host
from specie.remote.wire import get_certified
from tests.network.mischief import Mischief, Said
from tests.network.pilot import Pilot
from tests.network.starting import ForkedNetwork

PUBLIC = ""  # who calls without a certificate
CORE = "core bank"  # a listener for one bank, which shows no certificate either
PUBLIC_ADDRESS = "127.99.177.55"
_HOP = ("connection", "transfer-encoding")  # of one connection alone


@dataclass(frozen=True)
class Recorded:
    """A request as it came, and how it was answered."""

    caller: str
    service: str
    listener: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    time: float
    answer_headers: dict[str, str] = field(default_factory=dict)
    is_here: bool = False  # asked by the test's own process, without a certificate


class Cut(Exception):
    """The connection ends here."""


@dataclass
class Weather:
    """What happens to a message; each has its chance, of one."""

    seed: int = 1
    cut_before: float = 0
    cut_after: float = 0  # carried out, and the answer is lost
    doubled: float = 0
    delayed: float = 0  # by up to `seconds`: later ones overtake it
    seconds: float = 0.3
    apart: frozenset[str] = frozenset()  # between any two of these nothing gets through
    dribbled: frozenset[str] = frozenset()  # answers between these two come byte by byte
    mischief: Mischief | None = None
    struck: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def strikes(self, name: str) -> bool:
        with self._lock:
            is_struck: bool = self._random.random() < getattr(self, name)
            self.struck[name] += is_struck
            return is_struck

    def check_path(self, *ends: str) -> None:
        """`Cut` if these two are apart."""
        if len(self.apart & set(ends)) == len(ends):
            self.struck["apart"] += 1
            raise Cut

    def carry(self, send: Callable[[], Any]) -> Any:
        if self.strikes("delayed"):
            time.sleep(self._random.random() * self.seconds)
        if self.strikes("cut_before"):
            raise Cut
        answer = send()
        if self.strikes("doubled"):
            answer = send()
        if self.strikes("cut_after"):
            raise Cut
        return answer


@dataclass
class Middleman:
    """Listens where the lists say that the services are; they listen elsewhere."""

    pilot: Pilot
    weather: Weather = field(default_factory=Weather)
    recorded: list[Recorded] = field(default_factory=list)
    _places: dict[tuple[str, str], str] = field(default_factory=dict)
    _pools: dict[tuple[str, str], urllib3.PoolManager] = field(default_factory=dict)
    _servers: list[ThreadingHTTPServer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Before the processes are."""
        listens = [load_settings(folder).listen for folder in self._list_folders()]
        addresses = [str(one) for listen in listens for one in listen.model_dump().values()]
        taken = {get_host(f"https://{address}")[1] for address in addresses}
        for name in list_processes(self.pilot.data):
            settings = load_settings(self.pilot.data / name)
            moved = {}
            for listener in ("institutions", "public"):
                address = getattr(settings.listen, listener)
                moved[listener] = f"127.0.0.1:{draw_port('127.0.0.1', taken)}"
                self._places[name, listener] = moved[listener]
                self._listen(name, listener, address)
            listen = settings.listen.model_copy(update=moved)
            write_settings(self.pilot.data / name, settings.model_copy(update={"listen": listen}))
        for name in list_core_banks(self.pilot.data):
            self._listen_for_core_bank(name, draw_port("127.0.0.1", taken))

    def _list_folders(self) -> list[Path]:
        return [self.pilot.data / name for name in list_processes(self.pilot.data)]

    def stop(self) -> None:
        """All at once: each listener looks twice a second whether it is over."""
        with ThreadPoolExecutor(len(self._servers)) as threads:
            list(threads.map(ThreadingHTTPServer.shutdown, self._servers))
        for server in self._servers:
            server.server_close()
        for pool in self._pools.values():
            pool.clear()

    def send(self, one: Recorded) -> urllib3.BaseHTTPResponse:
        """To the service itself."""
        url = f"https://{self._places[one.service, one.listener]}{one.path}"
        pool = self._get_pool(one.caller, one.listener)
        return pool.request(
            one.method, url, body=one.body or None, headers=one.headers, redirect=False
        )

    def get_address(self, caller: str) -> str:
        """From where the services see this caller: nobody else comes from there."""
        if caller == PUBLIC:
            return PUBLIC_ADDRESS
        return f"127.98.177.{100 + list_processes(self.pilot.data).index(caller)}"

    def _listen(self, service: str, listener: str, address: str) -> None:
        password = self.pilot.open_keys(service).get_secret("tls-password")
        folder, is_mutual = self.pilot.data / service, listener == "institutions"
        context = build_server_context(folder, password, is_mutual=is_mutual)
        self._serve(service, listener, address, context)

    def _listen_for_core_bank(self, name: str, port: int) -> None:
        """Where its bank looks for it; it listens elsewhere."""
        folder, context = self.pilot.data / name, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
        address, moved = load_core_settings(folder).listen, f"127.0.0.1:{port}"
        path = folder / CORE_SETTINGS
        path.write_text(path.read_text().replace(address, moved))
        self._places[name, CORE] = moved
        self._serve(name, CORE, address, context)

    def _serve(self, service: str, listener: str, address: str, context: ssl.SSLContext) -> None:
        host, port = get_host(f"https://{address}")
        handler = type("Handler", (_Handler,), {"middleman": self, "where": (service, listener)})
        server = ThreadingHTTPServer((host, port), handler)
        server.daemon_threads = True
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _get_pool(self, caller: str, listener: str) -> urllib3.PoolManager:
        with self._lock:
            if (caller, listener) not in self._pools:
                context = build_public_context(self.pilot.public / ROOT)
                if listener == CORE:
                    context = build_public_context(self._get_folder(f"core-{caller}") / CERTIFICATE)
                elif caller:
                    password = self.pilot.open_keys(caller).get_secret("tls-password")
                    context = build_client_context(self._get_folder(caller), password)
                self._pools[caller, listener] = urllib3.PoolManager(
                    ssl_context=context,
                    source_address=(self.get_address(caller), 0),
                    retries=False,
                    timeout=30.0,
                    maxsize=32,
                )
            return self._pools[caller, listener]

    def _get_folder(self, name: str) -> Path:
        return self.pilot.data / name


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    middleman: Middleman
    where: tuple[str, str]

    def do_GET(self) -> None:  # named by the base class
        self._carry()

    do_POST = do_GET  # noqa: N815  # named by the base class

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass

    def _carry(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {k.lower(): v for k, v in self.headers.items() if k.lower() != "host"}
        service, listener = self.where
        caller, weather = self._get_caller(), self.middleman.weather
        is_dribbled = {caller, service} == weather.dribbled
        mischief = None if is_dribbled else weather.mischief
        if mischief and body:
            twisted = mischief.twist_request(Said(0, headers, body))
            headers, body = dict(twisted.headers), twisted.body
        asked = (caller, service, listener, self.command, self.path, headers, body)

        def send() -> urllib3.BaseHTTPResponse:
            weather.check_path(caller, service)
            draft = Recorded(*asked, status=0, answer=b"", time=time.time())
            answer = self.middleman.send(draft)
            is_here = not draft.caller and is_own_port(self.client_address[1])
            told = replace(draft, status=answer.status, answer=answer.data)
            recorded = replace(told, is_here=is_here)
            recorded.answer_headers.update(answer.headers)
            self.middleman.recorded.append(recorded)
            return answer

        try:
            answer = weather.carry(send)
        except (Cut, HTTPError, OSError):
            self.close_connection = True
            return
        kept = {k.lower(): v for k, v in answer.headers.items() if k.lower() not in _HOP}
        said = Said(answer.status, kept, answer.data)
        if mischief:
            said = mischief.twist_answer(said)
        self._answer(said, is_dribbled=is_dribbled)

    def _answer(self, said: Said, *, is_dribbled: bool) -> None:
        self.send_response_only(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if is_dribbled:
            self._dribble(said.body)
        self.wfile.write(b"" if is_dribbled else said.body)
        while said.is_endless:  # until who listens has had enough
            self.wfile.write(bytes(65_536))
        if said.headers.get("content-length") != str(len(said.body)):
            self.close_connection = True

    def _dribble(self, body: bytes) -> None:
        """A byte a second; who listens gives up, or has it all."""
        weather = self.middleman.weather
        for place in range(len(body)):
            try:
                self.wfile.write(body[place : place + 1])
            except OSError:
                weather.struck["given up"] += 1
                raise
            time.sleep(1)

    def _get_caller(self) -> str:
        service, listener = self.where
        if listener == CORE:
            return service.removeprefix("core-")
        shown = get_certified(self.connection.getpeercert())
        if shown is None:
            return PUBLIC
        [name] = [one.rpartition("/")[2] for one in shown.names]
        return name


def is_own_port(port: int) -> bool:
    """Whether a connection from this local port is a socket of our own process."""
    own = set(_list_own_files())
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        local, inode = columns[1].rpartition(":")[2], columns[9]
        if int(local, 16) == port and f"socket:[{inode}]" in own:
            return True
    return False


def _list_own_files() -> Iterator[str]:
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield str(one.readlink())


@contextmanager
def standing_between(
    folder: Path, prepare: Callable[[Pilot], None] = lambda _: None, **plan: Any
) -> Iterator[tuple[Pilot, Middleman]]:
    """A network that talks through somebody; stopped whatever happens.

    `prepare` changes what was made before it is started.
    """
    data, devices = folder / "n", folder / "devices"
    devices.mkdir()
    values: dict[str, Any] = {"interval_ms": 200, "lists_ms": 500, "batch_age_ms_max": 2_000}
    values |= {"batch_payments_min": 4, **plan}
    create_network(Plan(data, **values), SystemClock())
    pilot = Pilot(data, ForkedNetwork(data), devices)
    prepare(pilot)
    middleman = Middleman(pilot)
    middleman.start()
    try:
        pilot.start()
        yield pilot, middleman
    finally:
        pilot.stop()
        middleman.stop()
