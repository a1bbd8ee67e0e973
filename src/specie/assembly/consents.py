"""A bank's desk for those who read with a client's consent, in the bank's database (T3)."""

from specie.assembly.losses import Losses
from specie.assembly.people import PeoplePlace
from specie.bank.access import AccessLog
from specie.bank.consents import ConsentDesk
from specie.identity.consents import ConsentPlace
from specie.store.consent_store import SqliteConsentStore


def build_consents(losses: Losses, access: AccessLog, place: PeoplePlace) -> ConsentDesk:
    """What ends a wallet ends its consents, from here on."""
    bank = losses.bank
    where = ConsentPlace(place.network, bank.number)
    store = SqliteConsentStore(place.database, place.storage)
    balance = bank.teller.get_balance
    desk = ConsentDesk(where, store, bank.clients, access, place.clock, balance)
    losses.end_consents = desk.end_all
    return desk
