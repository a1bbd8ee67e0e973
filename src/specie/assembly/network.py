"""A whole network in one process: central bank, accounting, notary, banks, and clients' wallets.

Each institution has its own folder, database and keys under `data`; the public folder holds
what everyone may read: genesis, participant list, and the log.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from specie.accounting.reserves import Accounting
from specie.assembly.compliance import Premises, build_compliance
from specie.assembly.databases import Databases
from specie.bank.attestation import Attester
from specie.bank.compliance import Compliance
from specie.bank.deposits import DepositBooks
from specie.bank.service import Bank, BankKeys
from specie.central_bank.desk import CentralBankDesk
from specie.central_bank.officers import OfficerDesk
from specie.crypto.secrets import InstitutionKey, KeyTree, ScanKey, SealingKey, SigningKey
from specie.identity.cosigners import (
    CosignerList,
    check_cosigners_follow,
    sign_cosigners,
    verify_cosigners,
)
from specie.identity.genesis import (
    Genesis,
    ProofMode,
    compute_origin,
    sign_genesis,
    verify_genesis,
)
from specie.identity.participants import (
    Officer,
    Participant,
    ParticipantList,
    Role,
    Status,
    sign_participants,
)
from specie.identity.roster import Roster
from specie.notary.service import Notary
from specie.ports.bank import BankPort
from specie.ports.clock import Clock
from specie.ports.randomness import Identifiers
from specie.store.application_store import SqliteApplicationStore
from specie.store.batch_files import BatchFolder
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.durable_files import read_limited, replace_durably
from specie.store.journal_store import SqliteJournal
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.store.paid_store import SqlitePaidStore
from specie.store.vault_store import SqliteVaultStore, VaultDatabase
from specie.tokens.holdings import derive_keys, derive_keys_with_returns
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, ParticipantNumber, PublicKey
from specie.values.limits import LOG_FILE_BYTES_MAX
from specie.wallet.keys import OpenedKeys, create_keys, derive_master, open_keys
from specie.wallet.vault import Surroundings, Vault

CENTRAL_BANK: Final = ParticipantNumber(1)
_FIRST_BANK: Final = 2
_OFFICERS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a network is made with; frozen, passed once."""

    data: Path
    name: str = "specie demo"
    currency: Currency = Currency("DCU", 2)
    address_prefix: str = "spc"
    proof_mode: ProofMode = ProofMode.PUBLISHED
    banks: tuple[str, ...] = ("Bank of the North", "Bank of the South")
    supply_cap_day: Minor = Minor(10**17)
    batch_payments_min: int = 32
    batch_age_ms_max: int = 10_000
    database: str | None = field(default=None, repr=False)  # it may hold a password
    device_passphrase: str = field(default="on every device of the demo", repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class _InstitutionSecrets:
    scan: ScanKey
    attestation: SigningKey
    institution: InstitutionKey


class Parties:
    """Everybody who takes part: each has its own roster, made from the signed bytes."""

    def __init__(
        self, genesis: bytes, signed: bytes, clock: Clock, identifiers: Identifiers
    ) -> None:
        self._genesis, self._signed = genesis, signed
        self._expected = verify_genesis(genesis).network  # what everyone is told apart from it
        self._clock, self._identifiers = clock, identifiers
        self._rosters: list[Roster] = []

    def join(self) -> Surroundings:
        """One more party, which verifies genesis and list for itself."""
        roster = Roster(self._genesis, self._signed, self._expected)
        self._rosters.append(roster)
        return Surroundings(roster, self._clock, self._identifiers)

    def adopt(self, signed: bytes) -> None:
        """Everybody is brought a newer list."""
        for roster in self._rosters:
            roster.adopt(signed)
        self._signed = signed


@dataclass(slots=True, repr=False)
class InProcessNetwork:
    """Everything wired; `banks` by number."""

    settings: Settings
    databases: Databases
    genesis: Genesis
    roster: Roster  # of whoever looks at the network from outside
    parties: Parties
    list_key: InstitutionKey
    desk: CentralBankDesk
    accounting: Accounting
    notary: Notary
    banks: dict[ParticipantNumber, Bank]
    surroundings: Surroundings
    public: Path
    registration_key: InstitutionKey  # the central bank's own
    devices: VaultDatabase
    device_master: SealingKey
    device_salt: bytes
    vault_locks: dict[ParticipantNumber, threading.Lock] = field(default_factory=dict)
    """A vault pays one after the other: its change must be back before it pays again."""
    compliance: dict[ParticipantNumber, Compliance] = field(default_factory=dict)

    def get_bank(self, number: ParticipantNumber) -> BankPort:
        """`BankDirectory`."""
        bank = self.banks.get(number)
        if bank is None:
            raise SpecieError(ErrorCode.PARTICIPANT_UNKNOWN, f"no bank {number}")
        return bank

    def make_wallet(self, holder: str, bank: ParticipantNumber) -> Vault:
        """A client's device: new keys, made here and nowhere else, sealed in its store (T3)."""
        opened = create_keys(
            self.devices,
            holder,
            self.device_master,
            self.device_salt,
            KeyTree.generate(),
        )
        keys = derive_keys_with_returns(opened.tree, 0, bank)
        return Vault(keys, self._open_rows(holder, opened), self.surroundings)

    def reopen_wallet(self, holder: str, bank: ParticipantNumber) -> Vault:
        """The device starts again: keys, tokens and payments are what its store has."""
        opened = open_keys(self.devices, holder, self.device_master)
        keys = derive_keys_with_returns(opened.tree, 0, bank)
        return Vault(keys, self._open_rows(holder, opened), self.surroundings)

    def _open_rows(self, holder: str, opened: OpenedKeys) -> SqliteVaultStore:
        return self.devices.open_holder(holder, opened.vault_key)

    def show_phrase(self, holder: str) -> str:
        """What the holder wrote down when the wallet was made; shown on the holder's device."""
        return open_keys(self.devices, holder, self.device_master).tree.phrase()

    def replace_participants(self, members: ParticipantList) -> None:
        """The authentication centre signs a new list, and everyone adopts it."""
        signed = sign_participants(members, self.list_key)
        self.parties.adopt(signed)
        _write_list(self.settings, signed, members.version)

    def get_cosigners(self) -> CosignerList:
        """Who may cosign, as published."""
        signed = read_limited(self.public, "cosigners", LOG_FILE_BYTES_MAX)
        return verify_cosigners(signed, self.genesis)

    def replace_cosigners(self, listed: CosignerList) -> None:
        """The authentication centre signs who may cosign, if it follows the present list."""
        check_cosigners_follow(listed, self.get_cosigners())
        _write_cosigners(self.public, listed, self.list_key)


def build_network(settings: Settings, clock: Clock, identifiers: Identifiers) -> InProcessNetwork:
    """Make a new network in an empty folder: keys, genesis, participant list, institutions."""
    public = settings.data / "public"
    public.mkdir(parents=True, exist_ok=True)
    list_key, notary_key, accounting_key = (InstitutionKey.generate() for _ in range(3))
    officers = [OfficerDesk(number, InstitutionKey.generate()) for number in _OFFICERS]
    genesis = _build_genesis(settings, list_key, clock)
    signed_genesis = sign_genesis(genesis, list_key)
    names = ("Central Bank", *settings.banks)
    secrets = {ParticipantNumber(place + 1): _make_secrets() for place in range(len(names))}
    members = ParticipantList(
        network=genesis.network,
        version=1,
        time=clock.now(),
        notary_key=InstitutionPublicKey(notary_key.public),
        accounting_key=InstitutionPublicKey(accounting_key.public),
        officers={one.number: _describe_officer(one) for one in officers},
        participants=_describe_participants(names, secrets),
    )
    signed = sign_participants(members, list_key)
    parties = Parties(signed_genesis, signed, clock, identifiers)
    replace_durably(public, "genesis", signed_genesis)
    _write_cosigners(public, CosignerList(compute_origin(genesis), 1, 0, 0), list_key)
    _write_list(settings, signed, members.version)
    surroundings = parties.join()
    databases = Databases(settings.data, genesis.network, settings.database)
    reserves = SqliteBooksStore(databases.open("accounting"))
    accounting = Accounting(parties.join().roster, reserves, accounting_key, clock)
    devices = VaultDatabase(databases.open("devices"))
    device_master, device_salt = derive_master(
        devices, "every device", settings.device_passphrase, identifiers
    )
    network = InProcessNetwork(
        settings=settings,
        databases=databases,
        genesis=genesis,
        roster=surroundings.roster,
        parties=parties,
        list_key=list_key,
        desk=_build_desk(databases, officers, parties.join()),
        accounting=accounting,
        notary=_build_notary(databases, notary_key, parties.join()),
        banks={},
        surroundings=surroundings,
        public=public,
        registration_key=secrets[CENTRAL_BANK].institution,
        devices=devices,
        device_master=device_master,
        device_salt=device_salt,
    )
    for number in range(_FIRST_BANK, _FIRST_BANK + len(settings.banks)):
        participant = ParticipantNumber(number)
        accounting.open_reserves(participant)
        bank = _build_bank(network, participant, secrets[participant])
        network.banks[participant] = bank
        network.vault_locks[participant] = threading.Lock()
    return network


def _make_secrets() -> _InstitutionSecrets:
    return _InstitutionSecrets(ScanKey.generate(), SigningKey.generate(), InstitutionKey.generate())


def _build_notary(databases: Databases, key: InstitutionKey, surroundings: Surroundings) -> Notary:
    store = SqliteNotaryStore(databases.open("notary"))
    log = LogFolder(databases.data / "public")
    archive = BatchFolder(databases.data / "notary" / "batches")
    return Notary(surroundings.roster, key, store, log, surroundings.clock, archive)


def _build_genesis(settings: Settings, list_key: InstitutionKey, clock: Clock) -> Genesis:
    return Genesis(
        name=settings.name,
        currency=settings.currency,
        address_prefix=settings.address_prefix,
        proof_mode=settings.proof_mode,
        list_key=InstitutionPublicKey(list_key.public),
        officers_required=len(_OFFICERS),
        supply_cap_day=settings.supply_cap_day,
        batch_payments_min=settings.batch_payments_min,
        batch_age_ms_max=settings.batch_age_ms_max,
        created_ms=clock.now(),
    )


def _write_list(settings: Settings, signed: bytes, version: int) -> None:
    """The list in force for everybody; all that ever were, for auditors."""
    replace_durably(settings.data / "notary" / "lists", str(version), signed)
    replace_durably(settings.data / "public", "participants", signed)


def _write_cosigners(public: Path, listed: CosignerList, key: InstitutionKey) -> None:
    replace_durably(public, "cosigners", sign_cosigners(listed, key))


def _describe_officer(officer: OfficerDesk) -> Officer:
    key = InstitutionPublicKey(officer.key.public)
    return Officer(officer.number, Status.ACTIVE, key)


def _describe_participants(
    names: Sequence[str], secrets: dict[ParticipantNumber, _InstitutionSecrets]
) -> dict[ParticipantNumber, Participant]:
    return {
        number: Participant(
            number=number,
            role=Role.CENTRAL_BANK if number == CENTRAL_BANK else Role.BANK,
            status=Status.ACTIVE,
            successor=0,
            scan_key=PublicKey(keys.scan.public),
            attestation_key=PublicKey(keys.attestation.public),
            institution_key=InstitutionPublicKey(keys.institution.public),
            name=name,
        )
        for (number, keys), name in zip(secrets.items(), names, strict=True)
    }


def _build_desk(
    databases: Databases, officers: Sequence[OfficerDesk], surroundings: Surroundings
) -> CentralBankDesk:
    database, key = databases.open("central_bank"), SealingKey.generate()
    store, journal = SqliteApplicationStore(database, key), SqliteJournal(database, key)
    keys = derive_keys(KeyTree.generate(), 0, CENTRAL_BANK)
    return CentralBankDesk(keys, officers, store, surroundings, journal)


def _build_bank(
    network: InProcessNetwork, number: ParticipantNumber, secrets: _InstitutionSecrets
) -> Bank:
    surroundings = network.parties.join()
    database = network.databases.open(f"bank-{number}")
    vaults = VaultDatabase(database)
    opened = create_keys(
        vaults,
        "vault",
        SealingKey.generate(),
        surroundings.identifiers.draw(),
        KeyTree.generate(),
    )
    own = derive_keys(opened.tree, 0, number)
    vault = Vault(own, vaults.open_holder("vault", opened.vault_key), surroundings)
    storage_key = SealingKey.generate()
    clients = SqliteClientStore(database, storage_key)
    journal = SqliteJournal(database, storage_key)
    books = DepositBooks(SqliteBooksStore(database), surroundings.clock)
    attester = Attester(number, secrets.attestation, surroundings.roster)
    keys = BankKeys(attester, secrets.scan)
    name = network.settings.banks[number - _FIRST_BANK]
    premises = Premises(number, secrets.institution, network.genesis, storage_key)
    compliance = build_compliance(database, clients, surroundings.clock, premises)
    network.compliance[number] = compliance
    bank = Bank(name, keys, vault, clients, books, journal, supervisor=compliance.supervision)
    bank.paid = SqlitePaidStore(database, storage_key)
    return bank
