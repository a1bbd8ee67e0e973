"""What a bank does for people besides moving money: one object, put together once."""

from dataclasses import dataclass

from specie.assembly.device_certifying import DeviceCertifying
from specie.assembly.losses import Losses
from specie.assembly.onboarding import Onboarding
from specie.assembly.signing import Signing
from specie.bank.service import Bank
from specie.crypto.secrets import SealingKey
from specie.ports.clock import Clock
from specie.ports.notary import NotaryPort
from specie.remote.channel import Channel
from specie.store.database import Database
from specie.store.device_certificate_store import SqliteDeviceCertificateStore
from specie.store.device_store import SqliteDeviceStore
from specie.store.loss_store import SqliteLossStore
from specie.store.onboarding_store import SqliteOnboardingStore
from specie.store.signatory_store import SqliteSignatoryStore
from specie.values.identifiers import NetworkId


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


def build_people(bank: Bank, devices: SqliteDeviceStore, place: PeoplePlace) -> People:
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
        onboarding=Onboarding(place.network, bank, devices, onboarding, database, clock),
        signing=signing,
        losses=losses,
        certificates=certificates,
    )
