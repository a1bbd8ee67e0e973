"""The notary as an institution: takes transactions from many threads, works in batches.

Group commit: who finds no turn free waits; whose turn ends gives it to the first that waits, with
all that wait as one batch. There is no thread of its own, so a single caller stays sequential.

    batch 1   prepare │ verify ▒▒▒▒▒▒▒▒▒▒▒▒▒ │ settle
    batch 2           │ prepare │ verify ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ │ settle
    publish                     │ publish │

One thing at a time uses the store and the interpreter; verification goes on beside it (ADR 0022).
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

from specie.crypto.secrets import InstitutionSigner
from specie.identity.genesis import compute_origin
from specie.identity.roster import Roster
from specie.ledger.batches import (
    RecordedBatch,
    build_batch,
    pack_private,
)
from specie.ledger.directory_leaves import (
    LeafPromise,
    check_follows,
    promise_leaf,
    verify_leaf,
)
from specie.ledger.state import SupplyState
from specie.ledger.transactions import Promise, VoidPromise
from specie.ledger.voids import VoidRequest, check_void
from specie.ledger.wire import encode_signed
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import DirectoryLeaf
from specie.log.notes import sign_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.notary.catching_up import check_current
from specie.notary.notarisation import (
    Notarisation,
    NotaryRules,
    Outcome,
    build_directory_leaf,
    build_look_up,
    build_void,
    decode_candidate,
    promise_void,
)
from specie.notary.publication import compute_batch_time, count_missing, is_due, is_late
from specie.notary.queueing import FairQueue, Waiter
from specie.ports.clock import Clock
from specie.ports.notary import BatchArchive, NotaryLog, NotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, Signature, TransactionId
from specie.values.limits import (
    BATCH_TRANSACTIONS_MAX,
    BATCHES_AT_ONCE,
    LEAVES_AT_ONCE_MAX,
    PUBLICATION_TRANSACTIONS_MAX,
    VOIDS_PER_INPUT_MAX,
)
from specie.values.times import Timestamp


class Notary:
    """`NotaryPort`, in this process."""

    def __init__(
        self,
        roster: Roster,
        key: InstitutionSigner,
        store: NotaryStore,
        log: NotaryLog,
        clock: Clock,
        archive: BatchArchive | None = None,
    ) -> None:
        self.public_key = InstitutionPublicKey(key.public)
        self._roster = roster
        self._key = key
        self._store = store
        self._log = log
        self._archive = archive
        self._clock = clock
        self._origin = compute_origin(roster.genesis)
        self._queue = FairQueue()
        self._queue_lock = threading.Lock()
        self._work_lock = threading.Lock()
        self._publication_lock = threading.Lock()  # taken before the other one, never within it
        self._turns = BATCHES_AT_ONCE  # those that nobody has
        self.has_been_late = False  # since we started: a promise was not published in time
        self._frontier = Frontier()
        self._is_behind = True  # archive or public folder, of what the database says
        self._checkpoint_size = 0  # leaves under the checkpoint that was last written
        self._archived = archive.count() if archive else 0
        self._time = store.load_last_time()
        check_current(store, log, archive, roster.genesis, self.public_key)
        self._catch_up()

    def notarise(self, data: bytes) -> Promise:
        """Final and durable once this returns; the same transaction gets the same answer."""
        outcome = self.notarise_many([data])[0]
        if isinstance(outcome, Promise):
            return outcome
        raise outcome.renew()

    def notarise_many(self, transactions: Sequence[bytes], sender: str = "") -> list[Outcome]:
        """An outcome each, in order; `limit_exceeded` if too much waits already.

        Batches are filled from all senders in turn: however much one of them sends, the others
        wait no longer than a batch.
        """
        requests = [Waiter(data) for data in transactions]
        with self._queue_lock:
            self._queue.add(sender, requests)
            if self._turns:
                self._turns -= 1
                self._hand_over()
        try:
            for request in requests:
                self._await(request)
        except BaseException:
            self._leave(requests)
            raise
        return [_get_answer(request) for request in requests]

    def notarise_batch(self, batch: Sequence[bytes]) -> list[Outcome]:
        """Several at once; an outcome each, in order."""
        notarisation = Notarisation(batch)
        with self._work_lock:
            notarisation.prepare(self._store, self._rules(), self._read_time())
        notarisation.verify()
        with self._work_lock:
            return notarisation.settle(self._store, self._rules(), self._read_time())

    def find_promise(self, txid: TransactionId) -> Promise | None:
        """The promise given for it; None if it is not final now."""
        return self._store.find_promises([txid]).get(txid)

    def find_void(self, txid: TransactionId) -> VoidPromise | None:
        """The promise that it is never final, if it was cancelled."""
        return self._store.find_void(txid)

    def get_supply(self) -> SupplyState:
        """Serial and total as recorded."""
        return self._store.load_supply()

    def void(self, data: bytes, signature: Signature) -> VoidPromise:
        """Cancel a transaction that is not final; signed with the key of its first input.

        Durable once this returns, and the same answer again. Whoever signed it may then sign for
        the same tokens again, without waiting for the end of its window: the transaction can never
        become final. `input_spent` if one of its inputs is spent: cancelling afterwards would hide
        a double spend.
        """
        candidate = decode_candidate(data)
        if isinstance(candidate, SpecieError):
            raise candidate
        if candidate.transaction.body.network != self._roster.genesis.network:
            raise SpecieError(ErrorCode.NETWORK_MISMATCH, "transaction of another network")
        with self._work_lock:
            if self._store.find_promises([candidate.txid]):
                raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the transaction is final")
            ledger = self._store.load_view(build_look_up([candidate]))
            check_void(candidate.transaction, signature, ledger)
            known = self._store.find_void(candidate.txid)
            if known is not None:
                return known
            first = candidate.transaction.body.inputs[0]
            if self._store.count_voids(first) >= VOIDS_PER_INPUT_MAX:
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "cancelled too often for one token")
            data, now = encode_signed(candidate.transaction.signed), self._read_time()
            request = VoidRequest(now, data, signature)
            promise = promise_void(candidate.txid, now, self._roster.genesis, self._key)
            self._store.record_other(build_void(request, promise))
            return promise

    def record_leaf(self, leaf: DirectoryLeaf) -> LeafPromise:
        """A leaf of the central bank's directory: durable once this returns, again is the same.

        `directory_signature_invalid`, `directory_key_wrong`, `directory_version_wrong`, and
        `order_conflict` if this version is there with other content.
        """
        genesis = self._roster.genesis
        verify_leaf(leaf, genesis)
        with self._work_lock:
            known = self._store.find_other(leaf.unique)
            if known is None:
                before = replace(leaf, version=leaf.version - 1).unique
                has_before = leaf.version > 1 and self._store.find_other(before) is not None
                last = leaf.version - 1 if has_before else 0
                check_follows(leaf, self._store.find_directory_key(), last)
                now = self._read_time()
                known = build_directory_leaf(leaf, now, genesis)
                self._store.record_other(known)
            elif known.leaf != leaf.pack():
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "another entry has this version")
        assert known.publish_by is not None, "recorded with it"
        leaf_hash = compute_leaf_hash(known.leaf)
        return promise_leaf(leaf_hash, known.publish_by, genesis, self._key)

    def count_missing(self) -> int:
        """How many self-transfers of institutions should join what waits to be published."""
        with self._work_lock:
            waiting = self._store.count_waiting()
            return count_missing(waiting, self._roster.genesis, self._read_time())

    def is_due(self) -> bool:
        """Whether what waits has to be published now."""
        waiting, genesis = self._store.count_waiting(), self._roster.genesis
        with self._work_lock:
            return is_due(waiting, genesis, self._read_time())

    def get_published_time(self) -> Timestamp:
        """What the last header says, 0 before the first."""
        return self._store.load_batch_time()

    def list_published(self, start: int, limit: int) -> tuple[list[bytes], int]:
        """Leaves from a position on, and how many there are."""
        return self._store.load_leaves(start, limit), self._store.count_leaves()

    def count_broken_promises(self) -> int:
        """How many were not published in time: evidence against us, so it has to stay 0."""
        with self._work_lock:
            return self._store.count_broken(self._read_time())

    def publish(self, *, is_forced: bool = False) -> int:
        """Publish what is due (`is_forced`: what waits, due or not); gives the leaves written."""
        with self._publication_lock:
            if self._is_behind:
                self._catch_up()
            with self._work_lock:
                now = self._read_time()
                waiting = self._store.count_waiting()
                is_wanted = is_forced and bool(waiting.payments or waiting.others)
                if not is_wanted and not is_due(waiting, self._roster.genesis, now):
                    return 0
                self.has_been_late |= is_late(waiting, self._roster.genesis, now)
                batch = self._build_batch(now)
                self._is_behind = True
                self._store.record_publication(batch)
            self._catch_up(batch)
            self._store.tidy()
            return len(batch.leaves)

    def _build_batch(self, now: Timestamp) -> RecordedBatch:
        """The next one, of as many as a batch holds; one more says that there is a backlog."""
        waiting = self._store.load_waiting(PUBLICATION_TRANSACTIONS_MAX + 1)
        left_out = waiting[PUBLICATION_TRANSACTIONS_MAX:]
        last = self._store.load_batch_time()
        time = compute_batch_time(now, last, left_out[0] if left_out else None)
        # a void is about money that is known: what it names is published with it or before it
        until = left_out[0].time if left_out else None
        others = self._store.load_waiting_others(PUBLICATION_TRANSACTIONS_MAX, until)
        number = self._store.load_batch_number() + 1
        batch = build_batch(
            number,
            waiting[:PUBLICATION_TRANSACTIONS_MAX],
            self._roster.genesis,
            time,
            [one.leaf for one in others],
            [one.request for one in others if one.request],
        )
        return replace(batch, published=now)

    def _read_time(self) -> Timestamp:
        """Our time, which never goes back behind what it has decided, restarts included.

        Otherwise what a header has declared too late could still become final.
        """
        self._time = max(self._time, self._clock.now())
        return self._time

    def _archive_batches(self, fresh: RecordedBatch | None) -> None:
        if self._archive is None:
            return  # the database has them all the same; nobody audits batches here
        for number in range(self._archived + 1, self._store.load_batch_number() + 1):
            if fresh and fresh.number == number:
                private = fresh.private
            else:
                batch = self._store.load_batch(number)
                private = pack_private(number, batch.time, batch.judged, batch.voids)
            self._archive.write(number, private)
            self._archived = number

    def _rules(self) -> NotaryRules:
        return NotaryRules(self._roster.genesis, self._roster.current, self._key)

    def _await(self, request: Waiter) -> None:
        """Until it has its outcome; by working off a batch if it is given one."""
        request.awake.wait()
        if request.batch and request.outcome is None:
            self._work_off(request.batch)

    def _leave(self, requests: Sequence[Waiter]) -> None:
        """Who is interrupted still works off what was given to it: others are in it."""
        with self._queue_lock:
            for request in requests:
                self._queue.remove(request)
        for request in requests:
            if request.batch and request.outcome is None:
                self._work_off(request.batch)

    def _work_off(self, batch: list[Waiter]) -> None:
        """One batch; then the turn goes to whoever waits first, with all that wait."""
        interrupted = SpecieError(
            ErrorCode.STORE_UNUSABLE, "the notary was interrupted; send again"
        )
        outcomes: Sequence[Outcome] = [interrupted] * len(batch)
        try:
            outcomes = self._notarise_now([request.data for request in batch])
        finally:
            with self._queue_lock:
                self._hand_over()
            for request, outcome in zip(batch, outcomes, strict=True):
                request.outcome, request.batch = outcome, []  # a batch holds who works it off
                request.awake.set()

    def _hand_over(self) -> None:
        """The turn goes to the first of the next batch; nobody has it if nobody waits."""
        following = self._queue.take(BATCH_TRANSACTIONS_MAX)
        if not following:
            self._turns += 1
            return
        following[0].batch = following
        following[0].awake.set()

    def _notarise_now(self, batch: list[bytes]) -> Sequence[Outcome]:
        try:
            return self.notarise_batch(batch)
        except SpecieError as error:
            return [error] * len(batch)

    def _catch_up(self, fresh: RecordedBatch | None = None) -> None:
        """Bring archive and public folder to what the database says, after a stop as well.

        `fresh` is the batch recorded last: what it says need not be read again.
        """
        self._archive_batches(fresh)
        self._write_log(fresh)
        self._is_behind = False

    def _write_log(self, fresh: RecordedBatch | None) -> None:
        size = self._store.count_leaves()
        if self._checkpoint_size == size:
            return
        while self._frontier.size < size:
            first = self._frontier.size
            if fresh and first + len(fresh.leaves) == size:
                leaves = list(fresh.leaves)
            else:
                leaves = self._store.load_leaves(first, LEAVES_AT_ONCE_MAX)
            self._frontier = self._frontier.append(self._log.write_leaves(first, leaves))
        checkpoint = Checkpoint(self._origin, size, self._frontier.compute_root())
        self._log.write_checkpoint(sign_checkpoint(checkpoint, self._key), size)
        self._checkpoint_size = size


def _get_answer(request: Waiter) -> Outcome:
    assert request.outcome is not None, "a finished request has an outcome"
    return request.outcome
