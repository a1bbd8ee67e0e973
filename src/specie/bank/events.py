"""What a bank tells its clients, and how a webhook's message is signed (T18).

An event is a hint and never money: the device fetches its outputs and checks them by itself.

    webhook-id         one for each event; the same when it is sent again
    webhook-timestamp  seconds, of this attempt
    webhook-signature  v1,base64(HMAC-SHA256(secret, id.timestamp.body))      Standard Webhooks
"""

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.ports.clients import Movement, WatchedToken
from specie.ports.clock import Clock
from specie.ports.events import Event, EventKind, EventStore
from specie.ports.paid import PaidOutputs
from specie.tokens.holdings import Memo, unpack_memo
from specie.tokens.memo_notes import RefundReference
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, NetworkId, TransactionId
from specie.values.limits import URL_BYTES_MAX, WEBHOOK_WAIT_MS_MAX
from specie.values.times import Timestamp, format_time
from specie.wallet.refunds import compute_refund_proof

SECRET_MARK: Final = "whsec_"
_FIRST_WAIT_MS: Final = 5_000
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # what is given out; NAT64 lies outside it
_DISGUISES: Final = (
    ipaddress.IPv6Network("2001::/32"),  # Teredo
    ipaddress.IPv6Network("2002::/16"),  # 6to4
)


class ClientEvents:
    """Of one bank's clients; `silent` (the vault) is told nothing."""

    def __init__(
        self,
        store: EventStore,
        clock: Clock,
        silent: ClientId,
        network: NetworkId,
        paid: PaidOutputs,
    ) -> None:
        self._store = store
        self._clock = clock
        self._silent = silent
        self._network = network
        self._paid = paid

    def tell_final(self, movements: Sequence[Movement], tokens: Sequence[WatchedToken]) -> None:
        """What has become final just now; within that transaction."""
        payers = {one.client for one in movements if not one.is_incoming}
        for one in movements:
            if not one.is_incoming:
                self._add(one.client, EventKind.SETTLED, one.txid, {"minor": one.amount})
        for held in tokens:
            if held.client in payers or not movements or not held.token.amount:
                continue
            memo = unpack_memo(held.token.opening.memo)
            about: dict[str, int | str] = {
                "minor": held.token.amount,
                "output": held.token.ref.hex(),
                "order": memo.order_id.hex(),
                "end_to_end": memo.end_to_end_id.hex(),
            }
            kind, original = EventKind.ARRIVED, self._find_original(held, memo)
            if original is not None:
                kind, about = EventKind.REFUNDED, {**about, "refund_of": original.hex()}
            self._add(held.client, kind, movements[0].txid, about)

    def tell_refused(self, client: ClientId, txid: TransactionId, code: ErrorCode) -> None:
        """Somebody has said no to a payment of this client's."""
        self._add(client, EventKind.REFUSED, txid, {"code": code.value})

    def tell_act(self, client: ClientId, kind: EventKind, about: Mapping[str, str]) -> None:
        """What was done to the client's wallet, without secrets; within that transaction."""
        if client != self._silent:
            self._store.add(client, kind, self._clock.now(), json.dumps(dict(about)))

    def tell_return(self, client: ClientId, kind: EventKind, about: dict[str, int | str]) -> None:
        """A request for return was made or answered; within that transaction."""
        self._store.add(client, kind, self._clock.now(), json.dumps(about))

    def _find_original(self, held: WatchedToken, memo: Memo) -> TransactionId | None:
        """The payment of this client's that it pays back, if whoever says so can prove it."""
        if not isinstance(memo.note, RefundReference):
            return None
        paid, opening = self._paid.find(memo.note.ref), held.token.opening
        if paid is None or paid.client != held.client or opening.amount > paid.amount:
            return None
        payee = Address(opening.bank, opening.view, opening.spend)
        original = (memo.note.ref, paid.anchor)
        proof = compute_refund_proof(self._network, original, payee, opening.amount)
        return paid.txid if proof == memo.note.proof else None

    def _add(
        self, client: ClientId, kind: EventKind, txid: TransactionId, about: dict[str, int | str]
    ) -> None:
        if client != self._silent:
            data = json.dumps({"transaction": txid.hex(), **about})
            self._store.add(client, kind, self._clock.now(), data)


def name_event(event: Event) -> str:
    """The id that a receiver tells a repetition by; it says nothing of how many there are."""
    digest = tagged_hash("event", hashlib.sha256(encode_text(event.client)).digest())
    return f"evt_{tagged_hash('event', digest, u64(event.number), u64(event.time)).hex()[:32]}"


def write_body(event: Event) -> bytes:
    """As Standard Webhooks recommends: type, timestamp, data."""
    found = {"type": event.kind.value, "timestamp": format_time(event.time)}
    return json.dumps({**found, "data": json.loads(event.data)}).encode()


def sign_webhook(secret: bytes, name: str, now: Timestamp, body: bytes) -> dict[str, str]:
    """The headers of one attempt."""
    seconds = str(now // 1000)
    signed = f"{name}.{seconds}.".encode() + body
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def check_url(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port, path with query of a place where events may be sent.

    `webhook_invalid` unless it is https, or http to this machine by its number.
    """
    parts = urlsplit(url)
    try:
        told = parts.port
        port = told if told is not None else 443 if parts.scheme == "https" else 80
    except ValueError:
        port = 0
    is_long = len(url) > URL_BYTES_MAX
    is_odd = not (url.isascii() and url.isprintable()) or " " in url
    if is_long or is_odd or not parts.hostname or not port or parts.username is not None:
        raise SpecieError(ErrorCode.WEBHOOK_INVALID, "a plain URL with a host, no name in it")
    is_here = parts.scheme == "http" and _is_loopback(parts.hostname)
    if parts.fragment or not (parts.scheme == "https" or is_here):
        raise SpecieError(ErrorCode.WEBHOOK_INVALID, "https, or http to 127.0.0.1 in a pilot")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port, path


def choose_place(host: str, addresses: Sequence[str]) -> str:
    """The address to connect to, and to no other: a name may mean another one a moment later.

    `webhook_invalid` if any is not on the public internet: what stands behind the bank's own walls
    is not for clients to reach. Only who names this machine by its number means it.
    """
    if _is_loopback(host) and list(addresses) == [host]:
        return host
    for one in addresses:
        if not _is_outside(one):
            raise SpecieError(ErrorCode.WEBHOOK_INVALID, "a place inside, or none at all")
    if not addresses:
        raise SpecieError(ErrorCode.WEBHOOK_INVALID, "no address is known for it")
    return addresses[0]


def compute_next(attempts: int, now: Timestamp) -> Timestamp:
    """5 s after the first attempt, then each time three times as long, up to six hours."""
    return Timestamp(now + min(_FIRST_WAIT_MS * 3 ** (attempts - 1), WEBHOOK_WAIT_MS_MAX))


def format_secret(secret: bytes) -> str:
    """As receivers' libraries take it."""
    return SECRET_MARK + base64.b64encode(secret).decode()


def _is_outside(address: str) -> bool:
    """On the public internet by its own number, and no way to an IPv4 address in disguise."""
    found = ipaddress.ip_address(address)
    if not found.is_global or found.is_multicast:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return True
    return found in _UNICAST and not any(found in one for one in _DISGUISES)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
