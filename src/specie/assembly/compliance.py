"""A bank's supervision and what its people do about it, wired to the bank's database."""

from dataclasses import dataclass

from specie.bank.access import AccessLog
from specie.bank.compliance import Compliance, Stores
from specie.bank.service import VAULT_CLIENT
from specie.bank.supervision import Neighbours, Supervision
from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionSigner, SealingKey
from specie.identity.genesis import Genesis
from specie.ports.clients import ClientStore
from specie.ports.clock import Clock
from specie.ports.core_bank import SwitchStore
from specie.ports.travel import TravelStore
from specie.store.access_store import SqliteAccessStore
from specie.store.case_store import SqliteCaseStore
from specie.store.database import Database
from specie.store.phone_store import SqlitePhoneStore
from specie.store.policy_store import SqlitePolicyStore
from specie.values.identifiers import ClientId, ParticipantNumber


@dataclass(frozen=True, slots=True, repr=False)
class Premises:
    """Whose it is: the bank, its institution key, the network, the key that seals what it keeps."""

    number: ParticipantNumber
    key: InstitutionSigner
    genesis: Genesis
    storage: SealingKey


def build_neighbours(
    clients: ClientStore,
    switches: SwitchStore,
    phones: SqlitePhoneStore,
    travel: TravelStore,
) -> Neighbours:
    """What the policy asks of other parts of the bank, all in its one database."""

    def is_waterfall_on(client: ClientId) -> bool:
        return switches.get_switches(client).waterfall

    def find_phones(address: Address) -> tuple[str, ...]:
        client = clients.find_by_address(address)
        known = None if client is None else phones.find(client.id)
        return () if known is None else (known.phone,)

    return Neighbours(is_waterfall_on, travel.has, find_phones)


def build_compliance(
    database: Database,
    clients: ClientStore,
    clock: Clock,
    premises: Premises,
    neighbours: Neighbours | None = None,
) -> Compliance:
    """All its stores are in the bank's one database: judging and recording are one transaction."""
    policies = SqlitePolicyStore(database, premises.storage)
    cases = SqliteCaseStore(database, premises.storage)
    access = SqliteAccessStore(database, premises.storage)
    genesis = premises.genesis
    supervision = Supervision(
        clients, policies, cases, clock, genesis.address_prefix, neighbours or Neighbours()
    )
    log = AccessLog(access, clock, genesis.network, premises.number, premises.key)
    return Compliance(Stores(clients, policies, cases), supervision, log, clock, VAULT_CLIENT)
