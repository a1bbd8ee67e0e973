"""A bank with everything that it does for people: its whole process, but for the network under it.

process      `BankProcess`: payments, withdrawals, wallets that open, directory, losses
counter      what a device asks in its client's name, after the key that signs was looked up
onboarding   what a device asks that nobody knows yet
losses       a loss, reported from anywhere
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from specie.assembly.alarms import Alarms
from specie.assembly.bank_process import BankProcess
from specie.assembly.compliance import Premises, build_compliance, build_neighbours
from specie.assembly.consents import build_consents
from specie.assembly.losses import LostPage
from specie.assembly.money import MoneyDesk
from specie.assembly.payment_services import build_payment_services
from specie.assembly.people import PeoplePlace, build_admission, build_people
from specie.bank.access import Operator
from specie.bank.attestation import Attester
from specie.bank.deposits import DepositBooks
from specie.bank.directory import BankDirectory
from specie.bank.naming import NameSigner
from specie.bank.service import Bank, BankKeys
from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionKey, ScanKey, SealingKey, SigningKey
from specie.directory.answers import RecordedEntry
from specie.directory.entries import SignedEntry
from specie.identity.roster import Roster
from specie.ledger.records import Output
from specie.ledger.transactions import Promise
from specie.ports.core_bank import Switches
from specie.ports.directory import Located
from specie.simulation.world import Machine, Turn
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.device_store import SqliteDeviceStore, name_device
from specie.store.journal_store import SqliteJournal
from specie.store.look_up_store import SqliteLookUpCounts
from specie.store.phone_store import SqlitePhoneStore
from specie.store.switch_store import SqliteSwitchStore
from specie.store.travel_store import SqliteTravelStore
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
)
from specie.values.phones import PhoneNumber
from specie.wallet.vault import Vault

HOLDING: Final = {"basic": 40_000, "full": 120_000}  # minor units, by tier
POLICY: Final = f"""\
name = "of the simulation"
default_tier = "old"
[cases]
two_people_from = 1_000_000_000
release_minutes = 30
[[tier]]
name = "old"
requires = ["name"]
[[tier]]
name = "basic"
requires = ["name", "phone"]
limits = {{ holding = {HOLDING["basic"]} }}
[[tier]]
name = "full"
requires = ["name", "phone", "birth-date", "document"]
limits = {{ holding = {HOLDING["full"]} }}
"""
_OFFICER: Final = Operator("Ada", "the simulation's policy")


@dataclass(frozen=True, slots=True, repr=False)
class HouseKeys:
    """Secrets of one bank; hardware keeps them."""

    scan: ScanKey
    attestation: SigningKey
    institution: InstitutionKey
    sealing: SealingKey


@dataclass(frozen=True, slots=True, repr=False)
class Ground:
    """Where a bank stands: its database, its vault, and ports of everybody else."""

    name: str
    number: ParticipantNumber
    database: Database
    vault: Vault
    roster: Roster
    me: Machine
    banks: Any
    notary: Any
    directory: Any


@dataclass(frozen=True, slots=True, repr=False)
class _Peers:
    network: NetworkId
    roster: Roster


@dataclass(frozen=True, slots=True, repr=False)
class _Base:
    """What a bank's process asks of its foundation, for what is asked of it here."""

    name: str
    peers: _Peers
    database: Database


def build_house(keys: HouseKeys, ground: Ground) -> BankProcess:
    """As `assembly/bank_process.py` puts it together, in the bank's one database."""
    database, me, number = ground.database, ground.me, ground.number
    genesis, storage = ground.roster.genesis, keys.sealing
    names = NameSigner(number, genesis.network, keys.institution)
    payments = build_payment_services(database, storage, names, me)
    clients = SqliteClientStore(database, storage, payments.telling.tell_final)
    switches, phones = SqliteSwitchStore(database), SqlitePhoneStore(database, storage)
    premises = Premises(number, keys.institution, genesis, storage)
    travel = SqliteTravelStore(database, storage)
    neighbours = build_neighbours(clients, switches, phones, travel)
    compliance = build_compliance(database, clients, me, premises, neighbours)
    compliance.set_policy(_OFFICER, POLICY)
    bank = Bank(
        ground.name,
        BankKeys(Attester(number, keys.attestation, ground.roster), keys.scan),
        ground.vault,
        clients,
        DepositBooks(SqliteBooksStore(database), me),
        SqliteJournal(database, storage),
        supervisor=compliance.supervision,
    )
    devices = SqliteDeviceStore(database, storage)
    place = PeoplePlace(genesis.network, database, storage, ground.notary, me, None)
    counts = SqliteLookUpCounts(database)
    directory = BankDirectory(bank, keys.institution, phones, counts, ground.directory, me)
    people = build_people(bank, devices, place, build_admission(compliance, travel, directory))
    people.losses.tell = payments.telling.tell_act
    nobody: Any = None  # of whom nothing is asked here
    return BankProcess(
        base=cast("Any", _Base(ground.name, _Peers(genesis.network, ground.roster), database)),
        bank=bank,
        banks=ground.banks,
        notary=ground.notary,
        desk=nobody,
        counter=nobody,
        registration=nobody,
        devices=devices,
        witness=nobody,
        comparison=nobody,
        directory=directory,
        money=MoneyDesk(bank, switches, Alarms(), *compliance.limits),
        people=people,
        consents=build_consents(people.losses, compliance.access, place),
        payments=payments,
        compliance=compliance,
        returns=nobody,
        travel=nobody,
        heads=nobody,
        vault_lock=cast("Any", Turn(me)),  # whoever waits for it gives the baton back
    )


def list_parts(process: BankProcess) -> dict[str, Any]:
    """What answers at a bank's machine, besides the bank itself."""
    return {
        "process": process,
        "counter": Counter(process),
        "onboarding": process.people.onboarding,
        "losses": process.people.losses,
    }


@dataclass(frozen=True, slots=True, repr=False)
class Counter:
    """What a client's device asks (`api/bank_face.py` and its neighbours), by the key that signs.

    `caller_unknown` for a device that opened no wallet, or was lost.
    """

    process: BankProcess

    def pay(self, device: InstitutionPublicKey, built: BuiltTransaction) -> Promise:
        """From first to last."""
        return self.process.pay(self._get_client(device), built)

    def withdraw(self, device: InstitutionPublicKey, order: OrderId, amount: Minor) -> Promise:
        """Deposit money becomes tokens."""
        return self.process.withdraw(self._get_client(device), order, amount)

    def expect_deposit(self, device: InstitutionPublicKey, order: OrderId) -> Address:
        """Where a deposit goes."""
        bank = self.process.bank
        bank.expect_deposit(order, self._get_client(device))
        return bank.vault_address

    def fetch_outputs(self, device: InstitutionPublicKey) -> list[Output]:
        """What has arrived."""
        return self.process.bank.fetch_outputs(self._get_client(device))

    def confirm_fetched(self, device: InstitutionPublicKey, refs: Sequence[OutputRef]) -> None:
        """The device has it."""
        self.process.bank.confirm_fetched(self._get_client(device), refs)

    def get_standing(self, device: InstitutionPublicKey) -> tuple[Minor, str]:
        """Deposit and status."""
        client = self.process.get_client(self._get_client(device))
        return self.process.money.teller.get_balance(client.id), client.status.value

    def get_waterfall(self, device: InstitutionPublicKey) -> tuple[Switches, Minor | None]:
        """What is switched on, and the holding limit."""
        client, money = self._get_client(device), self.process.money
        return money.switches.get_switches(client), money.holding_limit(client)

    def switch(self, device: InstitutionPublicKey, switches: Switches) -> Switches:
        """On or off."""
        client, money = self._get_client(device), self.process.money
        return money.switch(client, waterfall=switches.waterfall, reverse=switches.reverse)

    def locate(
        self, device: InstitutionPublicKey, phone: PhoneNumber, former: PublicKey | None
    ) -> tuple[Located, str]:
        """The client's own number."""
        return self.process.directory.locate(self._get_client(device), phone, former)

    def put(
        self, device: InstitutionPublicKey, phone: PhoneNumber, signed: SignedEntry
    ) -> RecordedEntry:
        """The client's own entry."""
        return self.process.directory.put(self._get_client(device), phone, signed)

    def find(self, device: InstitutionPublicKey, phone: PhoneNumber) -> bytes:
        """Somebody's."""
        return self.process.directory.find(self._get_client(device), phone)

    def close(self, device: InstitutionPublicKey) -> None:
        """For good."""
        self.process.people.losses.close(self._get_client(device))

    def set_loss_code(self, device: InstitutionPublicKey, code_hash: Digest) -> None:
        """For a loss to come."""
        self.process.people.losses.set_code(self._get_client(device), code_hash)

    def list_lost(self, device: InstitutionPublicKey, address: Address, start: int) -> LostPage:
        """What is in a wallet that was lost."""
        client = self._get_client(device)
        return self.process.people.losses.list_outputs(client, address, start)

    def _get_client(self, device: InstitutionPublicKey) -> ClientId:
        return self.process.devices.find_by_name(name_device(device))[0]
