"""Processes beside the central bank's desk: accounting, notary, registration; and the auditor."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from specie.accounting.reserves import Accounting
from specie.assembly.alarms import BATCH_INVALID, LOG_FORKED, PROMISES_BROKEN
from specie.assembly.centre import HISTORY
from specie.assembly.comparing import Comparison
from specie.assembly.foundation import Foundation, find_cosigner_keys
from specie.assembly.gathering import Cosign, Gathering
from specie.assembly.lists import COSIGNERS, GENESIS, PARTICIPANTS, read_list, write_list
from specie.assembly.overseers import read_lists
from specie.assembly.publication_spans import PublicationSpans, registering
from specie.flows.cosigning import add_each, ask_witness
from specie.identity.cosigners import CosignerList, CosignerRole, verify_cosigners
from specie.identity.participants import ParticipantList
from specie.identity.services import ServiceRole
from specie.ledger.audit import split_batches
from specie.ledger.batches import read_newest_list
from specie.ledger.receipts import ReceiptTrust
from specie.log.checkpoint import Checkpoint
from specie.log.notes import (
    SignedLine,
    VerifierKey,
    append_lines,
    keep_log_line,
    parse_line,
    parse_note,
    pick_lines,
    verify_log_line,
)
from specie.log.tree import Frontier, compute_leaf_hash
from specie.notary.catching_up import check_published
from specie.notary.service import Notary
from specie.oversight.auditor import Auditor, BatchAudit
from specie.registration.history import LogHistory
from specie.registration.service import Registration
from specie.remote import models
from specie.remote import registration_operations as registration
from specie.remote.channel import Channel
from specie.remote.institutions import RemoteBank, RemoteBanks, RemoteNotary
from specie.store.batch_files import BatchFolder
from specie.store.books_store import SqliteBooksStore
from specie.store.cosigned_files import CosignedNotes
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, ServiceName

PUBLIC: Final = "public"
_LOG: Final = structlog.get_logger("specie.process")


@dataclass(slots=True, repr=False)
class AccountingProcess:
    """Reserves and the issuance fund."""

    base: Foundation
    accounting: Accounting

    def work(self) -> Sequence[SpecieError]:
        """Nothing is open here."""
        return ()

    def close(self) -> None:
        """Everything that is open."""
        self.base.close()


@dataclass(slots=True, repr=False)
class NotaryProcess:
    """Uniqueness and finality; publishes in time."""

    base: Foundation
    notary: Notary
    log: LogFolder
    archive: BatchFolder
    comparison: Comparison
    must_count: bool = True  # once, of what was before: it reads every promise there is
    spans: PublicationSpans = field(default_factory=PublicationSpans)

    def work(self) -> Sequence[SpecieError]:
        """Publish what is due, unless others know more of our log than we do."""
        self.comparison.ask()
        while written := self.notary.publish():
            self._tell_published(written)
        if self.must_count or self.notary.has_been_late:
            self.must_count = self.notary.has_been_late = False
            broken = self.notary.count_broken_promises()
            why = f"{broken} promises were not published in time"
            self.base.alarms.set(PROMISES_BROKEN, why, is_on=broken > 0)
        return ()

    def close(self) -> None:
        """Everything that is open."""
        self.base.close()

    def _tell_published(self, written: int) -> None:
        if self.spans.is_waiting:
            size = self.notary.list_published(0, 0)[1]
            leaves, _ = self.notary.list_published(size - written, written)
            self.spans.tell(leaves, size)


def build_accounting(base: Foundation) -> AccountingProcess:
    """With a reserve account for every bank of the list."""
    members = base.peers.roster.current
    key = base.find_key(members.accounting_key)
    books = SqliteBooksStore(base.database)
    accounting = Accounting(base.peers.roster, books, key, base.clock)
    for service in base.peers.services.find_role(ServiceRole.BANK):
        accounting.open_reserves(service.number)
    return AccountingProcess(base, accounting)


def build_notary(base: Foundation) -> NotaryProcess:
    """Refused if its database came back from an old copy (`store_outdated`).

    That is looked up in its own folder, which may be as old, and at the registration.
    """
    roster = base.peers.roster
    key = base.find_key(roster.current.notary_key)
    public = base.folder / PUBLIC
    public.mkdir(exist_ok=True)
    store, log = SqliteNotaryStore(base.database), LogFolder(public)
    archive = BatchFolder(base.folder / "batches")
    public_key = InstitutionPublicKey(key.public)
    comparison = Comparison(
        base, lambda note: check_published(store, note, roster.genesis, public_key)
    )
    comparison.ask()
    notary = Notary(roster, key, store, log, base.clock, archive)
    return NotaryProcess(base, notary, log, archive, comparison)


# --- registration --------------------------------------------------------------------------------


@dataclass(slots=True, repr=False)
class BankWitness:
    """`WitnessPort` at a bank's process: what it answers is looked at before it is published.

    Readers refuse a checkpoint with one line that does not hold, so one bank could spoil it.
    """

    bank: RemoteBank
    keys: Sequence[VerifierKey]  # with which it may sign

    def get_last_size(self) -> int:
        """Where its last checkpoint ended."""
        return self.bank.get_witnessed()

    def cosign(self, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
        """Its lines."""
        return pick_lines(note, self.bank.cosign(note, growth), self.keys)


@dataclass(slots=True, repr=False)
class RemoteAuditor:
    """`AuditorPort` at the auditor's process."""

    channel: Channel
    name: ServiceName
    keys: Sequence[VerifierKey]  # with which it may sign

    def cosign(self, note: str) -> tuple[SignedLine, ...]:
        """Its lines, once it has judged every batch of it."""
        request = models.NoteMessage(note=note)
        answer = self.channel.call(self.name, registration.AUDIT, request)
        return pick_lines(note, [parse_line(line) for line in answer.lines], self.keys)


@dataclass(slots=True, repr=False)
class RegistrationProcess:
    """Follows the notary's log, publishes it, has it cosigned."""

    base: Foundation
    notary: RemoteNotary
    banks: RemoteBanks
    log: LogFolder
    registration: Registration
    history: LogHistory
    cosigned: CosignedNotes
    gathering: Gathering = field(default_factory=Gathering)
    frontier: Frontier = field(default_factory=Frontier)
    asked_for: Checkpoint | None = None

    @property
    def trust(self) -> ReceiptTrust:
        """What a reader of receipts has to know, by the newest lists."""
        listed = self.get_cosigners()
        roster = self.base.peers.roster
        return ReceiptTrust(roster.genesis, roster.current, listed.keys, listed)

    @property
    def public(self) -> Path:
        """The published folder."""
        return self.base.folder / PUBLIC

    def get_cosigners(self) -> CosignerList:
        """By the file, verified."""
        signed = read_list(self.base.folder, COSIGNERS)
        return verify_cosigners(signed, self.base.peers.roster.genesis)

    def find_signed(self, name: ServiceName) -> str:
        """The newest checkpoint with the line of this service, the notary or a witness."""
        if self.base.peers.services.get(name).role is ServiceRole.NOTARY:
            return self.log.find_checkpoint() or ""
        return self.cosigned.find(name)

    def work(self) -> Sequence[SpecieError]:
        """Mirror what is new, then ask everybody to cosign what they have not."""
        self._publish_lists()
        grown = self._mirror()
        checkpoint = self.registration.catch_up() if self.log.find_checkpoint() else None
        if checkpoint is None:
            return ()
        self.history.follow(self.log, checkpoint)
        if not grown and self.asked_for == checkpoint:
            return ()
        return self._gather(checkpoint)

    def close(self) -> None:
        """Everything that is open."""
        self.base.close()

    def _publish_lists(self) -> None:
        public = self.public
        for name in (GENESIS, PARTICIPANTS, COSIGNERS):
            data = read_list(self.base.folder, name)
            if not (public / name).exists() or read_list(public, name) != data:
                write_list(public, name, data)
        self.registration.replace_cosigners(self.get_cosigners().keys)

    def _mirror(self) -> bool:
        """Leaves first, compared with the notary's checkpoint before anything is published.

        Of its note only its own line is: one beside it that does not hold would spoil it for all.
        """
        try:
            note = self.notary.read_checkpoint()
        except SpecieError as error:
            if error.code in (ErrorCode.UNREACHABLE, ErrorCode.NOT_PUBLISHED):
                return False
            raise
        log_key = self.base.peers.log_key
        checkpoint = verify_log_line(note, log_key)
        if (checkpoint.size, checkpoint.root) == (self.frontier.size, self.frontier.compute_root()):
            return False
        with registering(checkpoint.size):
            self._copy(keep_log_line(note, log_key), checkpoint)
        return True

    def _copy(self, note: str, checkpoint: Checkpoint) -> None:
        fresh: list[bytes] = []
        while self.frontier.size + len(fresh) < checkpoint.size:
            page = self.notary.list_leaves(self.frontier.size + len(fresh))
            if not page:
                raise SpecieError(ErrorCode.LOG_INVALID, "leaves of the checkpoint are missing")
            fresh += page
        fresh = fresh[: checkpoint.size - self.frontier.size]
        grown = self.frontier.append(compute_leaf_hash(leaf) for leaf in fresh)
        if (grown.size, grown.compute_root()) != (checkpoint.size, checkpoint.root):
            why = "the notary's log does not continue what is published here"
            self.base.alarms.set(LOG_FORKED, why)
            raise SpecieError(ErrorCode.LOG_INVALID, "the log is another history")
        self.log.write_leaves(self.frontier.size, fresh)
        self.log.write_checkpoint(note, checkpoint.size)
        self.frontier = grown

    def _gather(self, checkpoint: Checkpoint) -> list[SpecieError]:
        listed = self.get_cosigners()
        names = listed.list_names(CosignerRole.WITNESS)
        cosigners: dict[str, Cosign] = {}
        for one in self.base.peers.services.find_role(ServiceRole.BANK):
            if one.name in names:
                bank, keys = self.banks.get_remote(one.number), listed.list_current(one.name)
                witness = BankWitness(bank, keys)
                cosigners[one.name] = partial(ask_witness, self.registration, witness)
        for one in self.base.peers.services.find_role(ServiceRole.AUDITOR):
            auditor = RemoteAuditor(self.base.channel, one.name, listed.list_current(one.name))
            cosigners[one.name] = auditor.cosign
        note = keep_log_line(self.log.read_checkpoint(), self.base.peers.log_key)
        with registering(checkpoint.size):
            lines, refusals = self.gathering.gather(note, cosigners)
        for name in {one.name for one in lines if one.name in names}:
            own = [one for one in lines if one.name == name]
            self.cosigned.write(name, append_lines(note, own))
        refusals += add_each(self.log, checkpoint, lines)
        if not refusals:
            self.asked_for = checkpoint
        return refusals


def build_registration(base: Foundation) -> RegistrationProcess:
    """Its index in its database, the published folder beside it."""
    roster = base.peers.roster
    key = base.find_key(roster.current.get_central_bank().institution_key)
    public = base.folder / PUBLIC
    public.mkdir(exist_ok=True)
    log = LogFolder(public)
    frontier = Frontier()
    if log.find_checkpoint() is not None:
        size = parse_note(log.read_checkpoint())[0].size
        leaves = log.iterate_leaves(size)
        frontier = frontier.append(compute_leaf_hash(leaf) for leaf in leaves)
    return RegistrationProcess(
        base=base,
        notary=RemoteNotary(base.channel),
        banks=RemoteBanks(base.channel),
        log=log,
        registration=Registration(roster, key, log, SqliteLogIndex(base.database)),
        history=LogHistory(),
        cosigned=CosignedNotes(base.folder / "cosigned"),
        frontier=frontier,
    )


# --- auditor -------------------------------------------------------------------------------------


@dataclass(slots=True, repr=False)
class AuditorProcess:
    """Judges every private batch again, and cosigns what it has judged."""

    base: Foundation
    notary: RemoteNotary
    auditor: Auditor
    batches: BatchFolder
    log_key: VerifierKey
    leaves: int = 0
    _working: threading.Lock = field(default_factory=threading.Lock)

    def work(self) -> Sequence[SpecieError]:
        """What is new at the notary."""
        try:
            self.follow(verify_log_line(self.notary.read_checkpoint(), self.log_key))
        except SpecieError as error:
            return (error,)
        return ()

    def cosign(self, note: str) -> tuple[SignedLine, ...]:
        """Our lines under a checkpoint, once every batch of it was judged."""
        checkpoint = verify_log_line(note, self.log_key)
        self.follow(checkpoint)
        with self._working:
            if self.auditor.audit.is_contradicted_by(checkpoint):
                why = "signed by the notary, and not the log that was judged here"
                self.base.alarms.set(LOG_FORKED, why)
            return self.auditor.cosign(note)

    def follow(self, checkpoint: Checkpoint) -> None:
        """Judge the batches up to this checkpoint; an alarm if one does not hold."""
        with self._working:
            fresh: list[bytes] = []
            while self.leaves + len(fresh) < checkpoint.size:
                page = self.notary.list_leaves(self.leaves + len(fresh))
                if not page:
                    raise SpecieError(ErrorCode.LOG_INVALID, "leaves are missing")
                fresh += page
            self.auditor.audit.lists = self._read_lists()
            for batch in split_batches(fresh[: checkpoint.size - self.leaves]):
                self._judge(batch)

    def close(self) -> None:
        """Everything that is open."""
        self.base.close()

    def _judge(self, batch: Sequence[bytes]) -> None:
        number = self.auditor.audit.totals.batches + 1
        private = self.notary.read_batch(number)
        self._fetch_list_of(private)
        try:
            self.auditor.audit.add_batch(private, batch)
        except SpecieError as error:
            self.base.alarms.set(BATCH_INVALID, f"batch {number}: {error.code.value}")
            raise
        self.batches.write(number, private)
        self.leaves += len(batch)

    def _fetch_list_of(self, private: bytes) -> None:
        """A batch may be judged by a list that we have not heard of yet: it is asked for first.

        `unreachable` leaves the batch for later; an auditor that has refused one goes on no more.
        """
        try:
            newest = read_newest_list(private)
        except SpecieError:
            return  # refused as a whole when it is judged
        if newest > self.base.peers.roster.current.version:
            self.base.lists.refresh()
            self.auditor.audit.lists = self._read_lists()

    def _read_lists(self) -> dict[int, ParticipantList]:
        """Every list that was in force; asked for once each."""
        folder, current = self.base.folder / HISTORY, self.base.peers.roster.current.version
        for version in range(1, current + 1):
            if not (folder / str(version)).exists():
                write_list(folder, str(version), self.base.lists.fetch_participants(version))
        return read_lists(folder, self.base.peers.roster.genesis)


def build_auditor(base: Foundation) -> AuditorProcess:
    """Begins with the first batch at every start: what it vouches for it has judged itself."""
    roster = base.peers.roster
    keys = find_cosigner_keys(base)
    log_key = base.peers.log_key
    audit = BatchAudit(roster.genesis, {})
    auditor = Auditor(base.name, keys, log_key, audit, base.clock)
    batches = BatchFolder(base.folder / "batches")
    return AuditorProcess(base, RemoteNotary(base.channel), auditor, batches, log_key)
