"""A pilot network of real processes on loopback: started, asked, killed, stopped by tests."""

import json
import os
import shlex
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.folders import KEYS, PASSPHRASES, PUBLIC
from specie.assembly.lists import load_peers
from specie.assembly.own_keys import OwnKeys
from specie.assembly.service_settings import load_settings
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.assembly.tls import ROOT, build_client_context, build_public_context
from specie.cli.processes import Child, NetworkProcesses, list_core_banks, list_processes
from specie.crypto.secrets import InstitutionSigner
from specie.ports.clock import Clock
from specie.remote.channel import Channel, Speaker
from specie.remote.peers import Peers
from specie.store.key_file import KeyFile
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from tests.json_names import check_names
from tests.network.starting import Connection, ForkedNetwork

PASSPHRASE = "correct horse"


@dataclass(slots=True)
class Pilot:
    """Folder, processes, and the commands of people."""

    data: Path
    network: NetworkProcesses
    devices: Path
    children: dict[str, Child] = field(default_factory=dict)
    _commands: Connection = field(default_factory=Connection)

    @property
    def public(self) -> Path:
        return self.data / PUBLIC

    def start(self, *names: str) -> None:
        chosen = names or (*list_core_banks(self.data), *list_processes(self.data))
        for name in chosen:
            self.children[name] = self.network.start(name)
        for name in chosen:
            self.network.wait_ready(self.children[name])

    def kill(self, name: str) -> None:
        child = self.children[name]
        os.killpg(child.running.pid, signal.SIGKILL)
        child.running.wait()
        self.network.children.remove(child)

    def start_as(self, script: str, name: str, *arguments: str) -> None:
        """A process of this name by a script that lies here, in place of `specie`."""
        path, passphrase = Path(__file__).with_name(script), self.data / PASSPHRASES / name
        command = [sys.executable, str(path), *arguments, "serve", str(self.data / name)]
        with (self.data / "logs" / f"{name}.jsonl").open("ab") as log:
            running = subprocess.Popen(
                [*command, "--passphrase-file", str(passphrase)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        child = Child(name, self.data / name, running)
        self.network.children.append(child)
        self.children[name] = child

    def restart(self, name: str) -> None:
        self.kill(name)
        self.start(name)

    def run(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """A command as people type it; gives what it prints."""
        done = self.try_run(*arguments, stdin=stdin)
        assert done["code"] == code, f"{arguments}: {done['code']}\n{done['err']}"
        if "--json" in arguments:
            check_names(str(done["out"]))
        return str(done["out"] if code == 0 else done["err"]).strip()

    def try_run(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """The same, however it ends: `code`, `out`, `err`."""
        return self._commands.ask(run=arguments, stdin=stdin)

    def insist(self, *arguments: str, stdin: str = "", seconds: float = 120) -> str:
        """A command again and again, as people do, until it comes to its end."""
        end = time.monotonic() + seconds
        while True:
            done = self.try_run(*arguments, stdin=stdin)
            if done["code"] == 0:
                return str(done["out"])
            assert time.monotonic() < end, done["err"]
            time.sleep(0.3)

    def rotate(self, name: str, *options: str) -> str:
        """As its people do it; who started the process starts it again. Gives the decision."""
        line = self.draw_rotation(name, *options)
        child = self.children[name]
        assert "done" in self.officer(*shlex.split(line)[2:])
        assert child.running.wait(60) == 0, "it drains and ends"
        self.network.children.remove(child)
        self.start(name)
        return line

    def draw_rotation(self, name: str, *options: str) -> str:
        """New keys beside the old ones; gives the decision that puts them in the lists."""
        passphrase = str(self.data / PASSPHRASES / name)
        command = ("rotate", str(self.data / name), "--passphrase-file", passphrase)
        line = self.run(*command, *options)
        assert line.startswith("specie officer decide ")
        return line

    def approve(self, order: str) -> None:
        """By two officers, until it is final."""
        command = ("officer", "approve", order, "--data", str(self.data))
        numbers = ("--officer", "1", "--officer", "2")
        assert "final" in self.insist(*command, *numbers, "--wait", "5", stdin="y\n")

    def begin(self, *arguments: str, stdin: str = "") -> subprocess.Popen[str]:
        """A command of which we wait for the end later."""
        begun = subprocess.Popen(
            [sys.executable, "-m", "specie", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert begun.stdin is not None
        begun.stdin.write(stdin)
        begun.stdin.flush()
        return begun

    def officer(self, *arguments: str, officers: tuple[int, ...] = (1, 2)) -> str:
        numbers = [word for one in officers for word in ("--officer", str(one))]
        return self.run("officer", *arguments, "--data", str(self.data), *numbers, stdin="y\n")

    def bank(self, number: int, *arguments: str) -> str:
        return self.run("bank", *arguments, "--at", str(self.data / f"bank-{number}"))

    def wallet(self, holder: str, *arguments: str, code: int = 0) -> str:
        words = self.spell(holder, *arguments)
        return self.run(*words, stdin=f"{PASSPHRASE}\n", code=code)

    def spell(self, holder: str, *arguments: str) -> tuple[str, ...]:
        """A wallet's command with its options; the passphrase goes to its standard input."""
        device = ("--device", str(self.devices / f"{holder}.db"), "--holder", holder)
        public = () if arguments[0] == "create" else ("--public", str(self.public))
        return ("wallet", *arguments, *device, *public)

    def give(self, holder: str, number: int, amount: str, name: str = "Some Body") -> str:
        """A wallet with a loan's money on its device; gives its address."""
        address = self.open_wallet(holder, number, name)
        self.bank(number, "lend", holder, amount)
        self.wallet(holder, "withdraw", amount)
        return address

    def fund(self, number: int, amount: str) -> None:
        """Reserves, then money in the bank's vault."""
        self.lend(number, amount)
        order = self.bank(number, "issue", amount)
        self.officer("approve", order)
        minor = int(amount.replace(",", "").replace(".", ""))
        self.wait(lambda: self.get_fact(number, "vault") >= minor)

    def lend(self, number: int, amount: str, officers: tuple[int, ...] = (1, 2)) -> str:
        """Reserves; gives what the tool says."""
        fields = ("--set", f"participant={number}", "--set", f"amount={amount}")
        return self.officer("decide", "lend-reserves", *fields, officers=officers)

    def open_wallet(self, holder: str, number: int, name: str = "Some Body") -> str:
        """Gives the address."""
        self.wallet(holder, "create")
        code = self.bank(number, "invite", holder, name)
        return self.wallet(holder, "open", code, "--bank", str(number))

    def get_fact(self, number: int, name: str) -> int:
        return int(json.loads(self.bank(number, "show", "--json"))[name])

    def wait(self, is_done: Callable[[], bool], seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.1)

    def get_passphrase(self, name: str) -> str:
        return (self.data / PASSPHRASES / name).read_text().strip()

    def open_keys(self, name: str) -> KeyFile:
        return KeyFile(self.data / name / KEYS, self.get_passphrase(name))

    def load_peers(self) -> Peers:
        return load_peers(self.data / "central-bank", None)

    def get_key(self, name: str) -> InstitutionSigner:
        """The one that the lists name."""
        public = self.load_peers().services.get(ServiceName(name)).key
        return OwnKeys(self.open_keys(name)).find_signer(public)

    def open_channel(self, name: str, **changes: Any) -> Channel:
        """With everything that this institution has."""
        keys = self.open_keys(name)
        context = build_client_context(self.data / name, keys.get_secret("tls-password"))
        speaker = Speaker(name, self.get_key(name))
        values: dict[str, Any] = {"speaker": speaker, "context": context}
        values["peers"] = self.load_peers()
        values |= {"clock": SystemClock(), "answer_s": 20.0}
        return Channel(**{**values, **changes})

    def get_url(self, name: str, listener: str = "public") -> str:
        scheme = "http" if listener == "operations" else "https"
        return f"{scheme}://{getattr(load_settings(self.data / name).listen, listener)}"

    def fetch(self, url: str, method: str = "GET", **given: Any) -> urllib3.BaseHTTPResponse:
        """By anybody who knows the root."""
        context: ssl.SSLContext = build_public_context(self.public / ROOT)
        with urllib3.PoolManager(ssl_context=context, retries=False, timeout=20.0) as pool:
            return pool.request(method, url, **given)

    def read_alarms(self, name: str) -> dict[str, str]:
        """Of one process: alarm → why."""
        found: dict[str, str] = json.loads(
            self.fetch(f"{self.get_url(name, 'operations')}/alarms").data
        )
        return found

    def read_logs(self) -> str:
        return "".join(path.read_text() for path in (self.data / "logs").glob("*.jsonl"))

    def stop(self) -> None:
        self._commands.close()
        self.network.stop()


@contextmanager
def running_pilot(folder: Path, made: Clock | None = None, **plan: Any) -> Iterator[Pilot]:
    """Made (by another clock, if one is given), started, and stopped whatever happens."""
    data, devices = folder / "n", folder / "devices"
    devices.mkdir()
    values: dict[str, Any] = {"interval_ms": 200, "lists_ms": 500, "batch_payments_min": 2}
    values |= {"batch_age_ms_max": 2_000, **plan}
    create_network(Plan(data, **values), made or SystemClock())
    pilot = Pilot(data, ForkedNetwork(data), devices)
    try:
        pilot.start()
        yield pilot
    finally:
        pilot.stop()


def draw() -> bytes:
    return RandomIdentifiers().draw()


def catch(call: Callable[[], object]) -> SpecieError:
    """What it is refused with."""
    try:
        call()
    except SpecieError as error:
        return error
    raise AssertionError("it was not refused")


def name(service: str) -> ServiceName:
    return ServiceName(service)
