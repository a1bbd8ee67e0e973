"""Webhooks on real sockets: one that hangs delays nobody, and nothing is lost (T18).

Killed between delivery and its record: delivered again, under the same id.
"""

import base64
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from specie.assembly.payment_services import build_payment_services
from specie.assembly.webhooks import WebhookSender
from specie.bank.naming import NameSigner
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.ports.events import Delivery, DeliveryState, Event, EventKind, Webhook
from specie.store.database import Database
from specie.store.event_store import SqliteEventStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, NetworkId, ParticipantNumber
from specie.values.limits import WEBHOOK_ATTEMPTS_MAX, WEBHOOK_WAIT_MS_MAX
from specie.values.times import Timestamp
from tests.clocks import ManualClock
from tests.country import refused

SHOP, OTHER = ClientId("shop"), ClientId("other")
SECONDS = 1.0


class Receiver(ThreadingHTTPServer):
    """A merchant's server; `behave` decides how it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.behave: Callable[[Handler], None] = Handler.answer
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/in"


class Handler(BaseHTTPRequestHandler):
    """One message."""

    server: Receiver  # type: ignore[mutable-override]  # made by no other

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        names = ("webhook-id", "webhook-timestamp", "webhook-signature", "host")
        self.server.heard.append(({name: self.headers[name] for name in names}, body))
        try:
            self.server.behave(self)
        except OSError:
            return

    def answer(self, status: int = 204) -> None:
        self.send_response(status)
        self.send_header("location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()

    def fail(self) -> None:
        self.answer(500)

    def redirect(self) -> None:
        self.answer(302)

    def hang(self) -> None:
        self.server.released.wait(20)

    def dribble(self) -> None:
        for letter in b"HTTP/1.1 204 No Content\r\n" + b"x: y\r\n" * 999:
            self.wfile.write(bytes([letter]))
            self.wfile.flush()
            if self.server.released.wait(0.1):
                return

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Bank:
    """A store with an outbox, and who sends from it."""

    def __init__(self, place: Path) -> None:
        self.clock = ManualClock()
        self.store = SqliteEventStore(place, SealingKey.generate())
        self.sender = WebhookSender(self.store, self.clock, seconds=SECONDS)

    def add(self, client: ClientId = SHOP) -> int:
        return self.store.add(client, EventKind.ARRIVED, self.clock.now(), '{"minor": 5}')

    def list_due(self) -> list[Delivery]:
        return self.store.list_due(self.clock.now(), 99)

    def send(self) -> None:
        """Everything that is due, to its end."""
        assert self.sender.start_due()
        wait(lambda: not self.list_due())

    def pass_time(self) -> None:
        self.clock.advance(WEBHOOK_WAIT_MS_MAX)


def wait(is_done: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    found = Bank(tmp_path / "bank.db")
    yield found
    found.sender.close()


@pytest.fixture
def shop() -> Iterator[Receiver]:
    yield from run_receiver()


@pytest.fixture
def other() -> Iterator[Receiver]:
    yield from run_receiver()


def run_receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_event_comes_signed(bank: Bank, shop: Receiver) -> None:
    secret = bank.sender.register(SHOP, shop.url).secret
    bank.add()
    bank.send()
    [(headers, body)] = shop.heard
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(secret, signed, "sha256").digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert headers["host"] == f"127.0.0.1:{shop.server_port}"
    assert bank.sender.start_due() == 0


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (Handler.fail, "status 500"),
        (Handler.redirect, "status 302"),
        (Handler.hang, "no answer"),
        (Handler.dribble, "no answer"),
    ],
    ids=["500", "redirect", "hangs", "dribbles"],
)
def test_what_does_not_get_there_is_sent_again(
    bank: Bank, shop: Receiver, behave: Callable[[Handler], None], said: str
) -> None:
    bank.sender.register(SHOP, shop.url)
    bank.add()
    shop.behave = behave
    bank.send()
    bank.pass_time()
    [waiting] = bank.list_due()
    assert (waiting.attempts, waiting.said) == (1, said)
    shop.behave = Handler.answer
    bank.send()
    assert len({headers["webhook-id"] for headers, _ in shop.heard}) == 1 < len(shop.heard)
    bank.pass_time()
    assert bank.list_due() == []


def test_one_that_hangs_delays_nobody(bank: Bank, shop: Receiver, other: Receiver) -> None:
    for client, server in ((SHOP, shop), (OTHER, other)):
        bank.sender.register(client, server.url)
    shop.behave = Handler.hang
    bank.add(SHOP)
    for _ in range(3):
        bank.add(OTHER)
    wait(lambda: bank.sender.start_due() >= 0 and len(other.heard) == 3)
    wait(lambda: bank.sender.start_due() >= 0 and not bank.list_due())
    assert len(shop.heard) == 1, "tried once, and under way meanwhile"


def test_events_of_one_client_do_not_overtake_each_other(bank: Bank, shop: Receiver) -> None:
    bank.sender.register(SHOP, shop.url)
    names = []
    shop.behave = Handler.fail
    for _ in range(3):
        bank.add()
    bank.send()
    shop.behave = Handler.answer
    bank.pass_time()
    wait(lambda: bank.sender.start_due() >= 0 and not bank.list_due())
    names = [headers["webhook-id"] for headers, _ in shop.heard]
    assert names[0] == names[1] and len(set(names)) == 3 and len(names) == 4


class Killed(BaseException):
    """The process ends here."""


def test_killed_before_it_is_recorded_it_is_sent_again(
    bank: Bank, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.sender.register(SHOP, shop.url)
    bank.add()
    stopped = threading.Event()

    def stop(event: Event, state: DeliveryState, due: Timestamp, said: str) -> None:
        stopped.set()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bank.store, "record_attempt", stop)
        bank.sender.start_due()
        assert stopped.wait(20)
        bank.sender.close()
    again = WebhookSender(bank.store, bank.clock, seconds=SECONDS)
    assert again.start_due() == 1
    wait(lambda: not bank.list_due())
    again.close()
    [first, second] = shop.heard
    assert first[0]["webhook-id"] == second[0]["webhook-id"] and first[1] == second[1]


def test_a_stop_waits_for_no_webhook(bank: Bank, shop: Receiver) -> None:
    """It is cut off: the other side has not answered yet, and the attempt is on record."""
    bank.sender.register(SHOP, shop.url)
    bank.add()
    shop.behave = Handler.hang
    patient = WebhookSender(bank.store, bank.clock, seconds=3_600)
    patient.start_due()
    wait(lambda: len(shop.heard) == 1)
    patient.close()
    assert not shop.released.is_set()
    bank.pass_time()
    assert [(one.attempts, one.said) for one in bank.list_due()] == [(1, "no answer")]


def test_in_the_end_it_is_dead_until_it_is_replayed(bank: Bank, shop: Receiver) -> None:
    bank.sender.register(SHOP, shop.url)
    bank.add()
    shop.behave = Handler.fail
    for _ in range(WEBHOOK_ATTEMPTS_MAX):
        bank.send()
        bank.pass_time()
    assert bank.list_due() == [] and len(shop.heard) == WEBHOOK_ATTEMPTS_MAX
    [dead] = bank.store.list_dead()
    assert (dead.state, dead.said) == (DeliveryState.DEAD, "status 500")
    shop.behave = Handler.answer
    assert bank.store.replay(SHOP, bank.clock.now()) == 1
    bank.send()
    assert len({headers["webhook-id"] for headers, _ in shop.heard}) == 1
    assert bank.store.list_dead() == []


def test_a_name_that_turns_inside_is_not_followed(bank: Bank, shop: Receiver) -> None:
    """Outside when it was registered, inside when it is sent to (DNS rebinding)."""
    places = [["93.184.215.14"], ["127.0.0.1"]]
    sender = WebhookSender(bank.store, bank.clock, lambda _host, _port: places.pop(0))
    sender.register(SHOP, f"https://shop.example:{shop.server_port}/")
    bank.add()
    sender.start_due()
    wait(lambda: not bank.list_due())
    sender.close()
    bank.pass_time()
    [waiting] = bank.list_due()
    assert waiting.said == ErrorCode.WEBHOOK_INVALID.value and shop.heard == []
    with refused(ErrorCode.WEBHOOK_INVALID):
        WebhookSender(bank.store, bank.clock, lambda _host, _port: []).register(
            SHOP, "https://nowhere.example/"
        )


def test_a_name_is_looked_up_within_the_time_of_an_attempt(bank: Bank) -> None:
    """Whoever has a name server of its own can let the bank wait, and no longer than others."""
    released = threading.Event()

    def look_up(_host: str, _port: int) -> list[str]:
        released.wait(30)
        return ["93.184.215.14"]

    slow = WebhookSender(bank.store, bank.clock, look_up, seconds=0.2)
    began = time.monotonic()
    with refused(ErrorCode.WEBHOOK_INVALID):
        slow.register(SHOP, "https://shop.example/in")
    bank.store.set_webhook(Webhook(SHOP, "https://shop.example/in", b"s" * 32))
    bank.add()
    assert slow.start_due() == 1
    wait(lambda: not bank.list_due())
    assert time.monotonic() - began < 20
    slow.close()
    released.set()


def test_a_client_hears_where_its_events_go(tmp_path: Path) -> None:
    """The host alone: a path may hold what only the receiver is to know."""
    database = Database(tmp_path / "bank.db")
    key, clock = SealingKey.generate(), ManualClock()
    names = NameSigner(ParticipantNumber(2), NetworkId(bytes(16)), InstitutionKey.generate())
    services = build_payment_services(database, key, names, clock)
    try:
        services.register_webhook(services.webhooks.draw(SHOP, "http://127.0.0.1:1/?token=hush"))
        assert [one.url for one in services.events.load_webhooks()] == [
            "http://127.0.0.1:1/?token=hush"
        ]
        services.remove_webhook(SHOP)
        with refused(ErrorCode.WEBHOOK_UNKNOWN):
            services.remove_webhook(SHOP)
        told = [(one.kind, one.data) for one in services.events.load(SHOP, 0, 10)]
        assert told == [
            (EventKind.WEBHOOK_REGISTERED, '{"host": "127.0.0.1"}'),
            (EventKind.WEBHOOK_REMOVED, "{}"),
        ]
        assert services.events.list_due(clock.now(), 10) == [], "nothing of it goes there itself"
    finally:
        services.close()
