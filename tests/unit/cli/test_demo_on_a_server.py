"""`specie demo --database`: the same story with every institution's data on PostgreSQL."""

from pathlib import Path

from tests.postgres import PostgresServer, postgres
from tests.unit.cli.conftest import SMALL, run

__all__ = ["postgres"]

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'specie_%' ORDER BY nspname"
KINDS = {
    "accounting",
    "bank_2",
    "bank_3",
    "central_bank",
    "devices",
    "notary",
    "registration",
}


def make_server_url(server: PostgresServer) -> str:
    """Without a schema: each institution gets its own."""
    return server.make_url().rpartition("&")[0]


def test_a_network_lives_on_a_server(postgres: PostgresServer, tmp_path: Path) -> None:
    url, data = make_server_url(postgres), tmp_path / "kept"
    done = run("demo", *SMALL, "--database", url, "--data", data)
    assert (done.code, done.errors) == (0, [])
    assert done.lines[-1].startswith("supply verified")
    assert list(data.rglob("*.db")) == []
    schemas = [name for (name,) in postgres.run(SCHEMAS)]
    networks = {name.split("_")[1] for name in schemas}
    assert len(networks) == 1
    assert {name.split("_", 2)[2] for name in schemas} >= KINDS
    for schema in schemas:
        assert postgres.run("SELECT name FROM schema", schema)
        postgres.run(f"DROP SCHEMA {schema} CASCADE")


def test_a_temporary_network_leaves_nothing_on_it(postgres: PostgresServer) -> None:
    least = ("--clients", "3", "--payments", "0", "--mode", "aggregated")
    done = run("demo", *least, "--database", make_server_url(postgres))
    assert (done.code, done.errors) == (0, [])
    assert postgres.run(SCHEMAS) == []


def test_what_is_no_server_is_refused(tmp_path: Path) -> None:
    done = run("demo", *SMALL, "--database", f"sqlite:///{tmp_path}/x.db")
    assert done.code == 1
    assert done.errors == ["specie: setting_invalid: --database begins with postgresql://"]
    nowhere = f"postgresql://who:very-secret@/x?host={tmp_path}"
    done = run("demo", *SMALL, "--database", nowhere)
    assert done.code == 1
    assert done.errors[0].startswith("specie: store_unusable: the database says: ")
    assert len(done.errors) == 1 and "very-secret" not in done.errors[0]  # X5
