"""Where leaves and hashes stand in the published folder (spec page 05; C2SP tlog-tiles)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.log.tiles import (
    TILE_WIDTH,
    format_tile_path,
    iterate_bundles,
    pack_bundle,
    unpack_bundle,
)
from specie.values.catalogue import ErrorCode
from tests.refusing import attempt, refuse


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        ("0", 0, 256, "tile/0/000"),
        ("0", 0, 1, "tile/0/000.p/1"),
        ("entries", 7, 255, "tile/entries/007.p/255"),
        ("1", 999, 256, "tile/1/999"),
        ("1", 1_000, 256, "tile/1/x001/000"),
        ("0", 1_234_067, 256, "tile/0/x001/x234/067"),
        ("2", 1_000_000, 17, "tile/2/x001/x000/000.p/17"),
        ("0", 123_456_789_012, 256, "tile/0/x123/x456/x789/012"),
    ],
)
def test_paths(level: str, number: int, width: int, path: str) -> None:
    """The third from the last is the example of the specification of tlog-tiles."""
    assert format_tile_path(level, number, width) == path


@given(st.integers(0, 2**63), st.integers(0, 2**63), st.integers(1, 256), st.integers(1, 256))
def test_paths_are_distinct(one: int, other: int, width: int, second: int) -> None:
    first, again = format_tile_path("0", one, width), format_tile_path("0", other, second)
    assert (first == again) == ((one, width) == (other, second))


@given(st.integers(0, 2**63))
def test_a_path_tells_its_number(number: int) -> None:
    groups = format_tile_path("0", number, TILE_WIDTH).removeprefix("tile/0/").split("/")
    assert all(group.startswith("x") for group in groups[:-1])
    assert int("".join(group.lstrip("x") for group in groups)) == number


@given(st.lists(st.binary(max_size=50), max_size=TILE_WIDTH))
def test_bundles_are_packed_and_read_back(leaves: list[bytes]) -> None:
    packed = pack_bundle(leaves)
    assert unpack_bundle(packed) == leaves
    if packed:
        found = attempt(unpack_bundle, packed[:-1])
        assert found is ErrorCode.LOG_INVALID or found == leaves[:-1]


@given(st.binary(max_size=80))
def test_every_byte_of_a_bundle_belongs_to_a_leaf(data: bytes) -> None:
    leaves = attempt(unpack_bundle, data)
    if not isinstance(leaves, ErrorCode):
        assert pack_bundle(leaves) == data


def test_a_bundle_that_ends_inside_a_leaf() -> None:
    for data in (b"\0", b"\0\x02a", b"\0\x01a\0", b"\xff\xff"):
        assert refuse(unpack_bundle, data) is ErrorCode.LOG_INVALID


@given(st.integers(0, 5_000))
def test_bundles_cover_every_leaf_once(size: int) -> None:
    bundles = list(iterate_bundles(size))
    assert sum(width for _, width in bundles) == size
    assert [number for number, _ in bundles] == list(range(len(bundles)))
    assert all(width == TILE_WIDTH for _, width in bundles[:-1])
    assert all(1 <= width <= TILE_WIDTH for _, width in bundles)
