"""Machines, disks and messages of the simulated world."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from specie.simulation.world import Faults, Machine, Remote, World
from specie.store.database import Database
from specie.values.catalogue import ErrorCode
from tests.country import refused


@dataclass
class Counter:
    """Counts in its database."""

    database: Database

    def add(self) -> int:
        """One more; durable."""
        with self.database.transaction() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS counted (n INTEGER)"))
            connection.execute(text("INSERT INTO counted VALUES (1)"))
            found = connection.execute(text("SELECT count(*) FROM counted")).scalar_one()
        return int(found)


def make_pair(faults: Faults) -> tuple[World, Machine, Remote]:
    """A machine that counts, and another one's way to it."""
    world = World(1)
    counter, caller = Machine("counter", world, Counter), Machine("caller", world, lambda _: None)
    for machine in (counter, caller):
        machine.start()
    world.faults = faults
    return world, counter, Remote(caller, counter)


NEVER = Faults(0, 0, 0, 0, 0, 0, 0)


def test_a_message_is_carried_out_once() -> None:
    world, _, remote = make_pair(NEVER)
    assert [remote.add(), remote.add()] == [1, 2]
    assert world.counts == {}


def test_a_lost_message_is_not_carried_out() -> None:
    world, counter, remote = make_pair(Faults(1, 0, 0, 0, 0, 0, 0))
    with refused(ErrorCode.UNREACHABLE):
        remote.add()
    assert world.counts == {"lost message": 1}
    assert counter.get().add() == 1


def test_an_unanswered_message_is_carried_out() -> None:
    _, counter, remote = make_pair(Faults(0, 1, 0, 0, 0, 0, 0))
    with refused(ErrorCode.UNREACHABLE):
        remote.add()
    assert counter.get().add() == 2


def test_a_doubled_message_is_carried_out_twice() -> None:
    _, _, remote = make_pair(Faults(0, 0, 1, 0, 0, 0, 0))
    assert remote.add() == 2


def test_a_machine_that_stopped_does_not_answer_and_remembers_what_was_synced() -> None:
    _, counter, remote = make_pair(NEVER)
    assert remote.add() == 1
    counter.stop()
    with refused(ErrorCode.UNREACHABLE):
        remote.add()
    counter.start()
    assert remote.add() == 2


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_a_machine_that_does_not_sync_forgets(level: str) -> None:
    _, counter, remote = make_pair(NEVER)
    assert remote.add() == 1
    counter.disk.connection.execute(f"PRAGMA synchronous={level}")
    assert remote.add() == 2
    counter.stop()
    counter.start()
    assert remote.add() == 2


def test_a_cut_line_carries_nothing_until_it_is_mended() -> None:
    world, _, remote = make_pair(NEVER)
    world.partitions[frozenset(("counter", "caller"))] = world.time + 10
    with refused(ErrorCode.UNREACHABLE):
        remote.add()
    world.time += 10
    assert remote.add() == 1
