"""Hashes read from real tile files are those of the tree, across the edges of tiles (X2)."""

import os

import pytest

from specie.log.proofs import (
    compute_range_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.log_files import LogFolder
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest
from tests.reference.tree import build_path, hash_tree
from tests.refusing import refuse

STEPS = (1, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, 66_050)
LAST = STEPS[-1]
HASHES = tuple(compute_leaf_hash(number.to_bytes(3, "big")) for number in range(LAST))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> LogFolder:
    """A log that has grown in these steps."""
    log = LogFolder(tmp_path_factory.mktemp("log"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        start = 0
        for end in STEPS:
            leaves = [number.to_bytes(3, "big") for number in range(start, end)]
            log.write_leaves(start, leaves)
            start = end
    return log


@pytest.mark.parametrize("size", STEPS)
def test_roots_from_tiles(folder: LogFolder, size: int) -> None:
    found = compute_range_hash(0, size, lambda level, one: folder.read_hash(level, one, size))
    assert found == hash_tree(HASHES[:size]) == Frontier().append(HASHES[:size]).compute_root()


def test_every_subtree_near_the_edges(folder: LogFolder) -> None:
    for level in range(17):
        numbers = {0, 1, 2, 127, 128, 255, 256, 257, (LAST >> level) - 1, (LAST >> level) - 2}
        for number in sorted(one for one in numbers if 0 <= one < LAST >> level):
            expected = hash_tree(HASHES[number << level : (number + 1) << level])
            assert folder.read_hash(level, number, LAST) == expected


def test_what_is_not_complete_is_not_there(folder: LogFolder) -> None:
    for level in (0, 1, 7, 8, 9, 16):
        code = refuse(folder.read_hash, level, LAST >> level, LAST)
        assert code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("size", STEPS)
def test_proofs_from_tiles(folder: LogFolder, size: int) -> None:
    root = Digest(hash_tree(HASHES[:size]))
    for index in sorted({0, size // 2, 255 % size, 256 % size, 65_536 % size, size - 1}):
        path = prove_inclusion(index, size, lambda level, one: folder.read_hash(level, one, size))
        verify_inclusion(HASHES[index], index, size, path, root)
        assert index < size - 1 or list(path) == build_path(index, HASHES[:size])


@pytest.mark.parametrize(("old", "new"), [(1, 256), (256, 257), (600, 65_537), (65_536, LAST)])
def test_growth_from_tiles(folder: LogFolder, old: int, new: int) -> None:
    path = prove_consistency(old, new, lambda level, one: folder.read_hash(level, one, new))
    roots = [Digest(hash_tree(HASHES[:size])) for size in (old, new)]
    verify_consistency(old, roots[0], new, roots[1], path)
