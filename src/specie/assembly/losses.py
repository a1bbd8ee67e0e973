"""Closing a wallet, losing one, and having the money back (T19, X7), at the bank.

    lost      nothing is attested any more, the device's key is refused, its certificate ends
    code      a new device opens a new wallet under the same client's name, by new keys
    back      the new device is told what is in the old wallet; that pays the new one alone

What was attested before the loss may still become final, within the hour that a bank attests ahead;
everything else can never be: without an attestation of ours nothing of ours is final (ADR 0031).
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from specie.assembly.device_certifying import DeviceCertifying
from specie.bank.losses import (
    compute_settled_at,
    compute_settled_since,
    get_heir,
    name_retired,
)
from specie.bank.service import VAULT_CLIENT, Bank
from specie.crypto.addresses import Address
from specie.flows.requests import unpack_withdrawals
from specie.identity.codes import hash_code
from specie.ledger.records import Output
from specie.ports.clients import Client, ClientStatus, ClientStore
from specie.ports.clock import Clock
from specie.ports.consents import EndedBy
from specie.ports.events import EventKind
from specie.ports.journal import FlowKind, Journal
from specie.ports.notary import NotaryPort
from specie.store.database import Database
from specie.store.device_store import SqliteDeviceStore
from specie.store.loss_store import RetiredWallet, SqliteLossStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, OutputRef
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class LostPage:
    """Unspent outputs of a lost wallet, and which of them have to wait until when."""

    outputs: Sequence[Output]
    is_more: bool
    held: Sequence[tuple[OutputRef, Timestamp]]


def _tell_nobody(client: ClientId, kind: EventKind, about: Mapping[str, str]) -> None:
    """Until there are events."""


def _end_nothing(client: ClientId, by: EndedBy) -> None:
    """Until there are consents."""


@dataclass(slots=True, repr=False)
class Losses:
    """A bank's desk for wallets that end. `tell` is told what was done, and who said so."""

    bank: Bank
    clients: ClientStore
    devices: SqliteDeviceStore
    certificates: DeviceCertifying
    store: SqliteLossStore
    database: Database
    notary: NotaryPort
    clock: Clock
    tell: Callable[[ClientId, EventKind, Mapping[str, str]], None] = field(default=_tell_nobody)
    end_consents: Callable[[ClientId, EndedBy], None] = field(default=_end_nothing)

    # --- closing -------------------------------------------------------------------------------

    def close(self, client: ClientId) -> None:
        """For good, and only with nothing left; `account_not_empty` says of what kind it is."""
        with self.database.transaction():
            known = self._get_own(client)
            if known.status is ClientStatus.CLOSED:
                return
            if known.status is not ClientStatus.GOOD:
                raise SpecieError(ErrorCode.CLIENT_BLOCKED, f"the wallet is {known.status.value}")
            self._check_empty(client)
            self.clients.set_status(client, ClientStatus.CLOSED)
            self.end_consents(client, EndedBy.CLOSING)
            self.certificates.end(client)

    def _check_empty(self, client: ClientId) -> None:
        left = self.clients.count_left(client, compute_settled_since(self.clock.now()))
        found = []
        if self.bank.books.get_deposit(client):
            found.append("a deposit")
        if left.tokens:
            found.append(f"{left.tokens} tokens")
        if left.payments:
            found.append(f"{left.payments} payments under way")
        if client in _list_withdrawing(self.bank.journal):
            found.append("a withdrawal under way")
        if found:
            raise SpecieError(ErrorCode.ACCOUNT_NOT_EMPTY, f"left are: {', '.join(found)}")

    # --- losing --------------------------------------------------------------------------------

    def set_code(self, client: ClientId, code_hash: Digest) -> None:
        """With which the client reports a loss from anywhere."""
        self.store.set_code(client, code_hash)

    def report_by_code(self, code: bytes) -> None:
        """From a device that nobody knows; `caller_unknown` for a code that is nobody's."""
        client = self.store.find_by_code(hash_code(code))
        if client is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no client has chosen this code")
        self.report(client, "code")

    def report(self, client: ClientId, by: str = "bank") -> None:
        """From this moment on nothing is attested; again is the same."""
        with self.database.transaction():
            known = self._get_own(client)
            if known.status is ClientStatus.CLOSED:
                raise SpecieError(ErrorCode.CLIENT_BLOCKED, "the account is closed")
            if not known.status.is_lost:
                is_blocked = known.status is ClientStatus.BLOCKED
                lost = ClientStatus.LOST_BLOCKED if is_blocked else ClientStatus.LOST
                self.clients.set_status(client, lost)
                self.devices.revoke(client)
                self.end_consents(client, EndedBy.LOSS)
                self.certificates.end(client)
                self.tell(client, EventKind.WALLET_LOST, {"by": by})

    def reopen(self, client: ClientId) -> bytes:
        """A code for the new device, once its holder was identified; one not used ends."""
        known = self._get_own(client)
        if not known.status.is_lost:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "no loss was reported of this wallet")
        code = secrets.token_bytes(16)
        with self.database.transaction():
            self.devices.invite_again(hash_code(code), client, known.name)
            self.tell(client, EventKind.WALLET_REOPENED, {"by": "bank"})
        return code

    def make_room(self, client: ClientId, address: Address) -> ClientStatus:
        """Before a wallet is opened: one that was lost leaves its place to the new one.

        Gives the standing in which the new one is opened: whoever was blocked still is.
        `client_blocked` if the new one has the keys that were lost.
        """
        known = self.clients.find_client(client)
        if known is None or not known.status.is_lost:
            return ClientStatus.GOOD
        retired = self.store.load_retired(client)
        before = [self._get_address(one.id) for one in retired]
        if any(address.spend == one.spend for one in (known.address, *before)):
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "keys that were lost do not come back")
        name = name_retired(client, len(retired) + 1)
        self.clients.retire(client, name)
        self.store.retire(RetiredWallet(name, client, self.clock.now()))
        is_blocked = known.status is ClientStatus.LOST_BLOCKED
        return ClientStatus.BLOCKED if is_blocked else ClientStatus.GOOD

    def adopt(self, lost: ClientId) -> None:
        """A wallet that was lost at a bank that we succeed: it waits as if it were lost now."""
        heir = get_heir(lost)
        if heir is not None and lost not in {one.id for one in self.store.load_retired(heir)}:
            self.store.retire(RetiredWallet(lost, heir, self.clock.now()))

    # --- having it back ------------------------------------------------------------------------

    def list_outputs(self, client: ClientId, address: Address, start: int) -> LostPage:
        """For the new device; `client_unknown` unless it is a lost wallet of the same client."""
        found = self.clients.find_by_address(address)
        if found is None or get_heir(found.id) != client or not found.status.is_lost:
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no wallet that you have lost")
        held = self._list_held(found)
        outputs = sorted(self.clients.load_outputs(found.id), key=lambda one: one.ref)
        page = outputs[start : start + PAGE_ITEMS_MAX]
        known = self.clients.find_tokens([one.ref for one in page])
        unspent = [
            one for one in page if known[one.ref].spent_by is None and known[one.ref].token.amount
        ]
        until = self._get_foreign_end(found)
        if until is not None:
            held = dict.fromkeys([one.ref for one in unspent], until)
        shown = [(one.ref, held[one.ref]) for one in unspent if one.ref in held]
        return LostPage(unspent, start + PAGE_ITEMS_MAX < len(outputs), shown)

    def _list_held(self, lost: Client) -> dict[OutputRef, Timestamp]:
        """What the notary has become of is delivered; the rest of what was attested waits."""
        held: dict[OutputRef, Timestamp] = {}
        payer = get_heir(lost.id)
        assert payer is not None, "asked for a retired wallet"
        since = compute_settled_since(self.clock.now())
        pending = [*self.clients.list_pending(payer, since)]
        for one in (*pending, *self.clients.list_pending(lost.id, since)):
            promise = self.notary.find_promise(one.txid)
            if promise is not None:
                self.bank.deliver(promise)
                continue
            held |= dict.fromkeys(one.inputs, compute_settled_at(one.time))
        return held

    def _get_foreign_end(self, lost: Client) -> Timestamp | None:
        """At a successor: what the bank before has attested, we do not know; so all of it waits."""
        if lost.address.bank == self.bank.number:
            return None
        heir = get_heir(lost.id)
        assert heir is not None, "asked for a retired wallet"
        retired = {one.id: one.time for one in self.store.load_retired(heir)}
        until = compute_settled_at(retired.get(lost.id, self.clock.now()))
        return until if until > self.clock.now() else None

    def keep_share(self, client: ClientId, share: str) -> None:
        """Sealed; one for each client."""
        self.store.keep_share(self.bank.get_client(client).id, share)

    def get_share(self, client: ClientId) -> str:
        """For the client's device; `not_found` if it left none."""
        found = self.store.find_share(client)
        if found is None:
            raise SpecieError(ErrorCode.NOT_FOUND, "no share was left here")
        return found

    def _get_own(self, client: ClientId) -> Client:
        """A client of ours who is in force; neither the vault nor what was retired."""
        if client == VAULT_CLIENT or get_heir(client) is not None:
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no client in force has this id")
        return self.bank.get_client(client)

    def _get_address(self, client: ClientId) -> Address:
        return self.bank.get_client(client).address


def _list_withdrawing(journal: Journal) -> set[ClientId]:
    """Whose deposit was taken for tokens that are not there yet."""
    open_ones = [one for one in journal.list_open() if one.kind is FlowKind.WITHDRAW]
    return {client for one in open_ones for client, _ in unpack_withdrawals(one.request)}
