"""A directory with two banks and devices, every part real, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from specie.bank.directory import BankDirectory
from specie.bank.service import Bank
from specie.central_bank.directory import Directory, DirectoryKeys
from specie.crypto.secrets import InstitutionKey, SealingKey, VrfKey
from specie.directory.answers import AnswerTrust, RecordedEntry
from specie.directory.entries import SignedEntry
from specie.directory.quotas import Quota, Quotas
from specie.directory.watching import WatchReport, watch
from specie.identity.roster import Roster
from specie.ledger.directory_leaves import LeafPromise
from specie.ledger.receipts import ReceiptTrust
from specie.log.leaves import DirectoryLeaf
from specie.log.notes import verify_note
from specie.log.tree import compute_leaf_hash
from specie.ports.directory import Located
from specie.registration.service import Registration
from specie.store.directory_store import SqliteDirectoryStore
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.store.look_up_store import SqliteLookUpCounts
from specie.store.own_phone_store import SqliteOwnPhoneStore
from specie.store.phone_store import SqlitePhoneStore
from specie.values.identifiers import ClientId, InstitutionPublicKey, ParticipantNumber, PublicKey
from specie.values.phones import PhoneNumber
from specie.wallet.phone import HolderPhone
from tests.country import NORTH, SOUTH, Country, Person

PLENTY = Quotas(Quota(10_000, 10_000), Quota(10_000, 10_000))
_NUMBERS = count(1)


def draw_phone() -> PhoneNumber:
    """Nobody's before."""
    return PhoneNumber(f"+7701{next(_NUMBERS):07}")


@dataclass(slots=True, repr=False)
class RealLog:
    """`DirectoryLog` over the country's notary and a registration of its own."""

    country: Country
    registration: Registration
    is_down: bool = False  # as if the notary did not answer

    def record_leaf(self, leaf: DirectoryLeaf) -> LeafPromise:
        if self.is_down:
            raise ConnectionError("nobody there")
        return self.country.network.notary.record_leaf(leaf)

    def prove_leaf(self, leaf: DirectoryLeaf) -> str:
        return self.registration.prove_entry(compute_leaf_hash(leaf.pack()))


@dataclass(frozen=True, slots=True, repr=False)
class AtBank:
    """`ServingDirectoryPort`: a device that asks in its client's name."""

    bank: BankDirectory
    client: ClientId

    def locate(self, phone: PhoneNumber, former: PublicKey | None) -> tuple[Located, str]:
        return self.bank.locate(self.client, phone, former)

    def put(self, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        return self.bank.put(self.client, phone, signed)

    def find(self, phone: PhoneNumber) -> bytes:
        return self.bank.find(self.client, phone)


@dataclass(slots=True, repr=False)
class World:
    """Everything, with keys that tests may misuse."""

    country: Country
    folder: Path
    keys: dict[ParticipantNumber, InstitutionKey]
    directory: Directory
    log: RealLog
    answers: InstitutionKey
    banks: dict[ParticipantNumber, BankDirectory] = field(default_factory=dict)
    drawn: int = 0

    @property
    def roster(self) -> Roster:
        return self.country.network.roster

    @property
    def trust(self) -> AnswerTrust:
        roster = self.roster
        receipts = ReceiptTrust(roster.genesis, roster.current)
        return AnswerTrust(roster, receipts, InstitutionPublicKey(self.answers.public))

    def make_bank(self, bank: Bank, quotas: Quotas = PLENTY) -> BankDirectory:
        self.drawn += 1
        place = self.folder / f"phones-{self.drawn}.db"
        return BankDirectory(
            bank=bank,
            key=self.keys[bank.number],
            phones=SqlitePhoneStore(place, SealingKey.generate()),
            counts=SqliteLookUpCounts(self.folder / f"counts-{self.drawn}.db"),
            directory=self.directory,
            clock=self.country.clock,
            quotas=quotas,
        )

    def open_person(self, number: ParticipantNumber, phone: PhoneNumber | None = None) -> Person:
        """A client, whose number the bank has confirmed."""
        person = self.country.open_person(self.country.network.banks[number])
        if phone is not None:
            self.banks[number].register_phone(person.id, phone)
        return person

    def open_device(self, person: Person, bank: BankDirectory | None = None) -> HolderPhone:
        """A new one each time: it remembers nothing of others."""
        self.drawn += 1
        place = self.folder / f"device-{self.drawn}.db"
        at_bank = bank or self.banks[person.bank.number]
        return HolderPhone(
            address=person.wallet.keys.address,
            spend=person.wallet.keys.spend,
            serving=at_bank.bank.number,
            bank=AtBank(at_bank, person.id),
            store=SqliteOwnPhoneStore(place, "holder", SealingKey.generate()),
            trust=self.trust,
            clock=self.country.clock,
        )

    def publish(self) -> None:
        """What waits, and the desk fetches its proofs."""
        self.country.network.notary.publish(is_forced=True)
        assert self.directory.work() == []

    def watch(self, device: HolderPhone) -> WatchReport:
        """As the command does it, over the public folder."""
        folder, trust = LogFolder(self.country.network.public), self.trust.receipts
        signed = verify_note(folder.read_checkpoint(), trust.get_log_key(), ())
        leaves = folder.iterate_leaves(signed.checkpoint.size)
        known = device.store.load_watched()
        report = watch(leaves, signed.checkpoint, known, self.roster.genesis)
        device.store.record_seen(report.seen)
        device.store.forget_relied(report.kept)
        return report

    @contextmanager
    def notary_down(self) -> Iterator[None]:
        self.log.is_down = True
        try:
            yield
        finally:
            self.log.is_down = False


def build_world(country: Country, folder: Path) -> World:
    """Over a country whose banks get institution keys that this world knows."""
    network = country.network
    keys = {number: InstitutionKey.generate() for number in (NORTH, SOUTH)}
    replace_keys(country, keys)
    answers = InstitutionKey.generate()
    index = SqliteLogIndex(folder / "index.db")
    registration = Registration(
        network.roster, network.registration_key, LogFolder(network.public), index
    )
    log = RealLog(country, registration)
    directory = Directory(
        roster=network.roster,
        keys=DirectoryKeys(VrfKey.generate(), network.list_key, answers),
        store=SqliteDirectoryStore(folder / "directory.db", SealingKey.generate()),
        counts=SqliteLookUpCounts(folder / "counts.db"),
        log=log,
        clock=country.clock,
        quotas=PLENTY,
    )
    world = World(country, folder, keys, directory, log, answers)
    for number in (NORTH, SOUTH):
        world.banks[number] = world.make_bank(network.banks[number])
    return world


def replace_keys(country: Country, keys: dict[ParticipantNumber, InstitutionKey]) -> None:
    """A newer participant list with these institution keys."""
    current = country.network.roster.current
    members = dict(current.participants)
    for number, key in keys.items():
        public = InstitutionPublicKey(key.public)
        members[number] = replace(members[number], institution_key=public)
    changed = replace(current, version=current.version + 1, participants=members)
    country.network.replace_participants(changed)
