"""A bank's record of its clients' devices: who may ask in whose name, codes that open a wallet."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, insert, select

from specie.crypto.secrets import SealingKey, open_sealed
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey

_VERSION: Final = 1
_METADATA: Final = MetaData()

_DEVICE = Table(
    "device",
    _METADATA,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("client", String, nullable=False, unique=True),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),  # empty until the wallet is open
)


@dataclass(frozen=True, slots=True, repr=False)
class InvitedClient:
    """Who was identified, and the key of the device that has opened the wallet, if any."""

    client: ClientId
    name: str
    key: InstitutionPublicKey | None


class SqliteDeviceStore:
    """In the bank's database; names are sealed at rest."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "devices", _VERSION, _METADATA)
        self._key = key

    def invite(self, code_hash: Digest, client: ClientId, name: str) -> None:
        """`client_exists` if there is one of this id already."""
        with self._database.transaction() as connection:
            if _find(connection, _DEVICE.c.client, client) is not None:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "this client was invited before")
            sealed = self._key.seal(name.encode(), code_hash)
            connection.execute(
                insert(_DEVICE).values(
                    code_hash=code_hash, client=client, sealed_name=sealed, key=b""
                )
            )

    def find_invited(self, code_hash: Digest) -> InvitedClient | None:
        """By the code that was given out."""
        with self._database.reading() as connection:
            row = _find(connection, _DEVICE.c.code_hash, code_hash)
        return None if row is None else self._read(row)

    def record_key(self, code_hash: Digest, key: InstitutionPublicKey) -> None:
        """The device has opened the wallet; `client_exists` if another one has before."""
        with self._database.transaction() as connection:
            row = _find(connection, _DEVICE.c.code_hash, code_hash)
            if row is None:
                raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "nobody gave out this code")
            if row.key and row.key != key:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "the code was used before")
            mine = _DEVICE.c.code_hash == code_hash
            connection.execute(_DEVICE.update().where(mine).values(key=key))

    def get_key(self, client: ClientId) -> InstitutionPublicKey:
        """`caller_unknown` unless a device of this client has opened its wallet."""
        with self._database.reading() as connection:
            row = _find(connection, _DEVICE.c.client, client)
        if row is None or not row.key:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no device of this client is known")
        return InstitutionPublicKey(bytes(row.key))

    def _read(self, row: Any) -> InvitedClient:
        name = open_sealed(self._key, row.sealed_name, row.code_hash).decode()
        key = InstitutionPublicKey(bytes(row.key)) if row.key else None
        return InvitedClient(ClientId(row.client), name, key)


def _find(connection: Connection, column: Column[Any], value: object) -> Any:
    return connection.execute(select(_DEVICE).where(column == value)).first()
