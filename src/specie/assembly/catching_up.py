"""A stopped process whose database came back from an old copy is brought up to what is published.

    notary    from its own log and archive, if they are newer; then from a copy of the
              registration's log, and the private batches that an auditor has kept
    bank      its witness alone goes on from the checkpoint that it has cosigned last; clients,
              books and vault stay as old as the copy

Nothing that comes is believed: the log has the notary's own signature, each batch the hash in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from specie.assembly.bank_process import list_witness_keys
from specie.assembly.central_processes import PUBLIC
from specie.assembly.foundation import Foundation
from specie.identity.services import ServiceRole
from specie.log.notes import parse_note
from specie.notary.catching_up import CaughtUp, catch_up
from specie.oversight.remembering import remember_again
from specie.ports.notary import BatchArchive
from specie.remote import registration_operations as registration
from specie.remote.channel import Channel
from specie.remote.institutions import RemoteRegistration, read_parts
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName


@dataclass(frozen=True, slots=True)
class JointArchive:
    """`BatchArchive`: our own folder, and what it has not is asked of the auditors."""

    own: BatchFolder
    channel: Channel
    auditors: Sequence[ServiceName]

    def write(self, number: int, data: bytes) -> None:
        """Into our own."""
        self.own.write(number, data)

    def read(self, number: int) -> bytes:
        """`log_invalid` if nobody has it."""
        if number <= self.own.count():
            return self.own.read(number)
        told = [f"no auditor gives batch {number}"]
        for auditor in self.auditors:
            try:
                return read_parts(self.channel, auditor, registration.READ_JUDGED, number)
            except SpecieError as error:
                told.append(error.message)
        raise SpecieError(ErrorCode.LOG_INVALID, ": ".join(told))

    def count(self) -> int:
        """Of our own."""
        return self.own.count()


def catch_up_notary(base: Foundation, copy: Path) -> CaughtUp:
    """`copy` is the registration's folder, fetched just now.

    `log_invalid` if log, batches and database do not fit together; what was restored before that
    stays, and the same again goes on from there.
    """
    roster = base.peers.roster
    key = base.find_key(roster.current.notary_key)
    store = SqliteNotaryStore(base.database)
    auditors = [one.name for one in base.peers.services.find_role(ServiceRole.AUDITOR)]
    archive: BatchArchive = JointArchive(
        BatchFolder(base.folder / "batches"), base.channel, auditors
    )
    own, copied = LogFolder(base.folder / PUBLIC), LogFolder(copy)
    logs = [own] if _count_leaves(own) > _count_leaves(copied) else []
    found = [catch_up(store, log, archive, roster.genesis, key) for log in (*logs, copied)]
    batches = sum(one.batches for one in found)
    transactions = sum(one.transactions for one in found)
    return CaughtUp(batches, transactions, store.load_batch_time())


def catch_up_witness(base: Foundation, copy: Path) -> int:
    """Of a bank; gives how many leaves it had cosigned and forgotten."""
    log, store = LogFolder(copy), SqliteWitnessStore(base.database)
    note = RemoteRegistration(base.channel).find_signed()
    if not note:
        return 0
    leaves = log.iterate_leaves(_count_leaves(log))
    return remember_again(store, note, base.peers.log_key, list_witness_keys(base), leaves)


def _count_leaves(log: LogFolder) -> int:
    """By its checkpoint, not verified yet; 0 if it cannot be read."""
    try:
        note = log.find_checkpoint()
        return parse_note(note)[0].size if note else 0
    except SpecieError:
        return 0
