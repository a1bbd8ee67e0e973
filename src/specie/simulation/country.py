"""The machines of a small country: every institution, and people's devices, each on its own.

Keys stand for what hardware keeps: they are there again when a machine starts again.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from specie.accounting.reserves import Accounting
from specie.bank.attestation import Attester
from specie.bank.deposits import DepositBooks
from specie.bank.service import Bank, BankKeys
from specie.central_bank.desk import CentralBankDesk
from specie.central_bank.directory import Directory as PhoneDirectory
from specie.central_bank.directory import DirectoryKeys
from specie.central_bank.officers import OfficerDesk
from specie.crypto.addresses import Address
from specie.crypto.secrets import (
    InstitutionKey,
    KeyTree,
    ScanKey,
    SealingKey,
    SigningKey,
    VrfKey,
)
from specie.directory.answers import AnswerTrust
from specie.identity.genesis import Genesis, ProofMode, sign_genesis
from specie.identity.participants import (
    Officer,
    Participant,
    ParticipantList,
    Role,
    Status,
    sign_participants,
)
from specie.identity.roster import Roster
from specie.ledger.directory_leaves import LeafPromise
from specie.ledger.receipts import ReceiptTrust
from specie.log.leaves import DirectoryLeaf
from specie.log.tree import compute_leaf_hash
from specie.notary.service import Notary
from specie.registration.service import Registration
from specie.simulation.handset import Handset
from specie.simulation.house import Ground, HouseKeys, build_house, list_parts
from specie.simulation.world import Machine, Remote, Turn, World
from specie.store.application_store import SqliteApplicationStore
from specie.store.batch_files import BatchFolder
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.directory_store import SqliteDirectoryStore
from specie.store.index_store import SqliteLogIndex
from specie.store.journal_store import SqliteJournal
from specie.store.log_files import LogFolder
from specie.store.look_up_store import SqliteLookUpCounts
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import VaultDatabase
from specie.tokens.holdings import derive_keys
from specie.values.amounts import Currency, Minor
from specie.values.identifiers import ClientId, InstitutionPublicKey, ParticipantNumber, PublicKey
from specie.values.times import Timestamp
from specie.wallet.keys import create_keys, open_keys
from specie.wallet.vault import Surroundings, Vault

CENTRAL_BANK: Final = ParticipantNumber(1)
BANKS: Final = (ParticipantNumber(2), ParticipantNumber(3))
HOMES: Final = {"ann": BANKS[0], "bob": BANKS[0], "cem": BANKS[1], "dee": BANKS[1]}
SKEWS_MS: Final = (0, 0, -30_000, 45_000, -100_000, 200_000, 900_000)
_SKEWS_SMALL_MS: Final = (0, 0, -30_000, 45_000)
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a private folder is made below it


class SeededIdentifiers:
    """`Identifiers` that the seed decides."""

    def __init__(self, world: World) -> None:
        self._world = world

    def draw(self) -> bytes:
        """16 bytes."""
        return self._world.random.randbytes(16)


@dataclass(frozen=True, slots=True, repr=False)
class _Secrets:
    scan: ScanKey = field(default_factory=ScanKey.generate)
    attestation: SigningKey = field(default_factory=SigningKey.generate)
    institution: InstitutionKey = field(default_factory=InstitutionKey.generate)
    sealing: SealingKey = field(default_factory=SealingKey.generate)
    master: SealingKey = field(default_factory=SealingKey.generate)

    @property
    def house(self) -> HouseKeys:
        """Those with which a bank serves people."""
        return HouseKeys(self.scan, self.attestation, self.institution, self.sealing)


@dataclass(slots=True, repr=False)
class Country:
    """Machines by name; what everybody knows; the published folder."""

    world: World
    folder: Path
    genesis: Genesis
    members: ParticipantList
    roster: Roster
    identifiers: SeededIdentifiers
    has_houses: bool = False  # banks serve people who come by themselves
    addresses: dict[str, Address] = field(default_factory=dict)  # of people and of vaults

    @property
    def public(self) -> Path:
        """What anybody may read."""
        return self.folder / "public"

    def machine(self, name: str) -> Machine:
        """By name."""
        return self.world.machines[name]

    def reach(self, caller: str, callee: str, part: str = "") -> Any:
        """A port of another machine, or of a part of it."""
        known: dict[str, Any] = {}
        if callee.startswith("bank-"):
            number = int(callee.removeprefix("bank-"))
            known = {"number": number, "vault_address": self.addresses[callee]}
        return Remote(self.machine(caller), self.machine(callee), part, **known)

    def get_vault(self, name: str) -> Vault:
        """A device's wallet, or a bank's own."""
        service = self.machine(name).get()
        vault: Vault = service if isinstance(service, Vault) else service.vault
        return vault

    def copy_device(self, name: str) -> str:
        """A second device with the bytes of the first, which knows nothing of it later on."""
        old, copied = self.machine(name), f"{name}-copy"
        machine = Machine(copied, self.world, old.make, old.skew_ms)
        machine.disk = old.disk.copy(machine.pass_commit)
        machine.start()
        return copied

    def close(self) -> None:
        """Leave nothing behind."""
        self.world.scheduler.end()
        for machine in self.world.machines.values():
            machine.disk.close()
        shutil.rmtree(self.folder)


class Directory:
    """`BankDirectory`, as one machine sees it."""

    def __init__(self, country: Country, caller: str) -> None:
        self._country, self._caller = country, caller

    def get_bank(self, number: ParticipantNumber) -> Any:
        """The port of a bank."""
        return self._country.reach(self._caller, name_bank(number))


def name_bank(number: ParticipantNumber) -> str:
    """Its machine."""
    return f"bank-{number}"


def build_country(world: World, *, has_houses: bool = False) -> Country:
    """Every machine started once, nothing published, nobody with any money."""
    root = _MEMORY if _MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="specie-simulation-", dir=root))
    list_key, notary_key, accounting_key = (InstitutionKey.generate() for _ in range(3))
    officers = [OfficerDesk(number, InstitutionKey.generate()) for number in (1, 2)]
    secrets = {number: _Secrets() for number in (CENTRAL_BANK, *BANKS)}
    genesis = _build_genesis(list_key, world)
    members = ParticipantList(
        network=genesis.network,
        version=1,
        time=Timestamp(genesis.created_ms),
        notary_key=InstitutionPublicKey(notary_key.public),
        accounting_key=InstitutionPublicKey(accounting_key.public),
        officers={
            one.number: Officer(one.number, Status.ACTIVE, InstitutionPublicKey(one.key.public))
            for one in officers
        },
        participants={number: _describe(number, keys) for number, keys in secrets.items()},
    )
    signed = sign_participants(members, list_key)
    roster = Roster(sign_genesis(genesis, list_key), signed, genesis.network)
    identifiers = SeededIdentifiers(world)
    country = Country(world, folder, genesis, members, roster, identifiers, has_houses)
    country.public.mkdir()
    makers = _Makers(country)
    institution = secrets[CENTRAL_BANK].institution
    directory_keys = DirectoryKeys(VrfKey.generate(), list_key, institution)
    desk_keys = (secrets[CENTRAL_BANK].sealing, KeyTree.generate())
    _add(country, "notary", lambda db, me: makers.make_notary(db, me, notary_key))
    _add(country, "accounting", lambda db, me: makers.make_accounting(db, me, accounting_key))
    _add(
        country,
        "central_bank",
        lambda db, me: makers.make_desk(db, me, desk_keys, officers, directory_keys),
    )
    _add(country, "registration", lambda db, _: makers.make_registration(db, institution))
    for number in BANKS:
        _add_bank(country, makers, number, secrets[number])
    for name, home in HOMES.items():
        _add_person(country, makers, name, home)
    return country


def _add(
    country: Country, name: str, make: Callable[[Database, Machine], Any], skew_ms: int = 0
) -> Machine:
    machine = Machine(name, country.world, lambda _: None, skew_ms)
    machine.make = lambda database: make(database, machine)
    machine.start()
    return machine


def _add_bank(
    country: Country, makers: "_Makers", number: ParticipantNumber, keys: _Secrets
) -> None:
    machine = _add(
        country, name_bank(number), lambda db, me: makers.make_bank(db, me, keys, number)
    )
    country.addresses[machine.name] = machine.get().vault_address


def _add_person(country: Country, makers: "_Makers", name: str, home: ParticipantNumber) -> None:
    skew, master = country.world.random.choice(SKEWS_MS), SealingKey.generate()
    machine = _add(
        country, name, lambda db, me: makers.make_wallet(db, me, (name, home), master), skew
    )
    wallet: Vault = machine.get()
    country.addresses[name] = wallet.keys.address
    bank: Bank = country.machine(name_bank(home)).get()
    bank.open_wallet(ClientId(name), name, wallet.keys.address, wallet.keys.view)


def add_handset(country: Country, name: str, holder: str, master: SealingKey) -> None:
    """A device of somebody who comes by itself; its clock is nearly right, or nobody answers it."""
    skew = country.world.random.choice(_SKEWS_SMALL_MS)
    makers = _Makers(country)
    _add(country, name, lambda db, me: makers.make_handset(db, me, holder, master), skew)


@dataclass(frozen=True, slots=True)
class _Makers:
    """What starts on a machine, over its database."""

    country: Country

    def make_notary(self, database: Database, me: Machine, key: InstitutionKey) -> Notary:
        log, archive = LogFolder(self.country.public), BatchFolder(self.country.folder / "batches")
        return Notary(self.country.roster, key, SqliteNotaryStore(database), log, me, archive)

    def make_accounting(self, database: Database, me: Machine, key: InstitutionKey) -> Accounting:
        accounting = Accounting(self.country.roster, SqliteBooksStore(database), key, me)
        for number in BANKS:
            accounting.open_reserves(number)
        return accounting

    def make_desk(
        self,
        database: Database,
        me: Machine,
        secrets: tuple[SealingKey, KeyTree],
        officers: list[OfficerDesk],
        directory_keys: DirectoryKeys,
    ) -> CentralBankDesk:
        if self.country.has_houses:
            me.parts["directory"] = self._make_directory(database, me, secrets[0], directory_keys)
        store = SqliteApplicationStore(database, secrets[0])
        journal = SqliteJournal(database, secrets[0])
        keys = derive_keys(secrets[1], 0, CENTRAL_BANK)
        return CentralBankDesk(keys, officers, store, self._surround(me), journal)

    def _make_directory(
        self, database: Database, me: Machine, sealing: SealingKey, keys: DirectoryKeys
    ) -> PhoneDirectory:
        return PhoneDirectory(
            roster=self.country.roster,
            keys=keys,
            store=SqliteDirectoryStore(database, sealing),
            counts=SqliteLookUpCounts(database),
            log=_DirectoryLog(self.country),
            clock=me,
            _putting=cast("Any", Turn(me)),  # whoever waits for it gives the baton back
        )

    def make_registration(self, database: Database, key: InstitutionKey) -> Registration:
        log = LogFolder(self.country.public)
        return Registration(self.country.roster, key, log, SqliteLogIndex(database))

    def make_bank(
        self, database: Database, me: Machine, secrets: _Secrets, number: ParticipantNumber
    ) -> Bank:
        vault = self.make_wallet(database, me, ("vault", number), secrets.master)
        if self.country.has_houses:
            house = build_house(secrets.house, self._find_ground(database, me, vault, number))
            me.parts.update(list_parts(house))
            return house.bank
        clients = SqliteClientStore(database, secrets.sealing)
        books = DepositBooks(SqliteBooksStore(database), me)
        journal = SqliteJournal(database, secrets.sealing)
        keys = BankKeys(Attester(number, secrets.attestation, self.country.roster), secrets.scan)
        return Bank(name_bank(number), keys, vault, clients, books, journal)

    def _find_ground(
        self, database: Database, me: Machine, vault: Vault, number: ParticipantNumber
    ) -> Ground:
        return Ground(
            name=me.name,
            number=number,
            database=database,
            vault=vault,
            roster=self.country.roster,
            me=me,
            banks=Directory(self.country, me.name),
            notary=self.country.reach(me.name, "notary"),
            directory=self.country.reach(me.name, "central_bank", "directory"),
        )

    def make_wallet(
        self,
        database: Database,
        me: Machine,
        holder: tuple[str, ParticipantNumber],
        master: SealingKey,
    ) -> Vault:
        name, bank = holder
        store = VaultDatabase(database)
        if store.find_keys(name) is None:
            create_keys(store, name, master, bytes(16), KeyTree.generate())
        opened = open_keys(store, name, master)
        keys = derive_keys(opened.tree, 0, bank)
        return Vault(keys, store.open_holder(name, opened.vault_key), self._surround(me))

    def make_handset(
        self, database: Database, me: Machine, holder: str, master: SealingKey
    ) -> Handset:
        country = self.country
        receipts = ReceiptTrust(country.genesis, country.members)
        desk = country.members.get_central_bank().institution_key
        return Handset(
            holder=holder,
            database=database,
            master=master,
            surroundings=self._surround(me),
            trust=AnswerTrust(country.roster, receipts, desk),
            public=country.public,
            reach=lambda callee, part: country.reach(me.name, callee, part),
        )

    def _surround(self, me: Machine) -> Surroundings:
        return Surroundings(self.country.roster, me, self.country.identifiers)


@dataclass(frozen=True, slots=True, repr=False)
class _DirectoryLog:
    """`DirectoryLog` of the desk: the notary's log, and the registration's proofs."""

    country: Country

    def record_leaf(self, leaf: DirectoryLeaf) -> LeafPromise:
        """Promised."""
        notary = self.country.reach("central_bank", "notary")
        promise: LeafPromise = notary.record_leaf(leaf)
        return promise

    def prove_leaf(self, leaf: DirectoryLeaf) -> str:
        """Published."""
        registration = self.country.reach("central_bank", "registration")
        receipt: str = registration.prove_entry(compute_leaf_hash(leaf.pack()))
        return receipt


def _build_genesis(list_key: InstitutionKey, world: World) -> Genesis:
    return Genesis(
        name="specie simulation",
        currency=Currency("DCU", 2),
        address_prefix="spc",
        proof_mode=ProofMode.PUBLISHED,
        list_key=InstitutionPublicKey(list_key.public),
        officers_required=2,
        supply_cap_day=Minor(10**17),
        batch_payments_min=4,
        batch_age_ms_max=10_000,
        created_ms=Timestamp(world.time),
    )


def _describe(number: ParticipantNumber, keys: _Secrets) -> Participant:
    return Participant(
        number=number,
        role=Role.CENTRAL_BANK if number == CENTRAL_BANK else Role.BANK,
        status=Status.ACTIVE,
        successor=0,
        scan_key=PublicKey(keys.scan.public),
        attestation_key=PublicKey(keys.attestation.public),
        institution_key=InstitutionPublicKey(keys.institution.public),
        name=f"participant {number}",
    )
