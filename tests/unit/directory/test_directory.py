"""The directory from device to log and back (rows T8, T1, T9, X3)."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from specie.crypto.secrets import InstitutionKey, SealingKey, VrfKey
from specie.directory.answers import NOTHING_FOUND, Answer, unpack_answer, verify_answer
from specie.directory.entries import (
    Authority,
    DirectoryEntry,
    EntryState,
    SignedEntry,
    sign_as_owner,
)
from specie.directory.indexes import get_index
from specie.directory.quotas import Quota, Quotas
from specie.ledger.directory_leaves import sign_leaf
from specie.store.directory_store import SqliteDirectoryStore
from specie.store.look_up_store import SqliteLookUpCounts
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey, PublicKey, Signature
from specie.values.limits import ANSWER_AGE_MS_MAX, ANSWER_BYTES, ENTRY_AGE_MS_MAX
from specie.values.phones import PhoneNumber
from specie.wallet.phone import Wish
from tests.country import NORTH, SOUTH, find_code, refused
from tests.unit.directory.world import AtBank, World, draw_phone, replace_keys


def refused_any(*codes: ErrorCode) -> pytest.RaisesExc[SpecieError]:
    return pytest.raises(SpecieError, check=lambda error: error.code in codes)


def change(answer: Answer, **parts: Any) -> Answer:
    return replace(answer, recorded=replace(answer.recorded, **parts))


def open_store(world: World) -> SqliteDirectoryStore:
    """With nothing in it."""
    return SqliteDirectoryStore(world.folder / f"{draw_phone()}.db", SealingKey.generate())


def unpack_found(data: bytes) -> DirectoryEntry:
    answer = unpack_answer(data)
    assert answer is not None
    return answer.recorded.signed.entry


SHOWN, UNNAMED = Wish(EntryState.ACTIVE, is_named=True), Wish(EntryState.ACTIVE)
HIDDEN, CLOSED = Wish(EntryState.HIDDEN), Wish(EntryState.CLOSED)


def test_a_number_is_put_found_and_published(world: World, first: PhoneNumber) -> None:  # T8, T9
    alice, bob = world.open_person(NORTH, first), world.open_person(SOUTH)
    device, payer = world.open_device(alice), world.open_device(bob)
    with refused(ErrorCode.PHONE_UNKNOWN):
        payer.find(first)
    recorded = device.put(first, SHOWN)
    assert recorded.signed.entry.authority is Authority.FIRST
    found = payer.find(first)
    assert found.address == alice.wallet.keys.address
    assert found.name == f"Name of {alice.id}"
    device.put(first, UNNAMED)
    found = payer.find(first)
    assert (found.version, found.name) == (2, "")
    assert found.authority is Authority.OWNER
    world.publish()
    answer = unpack_answer(world.banks[SOUTH].find(bob.id, first))
    assert answer is not None and answer.recorded.receipt
    assert payer.find(first).version == 2
    assert world.country.audit().entries >= 2
    report = world.watch(device)
    assert (report.own, report.foreign, report.alarm) == ((1, 2), (), None)


def test_a_lost_answer_is_asked_for_again(world: World, first: PhoneNumber) -> None:  # design 5, 3
    alice = world.open_person(NORTH, first)
    device = world.open_device(alice)
    with world.notary_down(), pytest.raises(ConnectionError):
        device.put(first, SHOWN)
    payer = world.open_device(world.open_person(SOUTH))
    with refused(ErrorCode.PHONE_UNKNOWN):
        payer.find(first)  # recorded, and not promised yet
    assert device.put(first, SHOWN).signed.entry.version == 1
    assert payer.find(first).version == 1
    with world.notary_down(), pytest.raises(ConnectionError):
        device.put(first, UNNAMED)
    assert device.put(first, HIDDEN).signed.entry.version == 3, "the one left first"
    world.publish()
    assert world.watch(device).own == (1, 2, 3)


def test_what_a_stop_has_left_the_desk_takes_up(
    world: World, first: PhoneNumber, second: PhoneNumber
) -> None:  # design 5, 3
    device = world.open_device(world.open_person(NORTH, first))
    world.open_device(world.open_person(NORTH, second)).put(second, SHOWN)
    world.publish()
    with world.notary_down(), pytest.raises(ConnectionError):
        device.put(first, SHOWN)
    assert [error.code for error in world.directory.work()] == [ErrorCode.NOT_PUBLISHED]
    payer = world.open_device(world.open_person(SOUTH))
    assert payer.find(first).version == 1


def test_the_bank_looks_before_it_signs(
    world: World, first: PhoneNumber, second: PhoneNumber
) -> None:  # T8
    alice, other = world.open_person(NORTH, first), world.open_person(NORTH)
    bank, device = world.banks[NORTH], world.open_device(alice)
    with refused(ErrorCode.PHONE_NOT_CONFIRMED):
        device.put(second, SHOWN)
    with refused(ErrorCode.ORDER_CONFLICT):
        bank.register_phone(other.id, first)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        bank.register_phone(ClientId("nobody"), second)
    recorded = device.put(first, SHOWN)
    entry = recorded.signed.entry
    for changed, code in (
        (replace(entry, name="Somebody Else"), ErrorCode.TEXT_INVALID),
        (replace(entry, bank=SOUTH), ErrorCode.NOT_SERVED_HERE),
        (replace(entry, address=other.wallet.keys.address), ErrorCode.NOT_SERVED_HERE),
    ):
        signed = SignedEntry(changed, sign_as_owner(changed, alice.wallet.keys.spend))
        with refused(code):
            bank.put(alice.id, first, signed)
    alice.bank.block(alice.id)
    for call in (lambda: device.put(first, SHOWN), lambda: device.find(second)):
        with refused(ErrorCode.CLIENT_BLOCKED):
            call()


def test_a_number_moves_with_its_owner(
    world: World, first: PhoneNumber
) -> None:  # T8: to another bank
    alice = world.open_person(NORTH, first)
    world.open_device(alice).put(first, SHOWN)
    stranger = world.open_person(SOUTH, first)  # as the southern bank believes
    with refused(ErrorCode.ORDER_CONFLICT):
        world.open_device(stranger).put(first, SHOWN)
    world.banks[SOUTH].release_phone(stranger.id)
    moved = world.country.network.reopen_wallet(alice.id, SOUTH)
    there = world.country.open_person(world.country.south, name=alice.id, wallet=moved)
    world.banks[SOUTH].register_phone(there.id, first)
    recorded = world.open_device(there).put(first, SHOWN)
    assert recorded.signed.entry.authority is Authority.OWNER
    found = world.open_device(stranger).find(first)
    assert (found.bank, found.version) == (SOUTH, 2)
    world.banks[NORTH].release_phone(alice.id)  # it went on without us: nothing to close
    assert world.open_device(stranger).find(first).version == 2


def test_a_bank_lets_a_number_go(
    world: World, first: PhoneNumber
) -> None:  # T8: porting, and everybody sees it
    alice = world.open_person(NORTH, first)
    device = world.open_device(alice)
    device.put(first, SHOWN)
    world.banks[NORTH].release_phone(alice.id)
    bob = world.open_person(SOUTH, first)
    recorded = world.open_device(bob).put(first, SHOWN)
    entry = recorded.signed.entry
    assert (entry.version, entry.authority) == (3, Authority.FIRST)
    world.publish()
    report = world.watch(device)
    assert report.foreign == (2, 3), "the owner did not ask for it"
    assert report.alarm is not None
    with refused(ErrorCode.PHONE_NOT_CONFIRMED):
        world.banks[NORTH].release_phone(alice.id)


def test_lost_keys_are_replaced_by_the_banks_word(
    world: World, first: PhoneNumber
) -> None:  # T8, X7
    alice = world.open_person(NORTH, first)
    world.open_device(alice).put(first, SHOWN)
    again = world.open_person(NORTH)  # the same human, new keys
    world.banks[NORTH].phones.forget(alice.id)
    world.banks[NORTH].register_phone(again.id, first)
    device = world.open_device(again)
    assert device.put(first, SHOWN).signed.entry.authority is Authority.BANK
    world.publish()
    report = world.watch(device)
    assert (report.own, report.earlier, report.alarm) == ((2,), (1,), None)


def test_the_owner_closes_and_the_number_is_free(world: World, first: PhoneNumber) -> None:  # T8
    alice, bob = world.open_person(NORTH, first), world.open_person(SOUTH)
    device = world.open_device(alice)
    device.put(first, SHOWN)
    device.put(first, CLOSED)
    with refused(ErrorCode.PHONE_UNKNOWN):
        world.open_device(bob).find(first)
    with refused(ErrorCode.PHONE_UNKNOWN):
        device.put(first, CLOSED)
    world.banks[NORTH].release_phone(alice.id)
    world.banks[SOUTH].register_phone(bob.id, first)
    assert world.open_device(bob).put(first, SHOWN).signed.entry.version == 3


# --- enumeration --------------------------------------------------------------------------------


def test_unknown_hidden_and_closed_look_the_same(
    world: World, first: PhoneNumber, second: PhoneNumber
) -> None:  # T8
    hidden, closed = world.open_person(NORTH, first), world.open_person(NORTH, second)
    world.open_device(hidden).put(first, HIDDEN)
    device = world.open_device(closed)
    device.put(second, SHOWN)
    told = world.directory.look_up(SOUTH, second)
    device.put(second, CLOSED)
    world.publish()
    unknown = draw_phone()
    answers = {world.directory.look_up(SOUTH, one) for one in (first, second, unknown)}
    assert answers == {NOTHING_FOUND}
    assert len(told) == len(NOTHING_FOUND) == ANSWER_BYTES
    assert told != NOTHING_FOUND


def test_nobody_tries_many_numbers(
    world: World, first: PhoneNumber, second: PhoneNumber
) -> None:  # T8
    quotas = Quotas(look_ups=Quota(hour=5, day=8), own=Quota(hour=2, day=2))
    bank = world.make_bank(world.country.north, quotas)
    world.open_device(world.open_person(SOUTH, second)).put(second, SHOWN)
    clients = [world.open_person(NORTH).id for _ in range(2)]
    tried = [draw_phone() for _ in range(20)]
    codes = [find_code(partial(bank.find, clients[0], phone)) for phone in tried]
    assert codes == [None] * 5 + [ErrorCode.RATE_EXCEEDED] * 15
    assert bank.find(clients[1], second) != NOTHING_FOUND, "each has its own"
    for _ in range(2):
        with refused(ErrorCode.RATE_EXCEEDED):
            bank.find(clients[0], second)
    world.country.clock.advance(3_600_000)
    assert [bank.find(clients[0], second) != NOTHING_FOUND for _ in range(3)] == [True] * 3
    with refused(ErrorCode.RATE_EXCEEDED):
        bank.find(clients[0], second)  # the day's
    bank.register_phone(clients[0], first)
    for _ in range(2):
        bank.locate(clients[0], first, None)
    with refused(ErrorCode.RATE_EXCEEDED):
        bank.locate(clients[0], first, None)


def test_a_bank_that_tries_numbers_is_stopped_too(
    world: World, first: PhoneNumber, second: PhoneNumber
) -> None:  # T8
    counts = SqliteLookUpCounts(world.folder / "few.db")
    quotas = Quotas(look_ups=Quota(hour=4, day=9), own=Quota(hour=3, day=9))
    directory = replace(world.directory, counts=counts, quotas=quotas)
    spend = world.open_person(NORTH).wallet.keys.address.spend
    for _ in range(4):
        directory.look_up(SOUTH, first)
    for _ in range(3):
        directory.locate(SOUTH, first, spend)
    with refused(ErrorCode.RATE_EXCEEDED):
        directory.look_up(SOUTH, second)
    with refused(ErrorCode.RATE_EXCEEDED):
        directory.locate(SOUTH, second, spend)
    assert directory.look_up(NORTH, first) == NOTHING_FOUND, "another bank asks on"


# --- banks and directories that lie --------------------------------------------------------------


def test_a_bank_that_redirects_an_entry_is_caught(
    world: World, first: PhoneNumber
) -> None:  # X3: "loudly"
    alice, thief = world.open_person(NORTH, first), world.open_person(NORTH)
    device = world.open_device(alice)
    device.put(first, SHOWN)
    world.publish()
    assert world.watch(device).alarm is None
    bank = world.banks[NORTH]  # with all that it has, and no client's key
    bank.phones.forget(alice.id)
    bank.register_phone(thief.id, first)
    world.open_device(thief).put(first, UNNAMED)
    payer = world.open_device(world.open_person(SOUTH))
    assert payer.find(first).address == thief.wallet.keys.address, "payers are misled until then"
    world.publish()
    report = world.watch(device)
    assert report.foreign == (2,)
    assert report.alarm is not None
    assert report.alarm.code is ErrorCode.DIRECTORY_ENTRY_FOREIGN
    assert "ALARM" in report.alarm.message


def test_a_directory_that_tells_what_is_not_in_the_log_is_caught(
    world: World, first: PhoneNumber
) -> None:  # X3
    alice, thief = world.open_person(NORTH, first), world.open_person(NORTH)
    device = world.open_device(alice)
    recorded = device.put(first, SHOWN)
    payer = world.open_person(SOUTH)
    good = unpack_answer(world.banks[SOUTH].find(payer.id, first))
    assert good is not None
    entry = replace(recorded.signed.entry, address=thief.wallet.keys.address)
    forged = SignedEntry(entry, sign_as_owner(entry, thief.wallet.keys.spend))
    network, list_key = world.roster.genesis.network, world.country.network.list_key
    leaf = sign_leaf(entry.index, 1, world.directory.public, entry.hash, network, list_key)
    now = world.country.clock.now()
    for told in (
        replace(good, recorded=replace(good.recorded, signed=forged)),  # the log's leaf
        replace(good, recorded=replace(good.recorded, signed=forged, leaf=leaf)),  # a leaf of its
    ):
        with refused_any(ErrorCode.DIRECTORY_ANSWER_INVALID, ErrorCode.PROMISE_INVALID):
            verify_answer(told, first, world.trust, now)
    with refused(ErrorCode.ORDER_CONFLICT):
        world.country.network.notary.record_leaf(leaf)


def test_a_notary_that_promises_and_does_not_publish_is_caught(
    world: World, first: PhoneNumber
) -> None:  # X3
    alice = world.open_person(NORTH, first)
    device, payer = world.open_device(alice), world.open_device(world.open_person(SOUTH))
    payer.store.rely(Digest(b"r" * 32), world.country.clock.now())
    device.put(first, SHOWN)
    payer.find(first)
    world.country.clock.advance(ANSWER_AGE_MS_MAX + 60_000)
    with refused(ErrorCode.NOT_PUBLISHED):
        payer.find(first)
    world.publish()
    report = world.watch(payer)
    assert (len(report.kept), report.unkept) == (1, (b"r" * 32,))
    assert report.alarm is not None
    assert report.alarm.code is ErrorCode.DIRECTORY_ENTRY_MISSING
    assert payer.find(first).version == 1


def test_every_part_of_an_answer_counts(
    world: World, first: PhoneNumber, second: PhoneNumber
) -> None:  # T8
    alice = world.open_person(NORTH, first)
    world.open_device(alice).put(first, SHOWN)
    world.publish()
    packed = world.directory.look_up(SOUTH, first)
    answer = unpack_answer(packed)
    assert answer is not None and answer.pack() == packed
    recorded, now = answer.recorded, world.country.clock.now()
    junk = Signature(bytes(range(63)) + b"\x80")
    signed = recorded.signed
    cases = (
        (replace(answer, value=bytes(96)), ErrorCode.PROOF_INVALID),
        (replace(answer, signature=junk), ErrorCode.DIRECTORY_ANSWER_INVALID),
        (change(answer, leaf=replace(recorded.leaf, signature=junk)), None),
        (change(answer, signed=replace(signed, owner=junk)), None),
        (change(answer, signed=replace(signed, bank=junk)), None),
    )
    for wrong, code in cases:
        with refused(code or ErrorCode.DIRECTORY_SIGNATURE_INVALID):
            verify_answer(wrong, first, world.trust, now)
    verify_answer(change(answer, receipt=""), first, world.trust, now)  # its time is not over
    with refused(ErrorCode.PROOF_INVALID):
        verify_answer(answer, second, world.trust, now)
    later = type(now)(now + ANSWER_AGE_MS_MAX + 1)
    with refused(ErrorCode.MESSAGE_OUT_OF_TIME):
        verify_answer(answer, first, world.trust, later)
    for data in (packed[:-1], b"\x02" + packed[1:], packed[:-1] + b"\1", b"\0" + packed[1:]):
        with refused(ErrorCode.DIRECTORY_ANSWER_INVALID):
            unpack_answer(data)


def test_another_directory_key_is_an_alarm(world: World, first: PhoneNumber) -> None:  # X3
    alice = world.open_person(NORTH, first)
    device = world.open_device(alice)
    device.put(first, SHOWN)
    bank = replace(world.banks[NORTH])
    keys = replace(world.directory.keys, function=VrfKey.generate())
    bank.directory = replace(world.directory, keys=keys, store=open_store(world))
    told = replace(device, bank=AtBank(bank, alice.id))
    with refused(ErrorCode.DIRECTORY_KEY_WRONG):
        told.put(first, UNNAMED)
    other = world.open_device(alice, bank)  # knows no key yet; the notary does
    with refused(ErrorCode.DIRECTORY_KEY_WRONG):
        other.put(first, UNNAMED)


def test_new_keys_of_a_bank_sign_what_stands(world: World, first: PhoneNumber) -> None:  # T2
    alice = world.open_person(NORTH, first)
    world.open_device(alice).put(first, SHOWN)
    payer = world.open_device(world.open_person(SOUTH))
    world.keys[NORTH] = InstitutionKey.generate()
    replace_keys(world.country, world.keys)
    with refused(ErrorCode.DIRECTORY_SIGNATURE_INVALID):
        payer.find(first)
    bank = world.banks[NORTH]
    bank.key, before = world.keys[NORTH], world.directory.store.count()
    assert bank.work() == []
    assert payer.find(first).version == 1
    assert world.directory.store.count() == before
    signer = InstitutionPublicKey(bank.key.public)
    assert bank.phones.load_signed_by_others(signer, 9) == []


def test_a_directory_of_an_old_copy_is_told_again(
    world: World, first: PhoneNumber
) -> None:  # design 3
    alice = world.open_person(NORTH, first)
    device = world.open_device(alice)
    recorded = device.put(first, SHOWN)
    bank = replace(world.banks[NORTH])
    bank.directory = replace(world.directory, store=open_store(world))
    changed = replace(recorded.signed.entry, salt=bytes(16))
    other = SignedEntry(changed, sign_as_owner(changed, alice.wallet.keys.spend))
    with refused(ErrorCode.ORDER_CONFLICT):
        bank.put(alice.id, first, other)
    bank.register_phone(alice.id, first)
    assert bank.directory.store.count() == 1
    assert unpack_found(bank.directory.look_up(SOUTH, first)).version == 1
    index = get_index(PublicKey(world.directory.public), device.bank.locate(first, None)[0].value)
    assert index == recorded.leaf.index


def test_an_entry_from_tomorrow_is_refused(world: World, first: PhoneNumber) -> None:
    alice = world.open_person(NORTH, first)
    device = world.open_device(alice)
    recorded = device.put(first, SHOWN)
    later = recorded.signed.entry.time + ENTRY_AGE_MS_MAX + 1
    changed = replace(recorded.signed.entry, time=type(world.country.clock.now())(later), version=2)
    changed = replace(changed, authority=Authority.OWNER)
    signed = SignedEntry(changed, sign_as_owner(changed, alice.wallet.keys.spend))
    with refused(ErrorCode.MESSAGE_OUT_OF_TIME):
        world.banks[NORTH].put(alice.id, first, signed)
