"""A whole network opened anew over a copy of its files, as after a loss of power.

The copy is taken while the databases are open: their write-ahead logs come along, their shared
memory does not. Keys, which a real institution keeps in hardware, are handed over.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from specie.accounting.reserves import Accounting
from specie.assembly.databases import Databases
from specie.assembly.network import InProcessNetwork, Parties
from specie.bank.deposits import DepositBooks
from specie.bank.service import Bank
from specie.central_bank.desk import CentralBankDesk
from specie.identity.genesis import verify_genesis
from specie.notary.service import Notary
from specie.ports.clock import Clock
from specie.ports.randomness import Identifiers
from specie.store.application_store import SqliteApplicationStore
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.journal_store import SqliteJournal
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import VaultDatabase
from specie.tokens.holdings import derive_keys
from specie.values.identifiers import ParticipantNumber
from specie.wallet.keys import open_keys
from specie.wallet.vault import Surroundings, Vault


def take(owner: object, *names: str) -> Any:
    """What an object keeps to itself: `take(bank, "_keys")`; further names go deeper."""
    found = owner
    for name in names:
        found = getattr(found, name)
    return found


def reopen_network(
    old: InProcessNetwork, data: Path, clock: Clock, identifiers: Identifiers
) -> InProcessNetwork:
    """The same network over a copy of its files in `data`; the old one is left as it is."""
    shutil.copytree(old.settings.data, data, ignore=shutil.ignore_patterns("*-shm"))
    public = data / "public"
    signed_genesis, signed = ((public / name).read_bytes() for name in ("genesis", "participants"))
    genesis = verify_genesis(signed_genesis)
    parties = Parties(signed_genesis, signed, clock, identifiers)
    surroundings = parties.join()
    roster = surroundings.roster
    databases = Databases(data, genesis.network)
    applications = SqliteApplicationStore(
        databases.open("central_bank"), take(old.desk, "_store", "_key")
    )
    journal = SqliteJournal(databases.open("central_bank"), take(old.desk, "journal", "_key"))
    officers = take(old.desk, "_officers")
    reserves = SqliteBooksStore(databases.open("accounting"))
    notary = SqliteNotaryStore(databases.open("notary"))
    return replace(
        old,
        settings=replace(old.settings, data=data),
        databases=databases,
        genesis=genesis,
        roster=roster,
        parties=parties,
        desk=CentralBankDesk(
            take(old.desk, "_keys"), officers, applications, surroundings, journal
        ),
        accounting=Accounting(roster, reserves, take(old.accounting, "_key"), clock),
        notary=Notary(roster, take(old.notary, "_key"), notary, LogFolder(public), clock),
        banks={
            number: _reopen_bank(bank, databases.open(f"bank-{number}"), surroundings)
            for number, bank in old.banks.items()
        },
        surroundings=surroundings,
        public=public,
        devices=VaultDatabase(databases.open("devices")),
    )


def reopen_wallet(network: InProcessNetwork, holder: str, bank: ParticipantNumber) -> Vault:
    """A device started again: its keys come out of its own store."""
    opened = open_keys(network.devices, holder, network.device_master)
    keys = derive_keys(opened.tree, 0, bank)
    store = network.devices.open_holder(holder, opened.vault_key)
    return Vault(keys, store, network.surroundings)


def close_network(network: InProcessNetwork) -> None:
    """Close every database."""
    network.databases.close()


def _reopen_bank(old: Bank, database: Database, surroundings: Surroundings) -> Bank:
    old_keys = take(old, "_keys")
    attester = replace(old_keys.attester, roster=surroundings.roster)
    vault = VaultDatabase(database).open_holder("vault", take(old, "vault", "_store", "_key"))
    clients = SqliteClientStore(database, take(old, "_clients", "_key"))
    books = DepositBooks(SqliteBooksStore(database), surroundings.clock)
    return Bank(
        surroundings.roster.current.get(old.number).name,
        replace(old_keys, attester=attester),
        Vault(old.vault.keys, vault, surroundings),
        clients,
        books,
        SqliteJournal(database, take(old, "journal", "_key")),
    )
