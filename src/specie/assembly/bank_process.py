"""A bank as a process: its clients' payments, its vault, its witness.

The vault pays one after the other, under a lock: its change must be back before it pays again. What
a client asks for waits for it only if it is the vault that pays.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from specie.assembly.access_heads import AccessHeads
from specie.assembly.comparing import Comparison
from specie.assembly.compliance import Premises, build_compliance, build_neighbours
from specie.assembly.consents import build_consents
from specie.assembly.core_system import build_teller
from specie.assembly.fork_evidence import keep_fork, tell_of_forks
from specie.assembly.foundation import Foundation, find_cosigner_keys
from specie.assembly.handing_over import check_succession, seal_succession
from specie.assembly.lists import COSIGNERS, read_list
from specie.assembly.money import MoneyDesk
from specie.assembly.onboarding import check_new_client
from specie.assembly.own_keys import STORAGE, VAULT
from specie.assembly.payment_services import PaymentServices, build_payment_services
from specie.assembly.people import People, PeoplePlace, build_admission, build_people
from specie.assembly.returns import Returns, build_returns
from specie.assembly.signing import open_rule, seal_rule
from specie.assembly.travel import TravelDesk, build_travel
from specie.bank.access import Operator
from specie.bank.attestation import Attester
from specie.bank.compliance import Compliance
from specie.bank.consents import ConsentDesk
from specie.bank.control_books import Reconciliation
from specie.bank.deposits import DepositBooks
from specie.bank.directory import BankDirectory
from specie.bank.naming import NameSigner
from specie.bank.openings import (
    OpeningProofs,
    OpeningRequest,
    compute_transit_aad,
    derive_transit_key,
    verify_opening,
)
from specie.bank.service import Bank, BankKeys
from specie.bank.standings import open_standing, seal_standing
from specie.bank.succession import ExportedClient
from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree, ScanKey, ViewKey, derive_sealing_key, unseal
from specie.flows.distribution import transfer_vault_money, withdraw
from specie.flows.filling import compute_share, compute_small, fill, split_vault
from specie.flows.payment import complete_payment, resume
from specie.flows.redemption import redeem
from specie.flows.releasing import release_expired
from specie.flows.resuming import resume_bank
from specie.identity.codes import hash_code
from specie.identity.cosigners import verify_cosigners
from specie.identity.participants import Role, Status
from specie.ledger.receipts import ReceiptTrust
from specie.ledger.states import OutputState, verify_states
from specie.ledger.transactions import Promise
from specie.log.notes import SignedLine, VerifierKey
from specie.oversight.remembering import check_remembered
from specie.oversight.witness import LogForked, Witness
from specie.ports.clients import Client, ClientStatus
from specie.ports.issuance import Application, Direction
from specie.remote.client_models import (
    Opening,
    Succession,
    SuccessionClient,
    SuccessionImport,
)
from specie.remote.directory import RemoteDirectory
from specie.remote.institutions import (
    CounterAccounting,
    RemoteBanks,
    RemoteDesk,
    RemoteNotary,
    RemoteRegistration,
)
from specie.remote.return_client import RemoteReturns
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.device_store import SqliteDeviceStore
from specie.store.journal_store import SqliteJournal
from specie.store.look_up_store import SqliteLookUpCounts
from specie.store.phone_store import SqlitePhoneStore
from specie.store.switch_store import SqliteSwitchStore
from specie.store.travel_store import SqliteTravelStore
from specie.store.vault_store import VaultDatabase
from specie.store.witness_store import SqliteWitnessStore
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo, derive_keys
from specie.values.amounts import Minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    EntryId,
    InstitutionPublicKey,
    OrderId,
    ParticipantNumber,
    PublicKey,
)
from specie.values.times import Timestamp
from specie.wallet.vault import Vault

_LOG: Final = structlog.get_logger("specie.process")
_RELEASE_EVERY_S: Final = 15.0
_FILLED_AT_ONCE: Final = 16  # then clients' withdrawals have their turn with the vault


@dataclass(slots=True, repr=False)
class BankProcess:
    """Everything that one bank does."""

    base: Foundation
    bank: Bank
    banks: RemoteBanks
    notary: RemoteNotary
    desk: RemoteDesk
    counter: CounterAccounting
    registration: RemoteRegistration
    devices: SqliteDeviceStore
    witness: Witness
    comparison: Comparison
    directory: BankDirectory
    money: MoneyDesk
    people: People
    consents: ConsentDesk
    payments: PaymentServices
    returns: Returns
    travel: TravelDesk
    compliance: Compliance
    heads: AccessHeads
    vault_lock: threading.RLock = field(default_factory=threading.RLock)
    _released_at: float = 0.0
    _asked_at: float = 0.0
    _loans: int = 0  # that are in our books, of those that the central bank tells of
    _filled_for: Timestamp | None = None

    @property
    def number(self) -> ParticipantNumber:
        """Of the bank."""
        return self.bank.number

    def work(self) -> Sequence[SpecieError]:
        """What was begun, what the vault has signed, filler for the notary's next batch."""
        self.comparison.ask()
        self.payments.work()
        refusals = self.heads.work()
        members = self.base.peers.roster.current
        if members.get(self.number).status is not Status.ACTIVE:
            return refusals
        with self.vault_lock:
            self._book_loans()
            refusals += list(
                resume_bank(self.bank, self.banks, self.desk, self.counter, self.notary).values()
            )
            refusals += resume(self.bank.vault, self.bank, self.banks, self.notary)
            refusals += self.money.work()
            refusals += self._release()
            refusals += self._fill()
        refusals += self.directory.work()
        refusals += self.people.certificates.tell()
        return refusals

    def close(self) -> None:
        """Everything that is open."""
        self.payments.close()
        self.base.close()

    def cosign(self, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
        """As a witness; what the notary signed and does not continue what we know is kept.

        `unreachable` until we know that we have not cosigned more than we remember.
        """
        self.comparison.insist()
        try:
            return self.witness.cosign(note, growth)
        except LogForked as fork:
            keep_fork(self.base.folder, self.base.alarms, note, fork)
            raise

    # --- clients -------------------------------------------------------------------------------

    def invite(self, client: ClientId, name: str) -> bytes:
        """A code with which an identified person's device opens the wallet, once."""
        check_new_client(client)
        code = secrets.token_bytes(16)
        self.devices.invite(hash_code(code), client, name)
        return code

    def open_wallet(self, opening: Opening) -> ClientId:
        """The device has drawn its keys; the view key comes sealed under the code.

        The vault of a bank that we succeed is no client: what is in it backs its deposits.
        """
        code_hash = hash_code(opening.code)
        invited = self.devices.find_invited(code_hash)
        if invited is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody gave out this code")
        address = Address(opening.bank or self.number, opening.view, opening.spend)
        network = self.base.peers.network
        request = OpeningRequest(network, self.number, code_hash, address, opening.device)
        verify_opening(request, OpeningProofs(opening.spend_proof, opening.device_proof))
        key, aad = derive_transit_key(opening.code), compute_transit_aad(network, self.base.name)
        view = unseal(ViewKey.unseal, key, opening.sealed_view, aad)
        if address.bank != self.number and address in self.desk.list_vaults(address.bank):
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the vault of a bank is no client's")
        with self.base.database.transaction():
            self.devices.record_key(code_hash, opening.device)
            status = self.people.losses.make_room(invited.client, address)
            self.bank.open_wallet(invited.client, invited.name, address, view, status)
        return invited.client

    def claim_tokens(self, client: ClientId, shown: Sequence[bytes]) -> int:
        """Tokens of a bank that we succeed and that told us nothing; gives how many are served.

        Only what the registration says is in the log and unspent; the same again is the same.
        """
        tokens = self.bank.unpack_claimed(client, shown)
        statement = self.registration.state_outputs([token.ref for token in tokens])
        members, network = self.base.peers.roster.current, self.base.peers.network
        states = verify_states(statement, network, members.get_central_bank().institution_key)
        unspent = [one for one in tokens if states.get(one.ref) is OutputState.UNSPENT]
        self.bank.add_tokens(client, unspent)
        return len(unspent)

    def pay(self, client: ClientId, built: BuiltTransaction) -> Promise:
        """A client's payment from first to last; the bank attests only its own clients' inputs."""
        self.bank.check_payer(client, built)
        self.people.signing.ask_payment(client, built)
        try:
            promise = complete_payment(built, self.bank, self.banks, self.notary)
        except SpecieError as error:
            self.payments.hear_refusal(client, built.signed.txid, error)
            raise
        self.people.signing.end_payment(client, built)
        self.bank.teller.tell_due()  # of a deposit; what is refused now is told again
        return promise

    def withdraw(self, client: ClientId, order: OrderId, amount: Minor) -> Promise:
        """The client's deposit becomes tokens at its address."""
        address = self.bank.get_client(client).address
        self.people.signing.ask_order(client, order, check_positive(amount))
        self._check_room(client, order, amount)
        request = (client, PaymentOrder(address, check_positive(amount), Memo(order_id=order)))
        self.money.hold_first(order, *request)
        with self.vault_lock:
            if self.bank.journal.find_state(order) is None:
                self._check_room(client, order, amount)  # others came before
            promise = withdraw(order, [request], self.bank, self.banks, self.notary)
        self.people.signing.end_order(client, order, amount)
        return promise

    def _check_room(self, client: ClientId, order: OrderId, amount: Minor) -> None:
        """What our own attestation would refuse must not keep the vault's tokens waiting."""
        if self.bank.vault.find_payment(order) is None:
            self.bank.check_good(client)
            self.compliance.supervision.check_room(client, amount)

    def get_client(self, client: ClientId) -> Client:
        """`client_unknown` if there is none."""
        return self.bank.get_client(client)

    # --- operators -----------------------------------------------------------------------------

    def lend(self, order: OrderId, client: ClientId, amount: Minor) -> None:
        """A loan makes the client's deposit."""
        if self.bank.get_client(client).status is ClientStatus.CLOSED:
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "the account is closed")
        self.bank.teller.lend(EntryId(order), client, check_positive(amount))

    def reconcile(self) -> Reconciliation:
        """Control accounts and core system, while nothing moves between the two."""
        with self.vault_lock:
            return self.money.reconcile()

    def apply_issue(self, order: OrderId, amount: Minor) -> Application:
        """Ask the central bank for new money in the vault."""
        vault = self.bank.vault_address
        return self.desk.apply(order, Direction.ISSUE, self.number, vault, amount)

    def redeem(self, order: OrderId, amount: Minor) -> None:
        """Ask for reserves; goes on by itself once officers have approved."""
        with self.vault_lock:
            try:
                redeem(
                    order,
                    amount,
                    self.bank.vault,
                    self.bank,
                    self.desk,
                    self.counter,
                    self.notary,
                )
            except SpecieError as error:
                if error.code is not ErrorCode.APPROVALS_MISSING:
                    raise

    def transfer(self, order: OrderId, receiver: ParticipantNumber, amount: Minor) -> Promise:
        """Vault money to another bank."""
        with self.vault_lock:
            other = self.banks.get_remote(receiver)
            return transfer_vault_money(
                order, check_positive(amount), self.bank, other, self.banks, self.notary
            )

    def export_clients(self, passphrase: str) -> Succession:
        """For our successor, sealed under a passphrase that travels another way."""
        salt = secrets.token_bytes(16)
        key = derive_sealing_key(passphrase, salt)
        exported = self.bank.export_clients(key)
        keys = self.devices.load_keys()
        found = [
            SuccessionClient(
                client=ClientId(one.client),
                bank=ParticipantNumber(one.bank),
                view=PublicKey(one.view),
                spend=PublicKey(one.spend),
                status=one.status,
                sealed_name=one.sealed_name,
                sealed_view=one.sealed_view,
                tokens=list(one.tokens),
                device=keys.get(ClientId(one.client), b""),
                sealed_rule=seal_rule(self.people.signing.find_rule(ClientId(one.client)), key),
                returns=list(one.returns),
                sealed_standing=seal_standing(
                    self.compliance.hand_over(ClientId(one.client)), ClientId(one.client), key
                ),
            )
            for one in exported
        ]
        return seal_succession(salt, found, key)

    def import_clients(self, request: SuccessionImport) -> int:
        """Clients of a bank whose successor we are, with their devices."""
        key = derive_sealing_key(request.passphrase, request.succession.salt)
        check_succession(request.succession, key)
        operator = Operator(request.officer, request.reason)
        exported = [
            ExportedClient(**one.model_dump(exclude={"device", "sealed_rule", "sealed_standing"}))
            for one in request.succession.clients
        ]
        with self.base.database.transaction():  # no client is here without its signatories
            fresh = self.bank.import_clients(exported, key)
            for one in request.succession.clients:
                client = self.bank.find_client_at(Address(one.bank, one.view, one.spend))
                self.people.losses.adopt(client.id)
                if one.sealed_rule:
                    self.people.signing.adopt(client.id, open_rule(one.sealed_rule, key))
                if one.sealed_standing:
                    stood = open_standing(one.sealed_standing, one.client, key, client.id)
                    self.compliance.adopt(operator, client.id, stood)
        for one in request.succession.clients:
            if one.device:
                client = self.bank.find_client_at(Address(one.bank, one.view, one.spend))
                self.devices.take_over(client.id, InstitutionPublicKey(one.device))
        return fresh

    # --- the worker ----------------------------------------------------------------------------

    def _book_loans(self) -> None:
        """What the central bank has lent us enters our books; booked again it is the same."""
        now = time.monotonic()
        if now - self._asked_at < self.base.settings.work.lists_ms / 1000:
            return
        self._asked_at = now
        while page := self.desk.list_loans(self._loans):
            for one in page:
                self.bank.books.borrow_reserves(one.entry, one.amount)
            self._loans += len(page)

    def _release(self) -> list[SpecieError]:
        """Payments of the vault that can never be final any more, now and then."""
        now = time.monotonic()
        if now - self._released_at < _RELEASE_EVERY_S:
            return []
        self._released_at = now
        try:
            release_expired(self.bank.vault, self.registration, build_trust(self.base))
        except SpecieError as error:
            return [error]
        return []

    def _fill(self) -> list[SpecieError]:
        """Our share of what the next batch wants; then small tokens for the one after it."""
        try:
            asked = self.notary.get_publication()
            draw = self.base.surroundings.identifiers.draw
            if asked.missing and not asked.is_due:
                share = min(_FILLED_AT_ONCE, compute_share(asked.missing, self._count_banks()))
                fill(self.bank, share, asked.time, draw, self.banks, self.notary)
            elif self._filled_for != asked.time:
                minimum = self.base.peers.roster.genesis.batch_payments_min
                least = compute_small(minimum, self._count_banks())
                most, banks = _FILLED_AT_ONCE, self.banks
                done = split_vault(self.bank, least, asked.time, draw, banks, self.notary, most)
                if done < most:
                    self._filled_for = asked.time
        except SpecieError as error:
            return [error]
        return []

    def _count_banks(self) -> int:
        members = self.base.peers.roster.current.participants.values()
        active = [one for one in members if one.role is Role.BANK and one.status is Status.ACTIVE]
        return len(active)


def build_bank(base: Foundation) -> BankProcess:
    """Keys from the file, everything else from the database.

    `store_outdated` if it came back from an old copy: our witness has cosigned more than it knows.
    """
    keys, roster = base.keys, base.peers.roster
    member = roster.current.get(base.peers.services.get(base.name).number)
    number, storage = member.number, base.own.find_sealing(STORAGE)
    holder = derive_keys(keys.get("tree", KeyTree.unseal), 0, number)
    store = VaultDatabase(base.database).open_holder("vault", base.own.find_sealing(VAULT))
    vault = Vault(holder, store, base.surroundings)
    attester = Attester(number, base.own.find_attestation(member.attestation_key), roster)
    names = NameSigner(number, base.peers.network, base.channel.speaker.key)
    payments = build_payment_services(base.database, storage, names, base.clock)
    clients = SqliteClientStore(base.database, storage, payments.telling.tell_final)
    journal = SqliteJournal(base.database, storage)
    books_store = SqliteBooksStore(base.database)
    books = DepositBooks(books_store, base.clock)
    teller = build_teller(base, books, books_store)
    bank_keys = BankKeys(attester, keys.get("scan", ScanKey.unseal))
    signer, switches = base.find_key(member.institution_key), SqliteSwitchStore(base.database)
    phones = SqlitePhoneStore(base.database, storage)
    premises = Premises(number, signer, roster.genesis, storage)
    told = SqliteTravelStore(base.database, storage)
    neighbours = build_neighbours(clients, switches, phones, told)
    compliance = build_compliance(base.database, clients, base.clock, premises, neighbours)
    judge = compliance.supervision
    bank = Bank(member.name, bank_keys, vault, clients, books, journal, teller, judge)
    bank.paid, channel = payments.paid, base.channel
    witness, comparison = _build_witness(base)
    devices, notary = SqliteDeviceStore(base.database, storage), RemoteNotary(channel)
    place = PeoplePlace(roster.genesis.network, base.database, storage, notary, base.clock, channel)
    counts, remote = SqliteLookUpCounts(base.database), RemoteDirectory(channel)
    directory = BankDirectory(bank, signer, phones, counts, remote, base.clock)
    people = build_people(bank, devices, place, build_admission(compliance, told, directory))
    people.losses.tell, banks = payments.telling.tell_act, RemoteBanks(channel, bank)
    return BankProcess(
        base=base,
        bank=bank,
        banks=banks,
        notary=notary,
        desk=RemoteDesk(channel),
        counter=CounterAccounting(channel),
        registration=RemoteRegistration(channel),
        devices=devices,
        people=people,
        consents=build_consents(people.losses, compliance.access, place),
        witness=witness,
        comparison=comparison,
        directory=directory,
        returns=build_returns(bank, base, payments, RemoteReturns(channel), storage),
        money=MoneyDesk(bank, switches, base.alarms, *compliance.limits),
        payments=payments,
        travel=build_travel(compliance, told, people.onboarding, channel, banks),
        compliance=compliance,
        heads=AccessHeads(compliance.access, base.alarms),
    )


def _build_witness(base: Foundation) -> tuple[Witness, Comparison]:
    """With what it has cosigned, compared with what others have of it."""
    log_key, own = base.peers.log_key, list_witness_keys(base)
    store = SqliteWitnessStore(base.database)
    tell_of_forks(base.folder, base.alarms)
    comparison = Comparison(base, lambda note: check_remembered(store, note, log_key, own))
    witness = Witness(base.name, find_cosigner_keys(base), log_key, store, base.clock)
    comparison.ask()
    return witness, comparison


def list_witness_keys(base: Foundation) -> list[VerifierKey]:
    """With which this bank has cosigned, those of before too."""
    return [key for key in build_trust(base).cosigners if key.name == base.name]


def build_trust(base: Foundation) -> ReceiptTrust:
    """What receipts and statements are judged by, with the newest lists."""
    roster = base.peers.roster
    listed = verify_cosigners(read_list(base.folder, COSIGNERS), roster.genesis)
    return ReceiptTrust(roster.genesis, roster.current, listed.keys, listed)
