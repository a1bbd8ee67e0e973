"""What the demo shows does no harm to what it is shown of."""

import subprocess
import sys
from pathlib import Path

from specie.cli.showing import read_notary, search_held
from tests.country import build_country

PEEK = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    print(connection.execute("SELECT count(*) FROM notarised").fetchone()[0])
connection.close()
"""


def test_searching_the_notarys_files_keeps_its_locks(tmp_path: Path) -> None:  # X12
    """Somebody else opens and closes the database meanwhile, and does not think it is the last.

    Who thinks so removes the write-ahead log, or cuts the index of it that others have mapped.
    """
    country = build_country(tmp_path)
    country.issue(country.north, 5)
    folder = country.network.settings.data / "notary"
    recorded = country.network.notary.get_supply()
    searched, is_found = search_held(
        read_notary(country.network), {}, country.network.genesis.network
    )
    assert is_found
    assert searched >= sum(path.stat().st_size for path in folder.glob("notary.db*"))
    before = {path.name for path in folder.glob("notary.db*")}
    assert {"notary.db", "notary.db-shm", "notary.db-wal"} <= before
    for _ in range(3):
        command = [sys.executable, "-c", PEEK, str(folder / "notary.db")]
        told = subprocess.run(command, capture_output=True, check=True, text=True)
        assert int(told.stdout) > 0
        assert {path.name for path in folder.glob("notary.db*")} == before
    country.issue(country.north, 7)
    assert country.network.notary.get_supply().total == recorded.total + 7
    country.check_money()
