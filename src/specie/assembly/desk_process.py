"""The central bank's desk as a process: applications, officers, decisions, authentication centre.

Banks reach the accounting through this counter alone: it knows what was applied for and approved,
so a bank can hold, release or credit nothing but its own.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

import structlog

from specie.assembly.alarms import APPLICATIONS_LOST, ISSUANCE_PAUSED, STOCK_MISMATCH
from specie.assembly.centre import Centre, load_issuer
from specie.assembly.desk_decisions import list_desk_kinds
from specie.assembly.device_authority import DeviceAuthority
from specie.assembly.foundation import Foundation, find_database_file, is_on_server
from specie.assembly.joining import Joining
from specie.assembly.own_keys import DIRECTORY, STORAGE
from specie.books.stock import Stock
from specie.central_bank.decisions import PAUSED, Decisions
from specie.central_bank.desk import CentralBankDesk, OfficerTask
from specie.central_bank.directory import Directory, DirectoryKeys
from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree, VrfKey
from specie.flows.issuance import issue
from specie.flows.requests import pack_amount, unpack_amount
from specie.flows.stocktaking import take_stock
from specie.identity.certificates import read_request
from specie.identity.participants import Status
from specie.identity.services import ServiceRole
from specie.ledger.records import Attestation, ReserveReference
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ports.decisions import LoanStore
from specie.ports.issuance import Application, ApplicationState, Direction
from specie.ports.journal import FlowKind, FlowRecord
from specie.remote.directory import RemoteDirectoryLog
from specie.remote.institutions import RemoteAccounting, RemoteBanks, RemoteNotary
from specie.store.application_store import SqliteApplicationStore
from specie.store.certificate_store import SqliteCertificateStore
from specie.store.database import Database
from specie.store.decision_store import SqliteDecisionStore
from specie.store.directory_store import SqliteDirectoryStore
from specie.store.journal_store import SqliteJournal
from specie.store.look_up_store import SqliteLookUpCounts
from specie.tokens.building import BuiltTransaction
from specie.tokens.holdings import derive_keys
from specie.values.amounts import check_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId, OrderId, ParticipantNumber

_LOG: Final = structlog.get_logger("specie.process")
_CENTRAL_BANK: Final = ParticipantNumber(1)
_COUNT_EVERY_S: Final = 10.0
_PROVE_EVERY_S: Final = 1.0
_CRL_RENEW_MS: Final = 24 * 3600 * 1000


@dataclass(slots=True, repr=False)
class DeskProcess:
    """Everything that the central bank decides."""

    base: Foundation
    desk: CentralBankDesk
    decisions: Decisions
    loans: LoanStore
    centre: Centre
    joining: Joining
    devices: DeviceAuthority
    accounting: RemoteAccounting
    notary: RemoteNotary
    banks: RemoteBanks
    directory: Directory
    revoked_at: int = 0
    counted_at: float = float("-inf")
    proved_at: float = float("-inf")
    held_up: dict[OrderId, str] = field(default_factory=dict)  # why its last try did not end

    def work(self) -> Sequence[SpecieError]:
        """Revocations that grow old, decisions that a stop has left, issues that are approved."""
        now = self.base.clock.now()
        if now - self.revoked_at > _CRL_RENEW_MS:
            self.centre.publish_revocations()
            self.revoked_at = now
        refusals = [*self.decisions.resume()]
        is_paused = bool(self.decisions.get_setting(PAUSED))
        self.base.alarms.set(ISSUANCE_PAUSED, "officers have paused it", is_on=is_paused)
        refusals += self._count()
        refusals += self._prove_entries()
        held_up: dict[OrderId, str] = {}
        for record in self.desk.journal.list_open():
            try:
                self._run_issue(record)
            except SpecieError as error:
                refusals.append(error)
                held_up[record.order] = str(error)
        self.held_up = held_up
        return refusals

    def close(self) -> None:
        """Everything that is open."""
        self.base.close()

    def _prove_entries(self) -> list[SpecieError]:
        """Now and then, of the directory: what a stop has left, proofs of what is published."""
        now = time.monotonic()
        if now - self.proved_at < _PROVE_EVERY_S:
            return []
        self.proved_at = now
        return self.directory.work()

    def _count(self) -> list[SpecieError]:
        """Now and then, whether our books and the accounting's are as new as the supply."""
        now = time.monotonic()
        if now - self.counted_at < _COUNT_EVERY_S:
            return []
        self.counted_at = now
        try:
            if self.desk.is_behind(self.notary):
                why = "the supply has changed more often than there are orders for it here"
                self.base.alarms.set(APPLICATIONS_LOST, why)
            take_stock((), self.desk, self.accounting, self.notary, self.banks)
            self.base.alarms.set(STOCK_MISMATCH, is_on=False)
        except SpecieError as error:
            if error.code is ErrorCode.STOCK_MISMATCH:
                self.base.alarms.set(STOCK_MISMATCH, error.message)
            return [error]
        return []

    # --- banks ---------------------------------------------------------------------------------

    def apply(
        self, order: OrderId, direction: Direction, vault: Address, amount: int
    ) -> Application:
        """Recorded; an issue is begun with it, and goes on once officers have approved it."""
        number = vault.bank
        with self.desk.journal.transaction():
            application = self.desk.apply(order, direction, number, vault, check_minor(amount))
            if direction is Direction.ISSUE:
                request = pack_amount(check_minor(amount), number)
                self.desk.journal.begin(FlowKind.ISSUE, order, request)
        return application

    def get_own(
        self, order: OrderId, number: ParticipantNumber, direction: Direction | None = None
    ) -> Application:
        """A bank sees its own applications only: others' do not exist for it."""
        application, _ = self.desk.get_application(order)
        if application.participant != number:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "no such application")
        if direction is not None and application.direction is not direction:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the order asks for something else")
        return application

    def find_promise(self, order: OrderId) -> Promise | None:
        """For what was produced for an order, if it is final."""
        return self.desk.find_promise(order, self.notary)

    def accept_void(
        self, order: OrderId, number: ParticipantNumber, built: BuiltTransaction
    ) -> BuiltTransaction:
        """A bank's own voiding transaction; what it applied for leaves the fund with it."""
        application = self.get_own(order, number, Direction.REDEEM)
        accepted = self.desk.accept_void(order, built)
        self.accounting.hold_redemption(EntryId(order), application.amount)
        return accepted

    def authorise(
        self, order: OrderId, number: ParticipantNumber, attestation: Attestation
    ) -> AttestedTransaction:
        """The redemption with its officers' signatures, for the next place in the order."""
        self.get_own(order, number, Direction.REDEEM)
        return self.desk.authorise(order, attestation, None, self.notary.get_supply())

    def settle(self, order: OrderId, number: ParticipantNumber, promise: Promise) -> Application:
        """What is void is credited once, whatever has become of the bank since."""
        self.get_own(order, number, Direction.REDEEM)
        application = self.desk.check_final(order, promise)
        self.accounting.credit_for_redemption(application.participant, application.amount, promise)
        self.desk.complete(order, promise)
        return self.desk.get_application(order)[0]

    def end_redemption(self, order: OrderId, number: ParticipantNumber) -> None:
        """Back into the fund, once the voiding can never be final by the notary's own word."""
        self.get_own(order, number, Direction.REDEEM)
        built = self.desk.find_produced(order)
        if built is not None:
            body = built.signed.body
            published = self.notary.get_published_time()
            is_cancelled = self.notary.find_void(body.txid) is not None
            if not is_cancelled and published <= body.not_after:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "the voiding may still be final")
            if self.notary.find_promise(body.txid) is not None:
                raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the money is void")
        self.accounting.release_redemption(EntryId(order))
        self.desk.give_up(order)

    def renew(self, name: str, request: bytes) -> bytes:
        """A new certificate for a service of the list; the request is signed with the new key."""
        named, public = read_request(request)
        if named != name:
            raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "a request in another's name")
        return self.centre.renew(self.base.peers.services.get(named), public)

    # --- officers ------------------------------------------------------------------------------

    def list_tasks(self) -> list[tuple[OfficerTask, ReserveReference | None]]:
        """What waits for officers, with the reserve debit behind what was produced."""
        tasks = self.desk.list_tasks(self.notary.get_supply())
        return [(task, self._find_reserve(task)) for task in tasks]

    def take_stock(self) -> Stock:
        """All money against what backs it."""
        numbers = [
            one.number
            for one in self.base.peers.services.find_role(ServiceRole.BANK)
            if self.base.peers.roster.current.get(one.number).status is Status.ACTIVE
        ]
        return take_stock(numbers, self.desk, self.accounting, self.notary, self.banks)

    def _find_reserve(self, task: OfficerTask) -> ReserveReference | None:
        application = task.application
        if task.built is None or application.direction is not Direction.ISSUE:
            return None
        entry = EntryId(application.order)
        return self.accounting.debit_for_issue(entry, application.participant, application.amount)

    def _run_issue(self, record: FlowRecord) -> None:
        """Nothing is asked of anybody before officers have approved it."""
        application, _ = self.desk.get_application(record.order)
        if application.state is ApplicationState.APPLIED:
            return
        amount, number = unpack_amount(record.request)
        bank = self.banks.get_remote(number)
        issue(record.order, amount, bank, self.desk, self.accounting, self.notary)


def build_desk(base: Foundation) -> DeskProcess:
    """With the list key and the online intermediate."""
    keys, roster = base.keys, base.peers.roster
    storage = base.own.find_sealing(STORAGE)
    store = SqliteApplicationStore(base.database, storage)
    journal = SqliteJournal(base.database, storage)
    decision_store = SqliteDecisionStore(base.database)
    accounting, notary = RemoteAccounting(base.channel), RemoteNotary(base.channel)
    certificates = SqliteCertificateStore(base.database)
    _adopt_ceremony(base, certificates)
    centre = Centre(
        folder=base.folder,
        peers=base.peers,
        list_key=base.find_key(roster.genesis.list_key),
        issuer=load_issuer(base.folder, base.own),
        store=certificates,
        clock=base.clock,
    )
    joining = Joining(centre, decision_store, accounting, base.clock)

    def refuse(order: OrderId) -> None:
        desk.refuse(order)

    kinds = {**joining.list_kinds(), **list_desk_kinds(accounting, centre, refuse, decision_store)}
    decisions = Decisions(roster, decision_store, base.clock, kinds)
    tree = derive_keys(keys.get("tree", KeyTree.unseal), 0, _CENTRAL_BANK)
    desk = CentralBankDesk(tree, (), store, base.surroundings, journal, decisions)
    return DeskProcess(
        base=base,
        desk=desk,
        decisions=decisions,
        loans=decision_store,
        centre=centre,
        joining=joining,
        devices=DeviceAuthority(centre),
        accounting=accounting,
        notary=notary,
        banks=RemoteBanks(base.channel),
        directory=_build_directory(base),
    )


def _build_directory(base: Foundation) -> Directory:
    """A network of before the directory gets its key now; it never changes afterwards."""
    if not base.keys.has(DIRECTORY):
        base.keys.put(DIRECTORY, VrfKey.generate())
    leaves = base.find_key(base.peers.roster.genesis.list_key)
    function = base.keys.get(DIRECTORY, VrfKey.unseal)
    return Directory(
        roster=base.peers.roster,
        keys=DirectoryKeys(function, leaves, base.channel.speaker.key),
        store=SqliteDirectoryStore(base.database, base.own.find_sealing(STORAGE)),
        counts=SqliteLookUpCounts(base.database),
        log=RemoteDirectoryLog(base.channel),
        clock=base.clock,
    )


def _adopt_ceremony(base: Foundation, certificates: SqliteCertificateStore) -> None:
    """The ceremony writes a file, wherever the process has its database: what it issued is there.

    Unknown certificates could be neither revoked nor asked for.
    """
    file = find_database_file(base.folder, base.name)
    if is_on_server() and file.exists():
        with closing(Database(file)) as made:
            certificates.adopt(made)
