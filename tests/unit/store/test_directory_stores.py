"""Stores of the directory, on both engines: desk, bank, device, counts (rows T8, X5)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.secrets import SealingKey
from specie.directory.entries import Authority, DirectoryEntry, EntryState, SignedEntry
from specie.directory.quotas import HOUR_MS, HOURS_KEPT, Quota, check_quota
from specie.directory.watching import Seen
from specie.ledger.directory_leaves import LeafPromise
from specie.log.leaves import DirectoryLeaf
from specie.log.tree import compute_leaf_hash
from specie.ports.directory import OwnNumber, StoredEntry
from specie.store.directory_store import SqliteDirectoryStore
from specie.store.look_up_store import SqliteLookUpCounts
from specie.store.own_phone_store import SqliteOwnPhoneStore
from specie.store.phone_store import SqlitePhoneStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    PublicKey,
    Signature,
)
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp
from tests.clocks import MORNING
from tests.country import find_code, refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import BANK, NETWORK, Samples

KEY = SealingKey.generate()
PHONE, OTHER = PhoneNumber("+77015550101"), PhoneNumber("+77015550102")
NAME = "Nadia Nameless"


def make_entry(samples: Samples, index: Digest, version: int) -> StoredEntry:
    entry = DirectoryEntry(
        network=NETWORK,
        index=index,
        version=version,
        state=EntryState.ACTIVE,
        authority=Authority.OWNER,
        bank=BANK,
        address=samples.address(),
        time=MORNING,
        salt=samples.draw(16),
        name=NAME,
    )
    one, two, three, four = (Signature(samples.draw(64)) for _ in range(4))
    leaf = DirectoryLeaf(index, version, PublicKey(samples.draw(32)), entry.hash, four)
    return StoredEntry(SignedEntry(entry, one, two, three), leaf)


def promise(stored: StoredEntry, samples: Samples, publish_by: int) -> LeafPromise:
    leaf_hash = compute_leaf_hash(stored.leaf.pack())
    return LeafPromise(leaf_hash, Timestamp(publish_by), Signature(samples.draw(64)))


def test_every_version_is_kept(engine: Engine, samples: Samples) -> None:
    store, index = SqliteDirectoryStore(engine.open(), KEY), Digest(samples.draw(32))
    assert store.find_newest(index) is None
    first, second = (make_entry(samples, index, version) for version in (1, 2))
    for one in (first, second):
        store.add(one)
        with refused(ErrorCode.ORDER_CONFLICT):
            store.add(one)
    again = SqliteDirectoryStore(engine.open(), KEY)
    assert again.find_newest(index) == second
    assert again.find_version(index, 1) == first
    assert again.find_newest(index, is_promised=True) is None
    assert again.load_unpromised(9) == [first, second] and again.load_unproven(9) == []
    given_first, given_second = promise(first, samples, 9), promise(second, samples, 5)
    store.record_promise(first.leaf, given_first)
    store.record_promise(second.leaf, given_second)
    assert [one.leaf.version for one in store.load_unproven(9)] == [2, 1]
    assert [one.leaf.version for one in store.load_unproven(1)] == [2]
    store.forget(second.leaf)  # it is promised: it stays
    store.record_receipt(second.leaf, "a receipt")
    found = store.find_newest(index, is_promised=True)
    assert found is not None and (found.promise, found.receipt) == (given_second, "a receipt")
    assert [one.leaf.version for one in store.load_unproven(9)] == [1]
    third = make_entry(samples, index, 3)
    store.add(third)
    store.forget(third.leaf)
    assert store.find_newest(index) == found and store.count() == 2


def test_a_bank_knows_its_clients_numbers(engine: Engine, samples: Samples) -> None:
    store = SqlitePhoneStore(engine.open(), KEY)
    one, two = ClientId("one"), ClientId("two")
    store.confirm(one, PHONE)
    store.confirm(one, PHONE)
    with refused(ErrorCode.ORDER_CONFLICT):
        SqlitePhoneStore(engine.open(), KEY).confirm(two, PHONE)
    store.confirm(one, OTHER)
    store.confirm(two, PHONE)
    signed = make_entry(samples, Digest(samples.draw(32)), 1).signed
    signer, newer = (InstitutionPublicKey(samples.draw(32)) for _ in range(2))
    store.record_entry(one, signed, signer)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.confirm(one, PhoneNumber("+77015550103"))
    known = store.find(one)
    assert known is not None
    assert (known.phone, known.signed, known.signer) == (OTHER, signed, signer)
    assert store.load_signed_by_others(newer, 9) == [known]
    assert store.load_signed_by_others(signer, 9) == []
    store.forget(one)
    assert store.find(one) is None
    store.confirm(two, PHONE)


def test_a_device_remembers_what_it_signed(engine: Engine, samples: Samples) -> None:
    store = SqliteOwnPhoneStore(engine.open(), "one", KEY)
    other = SqliteOwnPhoneStore(engine.open(), "two", KEY)
    index = Digest(samples.draw(32))
    number = OwnNumber(PHONE, index, PublicKey(samples.draw(32)))
    assert store.find_number() is None and store.find_last(index) is None
    store.record_number(number)
    store.record_number(number)
    first, second = (make_entry(samples, index, version).signed for version in (1, 2))
    for signed in (first, first, second):
        store.record_entry(signed)
    store.record_promise(first, Timestamp(7))
    store.rely(Digest(b"r" * 32), Timestamp(8))
    store.rely(Digest(b"r" * 32), Timestamp(9))
    seen = Seen(5, Digest(samples.draw(32)))
    store.record_seen(seen)
    watched = store.load_watched()
    assert (watched.index, watched.key, watched.seen) == (index, number.key, seen)
    assert {version: one.publish_by for version, one in watched.own.items()} == {1: 7, 2: None}
    assert watched.own[2].hash == second.entry.hash
    assert watched.relied == {b"r" * 32: 8}
    assert store.find_last(index) == (second, None)
    store.forget_relied([Digest(b"r" * 32)])
    assert store.load_watched().relied == {}
    assert other.find_number() is None and other.load_watched().own == {}


def test_nothing_personal_is_readable(engine: Engine, samples: Samples) -> None:  # X5
    database = engine.open()
    stored = make_entry(samples, Digest(samples.draw(32)), 1)
    SqliteDirectoryStore(database, KEY).add(stored)
    phones = SqlitePhoneStore(database, KEY)
    phones.confirm(ClientId("client"), PHONE)
    phones.record_entry(ClientId("client"), stored.signed, InstitutionPublicKey(bytes(32)))
    own = SqliteOwnPhoneStore(database, "holder", KEY)
    own.record_number(OwnNumber(PHONE, stored.leaf.index, stored.leaf.key))
    own.record_entry(stored.signed)
    values = b"\n".join(database.iterate_values())
    address = stored.signed.entry.address
    for secret in (PHONE.encode(), NAME.encode(), address.view, address.spend):
        assert secret not in values
    assert bytes(stored.leaf.index) in bytes(values), "the search would find it"


def test_counts_are_kept_over_a_restart(engine: Engine) -> None:
    quota = Quota(hour=2, day=3)
    for _ in range(2):
        SqliteLookUpCounts(engine.open()).take("me", MORNING, quota)
    store = SqliteLookUpCounts(engine.open())
    with refused(ErrorCode.RATE_EXCEEDED):
        store.take("me", MORNING, quota)
    store.take("somebody else", MORNING, quota)
    later = Timestamp(MORNING + HOUR_MS)
    store.take("me", later, quota)
    with refused(ErrorCode.RATE_EXCEEDED):
        store.take("me", later, quota)
    tomorrow = Timestamp(MORNING + HOURS_KEPT * HOUR_MS)
    store.take("me", tomorrow, quota)


@given(st.dictionaries(st.integers(0, 40), st.integers(1, 5)), st.integers(30, 36))
@settings(max_examples=80)
def test_a_quota_is_of_an_hour_and_of_a_day(counts: dict[int, int], hour: int) -> None:
    quota = Quota(hour=4, day=20)
    last_day = sum(count for one, count in counts.items() if one > hour - HOURS_KEPT)
    is_within = counts.get(hour, 0) < 4 and last_day < 20
    found = find_code(lambda: check_quota(quota, counts, hour))
    assert found is (None if is_within else ErrorCode.RATE_EXCEEDED)


@pytest.mark.parametrize("limit", ["hour", "day"])
def test_a_quota_says_what_it_is(limit: str) -> None:
    quota = Quota(hour=1, day=1)
    with pytest.raises(Exception, match=limit):
        check_quota(quota, {7: 1}, 7)
