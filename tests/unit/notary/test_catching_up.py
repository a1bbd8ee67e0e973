"""A notary's database put back from an old copy: refused, then restored from log and archive (P11).

The copies are real files; what was lost is compared with what is restored, table by table.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specie.crypto.outputs import derive_owner_key
from specie.ledger.transactions import Promise
from specie.ledger.voids import sign_void
from specie.ledger.wire import decode_attested
from specie.notary.catching_up import CaughtUp, catch_up
from specie.notary.service import Notary
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Signature
from tests.country import Country, Person, audit_folder, build_country, refused
from tests.unit.notary.house import House, build_house, spend_unseen

TABLES = ("output", "spend", "kernel", "reserve", "notarised", "other", "supply", "batch", "leaf")


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """With money in vaults: its two issues are in every copy."""
    return build_country(tmp_path_factory.mktemp("country"))


@pytest.fixture
def people(country: Country) -> tuple[Person, Person]:
    """Two clients of one bank, the first with six tokens."""
    return country.open_person(country.north, *[10] * 6), country.open_person(country.north)


@pytest.fixture
def own(country: Country, people: tuple[Person, Person], tmp_path: Path) -> House:
    """A notary's house that has published all there was."""
    house = build_house(country, tmp_path)
    house.open_notary().publish(is_forced=True)
    return house


class Past:
    """A copy of the database, taken while the notary ran."""

    def __init__(self, house: House, name: str = "yesterday.db") -> None:
        self.house = house
        self.path = house.folder / name
        copy_database(house.folder / "notary.db", self.path)

    def put_back(self) -> House:
        """The same house over the old copy, in a folder of its own; the lost one is left."""
        folder = self.house.folder / f"after {self.path.stem}"
        folder.mkdir()
        copy_database(self.path, folder / "notary.db")
        for name in ("public", "batches"):
            shutil.copytree(self.house.folder / name, folder / name)
        return replace(self.house, folder=folder)


def copy_database(source: Path, target: Path) -> None:
    """As `sqlite3 .backup` does."""
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def read_tables(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the database says, but when a double spend was found: nobody knows that again."""
    with closing(sqlite3.connect(house.folder / "notary.db")) as connection:
        connection.execute("UPDATE other SET time = 0 WHERE request IS NULL")
        return {
            name: sorted(
                connection.execute(f"SELECT * FROM {name}").fetchall()  # our constant
            )
            for name in TABLES
        }


def read_log(house: House) -> list[bytes]:
    """What is published."""
    log = LogFolder(house.public)
    return list(log.iterate_leaves(int(log.read_checkpoint().split("\n")[1])))


def restore(house: House) -> CaughtUp:
    """What the operator does."""
    store = house.open_store()
    try:
        return catch_up(
            store, LogFolder(house.public), house.archive, house.roster.genesis, house.key
        )
    finally:
        store.close()


def spend(country: Country, people: tuple[Person, Person], token: int, amount: int = 1) -> bytes:
    """A payment of the token in this place, as it is sent."""
    return spend_unseen(country, *people, amount, people[0].wallet.load_tokens()[token])[0]


def cancel(owner: Person, data: bytes) -> Signature:
    """The owner's signature under a void."""
    signed = decode_attested(data).signed
    (token,) = [one for one in owner.wallet.load_tokens() if one.ref == signed.body.inputs[0]]
    keys = owner.wallet.keys
    return sign_void(signed, derive_owner_key(keys.spend, keys.view, token.output.data))


def live_on(country: Country, people: tuple[Person, Person], house: House) -> list[Promise]:
    """Three batches: payments, a proven double spend, a void, some with time between."""
    notary, promises = house.open_notary(), []
    for token in (1, 2, 3):
        house.clock.advance(1_000)
        promises.append(notary.notarise(spend(country, people, token)))
        with refused(ErrorCode.INPUT_SPENT):
            notary.notarise(spend(country, people, token, 7))
        void = spend(country, people, 4, token)
        notary.void(void, cancel(people[0], void))
        house.clock.advance(500)
        notary.publish(is_forced=True)
    return promises


def test_what_is_published_is_restored_to_the_row(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # P11
    """Outputs, spends, kernels, promises, conflicts, voids, times, leaves: as they were."""
    waiting = own.open_notary().notarise(spend(country, people, 0))  # recorded, not published
    past = Past(own)
    promises = live_on(country, people, own)
    lost = read_tables(own)
    house = past.put_back()
    before = read_tables(house)
    with refused(ErrorCode.STORE_OUTDATED):
        house.open_notary()
    assert read_tables(house) == before
    assert restore(house) == CaughtUp(3, 3, own.open_store().load_batch_time())
    assert read_tables(house) == lost
    notary = house.open_notary()
    assert [notary.find_promise(one.txid) for one in (waiting, *promises)] == [waiting, *promises]
    assert restore(house).batches == 0


def test_a_caught_up_notary_goes_on(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    past = Past(own)
    sent = spend(country, people, 1)
    promise = own.open_notary().notarise(sent)
    void = spend(country, people, 4)
    cancelled = own.open_notary().void(void, cancel(people[0], void))
    own.open_notary().publish(is_forced=True)
    house = past.put_back()
    restore(house)
    notary = house.open_notary()
    assert notary.notarise(sent) == promise
    with refused(ErrorCode.INPUT_SPENT):
        notary.notarise(spend(country, people, 1, 9))
    with refused(ErrorCode.TRANSACTION_VOID):
        notary.notarise(void)
    assert notary.void(void, cancel(people[0], void)) == cancelled
    assert notary.count_broken_promises() == 0
    notary.notarise(spend(country, people, 2))
    assert notary.publish(is_forced=True) > 0
    kept, grown = read_log(own), read_log(house)
    assert len(grown) > len(kept) and grown[: len(kept)] == kept
    assert house.archive.count() == own.archive.count() + 1


def test_a_new_issue_is_restored(tmp_path: Path) -> None:  # P8
    """Serial, total, what was issued on the day, and the reserve entry behind it."""
    made = build_country(tmp_path / "country")
    network, data = made.network, made.network.settings.data
    network.notary.publish(is_forced=True)
    old = data / "notary" / "old.db"
    copy_database(data / "notary" / "notary.db", old)
    made.issue(made.north, 5_000)
    made.clock.advance(86_400_000)
    made.issue(made.south, 7_000)
    network.notary.publish(is_forced=True)
    supply = network.notary.get_supply()
    log, archive = LogFolder(network.public), BatchFolder(data / "notary" / "batches")
    key = network.notary._key  # noqa: SLF001  # an institution's key outlives its database
    store = SqliteNotaryStore(old)
    catch_up(store, log, archive, network.genesis, key)
    assert store.load_supply() == supply
    restored = Notary(network.roster, key, store, log, made.clock, archive)
    assert restored.get_supply() == supply
    assert audit_folder(network.public).supply == supply.total
    lost = sqlite3.connect(data / "notary" / "notary.db")
    with closing(lost), closing(sqlite3.connect(old)) as here:
        for table in ("supply", "reserve"):
            query = f"SELECT * FROM {table}"  # our constants
            assert here.execute(query).fetchall()[-1] == lost.execute(query).fetchall()[-1]


def test_promises_that_were_not_published_are_given_again(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """They are lost with the database; who holds one sends the transaction again (ADR 0020)."""
    past = Past(own)
    own.open_notary().notarise(spend(country, people, 1))
    own.open_notary().publish(is_forced=True)
    own.clock.advance(100)
    sent = spend(country, people, 2)
    lost = own.open_notary().notarise(sent)
    house = past.put_back()
    found = restore(house)
    assert (found.batches, found.transactions) == (1, 1)
    assert found.lost_from <= lost.publish_by - own.roster.genesis.batch_age_ms_max
    notary = house.open_notary()
    assert notary.find_promise(lost.txid) is None
    assert notary.notarise(sent).txid == lost.txid


def test_a_stop_midway_is_gone_on_from(
    country: Country, people: tuple[Person, Person], own: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Past(own)
    live_on(country, people, own)
    lost = read_tables(own)
    house = past.put_back()
    record, calls = SqliteNotaryStore.record_publication, []

    def stop_at_the_second(store: SqliteNotaryStore, batch: Any) -> None:
        calls.append(batch.number)
        if len(calls) == 2:
            raise OSError("the machine stops")
        record(store, batch)

    monkeypatch.setattr(SqliteNotaryStore, "record_publication", stop_at_the_second)
    with pytest.raises(OSError, match="stops"):
        restore(house)
    monkeypatch.undo()
    with refused(ErrorCode.STORE_OUTDATED):
        house.open_notary()
    assert restore(house).batches == 2
    assert read_tables(house) == lost


def spoil(path: Path) -> None:
    """One bit of the last byte."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def find_newest(house: House) -> Path:
    """The archive's last batch."""
    return house.folder / "batches" / str(house.archive.count())


def swap_history(house: House) -> None:
    """A copy of another day than the log has: one leaf is another."""
    with closing(sqlite3.connect(house.folder / "notary.db")) as connection, connection:
        connection.execute("UPDATE leaf SET data = zeroblob(33) WHERE position = 1")


@pytest.mark.parametrize(
    "damage",
    [
        lambda house: spoil(find_newest(house)),
        lambda house: find_newest(house).unlink(),
        lambda house: spoil(next(house.public.glob("tile/entries/000.p/*"))),
        swap_history,
    ],
    ids=["batch", "no batch", "leaves", "history"],
)
def test_what_does_not_fit_is_not_restored(
    country: Country,
    people: tuple[Person, Person],
    own: House,
    damage: Callable[[House], None],
) -> None:
    past = Past(own)
    own.open_notary().notarise(spend(country, people, 1))
    own.open_notary().publish(is_forced=True)
    house = past.put_back()
    damage(house)
    before = read_tables(house)
    with refused(ErrorCode.LOG_INVALID):
        restore(house)
    assert read_tables(house) == before


def test_another_history_of_the_same_length_is_refused(own: House) -> None:
    own.open_store().close()
    swap_history(own)
    with refused(ErrorCode.LOG_INVALID):
        own.open_notary()


def test_the_archive_alone_tells(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """The public folder was put back as well: the archive has a batch more."""
    past = Past(own)
    public = own.folder / "public of yesterday"
    shutil.copytree(own.public, public)
    own.open_notary().notarise(spend(country, people, 1))
    own.open_notary().publish(is_forced=True)
    house = past.put_back()
    shutil.rmtree(house.public)
    public.rename(house.public)
    with refused(ErrorCode.STORE_OUTDATED):
        house.open_notary()


def test_without_a_log_there_is_nothing_to_catch_up_from(own: House) -> None:
    shutil.rmtree(own.public)
    with refused(ErrorCode.LOG_INVALID):
        restore(own)
