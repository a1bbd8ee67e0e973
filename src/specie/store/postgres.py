"""PostgreSQL below a `Database`: one schema for each institution, its writers one after another.

A writer takes the institution's advisory lock before its first statement and has it until its
transaction has ended. So what it reads stays true until it commits, two writers never deadlock,
and nothing has to be tried again: what SQLite's write lock gives (ADR 0019).
"""

import hashlib
import re
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import DATABASE_BUSY_MS_MAX

DIALECT: Final = "postgresql"
_SCHEMA_FORM: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PUBLIC: Final = "public"
_CONNECT_S_MAX: Final = 10
_LOCK: Final = text("SELECT pg_advisory_xact_lock(:key)")
_DURABLE: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}
"""What a server has to be set to: otherwise it acknowledges what a loss of power takes away."""


def make_engine(url: URL) -> Engine:
    """Connections to a server; `?schema=NAME` says which part of the database is meant."""
    schema = url.query.get("schema", _PUBLIC)
    if not isinstance(schema, str) or not _SCHEMA_FORM.fullmatch(schema):
        raise SpecieError(ErrorCode.SETTING_INVALID, "a schema is named with a-z, 0-9 and _")
    engine = create_engine(
        url.difference_update_query(["schema"]).set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": _CONNECT_S_MAX,
            "options": f"-c search_path={schema} -c lock_timeout={DATABASE_BUSY_MS_MAX}"
            " -c client_encoding=UTF8",
            "keepalives_idle": _CONNECT_S_MAX,
        },
        pool_timeout=DATABASE_BUSY_MS_MAX / 1e3,
        execution_options={"schema": schema},
    )
    event.listen(engine, "connect", _check_durable)
    return engine


def make_reader(engine: Engine) -> Engine:
    """The same connections, for reading: all statements of a transaction see one state."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def make_writer(engine: Engine) -> Engine:
    """The same connections, for writing: each statement sees all that was committed before it."""
    return engine.execution_options(isolation_level="READ COMMITTED")


def begin_reading(_connection: Connection) -> None:
    """The server does it with the first statement."""


def begin_writing(connection: Connection) -> None:
    """With the institution's lock, or when its owner has ended."""
    digest = hashlib.sha256(_get_schema(connection).encode()).digest()
    connection.execute(_LOCK, {"key": int.from_bytes(digest[:8], "big", signed=True)})


def check_alive(_connection: Connection) -> None:
    """Nothing: what was lost with its connection is not committed, and a commit says so."""


def is_alive(connection: Connection) -> bool:
    """Whether the transaction can still be used: it ends with its connection."""
    if connection.invalidated:
        return False
    raw: Any = connection.connection.dbapi_connection
    return not raw.closed


def make_room(connection: Connection) -> None:
    """The institution's own schema, if it is not there."""
    schema = _get_schema(connection)
    query = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.execute(query, {"name": schema}).scalar() is None:
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')


def tidy(_engine: Engine) -> None:
    """The server does it by itself."""


def clear(connection: Connection) -> None:
    """The schema, with everything in it."""
    connection.exec_driver_sql(f'DROP SCHEMA "{_get_schema(connection)}" CASCADE')


def _get_schema(connection: Connection) -> str:
    return str(connection.get_execution_options()["schema"])


def _check_durable(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        for name, allowed in _DURABLE.items():
            (found,) = cursor.execute(f"SHOW {name}").fetchone()
            if found not in allowed:
                reason = f"the server's {name} is {found}: it could forget what it has answered"
                raise SpecieError(ErrorCode.STORE_UNUSABLE, reason)
    connection.rollback()
