"""Leaves: seven forms, one spelling each, in one order (spec page 05)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.hashing import tagged_hash
from specie.directory.answers import LEAF_BYTES
from specie.log.leaves import (
    ConflictLeaf,
    CreatedLeaf,
    DirectoryLeaf,
    HeaderLeaf,
    KernelLeaf,
    Leaf,
    OtherLeaf,
    SpentLeaf,
    SupplyChange,
    VoidLeaf,
    order_batch,
    select_self_evident,
    unpack_leaf,
)
from specie.values.catalogue import ErrorCode
from specie.values.encoding import i64
from specie.values.identifiers import (
    Digest,
    OutputRef,
    PublicKey,
    Scalar,
    Signature,
    TransactionId,
)
from specie.values.limits import LEAF_BYTES_MAX, SUPPLY_CHANGE_MAX
from specie.values.times import Timestamp
from tests.refusing import attempt, refuse

PROOF = 577
u32s, u64s = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


def fixed(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


headers = st.builds(
    HeaderLeaf,
    u64s,
    st.integers(0, 2**63 - 1).map(Timestamp),
    u32s,
    u32s,
    u32s,
    fixed(32).map(Scalar),
    fixed(32).map(Digest),
    u32s,
)
created = st.builds(CreatedLeaf, fixed(414), fixed(PROOF))
spent = st.builds(SpentLeaf, fixed(32).map(OutputRef))
signatures = fixed(64).map(Signature)
kernel_pairs = st.tuples(fixed(32).map(PublicKey), signatures)
supplies = st.builds(
    SupplyChange,
    u64s,
    u64s,
    st.lists(st.tuples(st.integers(0, 255), signatures), max_size=8).map(tuple),
)
changes = st.sampled_from([1, -1, SUPPLY_CHANGE_MAX, -SUPPLY_CHANGE_MAX])
txids = fixed(32).map(TransactionId)
pairs = st.lists(kernel_pairs, min_size=1, max_size=4).map(tuple)
kernels = st.builds(KernelLeaf, txids, st.just(0), pairs, st.none()) | st.builds(
    KernelLeaf, txids, changes, pairs, supplies
)
conflicts = st.builds(ConflictLeaf, fixed(655))
voids = st.builds(VoidLeaf, txids)
entries = st.builds(
    DirectoryLeaf,
    fixed(32).map(Digest),
    st.integers(1, 2**32 - 1),
    fixed(32).map(PublicKey),
    fixed(32).map(Digest),
    signatures,
)
leaves = headers | created | spent | kernels | conflicts | voids | entries


@given(leaves)
@settings(max_examples=60)
def test_leaves_are_packed_and_read_back(leaf: Leaf) -> None:
    packed = leaf.pack()
    assert unpack_leaf(packed, PROOF) == leaf
    code = refuse(unpack_leaf, packed[:-1], PROOF)
    assert code in {ErrorCode.TRUNCATED, ErrorCode.LEAF_MALFORMED}
    assert refuse(unpack_leaf, packed + b"\0", PROOF) is ErrorCode.TRAILING_BYTES


def test_widths() -> None:
    """Those of the page; the header's fields stand where it says."""
    header = HeaderLeaf(7, Timestamp(8), 1, 2, 3, Scalar(b"o" * 32), Digest(b"h" * 32), 4)
    assert len(header.pack()) == 98
    assert header.pack()[18:34] == b"".join(bytes([count, 0, 0, 0]) for count in (1, 2, 3, 4))
    assert header.pack()[34:] == b"o" * 32 + b"h" * 32
    assert len(SpentLeaf(OutputRef(bytes(32))).pack()) == 33
    assert len(ConflictLeaf(bytes(655)).pack()) == 656
    assert len(VoidLeaf(TransactionId(bytes(32))).pack()) == 33
    nobody = PublicKey(bytes(32)), Digest(bytes(32)), Signature(bytes(64))
    assert len(DirectoryLeaf(Digest(bytes(32)), 1, *nobody).pack()) == LEAF_BYTES


@given(entries, entries)
def test_an_entry_stands_for_a_version(one: DirectoryLeaf, other: DirectoryLeaf) -> None:  # T8
    """Versions of one index stand together and in order, wherever bytes decide."""
    same = replace(other, index=one.index)
    assert (one.unique < same.unique) == (one.version < same.version)
    assert select_self_evident([one.pack(), b"\x05" + bytes(32)]) == [one.pack()]


@given(fixed(655), st.integers(0, 654))
def test_a_conflict_stands_for_an_output(evidence: bytes, place: int) -> None:  # T15
    """Whoever spends it how often: but two outputs are two, even if they share an owner key."""
    leaf = ConflictLeaf(evidence)
    assert leaf.key == b"\x04" + tagged_hash("output", evidence[17:431])
    changed = evidence[:place] + bytes([evidence[place] ^ 1]) + evidence[place + 1 :]
    assert (ConflictLeaf(changed).key == leaf.key) == (not 17 <= place < 431)


@given(fixed(414))
def test_outputs_stand_alone_on_aggregated_networks(output: bytes) -> None:  # X1
    packed = CreatedLeaf(output, b"").pack()
    assert len(packed) == 415
    assert unpack_leaf(packed, 0) == CreatedLeaf(output, b"")
    assert refuse(unpack_leaf, packed, PROOF) is ErrorCode.TRUNCATED
    assert refuse(unpack_leaf, packed + bytes(PROOF), 0) is ErrorCode.TRAILING_BYTES


@given(leaves, st.data())
@settings(max_examples=80)
def test_no_two_encodings_of_one_leaf(leaf: Leaf, data: st.DataObject) -> None:
    packed = leaf.pack()
    place = data.draw(st.integers(0, min(50, len(packed) - 1)) | st.integers(0, len(packed) - 1))
    spoilt = packed[:place] + bytes([data.draw(st.integers(0, 255))]) + packed[place + 1 :]
    found = attempt(unpack_leaf, spoilt, PROOF)
    if not isinstance(found, ErrorCode):
        assert found.pack() == spoilt
        assert (found == leaf) == (spoilt == packed)


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_reads_as_itself(data: bytes) -> None:
    found = attempt(unpack_leaf, data, PROOF)
    assert isinstance(found, ErrorCode) or found.pack() == data


def pack_kernels(count: int, change: int, rest: bytes = b"") -> bytes:
    return b"\x03" + bytes(32) + i64(change) + bytes([count]) + bytes(96 * count) + rest


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.LEAF_MALFORMED),
        (bytes(LEAF_BYTES_MAX + 1), ErrorCode.LEAF_MALFORMED),
        *((bytes([kind]) + bytes(100), ErrorCode.LEAF_MALFORMED) for kind in (7, 8, 255)),
        (b"\x06" + bytes(164), ErrorCode.LEAF_MALFORMED),  # version 0 of an entry
        (b"\0\0" + bytes(96), ErrorCode.LEAF_MALFORMED),
        (b"\0\x02" + bytes(96), ErrorCode.LEAF_MALFORMED),
        (b"\0\x01" + bytes(92), ErrorCode.TRUNCATED),  # the header before it had `others`
        (b"\0\x01" + bytes(8) + b"\xff" * 8 + bytes(80), ErrorCode.NOT_CANONICAL),
        (pack_kernels(0, 0), ErrorCode.LIMIT_EXCEEDED),
        (pack_kernels(5, 0), ErrorCode.LIMIT_EXCEEDED),
        (pack_kernels(1, -(2**63), bytes(17)), ErrorCode.AMOUNT_OUT_OF_RANGE),
        (pack_kernels(1, 5), ErrorCode.TRUNCATED),
        (pack_kernels(1, 5, bytes(16) + b"\x09" + bytes(9 * 65)), ErrorCode.LIMIT_EXCEEDED),
        (pack_kernels(1, 0, bytes(17)), ErrorCode.TRAILING_BYTES),
    ],
)
def test_malformed_leaves(data: bytes, code: ErrorCode) -> None:
    assert refuse(unpack_leaf, data, PROOF) is code


@given(
    headers,
    st.lists(created, max_size=3),
    st.lists(spent, max_size=3),
    st.lists(kernels, max_size=3),
    st.lists(conflicts | voids | entries, max_size=3),
)
@settings(max_examples=25)
def test_a_batch_has_one_order(  # T9, X5
    header: HeaderLeaf,
    made: list[CreatedLeaf],
    gone: list[SpentLeaf],
    signed: list[KernelLeaf],
    rest: list[OtherLeaf],
) -> None:
    """Sorted by type, then bytewise: the order tells nothing about which belong together."""
    others = [leaf.pack() for leaf in rest]
    ordered = order_batch(header, made, gone, signed, others)
    assert ordered == order_batch(header, made[::-1], gone[::-1], signed[::-1], others[::-1])
    assert ordered[0] == header.pack()
    assert ordered[1:] == sorted(ordered[1:])
    assert len(ordered) == 1 + len(made) + len(gone) + len(signed) + len(others)
