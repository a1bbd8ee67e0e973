"""What any core system has to guarantee, over every adapter of the port (P13).

The sample core bank is a process of its own here, asked over HTTPS as a bank asks it.
"""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from schemathesis.core.result import Ok
from schemathesis.transport.serialization import Binary

from specie.assembly.core_bank_process import (
    CERTIFICATE,
    SECRET,
    create_core_bank,
    load_core_settings,
)
from specie.assembly.core_system import read_secret
from specie.assembly.tls import build_public_context
from specie.bank.deposits import DepositBooks
from specie.bank.own_core import OwnCoreBank
from specie.ports.core_bank import CoreBank
from specie.remote import core_bank_models as core
from specie.remote import core_bank_operations as operations
from specie.remote.control import CONTROL, call_control
from specie.remote.core_bank_client import RemoteCoreBank
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId, EntryId
from specie.values.limits import AMOUNT_MAX
from tests.clocks import ManualClock
from tests.country import refused

Opening = Callable[[ClientId, int], CoreAccount]


@dataclass
class System:
    """A core system behind the port, and its counter."""

    port: CoreBank
    open_account: Opening
    short: ErrorCode  # of who has not enough
    clients: list[ClientId] = field(default_factory=list)

    def draw(self) -> EndToEndId:
        return EndToEndId(os.urandom(16))

    def open(self, amount: int = 0) -> CoreAccount:
        """Another customer's account with so much on it."""
        self.clients.append(ClientId(f"customer {os.urandom(8).hex()}"))
        return self.open_account(self.clients[-1], amount)


def find_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Running:
    """The sample core bank's process."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "specie", "core-bank", "serve", str(self.folder)]
        with (self.folder.parent / "core.jsonl").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log)
        end, address = time.monotonic() + 120, load_core_settings(self.folder).operations
        while not is_ready(address):
            assert time.monotonic() < end and self.process.poll() is None
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def connect(
        self, secret: str = "", context: ssl.SSLContext | None = None, pause_s: float = 0.0
    ) -> RemoteCoreBank:
        url = f"https://{load_core_settings(self.folder).listen}"
        context = context or build_public_context(self.folder / CERTIFICATE)
        secret = secret or read_secret(self.folder / SECRET)
        return RemoteCoreBank(url, secret, context, pause_s=pause_s)

    def open_account(self, customer: ClientId, amount: int) -> CoreAccount:
        control = self.folder / CONTROL
        request = core.Customer(customer=customer)
        account = call_control(control, operations.OPEN_ACCOUNT, request).account
        if amount:
            paid = core.CoreMovement(
                end_to_end_id=EndToEndId(os.urandom(16)), account=account, amount=Minor(amount)
            )
            call_control(control, operations.PAY_IN, paid)
        return account


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Once for all tests."""
    folder = tmp_path_factory.mktemp("sample") / "core"
    places = [f"127.0.0.1:{find_port()}" for _ in range(2)]
    create_core_bank(folder, 2, places[0], places[1], Currency("DCU", 2))
    made = Running(folder)
    made.start()
    yield made
    made.kill()


def open_own(folder: Path) -> System:
    books = DepositBooks(SqliteBooksStore(folder / "books.db"), ManualClock())

    def open_account(client: ClientId, amount: int) -> CoreAccount:
        books.open_deposit(client)
        if amount:
            books.lend_to_client(EntryId(os.urandom(16)), client, Minor(amount))
        return CoreAccount(client)

    books.borrow_reserves(EntryId(bytes(16)), Minor(10**9))
    books.receive_issue(EntryId(bytes(15) + b"1"), Minor(10**9))
    return System(OwnCoreBank(books), open_account, ErrorCode.ACCOUNT_OVERDRAWN)


@pytest.fixture(params=["own books", "over HTTPS"])
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    """Every adapter."""
    if request.param == "own books":
        yield open_own(tmp_path)
        return
    running: Running = request.getfixturevalue("running")
    port = running.connect()
    yield System(port, running.open_account, ErrorCode.FUNDS_INSUFFICIENT)
    port.close()


# --- what every core system does -----------------------------------------------------------------


def test_what_is_held_is_settled_once(system: System) -> None:
    account, reference, port = system.open(100), system.draw(), system.port
    for _ in range(2):
        port.hold(reference, account, Minor(30))
        assert port.get_balance(account) == 70
    for _ in range(2):
        port.settle(reference)
        assert port.get_balance(account) == 70
    port.hold(reference, account, Minor(30))
    assert port.get_balance(account) == 70, "late, and no second hold"
    with refused(ErrorCode.CORE_BANK_REFUSED):
        port.release(reference)
    assert port.get_balance(account) == 70


def test_what_is_held_is_released_once(system: System) -> None:
    account, reference, port = system.open(100), system.draw(), system.port
    port.hold(reference, account, Minor(30))
    for _ in range(2):
        port.release(reference)
        assert port.get_balance(account) == 100
    with refused(ErrorCode.CORE_BANK_REFUSED):
        port.settle(reference)
    with refused(ErrorCode.CORE_BANK_REFUSED):
        port.hold(reference, account, Minor(30))
    assert port.get_balance(account) == 100


def test_what_is_held_is_nobody_elses(system: System) -> None:
    account, port = system.open(100), system.port
    port.hold(system.draw(), account, Minor(60))
    with refused(system.short):
        port.hold(system.draw(), account, Minor(41))
    port.hold(system.draw(), account, Minor(40))
    assert port.get_balance(account) == 0


def test_a_refused_hold_may_be_asked_for_again(system: System) -> None:
    account, reference, port = system.open(10), system.draw(), system.port
    with refused(system.short):
        port.hold(reference, account, Minor(11))
    port.credit(system.draw(), account, Minor(1))
    port.hold(reference, account, Minor(11))
    assert port.get_balance(account) == 0


def test_a_credit_is_made_once(system: System) -> None:
    account, reference, port = system.open(), system.draw(), system.port
    for _ in range(2):
        port.credit(reference, account, Minor(25))
        assert port.get_balance(account) == 25


def test_an_account_that_is_not_there(system: System) -> None:
    port, stranger = system.port, CoreAccount("XX9800020000009999")
    calls: list[Callable[[], object]] = [
        lambda: port.hold(system.draw(), stranger, Minor(1)),
        lambda: port.credit(system.draw(), stranger, Minor(1)),
        lambda: port.get_balance(stranger),
    ]
    for call in calls:
        with refused(ErrorCode.ACCOUNT_UNKNOWN):
            call()


def test_nothing_is_settled_that_was_not_held(system: System) -> None:
    with refused(ErrorCode.CORE_BANK_REFUSED):
        system.port.settle(system.draw())


def test_an_account_is_one_clients(system: System) -> None:
    account, other = system.open(), system.open()
    client, _ = system.clients
    assert system.port.find_account(client) == account
    system.port.check_account(client, account)
    with refused(ErrorCode.CORE_BANK_REFUSED):
        system.port.check_account(client, other)


# --- over HTTPS ----------------------------------------------------------------------------------


@pytest.fixture
def remote(running: Running) -> Iterator[RemoteCoreBank]:
    """The gateway's client."""
    made = running.connect()
    yield made
    made.close()


def test_an_id_has_one_content(running: Running, remote: RemoteCoreBank) -> None:
    account = running.open_account(ClientId("anna"), 100)
    held, credited = EndToEndId(os.urandom(16)), EndToEndId(os.urandom(16))
    remote.hold(held, account, Minor(5))
    remote.credit(credited, account, Minor(7))
    calls: list[Callable[[], object]] = [
        lambda: remote.hold(held, account, Minor(6)),
        lambda: remote.credit(credited, account, Minor(6)),
    ]
    for call in calls:
        with refused(ErrorCode.CORE_BANK_REFUSED):
            call()
    assert remote.get_balance(account) == 102


def test_a_hold_that_comes_after_its_release_holds_nothing(
    running: Running, remote: RemoteCoreBank
) -> None:
    account, reference = running.open_account(ClientId("boris"), 100), EndToEndId(os.urandom(16))
    remote.release(reference)
    with refused(ErrorCode.CORE_BANK_REFUSED):
        remote.hold(reference, account, Minor(5))
    assert remote.get_balance(account) == 100


def test_the_position_is_what_was_asked_for(running: Running, remote: RemoteCoreBank) -> None:
    account, reference = running.open_account(ClientId("cem"), 100), EndToEndId(os.urandom(16))
    before = remote.count_position()
    remote.hold(reference, account, Minor(5))
    remote.credit(EndToEndId(os.urandom(16)), account, Minor(7))
    between = remote.count_position()
    remote.settle(reference)
    after = remote.count_position()
    assert (between.held, between.credited) == (before.held + 5, before.credited + 7)
    assert (after.held, after.settled) == (before.held, before.settled + 5)


def test_a_closed_account_takes_no_more_and_pays_what_is_held(
    running: Running, remote: RemoteCoreBank
) -> None:
    client = ClientId("dee")
    account, held = running.open_account(client, 100), EndToEndId(os.urandom(16))
    credited = EndToEndId(os.urandom(16))
    remote.hold(held, account, Minor(5))
    remote.credit(credited, account, Minor(1))
    query = core.CoreAccountQuery(account=account)
    call_control(running.folder / CONTROL, operations.CLOSE_ACCOUNT, query)
    calls: list[Callable[[], object]] = [
        lambda: remote.hold(EndToEndId(os.urandom(16)), account, Minor(1)),
        lambda: remote.credit(EndToEndId(os.urandom(16)), account, Minor(1)),
        lambda: remote.check_account(client, account),
    ]
    for call in calls:
        with refused(ErrorCode.CORE_BANK_REFUSED):
            call()
    remote.credit(credited, account, Minor(1))
    remote.settle(held)
    assert remote.find_account(client) is None
    assert remote.get_balance(account) == 96


def test_who_has_not_the_secret_is_told_nothing(running: Running) -> None:
    """And it says nothing of what has happened: the bank asks again."""
    stranger = running.connect(secret="x" * 32)
    with refused(ErrorCode.CORE_BANK_UNREACHABLE):
        stranger.get_balance(running.open_account(ClientId("eve"), 5))
    stranger.close()


def test_another_certificate_is_not_believed(running: Running, tmp_path: Path) -> None:
    create_core_bank(tmp_path / "other", 3, "127.0.0.1:1", "127.0.0.1:2", Currency("DCU", 2))
    context = build_public_context(tmp_path / "other" / CERTIFICATE)
    fooled = running.connect(context=context)
    with refused(ErrorCode.CORE_BANK_UNREACHABLE):
        fooled.count_position()
    fooled.close()


def test_what_was_answered_survives_a_kill(running: Running, remote: RemoteCoreBank) -> None:
    account, held = running.open_account(ClientId("fay"), 100), EndToEndId(os.urandom(16))
    remote.hold(held, account, Minor(30))
    before, patient = remote.count_position(), running.connect(pause_s=600.0)
    running.kill()
    for port in (remote, patient):
        with refused(ErrorCode.CORE_BANK_UNREACHABLE):
            port.settle(held)
    running.start()
    with refused(ErrorCode.CORE_BANK_UNREACHABLE):  # left alone for a while
        patient.settle(held)
    patient.close()
    assert remote.count_position() == before
    remote.settle(held)
    assert remote.get_balance(account) == 70


def test_amounts_at_their_edges(running: Running, remote: RemoteCoreBank) -> None:
    account = running.open_account(ClientId("gus"), 1)
    with refused(ErrorCode.CORE_BANK_UNREACHABLE):  # 0 is no amount: not one of the three refusals
        remote.credit(EndToEndId(os.urandom(16)), account, Minor(0))
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        remote.hold(EndToEndId(os.urandom(16)), account, Minor(AMOUNT_MAX))
    assert remote.get_balance(account) == 1


def test_its_log_has_no_names_and_no_amounts(running: Running, remote: RemoteCoreBank) -> None:
    account = running.open_account(ClientId("somebody special"), 5)
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        remote.hold(EndToEndId(os.urandom(16)), account, Minor(987_654_321))
    log = (running.folder.parent / "core.jsonl").read_text()
    assert '"code": "funds_insufficient"' in log
    assert not [word for word in ("somebody", "987654321", account) if word in log]


# --- what it says of itself ----------------------------------------------------------------------


def ask(running: Running, method: str, target: str, body: bytes) -> tuple[int, bytes]:
    """As the bank."""
    host, _, port = load_core_settings(running.folder).listen.rpartition(":")
    context = build_public_context(running.folder / CERTIFICATE)
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
    headers = {"authorization": f"Bearer {read_secret(running.folder / SECRET)}"}
    headers |= {"content-type": "application/json"} if body else {}
    try:
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_nothing_that_is_sent_makes_it_fail(running: Running, mode: GenerationMode) -> None:
    """As described, not as described, and not even JSON: an answer, and never a 5xx."""
    document = json.loads(ask(running, "GET", "/openapi.json", b"")[1])
    assert document["components"].pop("securitySchemes") == {
        "bearer": {"type": "http", "scheme": "bearer"}
    }
    for path in document["paths"].values():
        for found in path.values():
            del found["security"]
    for operation in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(operation, Ok), operation
        send_some(running, operation.ok(), mode)


def get_body(found: Any) -> bytes:
    """JSON as it was generated; for CBOR Schemathesis generates bytes."""
    if isinstance(found, NotSet):
        return b""
    if isinstance(found, Binary):
        return found.data
    return found if isinstance(found, bytes) else json.dumps(found).encode()


def send_some(running: Running, operation: Any, mode: GenerationMode) -> None:
    @settings(
        max_examples=3,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.none() | st.binary(max_size=40))
    def send(case: Any, other: bytes | None) -> None:
        body = get_body(case.body)
        query = urlencode(case.query or {}, doseq=True)
        target = quote(case.formatted_path, safe="/:@%") + (f"?{query}" if query else "")
        status, data = ask(running, case.method, target, other if other and body else body)
        assert status < 500, (case.method, target, data[:300])
        if status != 200:
            assert json.loads(data)["code"] in tuple(ErrorCode)

    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        send()
