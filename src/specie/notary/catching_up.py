"""A database that came back from an old copy: refused, then brought up to the published log.

The log was published from the database, so the database is never behind it, unless it was put
back. A notary that went on from there would forget spends and sign another history. What is
published is restored from the log and from the private batches, whose hashes the log holds:

    outputs, spends, kernels, supply, promises (signed again: Ed25519 has one signature), leaves

What was promised and not yet published when the database was lost is nowhere. Its transactions
can be sent again by whoever holds the promises; the same txid gets a promise again (ADR 0020).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from specie.crypto.secrets import InstitutionSigner
from specie.identity.genesis import Genesis, compute_origin
from specie.ledger.audit import split_batches
from specie.ledger.batches import (
    JudgedTransaction,
    PrivateBatch,
    RecordedBatch,
    RecordedTransaction,
    build_leaves,
    unpack_private,
)
from specie.ledger.judging import apply_transaction
from specie.ledger.state import OverlayView
from specie.ledger.voids import VoidRequest
from specie.ledger.wire import decode_signed
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import (
    ConflictLeaf,
    DirectoryLeaf,
    HeaderLeaf,
    select_self_evident,
    unpack_leaf,
)
from specie.log.notes import format_note, parse_note, verify_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.notary.notarisation import (
    build_directory_leaf,
    build_void,
    promise_final,
    promise_void,
)
from specie.ports.notary import BatchArchive, NotaryLog, NotaryStore, RecordedOther
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey
from specie.values.limits import LEAVES_AT_ONCE_MAX
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What was restored, and from when on promises may be lost."""

    batches: int
    transactions: int
    lost_from: Timestamp
    """Final before it: in the log. Promised from then on and not waiting here: to be sent again."""


def check_current(
    store: NotaryStore,
    log: NotaryLog,
    archive: BatchArchive | None,
    genesis: Genesis,
    key: InstitutionPublicKey,
) -> None:
    """`store_outdated` if more was published than the database knows of, `log_invalid` if else."""
    if archive is not None and archive.count() > store.load_batch_number():
        raise SpecieError(ErrorCode.STORE_OUTDATED, "the archive has batches that are not in it")
    try:
        published = _find_published(log, genesis, key)
    except SpecieError:
        return  # a damaged file says nothing, and is written again from the database
    if published is not None:
        _check_published(store, published)


def check_published(
    store: NotaryStore, note: str, genesis: Genesis, key: InstitutionPublicKey
) -> None:
    """The same, by a note that somebody else has kept; `checkpoint_invalid` if it is not ours."""
    _check_published(store, _read_note(note, genesis, key))


def _check_published(store: NotaryStore, published: Checkpoint) -> None:
    if published.size > store.count_leaves():
        reason = (
            f"{published.size:,} leaves are published, {store.count_leaves():,} are in the database"
        )
        raise SpecieError(ErrorCode.STORE_OUTDATED, reason)
    if _build_frontier(store, published.size).compute_root() != published.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "what is published is another history")


def catch_up(
    store: NotaryStore,
    log: NotaryLog,
    archive: BatchArchive,
    genesis: Genesis,
    key: InstitutionSigner,
) -> CaughtUp:
    """Restore what is published and not in the database; goes on where a stop has left it.

    `log_invalid` if log, archive and database do not fit together: before anything is restored,
    or at the first batch that the archive has not, or not as it was published.
    """
    published = _find_published(log, genesis, InstitutionPublicKey(key.public))
    if published is None:
        raise SpecieError(ErrorCode.LOG_INVALID, "there is no published log to catch up from")
    frontier = _build_frontier(store, min(store.count_leaves(), published.size))
    start = frontier.size
    missing = log.iterate_leaves(published.size, start)
    frontier = frontier.append(compute_leaf_hash(leaf) for leaf in missing)
    if frontier.compute_root() != published.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the database does not belong to this log")
    counts = [
        _restore(leaves, store, archive, genesis, key)
        for leaves in split_batches(log.iterate_leaves(published.size, start))
    ]
    return CaughtUp(len(counts), sum(counts), store.load_batch_time())


def _find_published(
    log: NotaryLog, genesis: Genesis, key: InstitutionPublicKey
) -> Checkpoint | None:
    """By our own line alone: who has cosigned it does not matter to us."""
    note = log.find_checkpoint()
    return None if note is None else _read_note(note, genesis, key)


def _read_note(note: str, genesis: Genesis, key: InstitutionPublicKey) -> Checkpoint:
    checkpoint, lines = parse_note(note)
    return verify_checkpoint(format_note(checkpoint, lines[:1]), compute_origin(genesis), key)


def _build_frontier(store: NotaryStore, size: int) -> Frontier:
    """Over the first leaves of the database."""
    frontier = Frontier()
    while frontier.size < size:
        limit = min(LEAVES_AT_ONCE_MAX, size - frontier.size)
        leaves = store.load_leaves(frontier.size, limit)
        if len(leaves) != limit:
            raise SpecieError(ErrorCode.STORE_UNUSABLE, "leaves are missing in the database")
        frontier = frontier.append(compute_leaf_hash(leaf) for leaf in leaves)
    return frontier


def _restore(
    leaves: Sequence[bytes],
    store: NotaryStore,
    archive: BatchArchive,
    genesis: Genesis,
    key: InstitutionSigner,
) -> int:
    """One batch, in one database transaction; gives how many transactions were not in it."""
    header = unpack_leaf(leaves[0], 0)
    number = store.load_batch_number() + 1
    if not isinstance(header, HeaderLeaf) or header.number != number:
        raise SpecieError(ErrorCode.LOG_INVALID, f"batch {number} does not begin with its header")
    private, batch = _read_private(header, archive)
    judged = batch.judged
    others = [_restore_other(leaf, header.time, genesis) for leaf in select_self_evident(leaves)]
    others += [_restore_void(one, genesis, key) for one in batch.voids]
    packed = [one.leaf for one in others]
    if build_leaves(number, header.time, judged, packed, genesis, private) != list(leaves):
        raise SpecieError(ErrorCode.LOG_INVALID, f"batch {number} was published otherwise")
    txids = tuple(one.transaction.txid for one in judged)
    known = store.find_promises(txids)
    ledger = OverlayView(base=None, supply=store.load_supply())
    fresh = []
    for one in judged:
        if one.transaction.txid not in known:
            apply_transaction(one.transaction, ledger, one.time)
            fresh.append(_promise_again(one, genesis, key))
    whole = RecordedBatch(
        number, header.time, tuple(leaves), txids, tuple(packed), private, header.time
    )
    store.restore_batch(whole, fresh, others, ledger.supply)
    return len(fresh)


def _read_private(header: HeaderLeaf, archive: BatchArchive) -> tuple[bytes, PrivateBatch]:
    """The private batch that the header names by its hash."""
    private = archive.read(header.number)
    if hashlib.sha256(private).digest() != header.batch_hash:
        raise SpecieError(ErrorCode.LOG_INVALID, f"the archive has another batch {header.number}")
    return private, unpack_private(private)


def _promise_again(
    one: JudgedTransaction, genesis: Genesis, key: InstitutionSigner
) -> RecordedTransaction:
    """The promise that was given: same time, same key, so the same bytes."""
    promise = promise_final(one.transaction.txid, one.time, genesis, key)
    return RecordedTransaction(one.transaction, one.data, one.time, promise, one.members)


def _restore_other(leaf: bytes, time: Timestamp, genesis: Genesis) -> RecordedOther:
    """When it came nobody knows any more; it is published, so it need not be known."""
    found = unpack_leaf(leaf, 0)
    if isinstance(found, DirectoryLeaf):
        return build_directory_leaf(found, time, genesis)
    assert isinstance(found, ConflictLeaf), "selected by its type"
    return RecordedOther(found.key, leaf, time)


def _restore_void(request: VoidRequest, genesis: Genesis, key: InstitutionSigner) -> RecordedOther:
    """With the word that was given for it."""
    txid = decode_signed(request.data).txid
    return build_void(request, promise_void(txid, request.time, genesis, key))
