"""`specie up`, `status`: a whole network of processes on this machine, or one of them."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from specie.assembly.ceremony import Plan, check_plan, create_network
from specie.assembly.core_bank_process import CORE_SETTINGS, load_core_settings
from specie.assembly.folders import PASSPHRASES
from specie.assembly.service_settings import SETTINGS, load_settings
from specie.assembly.softhsm import use_tokens
from specie.assembly.system import SystemClock
from specie.cli.forking import call_apart, fork, import_commands
from specie.cli.results import write_json
from specie.store.file_locks import lock_folder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

LOGS: Final = "logs"
_LINE_BYTES_MAX: Final = 2_000  # of a log's last line
_START_S: Final = 120.0
_STOP_S: Final = 20.0
_PAUSE_S: Final = 0.5  # before a process that has ended is started again, doubled each time
_PAUSE_S_MAX: Final = 60.0
_STEADY_S: Final = 60.0  # who ran so long begins anew
_ORDER: Final = ("notary", "accounting", "central-bank")  # others ask these first


def create(plan: Plan) -> str:
    """A new network's folders; gives its id."""
    return create_network(plan, SystemClock()).network.hex()


class Running(Protocol):
    """What is done with a process that runs: the part of `subprocess.Popen` that is used."""

    @property
    def pid(self) -> int:
        """It leads a session of its own."""

    def poll(self) -> int | None:
        """How it has ended, if it has."""

    def wait(self, timeout: float | None = None) -> int:
        """The same at its end; `subprocess.TimeoutExpired` after so many seconds."""

    def terminate(self) -> None:
        """Ask it to end."""


@dataclass(slots=True)
class Child:
    """A process that we have started."""

    name: str
    folder: Path
    running: Running
    started: float = field(default_factory=time.monotonic)  # monotonic seconds


@dataclass(slots=True)
class NetworkProcesses:
    """All processes of a folder."""

    data: Path
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        use_tokens(self.data)

    def start(self, name: str) -> Child:
        """One process, its log beside the others'."""
        logs = self.data / LOGS
        logs.mkdir(exist_ok=True)
        running = self.begin(build_command(self.data, name), logs / f"{name}.jsonl")
        child = Child(name, self.data / name, running)
        self.children.append(child)
        return child

    def begin(self, arguments: Sequence[str], log: Path) -> Running:
        """`specie ARGUMENTS`, in a session of its own."""
        return fork(arguments, log)

    def wait_ready(self, child: Child, seconds: float = _START_S) -> None:
        """`unreachable` if it ends, or is not ready in time; its log says why."""
        end = time.monotonic() + seconds
        while child.running.poll() is not None or not is_ready(child.folder):
            if child.running.poll() is not None or time.monotonic() > end:
                reason = f"{child.name} did not start: {self.read_end(child)}"
                raise SpecieError(ErrorCode.UNREACHABLE, reason)
            time.sleep(0.05)

    def read_end(self, child: Child) -> str:
        """The last line of its log."""
        with (self.data / LOGS / f"{child.name}.jsonl").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LINE_BYTES_MAX))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        """In the other order; what does not end is killed."""
        for child in reversed(self.children):
            if child.running.poll() is None:
                child.running.terminate()
        end = time.monotonic() + _STOP_S
        for child in self.children:
            try:
                child.running.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(child.running.pid, signal.SIGKILL)
                child.running.wait()


@dataclass(slots=True)
class Watch:
    """What has ended is started again: at once after a long life, else ever later."""

    network: NetworkProcesses
    say: Callable[[str], None]
    _pauses: dict[str, float] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)  # monotonic seconds

    def look(self) -> None:
        """Once; told is every end, with what comes of it."""
        now = time.monotonic()
        for child in list(self.network.children):
            code = child.running.poll()
            if code is not None:
                self.network.children.remove(child)
                self._plan(child, code, now)
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self.network.start(name)

    def _plan(self, child: Child, code: int, now: float) -> None:
        is_steady = now - child.started >= _STEADY_S
        pause = 0.0 if is_steady else self._pauses.get(child.name, 0.0)
        self._pauses[child.name] = min(_PAUSE_S_MAX, 2 * pause or _PAUSE_S)
        self._due[child.name] = now + pause
        when = f"again in {pause:g} s" if pause else "started again"
        self.say(f"{child.name:>14}: ended with {code}, {when}: {self.network.read_end(child)}")


def import_servers() -> None:
    """What all processes need."""
    import_commands(("serve", "core-bank"))


def list_processes(data: Path) -> list[str]:
    """Folders with settings, those that others ask first at the beginning."""
    found = sorted(path.parent.name for path in data.glob(f"*/{SETTINGS}"))
    if not found:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{data}: no network is there")
    first = [name for name in _ORDER if name in found]
    return [*first, *(name for name in found if name not in first)]


def build_command(data: Path, name: str) -> list[str]:
    """What starts it: an institution's process, or a bank's sample core bank beside it."""
    if is_core_bank(data / name):
        return ["core-bank", "serve", str(data / name)]
    passphrase = data / PASSPHRASES / name
    return ["serve", str(data / name), "--passphrase-file", str(passphrase)]


def list_core_banks(data: Path) -> list[str]:
    """Sample core banks in the network's folder: banks ask them, so they start first."""
    return sorted(path.parent.name for path in data.glob(f"*/{CORE_SETTINGS}"))


def is_core_bank(folder: Path) -> bool:
    """Whether it is no institution's folder."""
    return (folder / CORE_SETTINGS).is_file()


def get_addresses(folder: Path) -> tuple[str, str]:
    """Where it is reached, and its operations' listener."""
    if is_core_bank(folder):
        core = load_core_settings(folder)
        return core.listen, core.operations
    listen = load_settings(folder).listen
    return listen.public, listen.operations


def is_ready(folder: Path) -> bool:
    """By its operations' listener."""
    _, address = get_addresses(folder)
    try:
        with urllib.request.urlopen(  # our own loopback address
            f"http://{address}/ready", timeout=2
        ) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def bring_up(data: Path, plan: Plan | None, say: Callable[[str], None]) -> None:
    """Make the network if there is none, start everything, say so, stop when told to.

    `store_unusable` if it runs already: who started it first looks after it.
    """
    if plan is not None and not (data.exists() and any(data.iterdir())):
        check_plan(plan)
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock_folder(data):
        if plan is not None and not any(data.iterdir()):
            network = call_apart(partial(create, plan), import_servers)
            say(f"{'network':>14}: {network}")
        for name in (*list_core_banks(data), *list_processes(data)):
            check_silent(data / name)
        _run(NetworkProcesses(data), say)


def check_silent(folder: Path) -> None:
    """`store_unusable` if a process answers for this folder: it has outlived who started it."""
    if is_ready(folder):
        _, address = get_addresses(folder)
        reason = f"{folder.name} runs already, http://{address} answers; end it first"
        raise SpecieError(ErrorCode.STORE_UNUSABLE, reason)


def _run(network: NetworkProcesses, say: Callable[[str], None]) -> None:
    """Until a signal comes."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _frame: stopping.append(which))
    import_servers()
    try:
        for name in (*list_core_banks(network.data), *list_processes(network.data)):
            network.start(name)
        for child in network.children:
            network.wait_ready(child)
            place, _ = get_addresses(child.folder)
            say(f"{child.name:>14}: ready, pid {child.running.pid}, https://{place}")
        say(f"{'all':>14}: ready; Ctrl-C stops them")
        watch = Watch(network, say)
        while not stopping:
            watch.look()
            time.sleep(0.2)
    finally:
        network.stop()
    say(f"{'all':>14}: stopped")


def describe_status(data: Path) -> dict[str, bool]:
    """Name → ready."""
    names = (*list_core_banks(data), *list_processes(data))
    return {name: is_ready(data / name) for name in names}


def print_status(data: Path, *, as_json: bool, say: Callable[[str], None]) -> bool:
    """Gives whether all are ready."""
    found = describe_status(data)
    if as_json:
        say(write_json(found))
    else:
        for name, ready in found.items():
            url = f"https://{get_addresses(data / name)[0]}"
            say(f"{name:>14}: {f'ready, {url}' if ready else 'not ready'}")
    return all(found.values())


def print_alarms(data: Path, *, as_json: bool, say: Callable[[str], None]) -> bool:
    """Of all processes that answer; gives whether it is quiet."""
    found = {name: read_alarms(data / name) for name in list_processes(data)}
    if as_json:
        say(write_json(found))
    else:
        for name, alarms in found.items():
            for alarm, why in alarms.items():
                say(f"{name:>14}: {alarm}: {why}")
        if not any(found.values()):
            say("no alarms")
    return not any(found.values())


def read_alarms(folder: Path) -> dict[str, str]:
    """Of one process, by its operations' listener; one that does not answer is an alarm, too."""
    address = load_settings(folder).listen.operations
    try:
        with urllib.request.urlopen(  # our own loopback address
            f"http://{address}/alarms", timeout=2
        ) as answer:
            return {str(name): str(why) for name, why in json.load(answer).items()}
    except (urllib.error.URLError, OSError, ValueError):
        return {"silent": "it does not answer"}
