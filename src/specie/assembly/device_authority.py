"""The centre's part in certificates of clients' devices (T25): it sees keys and banks, no people.

They stand in its record as `bank-2/device-…`, so that a bank ends those alone that it asked for.
Everybody reads the revocation list, so what a bank can put on it in a day is limited.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.assembly.centre import Centre
from specie.identity.device_certificates import (
    is_due,
    issue_device_certificate,
    read_device_request,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from specie.values.limits import BANK_CERTIFICATES_DAY_MAX
from specie.values.times import DAY_MS


@dataclass(frozen=True, slots=True, repr=False)
class DeviceAuthority:
    """With the centre's issuing key and its record."""

    centre: Centre

    def certify(self, bank: str, request: bytes) -> bytes:
        """A chain, PEM: the same again while more than a third of its life is left.

        `certificate_invalid` for a request that is none, and for a key that was revoked once;
        `rate_exceeded` for more new ones than a bank has in a day.
        """
        subject, public = read_device_request(request)
        centre, name = self.centre, _name(bank, subject)
        now = centre.clock.now()
        known = centre.store.find_all(name)
        if any(ended is not None for _, ended in known):
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "this key was revoked")
        for certificate, _ in known:
            if not is_due(certificate, now):
                return centre.pack_chain(certificate)
        if not centre.store.count_device(bank, now // DAY_MS, BANK_CERTIFICATES_DAY_MAX):
            reason = f"{BANK_CERTIFICATES_DAY_MAX} new certificates of a bank's devices in a day"
            raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)
        made = issue_device_certificate(public, centre.peers.network, centre.issuer, now)
        centre.store.add(name, made)
        return centre.pack_chain(made)

    def revoke(self, bank: str, subjects: Sequence[str]) -> list[str]:
        """All with one list, then everybody knows; again is nothing.

        Gives those of which this bank has no certificate: they hold up no others.
        """
        names = {one: _name(bank, one) for one in subjects}
        unknown = [one for one, name in names.items() if not self.centre.store.find_all(name)]
        self.centre.revoke_devices([names[one] for one in names if one not in unknown])
        return unknown


def _name(bank: str, subject: str) -> ServiceName:
    return ServiceName(f"{bank}/{subject}")
