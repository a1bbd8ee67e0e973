"""The bank's part in certificates of its clients' devices (T25): it asks, keeps, and ends them.

The centre hears a key and the bank's name. Ending is recorded with what it belongs to (a loss, a
closed account) and told to the centre afterwards, again until it has heard.
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

        `certificate_invalid` for a key of another client's device, `client_blocked`.
        """
        subject, _ = read_device_request(request)
        known = self.store.find(subject)
        if known is not None and known.client != client:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "the key of another device")
        self._check_good(client)
        if known is not None and not is_due(_read(known.chain), self.clock.now()):
            return known.chain
        assert self.channel is not None, "processes have one"
        asked = DeviceRequest(request=request)
        chain = self.channel.call(CENTRAL_BANK, desk.CERTIFY_DEVICE, asked).chain
        with self.clients.recording():
            self._check_good(client)
            self.store.put(DeviceCertificate(subject, client, chain, get_end(_read(chain))))
        return chain

    def end(self, client: ClientId) -> None:
        """Recorded; the centre hears of it with `tell`."""
        self.store.end(client)

    def tell(self) -> list[SpecieError]:
        """Now and then: what has ended, to the centre; gives what it refused."""
        now = time.monotonic()
        if self.channel is None or now - self._told_at < _TELL_EVERY_S:
            return []
        self._told_at = now
        refusals = []
        for subject in self.store.load_ending():
            try:
                asked = DeviceRevocation(subject=subject)
                self.channel.call(CENTRAL_BANK, desk.REVOKE_DEVICE, asked)
            except SpecieError as error:
                refusals.append(error)
                continue
            self.store.note_ended(subject)
        return refusals

    def _check_good(self, client: ClientId) -> None:
        known = self.clients.find_client(client)
        if known is None:
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no client of this id")
        if known.status is not ClientStatus.GOOD:
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, f"the wallet is {known.status.value}")


def _read(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain)
