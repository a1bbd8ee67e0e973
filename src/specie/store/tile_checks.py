"""Whether a published folder is what its checkpoint covers, told file by file (X1).

The checkpoint is signed, so it is believed; what stands above is believed before what stands
below, and the first file that does not fit is named:

    right-edge tiles of all levels → the root of the checkpoint
    a full tile → its hash in the tile above          a bundle of leaves → its hash tile

No leaf is interpreted here. Memory is that of a few tiles.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from specie.log.checkpoint import Checkpoint
from specie.log.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    compute_tile_root,
    format_tile_path,
    iterate_bundles,
    unpack_bundle,
)
from specie.log.tree import EMPTY_ROOT, compute_leaf_hash, compute_node_hash
from specie.store.durable_files import read_limited
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import LOG_FILE_BYTES_MAX

_HASH_SIZE: Final = 32
_ENTRIES: Final = "entries"

Progress = Callable[[int, int], None]
"""Called with bundles done and bundles in all."""


def verify_tiles(folder: Path, checkpoint: Checkpoint, progress: Progress | None = None) -> None:
    """`log_invalid` names the first file that is not what the checkpoint covers."""
    counts = _count_hashes(checkpoint.size)
    _verify_edge(folder, counts, checkpoint)
    for level in range(len(counts) - 2, -1, -1):
        _verify_level(folder, level, counts)
    bundles = -(-checkpoint.size // TILE_WIDTH)
    for number, width in iterate_bundles(checkpoint.size):
        path = format_tile_path(_ENTRIES, number, width)
        if _hash_bundle(folder, path) != _read_tile(folder, 0, number, width):
            raise _build_error(path)
        if progress is not None:
            progress(number + 1, bundles)


def _count_hashes(size: int) -> list[int]:
    """How many hashes each level has, the leaves' level first."""
    counts = []
    while size:
        counts.append(size)
        size //= TILE_WIDTH
    return counts


def _verify_edge(folder: Path, counts: Sequence[int], checkpoint: Checkpoint) -> None:
    """The unfinished tile of each level; together their hashes determine the root."""
    edge = [
        _read_tile(folder, level, count // TILE_WIDTH, count % TILE_WIDTH)
        for level, count in enumerate(counts)
    ]
    if _compute_root(edge) == checkpoint.root:
        return
    for level, count in enumerate(counts):
        mended = [*edge[:level], _hash_below(folder, level, count), *edge[level + 1 :]]
        if _compute_root(mended) == checkpoint.root:
            raise _build_error(format_tile_path(str(level), *divmod(count, TILE_WIDTH)))
    raise SpecieError(ErrorCode.LOG_INVALID, f"{CHECKPOINT_PATH}: covers other tiles than these")


def _verify_level(folder: Path, level: int, counts: Sequence[int]) -> None:
    """Every full tile against its hash in the level above, which was verified before."""
    parent: tuple[int, list[Digest]] = (-1, [])
    for number in range(counts[level] // TILE_WIDTH):
        above, place = divmod(number, TILE_WIDTH)
        if parent[0] != above:
            width = min(TILE_WIDTH, counts[level + 1] - above * TILE_WIDTH)
            parent = above, _read_tile(folder, level + 1, above, width)
        hashes = _read_tile(folder, level, number, TILE_WIDTH)
        if compute_tile_root(hashes) != parent[1][place]:
            raise _build_error(format_tile_path(str(level), number, TILE_WIDTH))


def _compute_root(edge: Sequence[Sequence[Digest]]) -> Digest:
    """The tree's root from each level's hashes at the right edge: complete subtrees, merged."""
    root: Digest | None = None
    for hashes in edge:
        position = len(hashes)
        while position:
            width = position & -position
            position -= width
            part = compute_tile_root(hashes[position : position + width])
            root = part if root is None else compute_node_hash(part, root)
    return EMPTY_ROOT if root is None else root


def _hash_below(folder: Path, level: int, count: int) -> list[Digest]:
    """The right-edge tile of a level, computed from what stands below it."""
    number, width = divmod(count, TILE_WIDTH)
    if width == 0:
        return []
    if level == 0:
        return _hash_bundle(folder, format_tile_path(_ENTRIES, number, width))
    first = number * TILE_WIDTH
    return [
        compute_tile_root(_read_tile(folder, level - 1, first + place, TILE_WIDTH))
        for place in range(width)
    ]


def _hash_bundle(folder: Path, path: str) -> list[Digest]:
    data = read_limited(folder, path, LOG_FILE_BYTES_MAX)
    try:
        return [compute_leaf_hash(leaf) for leaf in unpack_bundle(data)]
    except SpecieError:
        raise _build_error(path) from None


def _read_tile(folder: Path, level: int, number: int, width: int) -> list[Digest]:
    if width == 0:
        return []
    path = format_tile_path(str(level), number, width)
    data = read_limited(folder, path, LOG_FILE_BYTES_MAX)
    if len(data) != width * _HASH_SIZE:
        raise _build_error(path)
    return [Digest(data[start : start + _HASH_SIZE]) for start in range(0, len(data), _HASH_SIZE)]


def _build_error(path: str) -> SpecieError:
    return SpecieError(ErrorCode.LOG_INVALID, f"{path}: not what the checkpoint covers")
