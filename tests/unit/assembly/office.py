"""A bank with its people's desks, in a country of one process: real stores, real keys."""

import os
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from specie.assembly.people import People, PeoplePlace, build_people
from specie.assembly.travel import read_identity
from specie.bank.openings import OpeningRequest
from specie.bank.service import Bank
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey
from specie.ports.onboarding import Admission, Person
from specie.remote.onboarding_models import AccountRequest
from specie.remote.people_client import build_account_request
from specie.store.database import Database
from specie.store.device_store import SqliteDeviceStore
from specie.store.phone_store import SqlitePhoneStore
from specie.store.travel_store import SqliteTravelStore
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.identifiers import InstitutionPublicKey, NetworkId
from specie.values.phones import PhoneNumber
from tests.country import NORTH, SOUTH, Country

ALIYA: Final = Person("Aliya Bekova", PhoneNumber("+77015550102"), {})
_PHONES = count(77_020_000_000)


def draw_phone() -> PhoneNumber:
    """Nobody else's."""
    return PhoneNumber(f"+{next(_PHONES)}")


@dataclass(slots=True, repr=False)
class Office:
    """One bank's desks."""

    country: Country
    bank: Bank
    database: Database
    storage: SealingKey
    devices: SqliteDeviceStore
    people: People

    @property
    def network(self) -> NetworkId:
        return self.country.network.genesis.network

    def reopen(self) -> "Office":
        """After a stop: what is on record, and nothing else; the old one no longer checks."""
        self.bank.checks.clear()
        return make_office(self.country, self.bank, self.storage)

    def make_request(self, applicant: "Applicant", **changes: Any) -> AccountRequest:
        """As the applicant's device makes it for this bank."""
        opening = OpeningRequest(
            self.network,
            changes.get("bank", self.bank.number),
            tagged_hash("code", applicant.id),
            applicant.keys.address,
            InstitutionPublicKey(applicant.device.public),
        )
        told = (applicant.id, changes.get("person", applicant.person), changes.get("tier", "basic"))
        transit = changes.get("transit", self.people.onboarding.get_transit_key())
        return build_account_request(opening, told, applicant.keys, applicant.device, transit)


@dataclass(frozen=True, slots=True, repr=False)
class Applicant:
    """A device with keys of its own, the id that it has drawn, and whose it is."""

    id: bytes
    keys: HolderKeys
    device: InstitutionKey
    person: Person = field(default_factory=lambda: replace(ALIYA, phone=draw_phone()))


def make_applicant(tree: KeyTree | None = None) -> Applicant:
    keys = derive_keys(tree or KeyTree.generate(), 0, NORTH)
    return Applicant(os.urandom(16), keys, InstitutionKey.generate())


def make_office(country: Country, bank: Bank, storage: SealingKey | None = None) -> Office:
    """Of one of the country's banks, in the bank's own database."""
    key = storage or SealingKey.generate()
    database = country.network.databases.open(f"bank-{bank.number}")
    devices = SqliteDeviceStore(database, key)
    network = country.network.genesis.network
    place = PeoplePlace(network, database, key, country.network.notary, country.clock, None)
    travel = SqliteTravelStore(database, key)
    admission = Admission(
        required_fields=country.network.compliance[bank.number].list_required,
        set_tier=country.network.compliance[bank.number].set_tier,
        keep_person=lambda client, person: travel.put_identity(client, read_identity(person)),
        confirm_phone=SqlitePhoneStore(database, key).confirm,
    )
    people = build_people(bank, devices, place, admission)
    return Office(country, bank, database, key, devices, people)


__all__ = ["ALIYA", "NORTH", "SOUTH", "Applicant", "Office", "make_applicant"]
