"""The notary as an institution: takes transactions from many threads, works in batches.

Group commit: whoever finds the notary free takes everything that waits, works it off as one
batch, and wakes the others. There is no thread of its own, so a single caller stays sequential.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import compute_origin
from specie.identity.roster import Roster
from specie.ledger.state import SupplyState
from specie.ledger.transactions import Promise
from specie.log.checkpoint import Checkpoint, sign_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.notary.notarisation import NotaryRules, Outcome, notarise
from specie.notary.publication import build_batch, is_due
from specie.ports.clock import Clock
from specie.ports.notary import LogWriter, NotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey
from specie.values.limits import (
    BATCH_TRANSACTIONS_MAX,
    LEAVES_AT_ONCE_MAX,
    PUBLICATION_TRANSACTIONS_MAX,
    QUEUE_TRANSACTIONS_MAX,
)

_INTERRUPTED: Final = SpecieError(
    ErrorCode.STORE_UNUSABLE, "the notary was interrupted; send again"
)


@dataclass(slots=True)
class _Request:
    data: bytes
    outcome: Outcome | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Notary:
    """`NotaryPort`, in this process."""

    def __init__(
        self,
        roster: Roster,
        key: InstitutionKey,
        store: NotaryStore,
        log: LogWriter,
        clock: Clock,
    ) -> None:
        self.public_key = InstitutionPublicKey(key.public)
        self._roster = roster
        self._key = key
        self._store = store
        self._log = log
        self._clock = clock
        self._origin = compute_origin(roster.genesis)
        self._queue: list[_Request] = []
        self._queue_lock = threading.Lock()
        self._work_lock = threading.Lock()
        self._frontier = Frontier()
        self._checkpoint_size = 0  # leaves under the checkpoint that was last written
        self._catch_up()

    def notarise(self, data: bytes) -> Promise:
        """Final and durable once this returns; the same transaction gets the same answer."""
        request = _Request(data)
        with self._queue_lock:
            if len(self._queue) >= QUEUE_TRANSACTIONS_MAX:
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "the notary's queue is full")
            self._queue.append(request)
        while not request.done.is_set():
            with self._work_lock:
                if not request.done.is_set():
                    self._work_off()
        outcome = request.outcome
        if isinstance(outcome, Promise):
            return outcome
        assert outcome is not None, "a finished request has an outcome"
        raise outcome

    def notarise_batch(self, batch: Sequence[bytes]) -> list[Outcome]:
        """Several at once; an outcome each, in order."""
        with self._work_lock:
            return notarise(batch, self._store, self._rules(), self._clock.now())

    def get_supply(self) -> SupplyState:
        """Serial and total as recorded."""
        return self._store.load_supply()

    def publish(self, *, is_forced: bool = False) -> int:
        """Publish what is due (`is_forced`: what waits, due or not); gives the leaves written."""
        with self._work_lock:
            self._catch_up()
            now = self._clock.now()
            waiting = self._store.load_waiting(PUBLICATION_TRANSACTIONS_MAX)
            is_wanted = bool(waiting) and is_forced
            if not is_wanted and not is_due(waiting, self._roster.genesis, now):
                return 0
            number = self._store.load_batch_number() + 1
            batch = build_batch(number, waiting, self._roster.genesis, now)
            self._store.record_publication(batch)
            self._catch_up()
            return len(batch.leaves)

    def _rules(self) -> NotaryRules:
        return NotaryRules(self._roster.genesis, self._roster.current, self._key)

    def _work_off(self) -> None:
        with self._queue_lock:
            batch = self._queue[:BATCH_TRANSACTIONS_MAX]
            del self._queue[:BATCH_TRANSACTIONS_MAX]
        if not batch:
            return
        outcomes: Sequence[Outcome] = [_INTERRUPTED] * len(batch)
        try:
            outcomes = self._notarise_now([request.data for request in batch])
        finally:
            for request, outcome in zip(batch, outcomes, strict=True):
                request.outcome = outcome
                request.done.set()

    def _notarise_now(self, batch: list[bytes]) -> Sequence[Outcome]:
        try:
            return notarise(batch, self._store, self._rules(), self._clock.now())
        except SpecieError as error:
            return [error] * len(batch)

    def _catch_up(self) -> None:
        """Bring the public folder to what the database says, after a publication or a stop."""
        size = self._store.count_leaves()
        if self._checkpoint_size == size:
            return
        while self._frontier.size < size:
            leaves = self._store.load_leaves(self._frontier.size, LEAVES_AT_ONCE_MAX)
            self._log.write_leaves(self._frontier.size, leaves)
            self._frontier = self._frontier.append(compute_leaf_hash(leaf) for leaf in leaves)
        checkpoint = Checkpoint(self._origin, size, self._frontier.compute_root())
        self._log.write_checkpoint(sign_checkpoint(checkpoint, self._key))
        self._checkpoint_size = size
