"""Where leaves and hashes stand in the published folder, in the C2SP form tlog-tiles.

    checkpoint                      the signed note
    tile/entries/N[.p/W]            leaves: u16 big-endian length ‖ bytes, 256 to a full bundle
    tile/L/N[.p/W]                  hashes of complete subtrees of 256**L leaves, 256 to a tile

N in groups of three digits, all but the last with an `x`: 1234067 → `x001/x234/067`; `.p/W` marks
a partial tile of W entries at the right edge.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from specie.log.tree import compute_node_hash
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import LEAF_BYTES_MAX

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
_HASH_SIZE: Final = 32
CHECKPOINT_PATH: Final = "checkpoint"


def format_tile_path(level: str, number: int, width: int) -> str:
    """Path of a tile below the folder; `level` is "entries" or the level's number."""
    groups = [f"{number % 1000:03d}"]
    rest = number // 1000
    while rest:
        groups.append(f"x{rest % 1000:03d}")
        rest //= 1000
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def pack_bundle(leaves: Sequence[bytes]) -> bytes:
    """Leaves of one bundle, each behind its length."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def unpack_bundle(data: bytes) -> list[bytes]:
    """The inverse of `pack_bundle`; every byte must belong to a leaf."""
    leaves: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        end = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or end > len(data):
            raise SpecieError(ErrorCode.LOG_INVALID, "a bundle ends inside a leaf")
        leaves.append(data[start:end])
        position = end
    return leaves


def iterate_bundles(size: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """(number, width) of the bundles of a log of `size` leaves, from the one of leaf `start` on."""
    full, rest = divmod(size, TILE_WIDTH)
    yield from ((number, TILE_WIDTH) for number in range(start // TILE_WIDTH, full))
    if rest:
        yield full, rest


def iterate_tile_paths(size: int, start: int = 0) -> Iterator[str]:
    """Every file of bundles and tiles of a log of `size` leaves, from leaf `start`'s tiles on."""
    for name, count, first in _iterate_levels(size, start):
        for number, width in iterate_bundles(count, first):
            yield format_tile_path(name, number, width)


def get_bytes_max(path: str) -> int:
    """Of a file at one of these paths: a bundle has lengths and leaves, a tile has hashes."""
    one = 2 + LEAF_BYTES_MAX if path.startswith("tile/entries/") else _HASH_SIZE
    return TILE_WIDTH * one


def iterate_partial_folders(size: int, start: int = 0) -> Iterator[str]:
    """Where partial tiles may stand that were needed for sizes `start` to `size`."""
    for name, count, first in _iterate_levels(size, start):
        for number in range(first // TILE_WIDTH, count // TILE_WIDTH + 1):
            yield f"{format_tile_path(name, number, TILE_WIDTH)}.p"


def _iterate_levels(size: int, start: int) -> Iterator[tuple[str, int, int]]:
    yield "entries", size, start
    level, count, first = 0, size, start
    while count:
        yield str(level), count, first
        level, count, first = level + 1, count // TILE_WIDTH, first // TILE_WIDTH


def compute_tile_root(hashes: Sequence[Digest]) -> Digest:
    """Root of a full tile: the hash that stands for it one level up."""
    level = list(hashes)
    while len(level) > 1:
        level = [
            compute_node_hash(level[place], level[place + 1]) for place in range(0, len(level), 2)
        ]
    return level[0]
