"""Peers of a world, with services and certificates: for who tests what they say to each other."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.crypto.secrets import InstitutionKey
from specie.identity.certificates import (
    Issuer,
    Revoked,
    build_revocations,
    create_intermediate,
    create_root,
)
from specie.identity.genesis import compute_origin
from specie.identity.participants import Status, sign_participants
from specie.identity.services import Service, ServiceList, ServiceRole, sign_services
from specie.remote.peers import Peers
from specie.values.identifiers import InstitutionPublicKey, ParticipantNumber, ServiceName
from tests.building import World, make_world
from tests.clocks import MORNING
from tests.rosters import make_roster


@dataclass
class Cast:
    """A world's services: notary, accounting, banks 2 and 3."""

    world: World
    peers: Peers
    issuer: Issuer
    root: x509.Certificate
    numbers: list[int] = field(default_factory=list)

    @property
    def notary_key(self) -> InstitutionKey:
        return self.world.notary_key

    @property
    def accounting_key(self) -> InstitutionKey:
        return self.world.accounting_key

    @property
    def bank_key(self) -> InstitutionKey:
        return self.world.institutions[ParticipantNumber(2)].institution

    @property
    def other_bank_key(self) -> InstitutionKey:
        return self.world.institutions[ParticipantNumber(3)].institution

    def revoke(self, serial: int) -> None:
        self.numbers.append(serial)
        revoked = [Revoked(one, MORNING) for one in self.numbers]
        found = build_revocations(revoked, len(self.numbers), self.issuer, MORNING)
        self.peers.adopt_revocations(found.public_bytes(Encoding.DER))

    def suspend(self, number: int) -> None:
        changed = self.world.with_member(ParticipantNumber(number), Status.SUSPENDED, 3)
        self.peers.roster.adopt(sign_participants(changed.members, self.world.list_key))


def make_services(world: World, version: int = 1) -> ServiceList:
    """As the authentication centre would list them."""
    bank_2 = world.institutions[ParticipantNumber(2)].institution
    bank_3 = world.institutions[ParticipantNumber(3)].institution
    wanted = [
        ("notary", ServiceRole.NOTARY, 1, world.notary_key),
        ("accounting", ServiceRole.ACCOUNTING, 1, world.accounting_key),
        ("bank-2", ServiceRole.BANK, 2, bank_2),
        ("bank-3", ServiceRole.BANK, 3, bank_3),
    ]
    services = [
        Service(
            ServiceName(name),
            role,
            ParticipantNumber(number),
            f"https://127.0.0.1:{9000 + place}",
            "",
            InstitutionPublicKey(key.public),
        )
        for place, (name, role, number, key) in enumerate(wanted)
    ]
    origin = compute_origin(world.genesis)
    return ServiceList(origin, version, {one.name: one for one in services})


def make_cast() -> Cast:
    """Everything signed anew."""
    world = make_world()
    key, issuing = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = create_root("test", key, MORNING)
    top = Issuer(root, key)
    intermediate = create_intermediate("test", issuing.public_key(), top, MORNING)
    signed = sign_services(make_services(world), world.list_key)
    peers = Peers(make_roster(world), signed, intermediate)
    return Cast(world, peers, Issuer(intermediate, issuing), root)
