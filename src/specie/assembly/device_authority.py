"""The centre's part in certificates of clients' devices (T25): it sees keys and banks, no people.

They stand in its record as `bank-2/device-…`, so that a bank ends those alone that it asked for.
"""

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


@dataclass(frozen=True, slots=True, repr=False)
class DeviceAuthority:
    """With the centre's issuing key and its record."""

    centre: Centre

    def certify(self, bank: str, request: bytes) -> bytes:
        """A chain, PEM: the same again while more than a third of its life is left.

        `certificate_invalid` for a request that is none, and for a key that was revoked once.
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
        made = issue_device_certificate(public, centre.peers.network, centre.issuer, now)
        centre.store.add(name, made)
        return centre.pack_chain(made)

    def revoke(self, bank: str, subject: str) -> None:
        """With the next list everybody knows; again is nothing.

        `certificate_invalid` if this bank has no such certificate.
        """
        name = _name(bank, subject)
        known = self.centre.store.find_all(name)
        if not known:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "no certificate that you asked for")
        if any(ended is None for _, ended in known):
            self.centre.revoke(name)


def _name(bank: str, subject: str) -> ServiceName:
    return ServiceName(f"{bank}/{subject}")
