"""The tree against RFC 6962 written down as it stands there, slowly (section 2.1)."""

import hashlib
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from specie.log.tiles import compute_tile_root
from specie.log.tree import (
    EMPTY_ROOT,
    Frontier,
    compute_leaf_hash,
    compute_node_hash,
)
from specie.values.identifiers import Digest

SIZES = 300


def hash_tree(leaves: Sequence[bytes]) -> bytes:
    """MTH(D[n]): split at the largest power of two smaller than n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    below = hash_tree(leaves[:half]) + hash_tree(leaves[half:])
    return hashlib.sha256(b"\x01" + below).digest()


def grow(leaves: Sequence[bytes], frontier: Frontier | None = None) -> Frontier:
    return (frontier or Frontier()).append(compute_leaf_hash(leaf) for leaf in leaves)


def test_every_size_up_to_three_hundred() -> None:
    leaves = [number.to_bytes(2, "big") for number in range(SIZES)]
    frontier = Frontier()
    for size in range(SIZES + 1):
        assert frontier.size == size
        assert frontier.compute_root() == hash_tree(leaves[:size])
        assert len(frontier.roots) == size.bit_count()
        frontier = grow(leaves[size : size + 1], frontier)


@given(st.lists(st.binary(max_size=40), max_size=80), st.integers(0, 80))
def test_growing_in_two_steps_is_growing_at_once(leaves: list[bytes], cut: int) -> None:
    first = grow(leaves[:cut])
    assert grow(leaves[cut:], first) == grow(leaves)
    assert first.size == len(leaves[:cut])
    assert grow(leaves).compute_root() == hash_tree(leaves)


@given(st.integers(301, 5_000), st.binary(max_size=8))
@settings(max_examples=10)
def test_larger_trees(size: int, seed: bytes) -> None:
    leaves = [seed + number.to_bytes(2, "big") for number in range(size)]
    assert grow(leaves).compute_root() == hash_tree(leaves)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.integers(0, 39))
def test_every_leaf_counts(leaves: list[bytes], place: int) -> None:
    place %= len(leaves)
    root = grow(leaves).compute_root()
    changed = [*leaves[:place], leaves[place] + b"x", *leaves[place + 1 :]]
    assert grow(changed).compute_root() != root
    assert grow([*leaves, b""]).compute_root() != root
    assert grow(leaves[:-1]).compute_root() != root


def test_leaves_and_nodes_are_hashed_apart() -> None:
    """A leaf that spells two hashes is not the node above them."""
    left, right = compute_leaf_hash(b"l"), compute_leaf_hash(b"r")
    assert compute_node_hash(left, right) != compute_leaf_hash(left + right)
    assert Frontier().compute_root() == EMPTY_ROOT
    assert compute_leaf_hash(b"") != EMPTY_ROOT


def test_a_full_tile_stands_for_its_tree() -> None:
    hashes = [compute_leaf_hash(bytes([number])) for number in range(256)]
    leaves = [bytes([number]) for number in range(256)]
    assert compute_tile_root(hashes) == hash_tree(leaves)
    assert compute_tile_root(hashes[:1]) == Digest(hashes[0])
