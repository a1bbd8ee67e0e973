"""Whom a process may believe: genesis, participants, services and revocations, always the newest.

Every list is signed and verified before it counts, and none goes back to an older version.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from specie.identity.certificates import (
    Revocations,
    name_peer,
    verify_intermediate,
    verify_revocations,
)
from specie.identity.participants import Status
from specie.identity.roster import Roster
from specie.identity.services import Service, ServiceList, check_service, verify_services
from specie.ledger.receipts import ReceiptTrust
from specie.log.notes import VerifierKey
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    ServiceName,
)
from specie.values.times import TIMESTAMP_MAX, Timestamp

OFFICER: Final = "officer-"
CLIENT: Final = "client:"
SIGNATORY: Final = "signatory:"
READER: Final = "reader:"


@dataclass(frozen=True, slots=True)
class Certified:
    """What a connection's certificate says of the other side."""

    serial: int
    names: frozenset[str]  # URIs
    ends: Timestamp = Timestamp(TIMESTAMP_MAX)


class Peers:
    """The lists that one process goes by."""

    def __init__(self, roster: Roster, signed_services: bytes, issuer: x509.Certificate) -> None:
        self.roster = roster
        self.services: ServiceList = verify_services(signed_services, roster.genesis)
        self.revocations = Revocations()
        self._issuer = issuer
        self._adopting = threading.Lock()
        self._watchers: list[Callable[[], None]] = []

    @property
    def network(self) -> NetworkId:
        """The network's id."""
        return self.roster.genesis.network

    def watch(self, changed: Callable[[], None]) -> None:
        """Called after a list has changed: connections of before may no longer count."""
        self._watchers.append(changed)

    def adopt_services(self, signed: bytes) -> bool:
        """A newer list of services; gives whether it is newer."""
        with self._adopting:
            listed = verify_services(signed, self.roster.genesis, self.services)
            is_newer = listed.version > self.services.version
            self.services = listed
        self._tell(is_newer)
        return is_newer

    @property
    def issuer_since(self) -> int:
        """When the intermediate was made, in seconds: which one of two is newer."""
        return int(self._issuer.not_valid_before_utc.timestamp())

    def adopt_issuer(self, pem: bytes, root: x509.Certificate) -> None:
        """A newer intermediate of the root's: it signs revocations from now on."""
        with self._adopting:
            self._issuer = verify_intermediate(pem, root, self._issuer)

    def distrust(self) -> None:
        """No list of revocations: nobody is believed until there is one."""
        self.revocations = Revocations(next_update=Timestamp(0))

    def adopt_revocations(self, data: bytes) -> bool:
        """A newer revocation list; gives whether it is newer."""
        with self._adopting:
            found = verify_revocations(data, self._issuer, self.revocations.number)
            is_newer = found.number > self.revocations.number
            self.revocations = found
        self._tell(is_newer)
        return is_newer

    def get_service(self, name: ServiceName) -> Service:
        """A service whose institution is active; it may speak and be spoken to."""
        service = self.services.get(name)
        check_service(service, self.roster.current)
        return service

    @property
    def log_key(self) -> VerifierKey:
        """The notary's, under the log's name."""
        return ReceiptTrust(self.roster.genesis, self.roster.current).get_log_key()

    def get_serving(self, bank: ParticipantNumber) -> Service:
        """Who serves the clients of this bank now: itself, or its successor."""
        member = self.roster.current.find_attester(bank)
        return self.services.get_bank(member.number if member else bank)

    def get_officer_key(self, number: int) -> InstitutionPublicKey:
        """`caller_unknown` unless an active officer of the participant list."""
        officer = self.roster.current.officers.get(number)
        if officer is None or officer.status is not Status.ACTIVE:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no active officer of this number")
        return officer.key

    def check_certified(self, name: ServiceName, found: Certified | None, now: Timestamp) -> None:
        """`certificate_invalid` unless the connection is this service's, by a certificate in force.

        Its chain was verified when it was opened; that it counts until now is looked at here.
        Without a list of revocations of this week nobody is believed.
        """
        if self.revocations.next_update < now:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "the list of revocations is too old")
        if found is None or name_peer(self.network, name) not in found.names:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "the connection is somebody else's")
        if found.ends < now:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "the certificate has ended")
        if found.serial in self.revocations.serials:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "the certificate was revoked")

    def _tell(self, is_newer: bool) -> None:  # noqa: FBT001  # the outcome, passed on
        if is_newer:
            for changed in self._watchers:
                changed()
