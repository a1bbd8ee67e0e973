"""Payments that were built before, and the notary's house in which their inputs stand.

Building takes a hundred times longer than notarising, so it is done once and kept in a folder of
the machine's cache, named by what its bytes depend on: proof mode, number, encoding version and
schema version of the notary's database. A house is copied for every run and thrown away after it.

    <cache>/<mode>-<number>-e<encoding>-s<schema>/
        genesis, participants    signed, as everyone reads them
        key, salt                the notary's key, sealed
        time                     of the notary's clock when it was left, ms
        payments                 u32 length ‖ attested transaction, repeated
        house/                   notary.db, public/, batches/
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import Final

from sqlalchemy import insert, select

from bench.payments import build_payments, open_bench
from specie.crypto.secrets import InstitutionKey, derive_sealing_key, unseal
from specie.identity.genesis import ProofMode, verify_genesis
from specie.identity.roster import Roster
from specie.ledger.outline import VERSION
from specie.notary.service import Notary
from specie.store.batch_files import BatchFolder
from specie.store.database import Database
from specie.store.log_files import LogFolder
from specie.store.notary_store import METADATA, SCHEMA_VERSION, SqliteNotaryStore
from specie.values.encoding import Reader, u32
from specie.values.times import Timestamp

_PASSPHRASE: Final = "of a benchmark"
_AAD: Final = b"bench"
_ROWS_AT_ONCE: Final = 5_000


class ShiftedClock:
    """Goes on from where a house was left, so that what was signed then is valid now."""

    def __init__(self, start: Timestamp) -> None:
        self._shift = start - time_ns() // 1_000_000

    def now(self) -> Timestamp:
        """Milliseconds."""
        return Timestamp(time_ns() // 1_000_000 + self._shift)


@dataclass(slots=True, repr=False)
class House:
    """A notary over its files, and payments that it has not seen yet."""

    folder: Path
    notary: Notary
    store: SqliteNotaryStore
    database: Database
    payments: list[bytes]
    first_batch: int  # number of the last publication before they come


def get_cache() -> Path:
    """Where prepared inputs are kept (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "specie" / "bench"


def prepare(mode: ProofMode, count: int, cache: Path) -> Path:
    """The folder with at least so many payments; built now if it is not there."""
    name = f"{mode.name.lower()}-{count}-e{VERSION}-s{SCHEMA_VERSION}"
    if not (cache / name).is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=cache) as making:
            _make(Path(making), mode, count)
            Path(making).rename(cache / name)
            Path(making).mkdir()  # for who removes it
    return cache / name


@contextmanager
def open_house(prepared: Path, database: str | None = None) -> Iterator[House]:
    """A copy of the house, on SQLite or in an empty PostgreSQL database; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as name:
        folder = Path(name)
        shutil.copytree(prepared / "house", folder, dirs_exist_ok=True)
        opened = Database(database or folder / "notary.db")
        try:
            if database:
                SqliteNotaryStore(opened)
                _copy_rows(Database(folder / "notary.db"), opened)
            yield _enter(prepared, folder, opened)
        finally:
            if database:
                opened.clear()
            opened.close()


def _make(folder: Path, mode: ProofMode, count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as place:
        bench = open_bench(Path(place), mode)
        payments = build_payments(bench, count, os.cpu_count() or 1)
        while bench.notary.publish(is_forced=True):
            pass
        bench.network.databases.close()
        home, house = Path(place), folder / "house"
        shutil.copytree(home / "notary", house)
        shutil.copytree(home / "public", house / "public")
        for name in ("genesis", "participants"):
            shutil.copyfile(home / "public" / name, folder / name)
    salt = os.urandom(16)
    sealed = bench.notary_key.seal(derive_sealing_key(_PASSPHRASE, salt), _AAD)
    (folder / "salt").write_bytes(salt)
    (folder / "key").write_bytes(sealed)
    (folder / "time").write_text(str(time_ns() // 1_000_000))
    (folder / "payments").write_bytes(b"".join(u32(len(one)) + one for one in payments))


def _enter(prepared: Path, folder: Path, database: Database) -> House:
    signed = (prepared / "genesis").read_bytes()
    network = verify_genesis(signed).network
    roster = Roster(signed, (prepared / "participants").read_bytes(), network)
    sealing = derive_sealing_key(_PASSPHRASE, (prepared / "salt").read_bytes())
    key = unseal(InstitutionKey.unseal, sealing, (prepared / "key").read_bytes(), _AAD)
    clock = ShiftedClock(Timestamp(int((prepared / "time").read_text())))
    store = SqliteNotaryStore(database)
    log, archive = LogFolder(folder / "public"), BatchFolder(folder / "batches")
    notary = Notary(roster, key, store, log, clock, archive)
    while notary.publish(is_forced=True):
        pass  # nothing of what is there already is published while a clock runs
    payments, number = list(_read_payments(prepared)), store.load_batch_number()
    return House(folder, notary, store, database, payments, number)


def _read_payments(prepared: Path) -> Iterator[bytes]:
    reader = Reader((prepared / "payments").read_bytes())
    while reader.position < len(reader.data):
        yield reader.take(reader.u32())


def _copy_rows(source: Database, target: Database) -> None:
    for table in METADATA.sorted_tables:
        with source.reading() as reading, target.transaction() as writing:
            for rows in reading.execute(select(table)).mappings().partitions(_ROWS_AT_ONCE):
                writing.execute(insert(table), [dict(row) for row in rows])
    source.close()
