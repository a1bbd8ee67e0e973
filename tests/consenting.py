"""Clients of a bank who let others read: real keys, real stores, payments without a notary."""

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from specie.bank.access import AccessLog
from specie.bank.consents import ConsentDesk, ReadPayment, ReadRequest, ask_balances, ask_payments
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey
from specie.identity.consents import (
    TRANSACTIONS,
    Consent,
    ConsentPlace,
    Permission,
    sign_consent,
    sign_end,
)
from specie.ports.clients import Client, ClientStatus, Movement
from specie.ports.consents import KeptConsent
from specie.store.access_store import SqliteAccessStore
from specie.store.client_store import SqliteClientStore
from specie.store.consent_store import SqliteConsentStore
from specie.store.database import Database
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    TransactionId,
)
from specie.values.times import DAY_MS, Timestamp
from tests.clocks import ManualClock

BANK: Final = ParticipantNumber(2)
NETWORK: Final = NetworkId(b"n" * 16)
ALL: Final = TRANSACTIONS | Permission.READ_BALANCES
DEPOSIT: Final = Minor(77)


@dataclass(slots=True, repr=False)
class Counter:
    """A bank's desk, and its clients with their keys."""

    clock: ManualClock
    database: Database
    clients: SqliteClientStore
    consents: SqliteConsentStore
    access: AccessLog
    desk: ConsentDesk
    people: dict[ClientId, HolderKeys] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def place(self) -> ConsentPlace:
        return ConsentPlace(NETWORK, BANK)

    def open_client(self, name: str) -> Client:
        keys = derive_keys(KeyTree.generate(), 0, BANK)
        client = Client(ClientId(name), name, keys.address, keys.view, ClientStatus.GOOD)
        self.clients.add_client(client)
        self.people[client.id] = keys
        return client

    def make(self, client: Client, **changes: Any) -> Consent:
        """To a reader, of everything that has been, for 90 days; as changed."""
        now = self.clock.now()
        plain = Consent(
            account=client.address,
            number=next(self.numbers),
            nonce=b"%016d" % next(self.numbers),
            reader=InstitutionPublicKey(InstitutionKey.generate().public),
            reader_name="Ledger Ltd",
            permissions=ALL,
            transactions_from=Timestamp(0),
            creation=now,
            expiration=Timestamp(now + 90 * DAY_MS),
        )
        return replace(plain, **changes)

    def give(self, client: Client, **changes: Any) -> KeptConsent:
        consent = self.make(client, **changes)
        signature = sign_consent(consent, self.place, self.people[client.id].spend)
        return self.desk.give(client, consent, signature)

    def revoke(self, kept: KeptConsent, client: Client | None = None) -> KeptConsent:
        whose = kept.client if client is None else client.id
        now = self.clock.now()
        signature = sign_end(kept.id, now, self.place, self.people[whose].spend)
        return self.desk.revoke(whose, kept.id, now, signature)

    def pay(self, client: Client, amount: int, **changes: Any) -> Movement:
        """A movement on record, as an attestation leaves it."""
        number = next(self.numbers)
        movement = Movement(
            txid=TransactionId(b"%032d" % number),
            client=client.id,
            amount=Minor(amount),
            time=self.clock.now(),
            is_incoming=True,
            is_final=False,
            parties=(client.address,),
            order=OrderId(b"%016d" % number),
            names=("whom the bank knows",),
            end_to_end=b"e%015d" % number,
            told="Dana",
        )
        movement = replace(movement, **changes)
        refs = (OutputRef(bytes(movement.txid)),)
        self.clients.record_attested(movement.txid, refs, [], [movement])
        return movement

    def ask(self, kept: KeptConsent, **changes: Any) -> ReadRequest:
        """For payments, as its reader would."""
        which, number = (kept.id, kept.consent.account), next(self.numbers)
        since = kept.consent.transactions_from
        return replace(ask_payments(kept.consent.reader, which, number, since), **changes)

    def read(self, kept: KeptConsent, **changes: Any) -> list[ReadPayment]:
        return list(self.desk.read_payments(self.ask(kept, **changes), 0, 100).payments)

    def ask_balance(self, kept: KeptConsent) -> ReadRequest:
        which = (kept.id, kept.consent.account)
        return ask_balances(kept.consent.reader, which, next(self.numbers))


def open_counter(path: Path) -> Counter:
    clock, database, storage = ManualClock(), Database(path), SealingKey.generate()
    clients = SqliteClientStore(database, storage)
    consents = SqliteConsentStore(database, storage)
    store = SqliteAccessStore(database, storage)
    access = AccessLog(store, clock, NETWORK, BANK, InstitutionKey.generate())
    place = ConsentPlace(NETWORK, BANK)
    desk = ConsentDesk(place, consents, clients, access, clock, lambda _: DEPOSIT)
    return Counter(clock, database, clients, consents, access, desk)
