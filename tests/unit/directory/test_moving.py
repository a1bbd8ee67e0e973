"""A number goes with its owner to another bank, by the key of before (rows T3, T8)."""

from dataclasses import dataclass, replace

from specie.directory.entries import Authority, EntryState
from specie.directory.watching import WatchReport
from specie.ports.directory import Located
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import PublicKey
from specie.values.phones import PhoneNumber
from specie.wallet.phone import Wish
from tests.country import NORTH, SOUTH, Person, refused
from tests.unit.directory.world import AtBank, World

SHOWN, CLOSED = Wish(EntryState.ACTIVE, is_named=True), Wish(EntryState.CLOSED)


@dataclass(frozen=True)
class Claiming(AtBank):
    """A device that names a key of before which is not its own."""

    claimed: PublicKey | None = None

    def locate(self, phone: PhoneNumber, former: PublicKey | None) -> tuple[Located, str]:
        assert former is None
        return super().locate(phone, self.claimed)


def move(world: World, first: PhoneNumber) -> tuple[Person, Person]:
    """At the bank of before, and at the new one, which has confirmed the number."""
    return world.open_person(NORTH, first), world.open_person(SOUTH, first)


def test_the_owner_takes_the_number_along(world: World, first: PhoneNumber) -> None:
    before, after = move(world, first)
    old = world.open_device(before)
    old.put(first, SHOWN)
    moved = replace(world.open_device(after), store=old.store, former=(old.spend,))
    recorded = moved.put(first, SHOWN)
    assert recorded.signed.entry.authority is Authority.OWNER
    found = world.open_device(world.open_person(NORTH)).find(first)
    assert (found.version, found.bank, found.address) == (2, SOUTH, after.wallet.keys.address)
    assert moved.put(first, CLOSED).signed.entry.version == 3, "by the new key alone from now on"
    world.publish()
    report: WatchReport = world.watch(moved)
    assert report.alarm is None
    assert report.own == (1, 2, 3)


def test_the_bank_before_lets_go_of_nothing_that_is_gone(world: World, first: PhoneNumber) -> None:
    before, after = move(world, first)
    old = world.open_device(before)
    old.put(first, SHOWN)
    replace(world.open_device(after), store=old.store, former=(old.spend,)).put(first, SHOWN)
    world.banks[NORTH].release_phone(before.id)
    found = world.open_device(world.open_person(NORTH)).find(first)
    assert (found.version, found.bank) == (2, SOUTH)


def test_who_has_not_the_key_of_before_takes_nothing(world: World, first: PhoneNumber) -> None:
    before, after = move(world, first)
    old = world.open_device(before)
    old.put(first, SHOWN)
    stranger = world.open_device(after)
    with refused(ErrorCode.ORDER_CONFLICT):
        stranger.put(first, SHOWN)
    claimed = Claiming(world.banks[SOUTH], after.id, PublicKey(old.spend.public))
    with refused(ErrorCode.DIRECTORY_SIGNATURE_INVALID):
        replace(world.open_device(after), bank=claimed).put(first, SHOWN)
    assert world.open_device(world.open_person(SOUTH)).find(first).bank == NORTH
