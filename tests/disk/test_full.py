"""A disk without room: a clear error, nothing lost or changed, and on it goes once there is room.

Databases may not grow by a limit of SQLite's own, in this process; files of any kind by a limit of
the operating system, in a process of its own, for it holds for all that a process writes (X12).
"""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from specie.store.database import Database
from specie.store.log_files import LogFolder
from specie.store.sqlite import make_engine
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.country import refused
from tests.disk.deeds import House

TRIES_MAX = 60


@dataclass(slots=True)
class Room:
    """How many pages the database may have; 0: as many as it likes."""

    pages: int = 0


def open_limited(path: Path, room: Room) -> Database:
    """A database whose connections keep to the room there is."""
    engine = make_engine(path)

    def limit(connection: Any, *_whose: Any) -> None:
        pages = room.pages or 2**30
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "checkout", limit)
    return Database(engine)


def do_until_full(house: House, start: int) -> int:
    """Deeds until one is refused for lack of room; gives the number of the last that was done."""
    told = []
    for number in range(start, start + TRIES_MAX):
        try:
            house.do(number)
        except SpecieError as error:
            told.append(str(error))
            break
    assert told == ["store_unusable: the database says: database or disk is full"]
    return number - 1


@pytest.mark.parametrize("pages", [75, 76, 77, 83, 90, 101])
def test_a_full_database_keeps_what_it_has(tmp_path: Path, pages: int) -> None:  # X12
    """Wherever in a deed the room ends: all of it is undone, and reading goes on."""
    room = Room()
    house = House(open_limited(tmp_path / "store.db", room))
    house.begin()
    room.pages = pages
    done = do_until_full(house, 1)
    assert house.count_deeds() == done
    with refused(ErrorCode.STORE_UNUSABLE):
        house.do(done + 1)  # the same answer as long as there is none
    assert house.count_deeds() == done
    room.pages = 0
    house.do(done + 1)
    house.database.close()
    assert House(Database(tmp_path / "store.db")).count_deeds() == done + 1


@pytest.mark.parametrize("is_caught", [False, True])
def test_a_transaction_that_meets_the_end_of_room(tmp_path: Path, is_caught: bool) -> None:  # X12
    """Many deeds in one transaction: what its end has acknowledged is there, or nothing of it."""
    room = Room()
    house = House(open_limited(tmp_path / "store.db", room))
    house.begin()
    room.pages = 90
    acknowledged = 0
    with suppress(SpecieError), house.database.transaction():
        done = do_until_full(house, 1)
        if not is_caught:
            house.do(done + 1)
        acknowledged = done
    with suppress(SpecieError):
        house.witness.load("somebody's")
    found = house.count_deeds()
    assert found in ({0, acknowledged} if is_caught else {0})
    house.database.close()
    assert House(Database(tmp_path / "store.db")).count_deeds() == found


def run_limited(folder: Path, size_max: int, ahead: int) -> dict[str, Any]:
    """The same in a process whose files may not grow beyond this."""
    command = [sys.executable, "-m", "tests.disk.limited", str(folder), str(size_max), str(ahead)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("size_max", "ahead", "who"),
    [
        (1_000, 0, "the database says"),
        (150_000, 0, "the database says"),
        (700_000, 0, "the database says"),
        (500, 10, "tile/entries"),
        (9_000, 30, "tile/entries"),
        (500, 4, "tile/entries"),
    ],
)
def test_files_that_may_not_grow(
    tmp_path: Path, size_max: int, ahead: int, who: str
) -> None:  # X12
    """Database, write-ahead log or tiles, whichever meets the limit first."""
    told = run_limited(tmp_path, size_max, ahead)
    assert told["refusal"].startswith(f"store_unusable: {who}")
    assert told["done"] == told["found"] >= ahead  # all that was acknowledged, nothing by half
    assert told["published"] == told["in the folder"] <= 5 * told["done"]
    assert told["afterwards"] == told["found"] + 1
    assert told["published afterwards"] == 5 * told["afterwards"]
    leaves = list(LogFolder(tmp_path / "public").iterate_leaves(told["published afterwards"]))
    assert len(leaves) == told["published afterwards"]
    assert list(tmp_path.rglob("*.new")) == []
