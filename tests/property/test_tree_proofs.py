"""Proofs of inclusion and consistency against RFC 6962 written down slowly, up to 1,000 leaves."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.log.proofs import (
    compute_range_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from specie.log.tree import Frontier
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest
from tests.reference.tree import build_consistency, build_path, hash_leaf, hash_tree
from tests.refusing import refuse

SIZES = 1_000
SMALL = 20
HASHES = tuple(Digest(hash_leaf(number.to_bytes(2, "big"))) for number in range(SIZES))
STRANGER = Digest(hash_leaf(b"a stranger"))

# RFC 6962's own test leaves, as published with certificate-transparency-go, and their roots.
KNOWN_LEAVES = tuple(
    map(
        bytes.fromhex,
        (
            *("", "00", "10", "2021", "3031", "40414243"),
            *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
        ),
    )
)
KNOWN_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@cache
def get_subtree(level: int, number: int) -> Digest:
    """Root of 2**level leaves; what tiles hold."""
    return Digest(hash_tree(HASHES[number << level : (number + 1) << level]))


@cache
def get_root(size: int) -> Digest:
    """Root over the first leaves, by the twin."""
    return Digest(hash_tree(HASHES[:size]))


def mutate(path: Sequence[Digest]) -> list[list[Digest]]:
    """The path with a hash altered, missing, extra, or with two neighbours exchanged."""
    broken = []
    for place, one in enumerate(path):
        flipped = Digest(bytes([one[0] ^ 1]) + one[1:])
        broken.append([*path[:place], flipped, *path[place + 1 :]])
        broken.append([*path[:place], *path[place + 1 :]])
    for place in range(len(path) + 1):
        broken.append([*path[:place], STRANGER, *path[place:]])
        broken.append([*path[:place], *path[max(0, place - 1) : place], *path[place:]])
    for place in range(len(path) - 1):
        swapped = [path[place + 1], path[place]]
        broken.append([*path[:place], *swapped, *path[place + 2 :]])
    return [one for one in broken if one != list(path)]


def check_inclusion(index: int, size: int) -> None:
    path = prove_inclusion(index, size, get_subtree)
    assert list(path) == build_path(index, HASHES[:size])
    verify_inclusion(HASHES[index], index, size, path, get_root(size))


def check_consistency(old: int, new: int) -> None:
    path = prove_consistency(old, new, get_subtree)
    assert list(path) == build_consistency(old, HASHES[:new])
    verify_consistency(old, get_root(old), new, get_root(new), path)


def is_refused_inclusion(index: int, size: int, path: Sequence[Digest]) -> bool:
    root = get_root(size)
    code = refuse(verify_inclusion, HASHES[index], index, size, path, root)
    return code is ErrorCode.LOG_INVALID


def is_refused_growth(old: int, new: int, path: Sequence[Digest]) -> bool:
    code = refuse(verify_consistency, old, get_root(old), new, get_root(new), path)
    return code is ErrorCode.LOG_INVALID


# --- roots --------------------------------------------------------------------------------------


def test_roots_of_every_size() -> None:
    frontier = Frontier()
    for size in range(1, SIZES + 1):
        frontier = frontier.append(HASHES[size - 1 : size])
        assert frontier.compute_root() == get_root(size)
        assert compute_range_hash(0, size, get_subtree) == get_root(size)


def test_known_roots() -> None:
    hashes = [Digest(hash_leaf(leaf)) for leaf in KNOWN_LEAVES]
    for size, expected in enumerate(KNOWN_ROOTS, 1):
        assert Frontier().append(hashes[:size]).compute_root().hex() == expected
        assert hash_tree(hashes[:size]).hex() == expected


# --- proofs -------------------------------------------------------------------------------------


def test_every_leaf_of_every_small_tree() -> None:
    for size in range(1, SMALL + 1):
        for index in range(size):
            check_inclusion(index, size)


def test_every_growth_of_every_small_tree() -> None:
    for new in range(1, SMALL + 1):
        for old in range(1, new + 1):
            check_consistency(old, new)


@given(st.integers(1, SIZES), st.data())
def test_inclusion_at_any_size(size: int, data: st.DataObject) -> None:
    check_inclusion(data.draw(st.integers(0, size - 1)), size)


@given(st.integers(1, SIZES), st.data())
def test_growth_at_any_size(new: int, data: st.DataObject) -> None:
    check_consistency(data.draw(st.integers(1, new)), new)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 13, 256, 999, 1_000])
def test_last_and_first_leaf(size: int) -> None:
    check_inclusion(0, size)
    check_inclusion(size - 1, size)
    check_consistency(1, size)
    check_consistency(size, size)


# --- what does not hold -------------------------------------------------------------------------


def test_every_broken_inclusion_of_small_trees() -> None:
    for size in range(1, 12):
        for index in range(size):
            path = prove_inclusion(index, size, get_subtree)
            assert all(is_refused_inclusion(index, size, one) for one in mutate(path))


def test_every_broken_growth_of_small_trees() -> None:
    for new in range(1, 12):
        for old in range(1, new + 1):
            path = prove_consistency(old, new, get_subtree)
            assert all(is_refused_growth(old, new, one) for one in mutate(path))


@given(st.integers(1, SIZES), st.data())
@settings(max_examples=50)
def test_broken_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = prove_inclusion(index, size, get_subtree)
    assert all(is_refused_inclusion(index, size, one) for one in mutate(path))


@given(st.integers(1, SIZES), st.data())
@settings(max_examples=50)
def test_broken_growth(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    path = prove_consistency(old, new, get_subtree)
    assert all(is_refused_growth(old, new, one) for one in mutate(path))


@given(st.integers(2, SIZES), st.data())
def test_a_proof_is_of_one_leaf_place_and_root(size: int, data: st.DataObject) -> None:
    index, other = data.draw(
        st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True)
    )
    path, root = prove_inclusion(index, size, get_subtree), get_root(size)
    for leaf, place, of_root in (
        (HASHES[other], index, root),
        (HASHES[index], other, root),
        (HASHES[index], size, root),
        (HASHES[index], -1, root),
        (HASHES[index], index, get_root(size - 1)),
        (STRANGER, index, root),
    ):
        code = refuse(verify_inclusion, leaf, place, size, path, of_root)
        assert code is ErrorCode.LOG_INVALID


@given(st.integers(2, SIZES), st.data())
def test_growth_is_of_two_sizes_and_roots(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    path = prove_consistency(old, new, get_subtree)
    for first, first_root, second, second_root in (
        (old, STRANGER, new, get_root(new)),
        (old, get_root(old), new, STRANGER),
        (old, get_root(new), new, get_root(old)),
        (new, get_root(new), old, get_root(old)),
        (0, get_root(0), new, get_root(new)),
        (new + 1, get_root(old), new, get_root(new)),
    ):
        code = refuse(verify_consistency, first, first_root, second, second_root, path)
        assert code is ErrorCode.LOG_INVALID


def test_one_size_has_one_root() -> None:
    verify_consistency(7, get_root(7), 7, get_root(7), [])
    for root, path in ((get_root(8), []), (get_root(7), [STRANGER])):
        assert refuse(verify_consistency, 7, get_root(7), 7, root, path) is ErrorCode.LOG_INVALID


def test_no_proof_of_what_is_not_there() -> None:
    for index, size in ((0, 0), (-1, 3), (3, 3)):
        assert refuse(prove_inclusion, index, size, get_subtree) is ErrorCode.LOG_INVALID
    for old, new in ((0, 3), (4, 3), (-1, 3)):
        assert refuse(prove_consistency, old, new, get_subtree) is ErrorCode.LOG_INVALID
