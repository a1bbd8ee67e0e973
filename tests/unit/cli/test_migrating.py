"""`specie migrate`, as people type it: an older database is brought up, and no other (X12).

What each step of a store does is in tests/unit/store; here is the command, on both engines.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.folders import PASSPHRASES
from specie.assembly.foundation import DATABASE, find_database_file
from specie.assembly.lists import load_peers
from specie.assembly.system import SystemClock
from specie.cli.processes import is_ready
from specie.values.identifiers import ServiceName
from tests.network.starting import ForkedNetwork
from tests.postgres import PostgresServer, postgres
from tests.unit.cli.conftest import Done, run
from tests.unit.store.engines import make_sqlite_runner

__all__ = ["postgres"]

BANK, DESK = "bank-2", "central-bank"
CLIENTS_OF_VERSION_3 = (
    "DROP TABLE return_address",
    "DROP INDEX movement_by_place",
    "DROP INDEX movement_by_time",
    "CREATE INDEX ix_movement_client ON movement (client)",
    "ALTER TABLE movement DROP COLUMN until",
    "ALTER TABLE movement DROP COLUMN sealed_detail",
    "ALTER TABLE movement DROP COLUMN sealed_memo",
    "DROP INDEX ix_expected_arrival_client",
    "ALTER TABLE expected_arrival DROP COLUMN time",
    "ALTER TABLE expected_arrival DROP COLUMN is_used",
    "DELETE FROM expected_arrival",
    "INSERT INTO expected_arrival (order_id, client) VALUES ('order of before', 'anna')",
    "UPDATE schema SET version = 3 WHERE name = 'clients'",
)
ONBOARDING_OF_VERSION_1 = (
    "DROP INDEX ix_account_application_network",
    "ALTER TABLE account_application DROP COLUMN network",
    "UPDATE schema SET version = 1 WHERE name = 'onboarding'",
)
DESK_OF_VERSION_1 = (
    "DROP TABLE device_certificate_day",
    "DROP INDEX certificate_by_service",
    "UPDATE schema SET version = 1 WHERE name = 'certificates'",
    "DROP TABLE authorisation",
    "UPDATE schema SET version = 1 WHERE name = 'applications'",
    "DROP TABLE loan",
    "UPDATE schema SET version = 1 WHERE name = 'decisions'",
)


@dataclass(frozen=True)
class Folders:
    """Of a network that stands still, and a way into its processes' databases from outside."""

    data: Path
    execute: Callable[[str, str], list[tuple[Any, ...]]]

    def run(self, command: str, name: str) -> Done:
        """`specie migrate` or `serve`."""
        passphrase = self.data / PASSPHRASES / name
        return run(command, self.data / name, "--passphrase-file", passphrase)

    def migrate(self, name: str) -> list[str]:
        """Gives what is printed."""
        done = self.run("migrate", name)
        assert (done.code, done.errors) == (0, [])
        return done.lines

    def refuse(self, name: str) -> str:
        """Gives why; one line, whatever is wrong."""
        done = self.run("migrate", name)
        assert (done.code, done.lines) == (1, [])
        [line] = done.errors
        return line

    def make_older(self, name: str, *statements: str) -> None:
        for one in statements:
            self.execute(name, one)

    def get_versions(self, name: str) -> dict[str, int]:
        return dict(self.execute(name, "SELECT name, version FROM schema"))


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def folders(request: pytest.FixtureRequest) -> Iterator[Folders]:
    """A short path: sockets have short names."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder, pytest.MonkeyPatch.context() as patch:
        data = Path(folder) / "n"
        create_network(Plan(data), SystemClock())
        if request.param == "sqlite":

            def execute(name: str, statement: str) -> list[tuple[Any, ...]]:
                file = find_database_file(data / name, ServiceName(name))
                return make_sqlite_runner(file)(statement)

        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            patch.setenv(DATABASE, server.make_url().rpartition("&")[0])
            network = load_peers(data / DESK, None).network[:8].hex()

            def execute(name: str, statement: str) -> list[tuple[Any, ...]]:
                return server.run(statement, f"specie_{network}_{name.replace('-', '_')}")

        yield Folders(data, execute)


def test_an_older_database_is_brought_to_the_newest(folders: Folders) -> None:
    """Over several versions at once; before that the process does not start, and says the way."""
    assert folders.migrate(BANK) == ["nothing to do"], "a new one is of our version"
    newest = folders.get_versions(BANK)
    folders.make_older(BANK, *CLIENTS_OF_VERSION_3)
    done, needed = folders.run("serve", BANK), newest["clients"]
    said = f"specie: store_unusable: clients: version 3 is there, {needed} is needed"
    assert (done.code, done.errors) == (1, [f"{said}; `specie migrate` brings it up"])
    assert folders.get_versions(BANK) == {**newest, "clients": 3}, "asked for by nobody"
    assert folders.migrate(BANK) == [f"clients: version 3 → {needed}"]
    assert folders.get_versions(BANK) == newest
    assert folders.execute(BANK, "SELECT until, sealed_detail FROM movement") == []
    kept = folders.execute(BANK, "SELECT client, is_used FROM expected_arrival")
    assert kept == [("anna", 1)], "nobody knows since when: it stays"
    folders.make_older(BANK, *ONBOARDING_OF_VERSION_1)
    assert folders.migrate(BANK) == [f"onboarding: version 1 → {newest['onboarding']}"]
    assert folders.execute(BANK, "SELECT network FROM account_application") == []


def test_all_stores_of_a_process_are(folders: Folders) -> None:
    folders.migrate(DESK)
    newest = folders.get_versions(DESK)
    folders.make_older(DESK, *DESK_OF_VERSION_1)
    stores = ("applications", "certificates", "decisions")
    lines = [f"{name}: version 1 → {newest[name]}" for name in stores]
    assert sorted(folders.migrate(DESK)) == lines
    assert folders.get_versions(DESK) == newest


def test_again_is_nothing(folders: Folders) -> None:
    for name in (BANK, DESK):
        folders.migrate(name)
        before = folders.get_versions(name)
        assert folders.migrate(name) == ["nothing to do"]
        assert folders.get_versions(name) == before


def test_a_newer_database_is_refused(folders: Folders) -> None:
    """A folder that was migrated does not go back; no way up is promised."""
    folders.migrate(BANK)
    needed = folders.get_versions(BANK)["clients"]
    folders.execute(BANK, "UPDATE schema SET version = 99 WHERE name = 'clients'")
    said = f"specie: store_unusable: clients: version 99 is there, {needed} is needed"
    assert folders.refuse(BANK) == said
    assert folders.run("serve", BANK).errors == [said]
    assert folders.get_versions(BANK)["clients"] == 99
    folders.execute(BANK, f"UPDATE schema SET version = {needed} WHERE name = 'clients'")
    assert folders.migrate(BANK) == ["nothing to do"]


def test_what_fails_halfway_has_changed_nothing(folders: Folders) -> None:
    """All steps of a store are one transaction: here the second of two finds what it would make."""
    folders.migrate(BANK)
    newest = folders.get_versions(BANK)
    folders.make_older(BANK, *CLIENTS_OF_VERSION_3)
    folders.execute(BANK, "CREATE INDEX movement_by_place ON movement (client, sequence)")
    assert folders.refuse(BANK).startswith("specie: store_unusable: the database says: ")
    assert folders.get_versions(BANK)["clients"] == 3
    folders.execute(BANK, "ALTER TABLE movement ADD COLUMN until BIGINT")  # the first was undone
    folders.execute(BANK, "ALTER TABLE movement DROP COLUMN until")
    folders.execute(BANK, "DROP INDEX movement_by_place")
    assert folders.migrate(BANK) == [f"clients: version 3 → {newest['clients']}"]


def test_a_running_process_is_left_alone(folders: Folders) -> None:
    """Its database is of its version, and in use."""
    name, network = "notary", ForkedNetwork(folders.data)
    try:
        network.wait_ready(network.start(name))
        before = folders.get_versions(name)
        said = f"specie: store_unusable: {folders.data / name}: its process is running; stop it"
        assert folders.refuse(name) == said
        assert is_ready(folders.data / name)
        assert folders.get_versions(name) == before
    finally:
        network.stop()
    assert folders.migrate(name) == ["nothing to do"]
