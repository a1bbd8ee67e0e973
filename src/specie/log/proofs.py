"""Proofs about the tree of RFC 6962: that a leaf is in it, that one tree continues another.

    inclusion     the sibling hashes from a leaf up to the root               RFC 6962 §2.1.1
    consistency   the hashes that make both the old and the new root          RFC 6962 §2.1.2

`HashSource` gives the hash of a complete subtree; proofs need at most 2·64 of them, whatever the
size of the log, and tiles hold all of them (`log/tiles.py`).
"""

from collections.abc import Callable, Sequence
from typing import Final

from specie.log.tree import EMPTY_ROOT, compute_node_hash
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest

PROOF_HASHES_MAX: Final = 64

HashSource = Callable[[int, int], Digest]
"""(level, number) → hash of the subtree of the 2**level leaves from leaf number·2**level on."""


def compute_range_hash(start: int, end: int, source: HashSource) -> Digest:
    """Root of the tree over leaves start … end - 1, where `start` is aligned to that tree."""
    assert 0 <= start < end, "a range of leaves"
    count = end - start
    level = count.bit_length() - 1
    if count == 1 << level:
        assert start % count == 0, "a complete subtree is aligned"
        return source(level, start >> level)
    middle = start + _largest_power_below(count)
    return compute_node_hash(
        compute_range_hash(start, middle, source), compute_range_hash(middle, end, source)
    )


def prove_inclusion(index: int, size: int, source: HashSource) -> tuple[Digest, ...]:
    """Sibling hashes from the leaf up; `log_invalid` if there is no such leaf."""
    if not 0 <= index < size:
        raise SpecieError(ErrorCode.LOG_INVALID, "no such leaf in a log of this size")
    start, end = 0, size
    path: list[Digest] = []
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            path.append(compute_range_hash(middle, end, source))
            end = middle
        else:
            path.append(compute_range_hash(start, middle, source))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(
    leaf_hash: Digest, index: int, size: int, path: Sequence[Digest], root: Digest
) -> None:
    """`log_invalid` unless the leaf stands at `index` in the tree of `size` leaves with `root`."""
    if not 0 <= index < size:
        raise SpecieError(ErrorCode.LOG_INVALID, "no such leaf in a log of this size")
    found = leaf_hash
    for sibling, is_left in zip(path, _find_sides(index, size - 1, len(path)), strict=True):
        found = compute_node_hash(sibling, found) if is_left else compute_node_hash(found, sibling)
    if found != root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the leaf is not in the log")


def prove_consistency(old: int, new: int, source: HashSource) -> tuple[Digest, ...]:
    """Hashes that show that the first `old` of `new` leaves are the old tree; 0 < old ≤ new."""
    if not 0 < old <= new:
        raise SpecieError(ErrorCode.LOG_INVALID, "an old log is not empty and not larger")
    return tuple(_collect_consistency(old, 0, new, source, is_whole=True))


def verify_consistency(
    old: int, old_root: Digest, new: int, new_root: Digest, path: Sequence[Digest]
) -> None:
    """`log_invalid` unless the new tree continues the old one."""
    if not 0 < old <= new:
        raise SpecieError(ErrorCode.LOG_INVALID, "an old log is not empty and not larger")
    if old == new:
        if path or old_root != new_root:
            raise SpecieError(ErrorCode.LOG_INVALID, "two logs of one size differ")
        return
    if _fold_consistency(old, old_root, new, path) != (old_root, new_root):
        raise SpecieError(ErrorCode.LOG_INVALID, "the log does not continue the old one")


def shows_other_past(
    old: int, old_root: Digest, new: int, new_root: Digest, path: Sequence[Digest]
) -> bool:
    """Whether the path proves that the new tree does not continue the old one; 0 < old ≤ new.

    A path that makes the new root and another old one does, and so do two roots of one size.
    """
    if old == new:
        return old_root != new_root
    try:
        first, second = _fold_consistency(old, old_root, new, path)
    except SpecieError:
        return False
    return first != old_root and second == new_root


def may_show_other_past(old: int, new: int, path: Sequence[Digest]) -> bool:
    """Whether a path that does not hold may be an honest one of another history.

    Where the old tree is complete, its root is not in the path: nothing but the length tells.
    """
    try:
        _fold_consistency(old, EMPTY_ROOT, new, path)
    except SpecieError:
        return False
    return old & (old - 1) == 0 and old < new


def _fold_consistency(
    old: int, old_root: Digest, new: int, path: Sequence[Digest]
) -> tuple[Digest, Digest]:
    """The old and the new root that the path makes; `log_invalid` if it has another length."""
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise SpecieError(ErrorCode.LOG_INVALID, "the proof is too short")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    sides = _find_sides(place, last, len(hashes) - 1)
    for sibling, is_left in zip(hashes[1:], sides, strict=True):
        if is_left:
            first = compute_node_hash(sibling, first)
        second = (
            compute_node_hash(sibling, second) if is_left else compute_node_hash(second, sibling)
        )
    return first, second


def _find_sides(place: int, last: int, count: int) -> list[bool]:
    """For each of `count` siblings on the way up: does it stand to the left?

    `place` of `last + 1` subtrees is where we are; `log_invalid` unless the way ends at the root.
    """
    sides: list[bool] = []
    for _ in range(count):
        if last == 0:
            raise SpecieError(ErrorCode.LOG_INVALID, "the proof is too long")
        is_left = bool(place & 1) or place == last
        sides.append(is_left)
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last != 0:
        raise SpecieError(ErrorCode.LOG_INVALID, "the proof is too short")
    return sides


def _collect_consistency(
    old: int, start: int, end: int, source: HashSource, *, is_whole: bool
) -> list[Digest]:
    """RFC 6962's SUBPROOF over leaves start … end - 1, `old` of which are old."""
    count = end - start
    if old == count:
        return [] if is_whole else [compute_range_hash(start, end, source)]
    half = _largest_power_below(count)
    middle = start + half
    if old <= half:
        path = _collect_consistency(old, start, middle, source, is_whole=is_whole)
        return [*path, compute_range_hash(middle, end, source)]
    path = _collect_consistency(old - half, middle, end, source, is_whole=False)
    return [*path, compute_range_hash(start, middle, source)]


def _largest_power_below(count: int) -> int:
    """The largest power of two that is smaller than `count`, for count ≥ 2."""
    return 1 << ((count - 1).bit_length() - 1)
