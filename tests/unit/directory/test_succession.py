"""Who may follow whom: random histories against a model of its own (rows T8, T1, T2)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree, SpendKey
from specie.directory.entries import (
    Authority,
    DirectoryEntry,
    EntryState,
    SignedEntry,
    sign_as_bank,
    sign_as_owner,
    unpack_signed_entry,
)
from specie.directory.succession import check_entry, choose_authority
from specie.identity.participants import Status
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO16,
    ZERO64,
    Digest,
    NetworkId,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp
from tests.clocks import MORNING
from tests.country import NORTH, SOUTH, find_code, refused
from tests.unit.directory.world import World

INDEX: Final = Digest(b"i" * 32)


@dataclass(frozen=True, slots=True)
class Owner:
    """Keys, the same at both banks."""

    spend: SpendKey
    view: PublicKey

    def at(self, bank: ParticipantNumber) -> Address:
        return Address(bank, self.view, PublicKey(self.spend.public))


def make_owner() -> Owner:
    tree = KeyTree.generate()
    return Owner(tree.spend_key(0), PublicKey(tree.view_key(0).public))


OWNERS: Final = (make_owner(), make_owner())


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody tries."""

    owner: int
    bank: ParticipantNumber
    state: EntryState
    authority: Authority
    has_previous: bool  # the key before signs as well


steps = st.builds(
    Step,
    st.sampled_from((0, 1)),
    st.sampled_from((NORTH, SOUTH)),
    st.sampled_from(EntryState),
    st.sampled_from(Authority),
    st.booleans(),
)


def build(world: World, step: Step, before: DirectoryEntry | None) -> SignedEntry:
    owner = OWNERS[step.owner]
    address = owner.at(step.bank)
    if step.state is EntryState.CLOSED and before is not None:
        address = before.address
    entry = DirectoryEntry(
        network=world.roster.genesis.network,
        index=INDEX,
        version=(before.version if before else 0) + 1,
        state=step.state,
        authority=step.authority,
        bank=step.bank,
        address=address,
        time=MORNING,
        salt=ZERO16,
    )
    signature = Signature(ZERO64)
    if not entry.is_closing_by_bank:
        signature = sign_as_owner(entry, owner.spend)
    previous = Signature(ZERO64)
    if step.has_previous and before is not None:
        (key,) = [one.spend for one in OWNERS if one.spend.public == before.address.spend]
        previous = sign_as_owner(entry, key)
    return SignedEntry(entry, signature, previous, sign_as_bank(entry, world.keys[step.bank]))


def is_allowed(step: Step, before: DirectoryEntry | None, owner: int | None) -> bool:
    """The rules again, as a person would say them."""
    is_closing = step.state is EntryState.CLOSED
    if before is None or before.state is EntryState.CLOSED:
        return (
            step.authority is Authority.FIRST
            and not is_closing
            and not (step.has_previous and before is not None)
        )
    is_bank_same, is_same = before.bank == step.bank, step.owner == owner
    if is_closing and before.address.bank != step.bank:
        return False  # a bank serves its own addresses alone
    if step.authority is Authority.BANK:
        return is_bank_same and not step.has_previous
    if step.authority is Authority.FIRST:
        return False
    if is_closing:
        return is_same and not step.has_previous
    return not step.has_previous if is_same else step.has_previous


@given(st.lists(steps, min_size=1, max_size=8))
@settings(max_examples=120)
def test_histories(world: World, history: list[Step]) -> None:
    before: SignedEntry | None = None
    owner: int | None = None
    for step in history:
        known = before.entry if before else None
        signed = build(world, step, known)
        assert unpack_signed_entry(signed.pack()) == signed
        code = find_code(partial(check_entry, before, signed, world.roster, MORNING))
        assert (code is None) == is_allowed(step, known, owner), (step, code)
        if code is None:
            owner = owner if step.state is EntryState.CLOSED else step.owner
            before = signed


@given(steps, st.integers(0, 390), st.integers(1, 255))
@settings(max_examples=60)
def test_no_byte_of_an_entry_may_change(world: World, step: Step, place: int, change: int) -> None:
    first = replace(step, state=EntryState.ACTIVE, authority=Authority.FIRST, has_previous=False)
    data = bytearray(build(world, first, None).pack())
    data[place] ^= change

    def read() -> None:
        check_entry(None, unpack_signed_entry(bytes(data)), world.roster, MORNING)

    with pytest.raises(SpecieError):
        read()


def test_what_an_entry_has_to_be(world: World) -> None:
    step = Step(0, NORTH, EntryState.ACTIVE, Authority.FIRST, has_previous=False)
    good = build(world, step, None)
    cases: list[tuple[DirectoryEntry, ErrorCode]] = [
        (replace(good.entry, network=NetworkId(bytes(16))), ErrorCode.NETWORK_MISMATCH),
        (replace(good.entry, time=Timestamp(MORNING + 10**6)), ErrorCode.MESSAGE_OUT_OF_TIME),
        (replace(good.entry, version=2), ErrorCode.DIRECTORY_VERSION_WRONG),
        (replace(good.entry, bank=ParticipantNumber(1)), ErrorCode.PARTICIPANT_INACTIVE),
        (replace(good.entry, bank=ParticipantNumber(99)), ErrorCode.PARTICIPANT_UNKNOWN),
        (replace(good.entry, bank=SOUTH), ErrorCode.NOT_SERVED_HERE),
        (replace(good.entry, state=EntryState.HIDDEN, name="N"), ErrorCode.TEXT_INVALID),
    ]
    for entry, code in cases:
        signed = SignedEntry(entry, sign_as_owner(entry, OWNERS[0].spend))
        with refused(code):
            check_entry(None, signed, world.roster, MORNING)
    later = build(world, replace(step, authority=Authority.OWNER), good.entry)
    older = replace(later, entry=replace(later.entry, time=Timestamp(MORNING - 1)))
    with refused(ErrorCode.MESSAGE_OUT_OF_TIME):
        check_entry(good, older, world.roster, MORNING)
    for place, code in ((0, ErrorCode.VERSION_UNKNOWN), (53, ErrorCode.KIND_UNKNOWN)):
        data = bytearray(good.pack())
        data[place] = 9
        with refused(code):
            unpack_signed_entry(bytes(data))


def test_a_successor_speaks_for_a_lost_bank(world: World) -> None:  # T2
    step = Step(0, NORTH, EntryState.ACTIVE, Authority.FIRST, has_previous=False)
    before = build(world, step, None)
    spend = PublicKey(OWNERS[1].spend.public)
    with refused(ErrorCode.ORDER_CONFLICT):
        choose_authority(before.entry, SOUTH, spend, world.roster)
    current = world.roster.current
    lost = replace(current.participants[NORTH], status=Status.REVOKED, successor=SOUTH)
    members = {**current.participants, NORTH: lost}
    world.country.network.replace_participants(
        replace(current, version=current.version + 1, participants=members)
    )
    assert choose_authority(before.entry, SOUTH, spend, world.roster) is Authority.BANK
    entry = replace(
        build(world, replace(step, owner=1, bank=SOUTH), before.entry).entry,
        address=OWNERS[1].at(NORTH),
        authority=Authority.BANK,
    )
    owner = sign_as_owner(entry, OWNERS[1].spend)
    signed = SignedEntry(entry, owner, bank=sign_as_bank(entry, world.keys[SOUTH]))
    check_entry(before, signed, world.roster, MORNING)


def test_of_many_at_once_one_is_next(world: World, first: PhoneNumber) -> None:
    """Ten devices put different entries of one version at the same moment: one stands."""
    person = world.open_person(SOUTH, first)
    bank = world.banks[SOUTH]
    located, _ = bank.locate(person.id, first, None)
    outcomes: list[ErrorCode | None] = []

    def put(signed: SignedEntry) -> Callable[[], None]:
        return lambda: outcomes.append(find_code(lambda: bank.put(person.id, first, signed)))

    index = world.open_device(person)._adopt(first, located)  # noqa: SLF001  # what `put` does
    threads = []
    for place in range(10):
        entry = DirectoryEntry(
            network=world.roster.genesis.network,
            index=index,
            version=1,
            state=EntryState.ACTIVE,
            authority=Authority.FIRST,
            bank=SOUTH,
            address=person.wallet.keys.address,
            time=world.country.clock.now(),
            salt=bytes([place]) * 16,
        )
        signed = SignedEntry(entry, sign_as_owner(entry, person.wallet.keys.spend))
        threads.append(threading.Thread(target=put(signed)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(["None"] + ["order_conflict"] * 9)
    stored = world.directory.store.find_newest(index)
    assert stored is not None and stored.promise is not None
    assert stored.leaf.version == 1
