"""What a bank does for people besides moving money: one object, put together once."""

from dataclasses import dataclass

from specie.assembly.device_certifying import DeviceCertifying
from specie.assembly.losses import Losses
from specie.assembly.onboarding import Onboarding
from specie.assembly.signing import Signing
from specie.assembly.travel import read_identity
from specie.bank.compliance import Compliance
from specie.bank.directory import BankDirectory
from specie.bank.service import Bank
from specie.crypto.secrets import SealingKey
from specie.ports.clock import Clock
from specie.ports.notary import NotaryPort
from specie.ports.onboarding import Admission, Person
from specie.ports.travel import TravelStore
from specie.remote.channel import Channel
from specie.store.database import Database
from specie.store.device_certificate_store import SqliteDeviceCertificateStore
from specie.store.device_store import SqliteDeviceStore
from specie.store.loss_store import SqliteLossStore
from specie.store.onboarding_store import SqliteOnboardingStore
from specie.store.signatory_store import SqliteSignatoryStore
from specie.values.identifiers import ClientId, NetworkId


@dataclass(frozen=True, slots=True, repr=False)
class People:
    """Applications, signatories, losses, certificates of one bank."""

    onboarding: Onboarding
    signing: Signing
    losses: Losses
    certificates: DeviceCertifying


@dataclass(frozen=True, slots=True, repr=False)
class PeoplePlace:
    """Where they are kept, and what they need of the world."""

    network: NetworkId
    database: Database
    storage: SealingKey
    notary: NotaryPort
    clock: Clock
    channel: Channel | None


def build_people(
    bank: Bank, devices: SqliteDeviceStore, place: PeoplePlace, admission: Admission
) -> People:
    """The check of signatures becomes one of the bank's own here, and nowhere else."""
    database, storage, clock = place.database, place.storage, place.clock
    clients = bank.clients
    ended = SqliteDeviceCertificateStore(database)
    certificates = DeviceCertifying(clients, ended, place.channel, clock)
    onboarding = SqliteOnboardingStore(database, storage)
    signing = Signing(place.network, bank, SqliteSignatoryStore(database, storage), clock)
    bank.checks.append(signing.check_payment)
    losses = Losses(
        bank=bank,
        clients=clients,
        devices=devices,
        certificates=certificates,
        store=SqliteLossStore(database, storage),
        database=database,
        notary=place.notary,
        clock=clock,
    )
    return People(
        onboarding=Onboarding(place.network, bank, devices, onboarding, database, clock, admission),
        signing=signing,
        losses=losses,
        certificates=certificates,
    )


def build_admission(
    compliance: Compliance, store: TravelStore, directory: BankDirectory
) -> Admission:
    """By the bank's policy, for its directory, and for what it may have to tell other banks."""

    def keep_person(client: ClientId, person: Person) -> None:
        store.put_identity(client, read_identity(person))

    return Admission(
        required_fields=compliance.list_required,
        set_tier=compliance.set_tier,
        keep_person=keep_person,
        confirm_phone=directory.register_phone,
    )
