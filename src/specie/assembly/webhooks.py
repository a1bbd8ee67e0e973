"""Sends a bank's events to webhooks: many at once, one after the other of each (T18).

Sent, then recorded: whoever stops between the two sends it again under the same id. What hangs, is
slow, redirects or answers with an error is tried again later, ever more rarely, and in the end
kept for its operator (`specie bank webhooks`). Each attempt has a thread of its own for ten seconds
at most, its host's name included, so nobody's webhook delays another's.
"""

import http.client
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from specie.bank.events import (
    check_url,
    choose_place,
    compute_next,
    name_event,
    sign_webhook,
    write_body,
)
from specie.ports.clock import Clock
from specie.ports.events import Delivery, DeliveryState, Webhook
from specie.store.event_store import SqliteEventStore
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId
from specie.values.limits import WEBHOOK_ATTEMPTS_MAX, WEBHOOK_SECONDS_MAX, WEBHOOKS_AT_ONCE_MAX

_CONNECT_S: Final = 3.0
_LEAST_S: Final = 0.01  # when looking up the name took all the time
_NAMES_AT_ONCE: Final = 4 * WEBHOOKS_AT_ONCE_MAX  # looked up; a name server may take its time

Resolve = Callable[[str, int], list[str]]
"""Host and port → addresses."""


def resolve(host: str, port: int) -> list[str]:
    """By the system; nothing if it knows none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the second for a label that no name can have
        return []
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class WebhookSender:
    """Of one bank."""

    def __init__(
        self,
        store: SqliteEventStore,
        clock: Clock,
        find_addresses: Resolve = resolve,
        seconds: float = WEBHOOK_SECONDS_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._find_addresses = find_addresses
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(WEBHOOKS_AT_ONCE_MAX, "webhook")
        self._busy: set[ClientId] = set()
        self._live: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._asking = threading.Semaphore(_NAMES_AT_ONCE)

    def register(self, client: ClientId, url: str) -> Webhook:
        """From now on; `webhook_invalid`."""
        webhook = self.draw(client, url)
        self._store.set_webhook(webhook)
        return webhook

    def draw(self, client: ClientId, url: str) -> Webhook:
        """Not in force yet: with a fresh secret, which is told once; `webhook_invalid`."""
        _, host, port, _ = check_url(url)
        choose_place(host, self._look_up(host, port))
        return Webhook(client, url, secrets.token_bytes(32))

    def start_due(self) -> int:
        """Begins what is due and not under way; waits for nothing. Gives how many it began."""
        begun = 0
        for one in self._store.list_due(self._clock.now(), WEBHOOKS_AT_ONCE_MAX * 4):
            with self._lock:
                is_full = len(self._busy) >= WEBHOOKS_AT_ONCE_MAX
                if is_full or one.event.client in self._busy:
                    continue
                self._busy.add(one.event.client)
            self._threads.submit(self._attempt, one)
            begun += 1
        return begun

    def close(self) -> None:
        """What is under way is cut off; what was not recorded is sent again."""
        with self._lock:
            live = list(self._live)
        for raw in live:
            _cut(raw)
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _attempt(self, delivery: Delivery) -> None:
        try:
            said = self._send(delivery)
            now, tried = self._clock.now(), delivery.attempts + 1
            if not said:
                state, due = DeliveryState.DELIVERED, now
            elif tried >= WEBHOOK_ATTEMPTS_MAX:
                state, due = DeliveryState.DEAD, now
            else:
                state, due = DeliveryState.WAITING, compute_next(tried, now)
            self._store.record_attempt(delivery.event, state, due, said)
        finally:
            with self._lock:
                self._busy.discard(delivery.event.client)

    def _send(self, delivery: Delivery) -> str:
        """Empty if the other side has taken it, else why not, without a word of what it said."""
        body = write_body(delivery.event)
        name, now = name_event(delivery.event), self._clock.now()
        headers = sign_webhook(delivery.webhook.secret, name, now, body)
        headers |= {"content-type": "application/json", "user-agent": "specie"}
        try:
            status = self._post(delivery.webhook.url, body, headers)
        except SpecieError as error:
            return error.code.value
        except (OSError, http.client.HTTPException):
            return "no answer"
        return "" if 200 <= status < 300 else f"status {status}"

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Its status; the body of the answer is nobody's concern, a redirection is an answer."""
        end = time.monotonic() + self._seconds
        scheme, host, port, path = check_url(url)
        place = choose_place(host, self._look_up(host, port))
        left = max(end - time.monotonic(), _LEAST_S)
        raw = socket.create_connection((place, port), timeout=min(_CONNECT_S, left))
        left = max(end - time.monotonic(), _LEAST_S)
        timer = threading.Timer(left, _cut, (raw,))
        timer.daemon = True
        timer.start()
        with self._lock:
            self._live.add(raw)
        connection = http.client.HTTPConnection(host, port)
        try:
            raw.settimeout(left)
            connection.sock = raw
            if scheme == "https":
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(raw, server_hostname=host)
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            timer.cancel()
            with self._lock:
                self._live.discard(raw)
            connection.close()
            raw.close()

    def _look_up(self, host: str, port: int) -> list[str]:
        """Within the seconds of an attempt; none then. The system's own call cannot be cut off."""
        found: list[str] = []

        def ask() -> None:
            try:
                found.extend(self._find_addresses(host, port))
            finally:
                self._asking.release()

        end = time.monotonic() + self._seconds
        if not self._asking.acquire(timeout=self._seconds):
            return []
        asking = threading.Thread(target=ask, name="webhook-name", daemon=True)
        asking.start()
        asking.join(max(end - time.monotonic(), 0))
        return [] if asking.is_alive() else found


def _cut(raw: socket.socket) -> None:
    """Whoever sends a byte a second meets no time limit of a socket, but this one."""
    try:
        raw.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
