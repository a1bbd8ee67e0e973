"""A bank with its people's desks, in a country of one process: real stores, real keys."""

import os
from dataclasses import dataclass
from typing import Any, Final

from specie.assembly.people import People, PeoplePlace, build_people
from specie.bank.openings import OpeningRequest
from specie.bank.service import Bank
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey
from specie.ports.onboarding import Person
from specie.remote.onboarding_models import AccountRequest
from specie.remote.people_client import build_account_request
from specie.store.database import Database
from specie.store.device_store import SqliteDeviceStore
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.identifiers import InstitutionPublicKey, NetworkId
from specie.values.phones import PhoneNumber
from tests.country import NORTH, SOUTH, Country

PHONE: Final = PhoneNumber("+77015550102")
ALIYA: Final = Person("Aliya Bekova", PHONE, {})


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
        told = (applicant.id, changes.get("person", ALIYA), changes.get("tier", "basic"))
        transit = changes.get("transit", self.people.onboarding.get_transit_key())
        return build_account_request(opening, told, applicant.keys, applicant.device, transit)


@dataclass(frozen=True, slots=True, repr=False)
class Applicant:
    """A device with keys of its own, and the id that it has drawn."""

    id: bytes
    keys: HolderKeys
    device: InstitutionKey


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
    return Office(country, bank, database, key, devices, build_people(bank, devices, place))


__all__ = ["ALIYA", "NORTH", "PHONE", "SOUTH", "Applicant", "Office", "make_applicant"]
