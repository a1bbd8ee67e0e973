"""Applications for a wallet at a bank, from the device to the open wallet (T3).

What an approval does is one transaction of the bank's database: stopped anywhere, it is done or not
begun, and the same again is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.bank.applications import (
    TRANSIT_AAD,
    check_complete,
    check_decider,
    check_person,
    check_room,
    check_waiting,
    compute_transit_info,
    name_network,
)
from specie.bank.deposits import check_client_id
from specie.bank.losses import get_heir
from specie.bank.openings import OpeningProofs, OpeningRequest, verify_opening
from specie.bank.service import VAULT_CLIENT, Bank
from specie.crypto.addresses import Address
from specie.crypto.secrets import ViewKey, unseal
from specie.crypto.transit import derive_transit_sealing
from specie.identity.codes import hash_code
from specie.ports.clock import Clock
from specie.ports.onboarding import AccountApplication, AccountState, Admission, Person
from specie.remote.onboarding_models import AccountRequest
from specie.store.database import Database
from specie.store.device_store import SqliteDeviceStore
from specie.store.onboarding_store import SqliteOnboardingStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, NetworkId
from specie.values.limits import (
    ACCOUNT_APPLICATION_MS_MAX,
    ACCOUNT_APPLICATIONS_MAX,
    PAGE_ITEMS_MAX,
)
from specie.values.times import Timestamp


@dataclass(slots=True, repr=False)
class Onboarding:
    """A bank's desk for people whom it does not know yet."""

    network: NetworkId
    bank: Bank
    devices: SqliteDeviceStore
    store: SqliteOnboardingStore
    database: Database
    clock: Clock
    admission: Admission

    def get_transit_key(self) -> bytes:
        """For view keys on their way to us."""
        return self.store.transit.public

    def apply(self, request: AccountRequest, place: str) -> AccountApplication:
        """From a device that nobody knows; again gives how far it has come.

        `rate_exceeded` if too many wait; `tier_unknown`, `data_missing`, `limit_exceeded` and
        `text_invalid` for what it says; `signature_invalid` and `sealed_invalid` for keys that are
        not its own.
        """
        now = self.clock.now()
        self.store.expire(now)
        code_hash = hash_code(request.id)
        address = Address(self.bank.number, request.view, request.spend)
        known = self.store.find(code_hash)
        if known is not None:
            if (known.address, known.device) != (address, request.device):
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this id is another application's")
            return known
        person = Person(request.name, request.phone, dict(request.data))
        check_person(person)
        check_complete(person, request.tier, self.admission.required_fields)
        network = name_network(place)
        check_room(*self.store.count_waiting(place, network))
        asked = OpeningRequest(self.network, self.bank.number, code_hash, address, request.device)
        verify_opening(asked, OpeningProofs(request.spend_proof, request.device_proof))
        info = compute_transit_info(self.network, self.bank.number, code_hash)
        view = self._open_view(request, info)
        application = AccountApplication(
            code_hash=code_hash,
            address=address,
            device=request.device,
            tier=request.tier,
            time=now,
            expires=Timestamp(now + ACCOUNT_APPLICATION_MS_MAX),
            state=AccountState.WAITING,
            person=person,
            view_key=view,
        )
        with self.database.transaction():
            check_room(*self.store.count_waiting(place, network))
            self._make_room(network)
            return self.store.add(application, place, network)

    def ask(self, secret: bytes) -> AccountApplication:
        """By the device's id for it; `application_unknown`."""
        self.store.expire(self.clock.now())
        found = self.store.find(hash_code(secret))
        if found is None:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "nobody has applied with this id")
        return found

    def list(self, state: AccountState) -> Sequence[AccountApplication]:
        """For the bank's people, the oldest first."""
        self.store.expire(self.clock.now())
        return self.store.load(state, PAGE_ITEMS_MAX)

    def get(self, number: str) -> AccountApplication:
        """`application_unknown` if there is none."""
        self.store.expire(self.clock.now())
        return self.store.get(number)

    def approve(self, number: str, client: ClientId | None, tier: str | None, by: str) -> ClientId:
        """Open the wallet; again is the same, `order_conflict` for another client or a late yes."""
        with self.database.transaction():
            found = self.store.get(number)
            if found.state is AccountState.APPROVED:
                assert found.client is not None, "recorded with the approval"
                if client not in (None, found.client):
                    raise SpecieError(ErrorCode.ORDER_CONFLICT, f"it is of {found.client} already")
                return found.client
            check_waiting(found, self.clock.now())
            check_decider(by)
            chosen = client or ClientId(f"c-{number[:12]}")
            self._open(found, chosen, tier or found.tier)
            self.store.approve(found.code_hash, chosen, by)
        return chosen

    def refuse_all(self, numbers: Sequence[str], reason: str, by: str) -> None:
        """All or none: strangers can leave thousands."""
        with self.database.transaction():
            for number in numbers:
                self.refuse(number, reason, by)

    def refuse(self, number: str, reason: str, by: str) -> None:
        """For good, and the view key is forgotten; again is the same."""
        with self.database.transaction():
            found = self.store.get(number)
            if found.state is AccountState.REFUSED:
                return
            if found.state is AccountState.APPROVED:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "it was approved: close the account")
            check_waiting(found, self.clock.now())
            check_decider(by)
            self.store.refuse(found.code_hash, reason, by)

    def _make_room(self, network: str) -> None:
        """For one more: the fullest network loses its oldest, so that nobody fills the list alone.

        `rate_exceeded` if no other network has more than the newcomer's.
        """
        if self.store.count_all() < ACCOUNT_APPLICATIONS_MAX:
            return
        if not self.store.displace(network):
            raise SpecieError(ErrorCode.RATE_EXCEEDED, "too many applications wait: try later")

    def _open(self, found: AccountApplication, client: ClientId, tier: str) -> None:
        """As a code would: the device, the wallet, the deposit account."""
        check_new_client(client)
        assert found.person is not None and found.view_key is not None, "it waits"
        person = found.person
        check_complete(person, tier, self.admission.required_fields)
        self.devices.invite(found.code_hash, client, person.name)
        self.devices.record_key(found.code_hash, found.device)
        self.bank.open_wallet(client, person.name, found.address, found.view_key)
        self.admission.set_tier(client, tier)
        self.admission.keep_person(client, person)
        if person.phone is not None:
            self.admission.confirm_phone(client, person.phone)

    def _open_view(self, request: AccountRequest, info: bytes) -> ViewKey:
        secret = self.store.transit.open(request.sealed_secret, info)
        sealing = derive_transit_sealing(secret)
        view = unseal(ViewKey.unseal, sealing, request.sealed_view, TRANSIT_AAD)
        if view.public != request.view:
            raise SpecieError(ErrorCode.SEALED_INVALID, "the view key of another address")
        return view


def check_new_client(client: ClientId) -> None:
    """`client_exists`, `text_invalid`: ids that mean something of their own."""
    check_client_id(client)
    if client == VAULT_CLIENT:
        raise SpecieError(ErrorCode.CLIENT_EXISTS, "this is the vault's own name")
    if get_heir(client) is not None:
        raise SpecieError(ErrorCode.TEXT_INVALID, "an id of this form is of a wallet that was lost")
    head, dot, _ = client.partition(".")
    if dot and head.isdecimal():
        reason = "an id of this form is of a client of a bank whose successor we are"
        raise SpecieError(ErrorCode.TEXT_INVALID, reason)
