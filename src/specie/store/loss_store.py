"""A bank's record of lost wallets: codes that report a loss, shares kept, what was retired when."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_CODE = Table(
    "loss_code",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
)
_SHARE = Table(
    "phrase_share",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
_LOST = Table(
    "lost_wallet",
    _METADATA,
    Column("retired", String, primary_key=True),
    Column("client", String, nullable=False, index=True),
    Column("time", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class RetiredWallet:
    """A wallet that was lost, under its own id, since a new one is open."""

    id: ClientId
    client: ClientId
    time: Timestamp


class SqliteLossStore:
    """In the bank's database; a share is sealed under the bank's storage key."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "losses", _VERSION, _METADATA)
        self._key = key

    def set_code(self, client: ClientId, code_hash: Digest) -> None:
        """In the place of an earlier one; `order_conflict` if it is another client's."""
        taken = (_CODE.c.code_hash == code_hash) & (_CODE.c.client != client)
        with self._database.transaction() as connection:
            if connection.execute(select(_CODE.c.client).where(taken)).first() is not None:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this code is taken: draw another")
            connection.execute(delete(_CODE).where(_CODE.c.client == client))
            connection.execute(insert(_CODE).values(client=client, code_hash=code_hash))

    def find_by_code(self, code_hash: Digest) -> ClientId | None:
        """Whose loss this code reports."""
        query = select(_CODE.c.client).where(_CODE.c.code_hash == code_hash)
        with self._database.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else ClientId(found)

    def keep_share(self, client: ClientId, share: str) -> None:
        """In the place of an earlier one; it alone reveals nothing of the phrase."""
        sealed = self._key.seal(share.encode(), _bind(client))
        with self._database.transaction() as connection:
            connection.execute(delete(_SHARE).where(_SHARE.c.client == client))
            connection.execute(insert(_SHARE).values(client=client, sealed=sealed))

    def find_share(self, client: ClientId) -> str | None:
        """What the client left here, if anything."""
        query = select(_SHARE.c.sealed).where(_SHARE.c.client == client)
        with self._database.reading() as connection:
            sealed = connection.execute(query).scalar()
        if sealed is None:
            return None
        return open_sealed(self._key, bytes(sealed), _bind(client)).decode()

    def retire(self, one: RetiredWallet) -> None:
        """With the code that would report it: it is the old wallet's."""
        with self._database.transaction() as connection:
            connection.execute(delete(_CODE).where(_CODE.c.client == one.client))
            connection.execute(
                insert(_LOST).values(retired=one.id, client=one.client, time=one.time)
            )

    def load_retired(self, client: ClientId) -> list[RetiredWallet]:
        """The client's, the oldest first."""
        query = select(_LOST).where(_LOST.c.client == client).order_by(_LOST.c.time)
        with self._database.reading() as connection:
            return [_read(row) for row in connection.execute(query)]


def _bind(client: ClientId) -> bytes:
    return b"phrase-share\0" + encode_text(client)


def _read(row: Any) -> RetiredWallet:
    return RetiredWallet(ClientId(row.retired), ClientId(row.client), Timestamp(row.time))
