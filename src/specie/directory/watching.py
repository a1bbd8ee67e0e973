"""A device looks in the log after its own number's entry, and after what it was told (T8, X3).

    under our index   signed here           as it should be
                      earlier than ours     of before this device signed its first
                      anything else         ALARM: somebody changes whom our number pays
    promised to us    and not in the log    ALARM: what payers are told is not what the log says

The leaves must be those of a checkpoint, and the log must continue the one that was seen before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from specie.identity.genesis import Genesis
from specie.ledger.directory_leaves import verify_leaf
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import DIRECTORY, HEADER, DirectoryLeaf, HeaderLeaf, unpack_leaf
from specie.log.tree import Frontier, compute_leaf_hash
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, PublicKey
from specie.values.limits import LEAVES_AT_ONCE_MAX
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class OwnVersion:
    """An entry that this device has signed; when it is in the log, if the notary said so."""

    hash: Digest
    publish_by: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of the log was looked at before."""

    size: int
    root: Digest


@dataclass(frozen=True, slots=True)
class WatchedNumber:
    """What a device remembers of its own number, and of entries that it paid by."""

    index: Digest | None
    key: PublicKey | None  # of the directory
    own: Mapping[int, OwnVersion] = field(default_factory=dict)
    relied: Mapping[Digest, Timestamp] = field(default_factory=dict)  # leaf hash → publish_by
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What was found."""

    seen: Seen
    versions: int  # in the log under our index
    own: tuple[int, ...]
    earlier: tuple[int, ...]
    foreign: tuple[int, ...]
    missing: tuple[int, ...]  # ours, promised, and not there
    unkept: tuple[Digest, ...]  # leaves that we relied on, promised, and not there
    kept: tuple[Digest, ...]  # the same, found
    is_key_other: bool

    @property
    def alarm(self) -> SpecieError | None:
        """The worst of it; None if all is as it should be."""
        if self.is_key_other:
            return SpecieError(ErrorCode.DIRECTORY_KEY_WRONG, _KEY_TEXT)
        if self.foreign:
            versions = ", ".join(map(str, self.foreign))
            text = f"ALARM: version {versions} {_FOREIGN_TEXT}"
            return SpecieError(ErrorCode.DIRECTORY_ENTRY_FOREIGN, text)
        if self.missing or self.unkept:
            return SpecieError(ErrorCode.DIRECTORY_ENTRY_MISSING, _MISSING_TEXT)
        return None


_KEY_TEXT = "ALARM: the log is of another directory than the one that this device was told of"
_FOREIGN_TEXT = (
    "of your number's entry was not signed on this device: who pays you by your number may pay "
    "somebody else. Ask your bank, and put your entry again: specie wallet phone set"
)
_MISSING_TEXT = (
    "ALARM: an entry that was promised to be in the log is not there: the directory tells payers "
    "something else than the log. Keep this device's store as evidence"
)


def watch(
    leaves: Iterable[bytes], checkpoint: Checkpoint, known: WatchedNumber, genesis: Genesis
) -> WatchReport:
    """Over the whole log; `log_invalid` if it is not the checkpoint's, or another history."""
    found, time, key = _read_log(leaves, checkpoint, known, genesis)
    under = {one.version: one.entry for one in found.values() if one.index == known.index}
    first = min(known.own, default=0)
    own, earlier, foreign = [], [], []
    for version, entry in sorted(under.items()):
        ours = known.own.get(version)
        if ours is not None and ours.hash == entry:
            own.append(version)
        elif ours is None and version < first:
            earlier.append(version)
        else:
            foreign.append(version)
    missing = [
        version
        for version, one in known.own.items()
        if one.publish_by is not None and one.publish_by < time and version not in under
    ]
    relied = known.relied.items()
    return WatchReport(
        seen=Seen(checkpoint.size, checkpoint.root),
        versions=len(under),
        own=tuple(own),
        earlier=tuple(earlier),
        foreign=tuple(foreign),
        missing=tuple(sorted(missing)),
        unkept=tuple(one for one, by in relied if one not in found and by < time),
        kept=tuple(one for one in known.relied if one in found),
        is_key_other=None not in (key, known.key) and key != known.key,
    )


def _read_log(
    leaves: Iterable[bytes], checkpoint: Checkpoint, known: WatchedNumber, genesis: Genesis
) -> tuple[dict[Digest, DirectoryLeaf], Timestamp, PublicKey | None]:
    """Leaves of the directory by their hash, the log's time, and the directory's key."""
    source, frontier = iter(leaves), Frontier()
    found: dict[Digest, DirectoryLeaf] = {}
    time = Timestamp(0)
    while part := list(islice(source, _get_step(frontier.size, known.seen))):
        hashes = [compute_leaf_hash(leaf) for leaf in part]
        frontier = frontier.append(hashes)
        _check_seen(frontier, known.seen)
        time = _read_time(part) or time
        for leaf_hash, leaf in zip(hashes, part, strict=True):
            if leaf[:1] == bytes([DIRECTORY]):
                found[leaf_hash] = _read_leaf(leaf, genesis)
    if (frontier.size, frontier.compute_root()) != (checkpoint.size, checkpoint.root):
        raise SpecieError(ErrorCode.LOG_INVALID, "the leaves are not those of the checkpoint")
    if known.seen is not None and known.seen.size > checkpoint.size:
        raise SpecieError(ErrorCode.LOG_INVALID, "the log has become shorter")
    return found, time, next((one.key for one in found.values()), None)


def _get_step(size: int, seen: Seen | None) -> int:
    """So that a part ends where we stood the last time."""
    if seen is not None and size < seen.size:
        return min(LEAVES_AT_ONCE_MAX, seen.size - size)
    return LEAVES_AT_ONCE_MAX


def _check_seen(frontier: Frontier, seen: Seen | None) -> None:
    if seen is not None and frontier.size == seen.size and frontier.compute_root() != seen.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "ALARM: the log is another history than before")


def _read_time(part: Sequence[bytes]) -> Timestamp | None:
    headers = [leaf for leaf in part if leaf[:1] == bytes([HEADER])]
    header = unpack_leaf(headers[-1], 0) if headers else None
    return header.time if isinstance(header, HeaderLeaf) else None


def _read_leaf(data: bytes, genesis: Genesis) -> DirectoryLeaf:
    leaf = unpack_leaf(data, 0)
    assert isinstance(leaf, DirectoryLeaf), "selected by its type"
    verify_leaf(leaf, genesis)
    return leaf
