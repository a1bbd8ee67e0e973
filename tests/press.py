"""Whoever holds the log's key: publishes batches to a real folder and signs what it likes.

It is not the notary: nothing is judged here, so a test can publish what breaks a rule and see
who finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from specie.crypto.secrets import InstitutionKey, SigningKey
from specie.identity.genesis import compute_origin
from specie.ledger.batches import JudgedTransaction, build_leaves, pack_private
from specie.ledger.receipts import ReceiptTrust
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.voids import VoidRequest, sign_void
from specie.ledger.wire import encode_attested, encode_signed
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import VoidLeaf
from specie.log.notes import VerifierKey, format_note, sign_as_log
from specie.log.proofs import prove_inclusion
from specie.log.tree import Frontier, compute_leaf_hash
from specie.registration.service import Registration
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.values.identifiers import Digest
from specie.values.times import Timestamp
from tests.building import NOW, Draft, World, sign
from tests.rosters import make_roster
from tests.unit.ledger.history import History

REGISTRATION_KEY = InstitutionKey.generate()


@dataclass(frozen=True, slots=True)
class PressedBatch:
    """A private batch and its leaves."""

    private: bytes
    leaves: tuple[bytes, ...]


@dataclass(slots=True)
class Press:
    """The log of a world in a folder."""

    world: World
    folder: Path
    leaves: list[bytes] = field(default_factory=list)
    batches: list[PressedBatch] = field(default_factory=list)

    @property
    def log(self) -> LogFolder:
        """The public folder, opened anew."""
        return LogFolder(self.folder)

    @property
    def trust(self) -> ReceiptTrust:
        """What everybody knows of it."""
        return ReceiptTrust(self.world.genesis, self.world.members)

    @property
    def checkpoint(self) -> Checkpoint:
        """Of all leaves."""
        return self.commit(self.leaves)

    def commit(self, leaves: Sequence[bytes]) -> Checkpoint:
        """A checkpoint of any leaves."""
        root = Frontier().append(compute_leaf_hash(leaf) for leaf in leaves).compute_root()
        return Checkpoint(compute_origin(self.world.genesis), len(leaves), root)

    def sign(self, checkpoint: Checkpoint) -> str:
        """Signed by the log's key."""
        return format_note(checkpoint, [sign_as_log(checkpoint, self.world.notary_key)])

    def judge(
        self, transaction: AttestedTransaction, time: Timestamp = NOW, version: int = 1
    ) -> JudgedTransaction:
        """As if it had been judged so."""
        return JudgedTransaction(transaction, encode_attested(transaction), time, version)

    def publish(
        self,
        judged: Sequence[JudgedTransaction],
        others: Sequence[bytes] = (),
        voids: Sequence[VoidRequest] = (),
    ) -> PressedBatch:
        """The next batch."""
        number = len(self.batches) + 1
        private = pack_private(number, NOW, judged, voids)
        leaves = build_leaves(number, NOW, judged, others, self.world.genesis, private)
        self.batches.append(PressedBatch(private, tuple(leaves)))
        self.append(leaves)
        return self.batches[-1]

    def cancel(
        self, draft: Draft, *judged: JudgedTransaction, owner: SigningKey | None = None
    ) -> PressedBatch:
        """The next batch, with a void of this draft."""
        signed = sign(draft).signed
        request = VoidRequest(
            NOW, encode_signed(signed), sign_void(signed, owner or draft.owners[0])
        )
        return self.publish(judged, [VoidLeaf(signed.txid).pack()], [request])

    def publish_all(self, *transactions: AttestedTransaction) -> PressedBatch:
        """The next batch, judged in the usual way."""
        return self.publish([self.judge(one) for one in transactions])

    def append(self, leaves: Sequence[bytes]) -> None:
        """Any leaves under a new checkpoint."""
        self.log.write_leaves(len(self.leaves), leaves)
        self.leaves += leaves
        self.log.write_checkpoint(self.sign(self.checkpoint), len(self.leaves))

    def prove(self, index: int) -> tuple[Digest, ...]:
        """Path of a leaf under the present checkpoint."""
        log, size = self.log, len(self.leaves)
        return prove_inclusion(index, size, lambda level, one: log.read_hash(level, one, size))

    def open_registration(self, cosigners: Sequence[VerifierKey] = ()) -> Registration:
        """Start it, or start it again, with its index beside the folder."""
        place = self.folder.with_suffix(".index")
        return Registration(
            make_roster(self.world),
            REGISTRATION_KEY,
            self.log,
            SqliteLogIndex(place),
            cosigners,
        )


def press_history(history: History, folder: Path, batches: int = 4) -> Press:
    """The first batches of a history, published."""
    press = Press(history.world, folder)
    for drafts in history.drafts[:batches]:
        press.publish_all(*(sign(draft) for draft in drafts))
    return press
