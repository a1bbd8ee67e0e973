"""What the leaves of the directory say together: signed, one key, no version left out (T8, X3)."""

from dataclasses import replace
from functools import partial
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.secrets import InstitutionKey, VrfKey
from specie.ledger.audit import PublicAudit, split_batches
from specie.ledger.directory_leaves import DirectoryTally, sign_leaf, verify_leaf_promise
from specie.log.leaves import DirectoryLeaf, HeaderLeaf, order_batch, unpack_leaf
from specie.log.tree import compute_leaf_hash
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, PublicKey, Signature
from tests.country import Country, build_country, country, find_code, refused

__all__ = ["country"]

KEY: Final = PublicKey(VrfKey.generate().public)


def make_leaf(country: Country, place: int, version: int, key: PublicKey = KEY) -> DirectoryLeaf:
    index, entry = Digest(bytes([place]) * 32), Digest(bytes([version % 256]) * 32)
    network = country.network
    return sign_leaf(index, version, key, entry, network.genesis.network, network.list_key)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), max_size=12))
@settings(max_examples=60)
def test_versions_count_under_each_index(country: Country, order: list[tuple[int, int]]) -> None:
    """By a model of its own: whatever comes out of turn is refused, and changes nothing."""
    tally = DirectoryTally(country.network.genesis)
    last: dict[int, int] = {}
    for place, version in order:
        leaf = make_leaf(country, place, version)
        code = find_code(partial(tally.add, leaf))
        if version == last.get(place, 0) + 1:
            assert code is None
            last[place] = version
        else:
            assert code is ErrorCode.DIRECTORY_VERSION_WRONG


def test_one_directory_signs(country: Country) -> None:
    tally = DirectoryTally(country.network.genesis)
    leaf = make_leaf(country, 1, 1)
    stranger = sign_leaf(
        leaf.index,
        1,
        KEY,
        leaf.entry,
        country.network.genesis.network,
        InstitutionKey.generate(),
    )
    changed = (
        replace(leaf, index=Digest(bytes(32))),
        replace(leaf, version=2),
        replace(leaf, key=PublicKey(bytes(32))),
        replace(leaf, entry=Digest(bytes(32))),
        replace(leaf, signature=Signature(bytes(64))),
        stranger,
    )
    for one in changed:
        with refused(ErrorCode.DIRECTORY_SIGNATURE_INVALID):
            tally.add(one)
    tally.add(leaf)
    with refused(ErrorCode.DIRECTORY_KEY_WRONG):
        tally.add(make_leaf(country, 1, 2, PublicKey(VrfKey.generate().public)))


def test_the_public_audit_reads_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Several versions in one batch, in the order of their bytes; forged batches by their rule."""
    own = build_country(tmp_path_factory.mktemp("own"))
    notary = own.network.notary
    promises = []
    for place, version in ((1, 1), (1, 2), (2, 1)):
        leaf = make_leaf(own, place, version)
        promise = notary.record_leaf(leaf)
        assert notary.record_leaf(leaf) == promise, "again is the same"
        verify_leaf_promise(promise, leaf, own.network.roster)
        promises.append(promise)
    with refused(ErrorCode.PROMISE_INVALID):
        verify_leaf_promise(promises[0], make_leaf(own, 1, 2), own.network.roster)
    with refused(ErrorCode.PROMISE_INVALID):
        forged = replace(promises[0], publish_by=own.clock.now())
        verify_leaf_promise(forged, make_leaf(own, 1, 1), own.network.roster)
    assert own.audit().entries == 3
    leaves = notary.list_published(0, 4_096)[0]
    assert {compute_leaf_hash(leaf) for leaf in leaves} >= {one.leaf_hash for one in promises}
    for code, others in (
        (ErrorCode.DIRECTORY_VERSION_WRONG, [make_leaf(own, 1, 2)]),
        (ErrorCode.DIRECTORY_VERSION_WRONG, [make_leaf(own, 1, 1), make_leaf(own, 1, 3)]),
        (ErrorCode.DIRECTORY_KEY_WRONG, [make_leaf(own, 1, 1), make_leaf(own, 2, 1, _other())]),
        (ErrorCode.DIRECTORY_SIGNATURE_INVALID, [replace(make_leaf(own, 1, 1), version=2)]),
    ):
        with refused(code):
            _audit(own, _with_last_batch(leaves, others))
    with refused(ErrorCode.LOG_INVALID):
        _audit(own, _with_last_batch(leaves, [make_leaf(own, 1, 1)], counted=0))


def test_the_notary_takes_what_comes_next(country: Country) -> None:
    notary = country.network.notary
    first = make_leaf(country, 7, 1)
    notary.record_leaf(first)
    other = sign_leaf(
        first.index,
        1,
        KEY,
        Digest(bytes(32)),
        country.network.genesis.network,
        country.network.list_key,
    )
    for leaf, code in (
        (other, ErrorCode.ORDER_CONFLICT),
        (make_leaf(country, 7, 3), ErrorCode.DIRECTORY_VERSION_WRONG),
        (make_leaf(country, 8, 2), ErrorCode.DIRECTORY_VERSION_WRONG),
        (make_leaf(country, 8, 1, _other()), ErrorCode.DIRECTORY_KEY_WRONG),
        (replace(first, version=2), ErrorCode.DIRECTORY_SIGNATURE_INVALID),
    ):
        with refused(code):
            notary.record_leaf(leaf)
    assert notary.record_leaf(make_leaf(country, 7, 2)).publish_by > country.clock.now()


def _other() -> PublicKey:
    return PublicKey(VrfKey.generate().public)


def _audit(own: Country, leaves: list[bytes]) -> None:
    check = PublicAudit(own.network.genesis, own.network.roster.current)
    for batch in split_batches(leaves):
        check.add_batch(batch)
    check.finish()


def _with_last_batch(
    leaves: list[bytes], others: list[DirectoryLeaf], counted: int | None = None
) -> list[bytes]:
    """The log with other leaves of the directory in its last batch, in their order."""
    *before, last = split_batches(leaves)
    header = unpack_leaf(last[0], 577)
    assert isinstance(header, HeaderLeaf)
    kept = [leaf for leaf in last[1:] if leaf[0] != 6]
    header = replace(header, others=len(others) if counted is None else counted)
    head = order_batch(header, [], [], [])
    whole = [*head, *kept, *sorted(one.pack() for one in others)]
    return [*(leaf for batch in before for leaf in batch), *whole]
