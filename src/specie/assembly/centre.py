"""The authentication centre (T2): issues certificates, revokes them, signs the network's lists.

It lives in the central bank's process with the online intermediate; the root's key is needed only
to make another intermediate, and lies offline. A list goes to its file first, then to everybody.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.lists import (
    COSIGNERS,
    ISSUER,
    PARTICIPANTS,
    REVOCATIONS,
    SERVICES,
    read_list,
    write_list,
)
from specie.assembly.own_keys import OwnKeys
from specie.crypto.secrets import InstitutionSigner
from specie.identity.certificates import (
    Issuer,
    answer_status,
    build_revocations,
    issue_certificate,
)
from specie.identity.cosigners import (
    CosignerList,
    CosignerRole,
    put_cosigner,
    sign_cosigners,
    verify_cosigners,
)
from specie.identity.participants import (
    Participant,
    ParticipantList,
    Role,
    Status,
    sign_participants,
    verify_participants,
)
from specie.identity.rotation import (
    CosignerProof,
    Rotation,
    rotate_member,
    verify_cosigner,
    verify_rotation,
)
from specie.identity.services import (
    Service,
    ServiceList,
    ServiceRole,
    sign_services,
    verify_services,
)
from specie.ports.clock import Clock
from specie.remote.channel import get_host
from specie.remote.peers import Peers
from specie.store.certificate_store import SqliteCertificateStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber, ServiceName
from specie.values.limits import CERTIFICATES_DAY_MAX
from specie.values.times import DAY_MS, Timestamp

HISTORY: Final = "lists"  # every participant list that was ever in force, by version


@dataclass(slots=True, repr=False)
class Centre:
    """With its keys; the only one that writes lists."""

    folder: Path
    peers: Peers
    list_key: InstitutionSigner
    issuer: Issuer
    store: SqliteCertificateStore
    clock: Clock
    publishing: threading.Lock = field(default_factory=threading.Lock)

    def issue(
        self, service: ServiceName, hosts: Sequence[str], public: ec.EllipticCurvePublicKey
    ) -> bytes:
        """A certificate with its issuer's behind it, PEM; recorded before it leaves."""
        now = self.clock.now()
        certificate = issue_certificate(
            service, self.peers.network, hosts, public, self.issuer, now
        )
        self.store.add(service, certificate)
        return self.pack_chain(certificate)

    def pack_chain(self, certificate: x509.Certificate) -> bytes:
        """With the intermediate behind it, PEM."""
        pair = (certificate, self.issuer.certificate)
        return b"".join(one.public_bytes(Encoding.PEM) for one in pair)

    def renew(self, service: Service, public: ec.EllipticCurvePublicKey) -> bytes:
        """For a service of the list, at its hosts; one certificate for one key.

        `certificate_invalid` for a key that was revoked once, `rate_exceeded` for many in a day.
        """
        day_ago = self.clock.now() - DAY_MS
        recent = 0
        for known, ended in self.store.find_all(service.name):
            recent += known.not_valid_before_utc.timestamp() * 1000 > day_ago
            if known.public_key() == public and ended is not None:
                raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "this key was revoked")
            if known.public_key() == public:
                return self.pack_chain(known)
        if recent >= CERTIFICATES_DAY_MAX:
            reason = f"{CERTIFICATES_DAY_MAX} certificates of a service in a day"
            raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)
        return self.issue(service.name, list_hosts(service), public)

    def revoke(self, service: ServiceName, kept: int | None = None) -> int:
        """Certificates of a service, but the one with the serial `kept`; gives how many.

        `certificate_invalid` if that is none of its own. Told to everybody with the next list.
        """
        known = self.store.find_all(service)
        mine = {one.serial_number for one, ended in known if ended is None}
        if kept is not None and kept not in mine:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "no certificate of it in force")
        count = self.store.revoke(service, self.clock.now(), kept)
        self.publish_revocations()
        return count

    def revoke_devices(self, names: Sequence[ServiceName]) -> None:
        """All of them with one list; none if everybody has heard of them already."""
        now = self.clock.now()
        with self.store.database.transaction():
            for name in names:
                self.store.revoke(name, now)
        serials = {one.serial_number for name in names for one in self._list_current(name, now)}
        if not serials <= self.peers.revocations.serials:
            self.publish_revocations()

    def _list_current(self, name: ServiceName, now: Timestamp) -> list[x509.Certificate]:
        known = [one for one, _ in self.store.find_all(name)]
        return [one for one in known if one.not_valid_after_utc.timestamp() * 1000 > now]

    def publish_revocations(self) -> None:
        """A new list, whether or not more is revoked: the old one runs out after a week."""
        with self.publishing:
            self._publish_revocations()

    def _publish_revocations(self) -> None:
        number = max(self.store.draw_number(), self.peers.revocations.number + 1)
        revoked = self.store.load_revoked(self.clock.now())
        found = build_revocations(revoked, number, self.issuer, self.clock.now())
        data = found.public_bytes(Encoding.DER)
        write_list(self.folder, REVOCATIONS, data)
        self.peers.adopt_revocations(data)

    def rotate(self, rotation: Rotation) -> None:
        """New keys of a service, in both lists; `signature_invalid` without their proofs."""
        service = self.peers.services.get(rotation.service)
        if service.key == rotation.institution:
            return  # it was done, and the answer was lost
        others = [one.key for one in self.peers.services.services.values()]
        if rotation.institution in others:
            raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "another service has this key")
        verify_rotation(rotation, self.peers.network, service)
        self.change_participants(lambda members: rotate_member(members, service, rotation))
        self.change_services(replace(service, key=rotation.institution))

    def answer_status(self, asked: bytes) -> bytes:
        """OCSP."""
        return answer_status(asked, self.store.find, self.issuer, self.clock.now())

    def change_participants(self, change: Callable[[ParticipantList], ParticipantList]) -> None:
        """A new version of the participant list; nothing if the change changes nothing."""
        current = self.peers.roster.current
        changed = change(current)
        if changed == current:
            return
        members = replace(changed, version=current.version + 1, time=self.clock.now())
        signed = sign_participants(members, self.list_key)
        verify_participants(signed, self.peers.roster.genesis, current)  # before anybody gets it
        write_list(self.folder / HISTORY, str(members.version), signed)
        write_list(self.folder, PARTICIPANTS, signed)
        self.peers.roster.adopt(signed)

    def change_services(self, *services: Service) -> None:
        """Added, or put in the place of what has the same name."""
        current = self.peers.services
        changed = {**current.services, **{one.name: one for one in services}}
        if changed == dict(current.services):
            return
        listed = ServiceList(current.origin, current.version + 1, changed)
        signed = sign_services(listed, self.list_key)
        verify_services(signed, self.peers.roster.genesis, current)  # before anybody gets it
        write_list(self.folder, SERVICES, signed)
        self.peers.adopt_services(signed)

    def get_cosigners(self) -> CosignerList:
        """As published."""
        return verify_cosigners(read_list(self.folder, COSIGNERS), self.peers.roster.genesis)

    def put_cosigner(self, role: CosignerRole, shown: CosignerProof, *, is_retiring: bool) -> None:
        """A witness or auditor, or new keys of one; nothing if they are in the list already.

        `signature_invalid` if who has the keys has not said so while the list was what it is. With
        keys that are listed nothing is shown, so that only the newest retire others
        (`cosigners_invalid`): older ones may be stolen.
        """
        known = self.get_cosigners()
        listed = put_cosigner(known, role, shown.keys, is_retiring=is_retiring)
        if listed == known:
            return  # it was done, and the answer was lost
        if not set(shown.keys) <= set(known.keys):
            verify_cosigner(shown, self.peers.network, role, known)
        elif set(shown.keys) != set(known.list_newest(shown.keys[0].name)):
            raise SpecieError(ErrorCode.COSIGNERS_INVALID, "newer keys are listed: those stay")
        write_list(self.folder, COSIGNERS, sign_cosigners(listed, self.list_key))

    def set_status(
        self, number: ParticipantNumber, status: Status, successor: ParticipantNumber | int
    ) -> None:
        """Suspend with a successor who serves its clients meanwhile, reinstate, or remove."""

        def change(members: ParticipantList) -> ParticipantList:
            member = members.get(number)
            if member.role is Role.CENTRAL_BANK:
                raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "the central bank stays")
            if member.status is Status.REVOKED and status is not Status.REVOKED:
                raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "who was removed stays so")
            _check_successor(members, member, status, int(successor))
            changed = replace(member, status=status, successor=int(successor))
            return replace(members, participants={**members.participants, number: changed})

        self.change_participants(change)

    def load_issuer_file(self) -> bytes:
        """The intermediate's certificate, PEM."""
        return read_list(self.folder, ISSUER)


def list_hosts(service: Service) -> list[str]:
    """Hosts of its URLs, each once."""
    urls = [service.url, *([service.public_url] if service.public_url else [])]
    return list(dict.fromkeys(get_host(url)[0] for url in urls))


def load_issuer(folder: Path, own: OwnKeys) -> Issuer:
    """The online intermediate, with its key: after a new one was made there may be an older one."""
    certificate = x509.load_pem_x509_certificate(read_list(folder, ISSUER))
    public = certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey), "issuers are on P-256"
    return Issuer(certificate, own.find_issuing(public))


def describe_bank(
    number: ParticipantNumber, name: ServiceName, keys: Participant, urls: tuple[str, str]
) -> Service:
    """A bank's entry in the list of services."""
    url, public = urls
    return Service(name, ServiceRole.BANK, number, url, public, keys.institution_key)


def _check_successor(
    members: ParticipantList, member: Participant, status: Status, successor: int
) -> None:
    if status is Status.ACTIVE:
        if successor:
            raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "who is active has no successor")
        return
    heir = members.participants.get(ParticipantNumber(successor))
    if heir is None or heir.status is not Status.ACTIVE or heir.number == member.number:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "the successor is another, active bank")
    if heir.role is not Role.BANK:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "the successor is a bank")
