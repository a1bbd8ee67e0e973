"""Those who watch a network's log, wired: registration, two witnesses, one auditor (X3, X13).

Each witness and the auditor has an Ed25519 and an ML-DSA-44 key; the signed list `cosigners` in the
public folder names them all, so that a reader knows whose lines to expect, and how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from specie.assembly.network import InProcessNetwork
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.flows.cosigning import cosign_checkpoint
from specie.flows.releasing import release_expired
from specie.identity.cosigners import CosignerList, CosignerRole
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList, verify_participants
from specie.ledger.audit import split_batches
from specie.ledger.receipts import ReceiptTrust
from specie.log.notes import VerifierKey
from specie.oversight.auditor import Auditor, BatchAudit
from specie.oversight.witness import Witness
from specie.registration.service import Registration
from specie.store.batch_files import BatchFolder
from specie.store.durable_files import read_limited
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import LOG_FILE_BYTES_MAX

WITNESSES: Final = ("witness.one", "witness.two")
AUDITOR: Final = "auditor"
LISTS: Final = "lists"


@dataclass(slots=True, repr=False)
class Overseers:
    """Registration, witnesses and auditor of one network."""

    network: InProcessNetwork
    log: LogFolder
    registration: Registration
    witnesses: tuple[Witness, ...]
    auditor: Auditor
    batches: BatchFolder
    trust: ReceiptTrust
    audited_leaves: int = 0

    def release_vaults(self) -> int:
        """Vaults give up payments that can no longer become final; gives how many."""
        trust = replace(self.trust, participants=self.network.roster.current)
        released = 0
        for number, bank in self.network.banks.items():
            with self.network.vault_locks[number]:
                released += release_expired(bank.vault, self.registration, trust)
        return released

    def cosign(self) -> str:
        """Audit what is new, check growth, put everybody's lines under the checkpoint."""
        checkpoint = self.registration.catch_up()
        folder = self.network.settings.data / "notary" / LISTS
        self.auditor.audit.lists = read_lists(folder, self.network.genesis)
        leaves = self.log.iterate_leaves(checkpoint.size, self.audited_leaves)
        for batch in split_batches(leaves):
            number = self.auditor.audit.totals.batches + 1
            self.auditor.audit.add_batch(self.batches.read(number), batch)
            self.audited_leaves += len(batch)
        note = cosign_checkpoint(
            self.log, self.registration, self.witnesses, (self.auditor,), checkpoint.size
        )
        self.release_vaults()
        return note


def build_overseers(network: InProcessNetwork) -> Overseers:
    """Their keys and stores beside the network's; before anything is published."""
    data, clock = network.settings.data, network.surroundings.clock
    log_key = ReceiptTrust(network.genesis, network.roster.current).get_log_key()
    witnesses = tuple(_build_witness(name, network, log_key) for name in WITNESSES)
    auditor = Auditor(
        AUDITOR,
        (InstitutionKey.generate(), CosignerKey.generate()),
        log_key,
        BatchAudit(network.genesis, {}),
        clock,
    )
    listed = _list_cosigners(witnesses, auditor, log_key.name, network.get_cosigners().version + 1)
    network.replace_cosigners(listed)
    log = LogFolder(network.public)
    registration = Registration(
        network.roster,
        network.registration_key,
        log,
        SqliteLogIndex(network.databases.open("registration")),
        listed.keys,
    )
    batches = BatchFolder(data / "notary" / "batches")
    trust = ReceiptTrust(network.genesis, network.roster.current, listed.keys, listed)
    return Overseers(network, log, registration, witnesses, auditor, batches, trust)


def _list_cosigners(
    witnesses: Sequence[Witness], auditor: Auditor, origin: str, version: int
) -> CosignerList:
    """All of them are asked for: both witnesses, and the one auditor."""
    entries = [
        (CosignerRole.WITNESS, key) for witness in witnesses for key in witness.verifier_keys
    ]
    entries += [(CosignerRole.AUDITOR, key) for key in auditor.verifier_keys]
    return CosignerList(origin, version, len(witnesses), 1, tuple(entries))


def read_lists(folder: Path, genesis: Genesis) -> dict[int, ParticipantList]:
    """Every participant list that was in force, by version, each verified."""
    lists: dict[int, ParticipantList] = {}
    while (folder / str(len(lists) + 1)).is_file():
        version = len(lists) + 1
        signed = read_limited(folder, str(version), LOG_FILE_BYTES_MAX)
        lists[version] = verify_participants(signed, genesis, lists.get(version - 1))
        if lists[version].version != version:
            raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, f"list {version} is another")
    return lists


def _build_witness(name: str, network: InProcessNetwork, log_key: VerifierKey) -> Witness:
    return Witness(
        name,
        (InstitutionKey.generate(), CosignerKey.generate()),
        log_key,
        SqliteWitnessStore(network.databases.open(name)),
        network.surroundings.clock,
    )
