"""The index of the public log, on SQLite: everything in it can be made again from the log."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from specie.log.tree import EMPTY_ROOT
from specie.ports.log import Indexed
from specie.store.database import Place, chunked, open_store
from specie.values.identifiers import Digest, OutputRef, TransactionId

_VERSION: Final = 3
_METADATA: Final = MetaData()

_CREATED = Table(
    "created",
    _METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
_LOAD_CREATED: Final = select(_CREATED).where(_CREATED.c.ref.in_(bindparam("refs", expanding=True)))
_SPENT = Table(
    "spent",
    _METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
_LOAD_SPENT: Final = select(_SPENT).where(_SPENT.c.ref.in_(bindparam("refs", expanding=True)))
_KERNELS = Table(
    "kernels",
    _METADATA,
    Column("txid", LargeBinary, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
_FIND_KERNELS: Final = select(_KERNELS.c.position).where(_KERNELS.c.txid == bindparam("txid"))
_TIP = Table(
    "tip",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("leaves", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("header", BigInteger, nullable=True),  # position of the newest
)
_LOAD_TIP: Final = select(_TIP)


class SqliteLogIndex:
    """`LogIndex` on SQLite."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "index", _VERSION, _METADATA)

    def get_tip(self) -> tuple[int, Digest]:
        """How many leaves are indexed, and the root of the tree over them."""
        with self._database.reading() as connection:
            row = connection.execute(_LOAD_TIP).first()
        return (0, EMPTY_ROOT) if row is None else (int(row.leaves), Digest(row.root))

    def record(self, size: int, root: Digest, leaves: Sequence[Indexed]) -> None:
        """Add leaves, the new size and its root in one database transaction."""
        created = [{"ref": one.created, "position": one.position} for one in leaves if one.created]
        spent = [{"ref": one.spent, "position": one.position} for one in leaves if one.spent]
        kernels = [{"txid": one.kernels, "position": one.position} for one in leaves if one.kernels]
        with self._database.transaction() as connection:
            for table, rows in ((_CREATED, created), (_SPENT, spent), (_KERNELS, kernels)):
                if rows:
                    connection.execute(insert(table), rows)
            tip: dict[str, Any] = {"leaves": size, "root": root}
            headers = [one.position for one in leaves if one.is_header]
            if headers:
                tip["header"] = headers[-1]
            if connection.execute(update(_TIP).values(**tip)).rowcount == 0:
                connection.execute(insert(_TIP).values(id=1, **tip))

    def find_created(self, refs: Sequence[OutputRef]) -> dict[OutputRef, int]:
        """Positions of created leaves."""
        return self._find(_LOAD_CREATED, refs)

    def find_spent(self, refs: Sequence[OutputRef]) -> dict[OutputRef, int]:
        """Positions of spent leaves."""
        return self._find(_LOAD_SPENT, refs)

    def find_last_header(self) -> int | None:
        """Position of the newest header; None if nothing is indexed."""
        with self._database.reading() as connection:
            found = connection.execute(select(_TIP.c.header)).scalar()
        return None if found is None else int(found)

    def find_kernels(self, txid: TransactionId | Digest) -> int | None:
        """Position of a transaction's kernels, or of the directory's leaf of this hash."""
        with self._database.reading() as connection:
            found = connection.execute(_FIND_KERNELS, {"txid": txid}).scalar()
        return None if found is None else int(found)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _find(self, query: Select[Any], refs: Sequence[OutputRef]) -> dict[OutputRef, int]:
        found: dict[OutputRef, int] = {}
        with self._database.reading() as connection:
            for part in chunked(list(refs)):
                for row in connection.execute(query, {"refs": part}):
                    found[OutputRef(row.ref)] = int(row.position)
        return found
