"""An auditor judges every private batch again and cosigns what it has verified in full (X3).

    SHA-256(private batch) = the header's hash → every transaction passes the contract as of the
    time and the participant list it was judged by → all proofs and signatures hold → the leaves
    that follow from it are those of the log → all leaves pass the public check

With the ranges of aggregated networks it is auditors' word that no amount is out of range. Who
gets full batches sees the graph of payments, but no names and no amounts.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Final

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionSigner
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList
from specie.ledger.audit import PublicAudit
from specie.ledger.batches import JudgedTransaction, build_leaves, unpack_private
from specie.ledger.judging import Candidate, Rules, apply_transaction, judge
from specie.ledger.state import OverlayView, SupplyState
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.voids import check_void_signed
from specie.ledger.wire import decode_signed
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import HEADER, VoidLeaf, select_self_evident
from specie.log.notes import SignedLine, VerifierKey, cosign, get_verifier_key, verify_log_line
from specie.log.tree import Frontier, compute_leaf_hash
from specie.ports.clock import Clock
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Signature
from specie.values.limits import BATCH_TRANSACTIONS_MAX
from specie.values.times import Timestamp

_AHEAD_MS_MAX: Final = 600_000  # clocks differ; wallets free tokens by the header's time


@dataclass(slots=True)
class AuditedTotals:
    """What was judged again."""

    batches: int = 0
    transactions: int = 0
    inputs: int = 0
    outputs: int = 0
    attestations: int = 0
    voids: int = 0


@dataclass(slots=True)
class BatchAudit:
    """Fed all private batches in order, each with its leaves; raises at the first wrong thing.

    After that it says no more than that: whoever wants to go on begins anew.
    """

    genesis: Genesis
    lists: Mapping[int, ParticipantList]
    totals: AuditedTotals = field(default_factory=AuditedTotals)
    _ledger: OverlayView = field(default_factory=lambda: OverlayView(None, SupplyState()))
    _time: Timestamp = Timestamp(0)
    _version: int = 0
    _frontier: Frontier = field(default_factory=Frontier)
    _public: PublicAudit | None = None
    _is_failed: bool = False

    def add_batch(self, private: bytes, leaves: Sequence[bytes]) -> None:
        """One batch; `log_invalid` if the log says something else, or said so before."""
        self._check_whole()
        self._is_failed = True  # until all of it holds, whatever stops us
        self._add(private, leaves)
        self._is_failed = False

    def check_covers(self, checkpoint: Checkpoint) -> None:
        """`log_invalid` unless what was audited is exactly what the checkpoint commits to."""
        self._check_whole()
        size, root = self._frontier.size, self._frontier.compute_root()
        if (size, root) != (checkpoint.size, checkpoint.root):
            raise SpecieError(ErrorCode.LOG_INVALID, "the checkpoint covers something else")

    def is_contradicted_by(self, checkpoint: Checkpoint) -> bool:
        """Whether it commits to another history of the same length: the log has two."""
        size, root = self._frontier.size, self._frontier.compute_root()
        return checkpoint.size == size and checkpoint.root != root

    def check_time(self, now: Timestamp) -> None:
        """`log_invalid` if a batch is more than 10 minutes ahead of this clock."""
        if self._time > now + _AHEAD_MS_MAX:
            raise SpecieError(ErrorCode.LOG_INVALID, "the log is ahead of time")

    def _check_whole(self) -> None:
        if self._is_failed:
            raise SpecieError(ErrorCode.LOG_INVALID, "an earlier batch did not hold")

    def _add(self, private: bytes, leaves: Sequence[bytes]) -> None:
        batch = unpack_private(private)
        number, now, judged = batch.number, batch.time, batch.judged
        if number != self.totals.batches + 1:
            raise SpecieError(ErrorCode.LOG_INVALID, f"batch {number} is not the next one")
        voids = [decode_signed(void.data) for void in batch.voids]
        others = select_self_evident(leaves)
        others += [VoidLeaf(signed.txid).pack() for signed in voids]
        expected = build_leaves(number, now, judged, others, self.genesis, private)
        if list(leaves) != expected:
            raise SpecieError(ErrorCode.LOG_INVALID, _describe_difference(number, leaves, private))
        fresh = OverlayView(self._ledger, self._ledger.supply)
        fresh.voids.update(signed.txid for signed in voids)
        for part in _split(judged):
            self._judge(number, part, fresh)
        for signed, void in zip(voids, batch.voids, strict=True):
            if void.time > now:
                raise SpecieError(ErrorCode.LOG_INVALID, f"batch {number}: a void is from later")
            self._check_void(number, AttestedTransaction(signed, ()), void.signature, fresh)
        self._check_publicly(leaves)
        self._merge(fresh)
        for one in judged:
            self._count(one)
        self.totals.voids += len(voids)
        self._time = Timestamp(max(self._time, now))  # wallets rely on it: no later one is older
        self._frontier = self._frontier.append(compute_leaf_hash(leaf) for leaf in leaves)
        self.totals.batches += 1

    def _judge(self, number: int, part: Sequence[JudgedTransaction], fresh: OverlayView) -> None:
        time, version = part[0].time, part[0].members
        members = self.lists.get(version)
        if members is None or time < self._time or version < self._version:
            raise SpecieError(
                ErrorCode.LOG_INVALID, f"batch {number}: judged by an unknown list or time"
            )
        candidates = [Candidate(one.transaction, one.data) for one in part]
        judgement = judge(candidates, fresh, Rules(self.genesis, members, time))
        for error in judgement.errors.values():
            raise SpecieError(error.code, f"batch {number}: {error.message}")
        if len(judgement.accepted) != len(part):
            raise SpecieError(ErrorCode.KERNEL_EXISTS, f"batch {number}: a transaction twice")
        for one in part:
            apply_transaction(one.transaction, fresh, time)
        self._time, self._version = time, version

    def _check_void(
        self,
        number: int,
        transaction: AttestedTransaction,
        signature: Signature,
        ledger: OverlayView,
    ) -> None:
        """Its owners signed it, the first of them cancelled it; that it is not final is public."""
        try:
            check_void_signed(transaction, signature, ledger)
        except SpecieError as error:
            raise SpecieError(error.code, f"batch {number}, a void: {error.message}") from None

    def _check_publicly(self, leaves: Sequence[bytes]) -> None:
        """Evidence and directory come from the log alone: they hold to what anyone would check."""
        if not self.lists:
            raise SpecieError(ErrorCode.LOG_INVALID, "no participant list is known")
        newest = self.lists[max(self.lists)]
        if self._public is None:
            self._public = PublicAudit(self.genesis, newest)
        self._public.participants = newest
        self._public.add_batch(leaves)

    def _merge(self, fresh: OverlayView) -> None:
        """The whole batch holds."""
        ledger = self._ledger
        ledger.supply = fresh.supply
        ledger.outputs.update(fresh.outputs)
        ledger.spends.update(fresh.spends)
        ledger.kernels.update(fresh.kernels)
        ledger.reserves.update(fresh.reserves)
        ledger.voids.update(fresh.voids)

    def _count(self, one: JudgedTransaction) -> None:
        body = one.transaction.body
        self.totals.transactions += 1
        self.totals.inputs += len(body.inputs)
        self.totals.outputs += len(body.outputs)
        self.totals.attestations += len(one.transaction.attestations)


class Auditor:
    """An institution that audits batches and puts its name under checkpoints it has verified."""

    def __init__(
        self,
        name: str,
        keys: Sequence[InstitutionSigner | CosignerKey],
        log: VerifierKey,
        audit: BatchAudit,
        clock: Clock,
    ) -> None:
        self.name = name
        self.audit = audit
        self.verifier_keys: tuple[VerifierKey, ...] = tuple(
            get_verifier_key(name, key) for key in keys
        )
        self._keys = tuple(keys)
        self._log = log
        self._clock = clock

    def cosign(self, note: str) -> tuple[SignedLine, ...]:
        """One line per key, only for a checkpoint whose every batch was audited."""
        checkpoint = verify_log_line(note, self._log)
        self.audit.check_covers(checkpoint)
        now = self._clock.now()
        self.audit.check_time(now)
        time_s = now // 1000
        return tuple(cosign(checkpoint, self.name, key, time_s) for key in self._keys)


def _split(judged: Sequence[JudgedTransaction]) -> Iterator[list[JudgedTransaction]]:
    """Runs that the notary judged together, in pieces that the kernel takes at once."""
    for _, run in groupby(judged, key=lambda one: (one.time, one.members)):
        while part := list(islice(run, BATCH_TRANSACTIONS_MAX)):
            yield part


def _describe_difference(number: int, leaves: Sequence[bytes], private: bytes) -> str:
    header = leaves[0] if leaves else b""
    is_hash = header[:1] == bytes([HEADER]) and header.endswith(hashlib.sha256(private).digest())
    what = "its leaves are not those of the log" if is_hash else "it is not the one in the header"
    return f"private batch {number}: {what}"
