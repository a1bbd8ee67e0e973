"""The access log: whoever changes, deletes or reorders an entry is found out (T20)."""

import threading
from collections.abc import Callable

import pytest

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SealingKey
from specie.ports.supervision import AccessEntry
from specie.store.access_store import SqliteAccessStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ZERO32, Digest
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine

KEY = SealingKey.generate()


def open_log(engine: Engine, entries: int = 0) -> SqliteAccessStore:
    store = SqliteAccessStore(engine.open(), KEY)
    for number in range(entries):
        store.append(Timestamp(number), "Ada", "search", ("anna", f"page {number}"), "asked to")
    return store


def test_entries_are_kept_and_hold(engine: Engine) -> None:
    store = open_log(engine)
    assert store.get_head() == (0, Digest(ZERO32)) and store.verify([]) == 0
    store = open_log(engine, 5)
    assert store.verify([]) == 5
    head = store.get_head()
    assert head[0] == 5
    assert store.load(2, 2) == [
        AccessEntry(n + 1, Timestamp(n), "Ada", "search", "anna", f"page {n}", "asked to")
        for n in (1, 2)
    ]
    assert open_log(engine, 1).verify([head, (0, Digest(ZERO32))]) == 6
    assert store.load(7, 10) == []


def test_nothing_of_them_stands_in_the_clear(engine: Engine) -> None:
    store, database = open_log(engine, 2), engine.open()
    store.append(Timestamp(1), "Ada", "search", ("SECRET", "SECRET"), "SECRET")
    assert not any(b"SECRET" in value for value in database.iterate_values())


def test_two_logs_of_the_same_entries_have_different_heads(engine: Engine) -> None:
    """Of a short entry nobody finds out by its hash what it says."""
    store = open_log(engine, 1)
    plain = b'{"action":"search","client":"anna","officer":"Ada","reason":"asked to",'
    guess = plain + b'"subject":"page 0"}'
    zero = bytes(8)
    number = (1).to_bytes(8, "little")
    assert store.get_head()[1] != tagged_hash("access", ZERO32, number, zero, guess)


BREAKS = {
    "changed time": "UPDATE access_entry SET time = 9 WHERE number = 2",
    "time before all times": "UPDATE access_entry SET time = -1 WHERE number = 2",
    "changed hash": "UPDATE access_entry SET hash = (SELECT hash FROM access_entry e"
    " WHERE e.number = 1) WHERE number = 2",
    "first deleted": "DELETE FROM access_entry WHERE number = 1",
    "middle deleted": "DELETE FROM access_entry WHERE number = 2",
    "last deleted": "DELETE FROM access_entry WHERE number = 3",
    "all deleted": "DELETE FROM access_entry",
    "head deleted": "DELETE FROM access_head",
    "content of another": "UPDATE access_entry SET sealed = (SELECT sealed FROM access_entry e"
    " WHERE e.number = 1) WHERE number = 2",
    "moved": "UPDATE access_entry SET number = 9 WHERE number = 3",
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_changed_is_found(engine: Engine, what: str) -> None:
    store = open_log(engine, 3)
    engine.run(BREAKS[what])
    with refused(ErrorCode.ACCESS_LOG_INVALID):
        store.verify([])


def test_a_head_that_somebody_else_wrote_is_none(engine: Engine) -> None:
    store = open_log(engine, 1)
    other = SqliteAccessStore(engine.open(), SealingKey.generate())
    for read in (other.get_head, lambda: other.verify([])):
        with refused(ErrorCode.ACCESS_LOG_INVALID):
            read()
    assert store.verify([]) == 1


def test_who_has_everything_and_writes_it_anew_does_not_have_what_was_pinned(
    engine: Engine,
) -> None:
    """The bank itself, with its key: consistent in itself, and another log."""
    store = open_log(engine, 3)
    pinned = store.get_head()
    engine.run("DELETE FROM access_entry")
    engine.run("DELETE FROM access_head")
    store = open_log(engine, 4)
    assert store.verify([]) == 4
    with refused(ErrorCode.ACCESS_LOG_INVALID):
        store.verify([pinned])
    with refused(ErrorCode.ACCESS_LOG_INVALID):
        store.verify([(9, pinned[1])])
    fresh = store.get_head()
    with refused(ErrorCode.ACCESS_LOG_INVALID):
        store.verify([fresh, (fresh[0], pinned[1])])


def test_written_at_once_one_follows_the_other(engine: Engine) -> None:
    stores = [open_log(engine) for _ in range(4)]

    def write(store: SqliteAccessStore) -> Callable[[], None]:
        def run() -> None:
            for _ in range(5):
                store.append(Timestamp(1), "Ada", "search", ("", ""), "asked to")

        return run

    threads = [threading.Thread(target=write(store)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].verify([]) == 20


def test_hashes_as_they_stand_there(engine: Engine) -> None:
    store = open_log(engine, 2)
    assert store.find_hash(2) == store.get_head()[1] != store.find_hash(1)
    assert store.find_hash(0) == Digest(ZERO32) and store.find_hash(3) is None
