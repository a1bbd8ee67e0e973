"""What a witness has cosigned last, on SQLite: if it forgot, it could sign two histories."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)

from specie.log.checkpoint import Checkpoint
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest

_VERSION: Final = 1
_METADATA: Final = MetaData()

_LAST = Table(
    "last",
    _METADATA,
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)


class SqliteWitnessStore:
    """`WitnessStore` on SQLite."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "witness", _VERSION, _METADATA)

    def load(self, origin: str) -> Checkpoint | None:
        """None before the first."""
        with self._database.reading() as connection:
            row = connection.execute(select(_LAST).where(_LAST.c.origin == origin)).first()
        return None if row is None else Checkpoint(origin, row.size, Digest(row.root))

    def replace(self, old: Checkpoint | None, new: Checkpoint) -> None:
        """Durable before the cosignature leaves; `log_invalid` if `old` is no longer the last."""
        values = {"size": new.size, "root": new.root}
        with self._database.transaction() as connection:
            row = connection.execute(select(_LAST).where(_LAST.c.origin == new.origin)).first()
            found = None if row is None else Checkpoint(new.origin, row.size, Digest(row.root))
            if found != old:
                raise SpecieError(
                    ErrorCode.LOG_INVALID, "another checkpoint was cosigned meanwhile"
                )
            if row is None:
                connection.execute(insert(_LAST).values(origin=new.origin, **values))
            else:
                change = update(_LAST).where(_LAST.c.origin == new.origin)
                connection.execute(change.values(**values))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
