"""Power fails at any moment: what was acknowledged is there, nothing is there by half (X12).

The stores run over `Disk`. At writes and syncs all along the way it is asked what it would hold if
power failed now; the stores are opened on that, as after a restart, and go on.
"""

import random
from dataclasses import dataclass

import pytest

from specie.values.errors import SpecieError
from tests.disk.deeds import House
from tests.disk.driver import open_database
from tests.disk.layer import Disk

DEEDS = 20
EVERY = 23  # so many calls of the disk between two losses of power: not a divisor of anything

SIZE_MIN = 100_000


@dataclass(frozen=True, slots=True)
class Loss:
    """What was left, how many deeds were acknowledged by then, and whether one was under way."""

    files: dict[str, bytes]
    acknowledged: int
    is_idle: bool


def live(synchronous: str, seed: int) -> list[Loss]:
    """The deeds, and what was left at each loss of power."""
    disk, dice, losses = Disk(), random.Random(seed), list[Loss]()
    house = House(open_database(disk, synchronous))
    house.begin()
    acknowledged, calls = 0, 0

    def lose_power() -> None:
        nonlocal calls
        calls += 1
        if calls % EVERY == 0:
            losses.append(Loss(disk.lose_power(dice), acknowledged, is_idle=False))

    disk.watch = lose_power
    for number in range(1, DEEDS + 1):
        house.do(number)
        acknowledged = number
        losses.append(Loss(disk.lose_power(dice), acknowledged, is_idle=True))
    disk.watch = lambda: None
    assert len(disk.files["store.db"].now) > SIZE_MIN  # the log was worked into the file
    return losses


def recover(loss: Loss) -> int:
    """The deeds that a restart finds; the next one can be done."""
    disk = Disk(loss.files)
    house = House(open_database(disk))
    found = house.count_deeds()
    house.begin()
    house.do(found + 1)
    again = House(open_database(Disk(disk.lose_power(random.Random(found)))))
    assert again.count_deeds() == found + 1  # durable in its turn
    return found


@pytest.mark.parametrize("seed", range(2))
def test_what_was_acknowledged_is_there(seed: int) -> None:  # X12, P11
    losses = live("FULL", seed)
    midway = [loss for loss in losses if not loss.is_idle]
    assert len(losses) - len(midway) == DEEDS and len(midway) >= DEEDS // 2
    found = [recover(loss) - loss.acknowledged for loss in losses]
    assert set(found) <= {0, 1}
    assert all(more == 0 for more, loss in zip(found, losses, strict=True) if loss.is_idle)
    assert any(found)  # some deeds were safe already, and nobody had been told


def count_lost(loss: Loss) -> int:
    """Acknowledged deeds that are gone; all of them if what is left cannot be used."""
    try:
        return loss.acknowledged - House(open_database(Disk(loss.files))).count_deeds()
    except (SpecieError, AssertionError):
        return loss.acknowledged


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_store_without_syncs_is_found(synchronous: str) -> None:  # X12
    """The same check fails for it: it forgets what it has acknowledged."""
    losses = live(synchronous, seed=1)
    lost = [count_lost(loss) for loss in losses if loss.is_idle]
    assert max(lost) > 0
    assert sum(one > 0 for one in lost) > DEEDS // 4
