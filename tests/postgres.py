"""A PostgreSQL server of our own: in a temporary folder, reached through a socket in it only.

Nothing of the machine's own servers is touched. It runs as an unprivileged user when we are root,
which PostgreSQL refuses to run as, and is stopped by its process id.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

ROLE: Final = "specie"
_PLACES: Final = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin")
_START_S_MAX: Final = 60
MISSING: Final = (
    "no PostgreSQL server on this machine (Debian: apt-get install postgresql); "
    "as root, `make test` installs it"
)


@dataclass(slots=True)
class PostgresServer:
    """A running one."""

    folder: Path
    programs: Path
    user: int
    process: "subprocess.Popen[bytes] | None" = None

    def make_url(self, schema: str = "") -> str:
        """The URL of a schema; of a new one if none is named."""
        schema = schema or f"test_{uuid.uuid4().hex}"
        return f"postgresql://{ROLE}@/postgres?host={self.folder}&schema={schema}"

    def run(self, statement: str, schema: str = "public") -> list[tuple[Any, ...]]:
        """One statement, committed, from outside."""
        with psycopg.connect(
            f"host={self.folder} user={ROLE} dbname=postgres",
            options=f"-c search_path={schema}",
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self, *settings: str) -> None:
        """And wait until it answers."""
        options = ["listen_addresses=", f"unix_socket_directories={self.folder}", *settings]
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        for option in options:
            command += ["-c", option]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # the program that was found above
                command, stdout=log, stderr=log, user=self.user, cwd=self.folder
            )
        deadline = time.monotonic() + _START_S_MAX
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, SIGQUIT as if it had crashed."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None


@contextmanager
def open_server() -> Iterator[PostgresServer]:
    """A fresh server for as long as the block lasts; the test is skipped where there is none."""
    programs = _find_programs()
    if programs is None:
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="specie-postgres-"))
    server = PostgresServer(folder, programs, _choose_user())
    try:
        os.chown(folder, server.user, -1)
        subprocess.run(  # the program that was found above
            [programs / "initdb", "-D", folder / "data", "-U", ROLE, "-A", "trust", "-N"],
            check=True,
            capture_output=True,
            user=server.user,
            cwd=folder,
        )
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process; skips them where there is none."""
    with open_server() as server:
        yield server


def _find_programs() -> Path | None:
    for place in _PLACES:
        found = [path.parent for path in Path("/").glob(f"{place[1:]}/initdb")]
        if found:
            return max(found, key=_read_version)
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


def _read_version(programs: Path) -> int:
    name = programs.parent.name
    return int(name) if name.isdecimal() else 0


def _choose_user() -> int:
    """Ourselves, unless we are root."""
    if os.getuid() != 0:
        return os.getuid()
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return pwd.getpwnam("nobody").pw_uid
