"""The bank's part in certificates of its clients' devices (T25): it asks, keeps, and ends them.

The centre hears a key and the bank's name. Ending is recorded with what it belongs to (a loss, a
closed account, a newer device) and told to the centre afterwards, again until it has heard. A
client has few certificates and few new ones a day, or it could fill the list that all read.
"""

import time
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from specie.identity.device_certificates import get_end, is_due, read_device_request
from specie.ports.clients import ClientStatus, ClientStore
from specie.ports.clock import Clock
from specie.remote import desk_operations as desk
from specie.remote.channel import Channel
from specie.remote.institutions import CENTRAL_BANK
from specie.remote.loss_models import DeviceRequest, DeviceRevocation
from specie.store.device_certificate_store import DeviceCertificate, SqliteDeviceCertificateStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId
from specie.values.limits import DEVICE_CERTIFICATES_DAY_MAX, DEVICE_REVOCATIONS_MAX
from specie.values.times import DAY_MS, Timestamp

_TELL_EVERY_S: Final = 2.0


@dataclass(slots=True, repr=False)
class DeviceCertifying:
    """With the bank's record, and a way to the centre."""

    clients: ClientStore
    store: SqliteDeviceCertificateStore
    channel: Channel | None  # None in a network of one process: nobody certifies there
    clock: Clock
    _told_at: float = 0.0

    def certify(self, client: ClientId, request: bytes) -> bytes:
        """A chain, PEM; the same until a third of its life is left.

        A new one ends the client's oldest. `certificate_invalid` for a key of another client's
        device and for one that has ended, `client_blocked`, `rate_exceeded`.
        """
        subject, _ = read_device_request(request)
        known = self.store.find(subject)
        if known is not None and known.client != client:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "the key of another device")
        if self.store.is_ended(subject):
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "this key has ended: draw a new one")
        self._check_good(client)
        now = self.clock.now()
        if known is not None and not is_due(_read(known.chain), now):
            return known.chain
        self._check_day(client, now)
        assert self.channel is not None, "processes have one"
        asked = DeviceRequest(request=request)
        chain = self.channel.call(CENTRAL_BANK, desk.CERTIFY_DEVICE, asked).chain
        with self.clients.recording():
            self._check_good(client)
            self._check_day(client, now)
            made = DeviceCertificate(subject, client, chain, get_end(_read(chain)))
            self.store.put(made, now)
        return chain

    def end(self, client: ClientId) -> None:
        """Recorded; the centre hears of it with `tell`."""
        self.store.end(client)

    def tell(self) -> list[SpecieError]:
        """Now and then: a page of what has ended, to the centre; gives what it refused."""
        now = time.monotonic()
        if self.channel is None or now - self._told_at < _TELL_EVERY_S:
            return []
        self._told_at = now
        ending = self.store.load_ending(self.clock.now(), DEVICE_REVOCATIONS_MAX)
        if not ending:
            return []
        try:
            asked = DeviceRevocation(subjects=ending)
            unknown = self.channel.call(CENTRAL_BANK, desk.REVOKE_DEVICE, asked).subjects
        except SpecieError as error:
            return [error]
        self.store.note_ended(ending)
        reason = "the centre knows no certificate of "
        return [SpecieError(ErrorCode.CERTIFICATE_INVALID, reason + one) for one in unknown]

    def _check_day(self, client: ClientId, now: Timestamp) -> None:
        if self.store.count_since(client, Timestamp(now - DAY_MS)) >= DEVICE_CERTIFICATES_DAY_MAX:
            reason = f"{DEVICE_CERTIFICATES_DAY_MAX} new certificates of a client in a day"
            raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)

    def _check_good(self, client: ClientId) -> None:
        known = self.clients.find_client(client)
        if known is None:
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no client of this id")
        if known.status is not ClientStatus.GOOD:
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, f"the wallet is {known.status.value}")


def _read(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain)
