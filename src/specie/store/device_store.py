"""A bank's record of its clients' devices: who may ask in whose name, codes that open a wallet."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SealingKey, open_sealed
from specie.store.database import Place, Steps, open_store
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey

_VERSION: Final = 2
_METADATA: Final = MetaData()

_DEVICE = Table(
    "device",
    _METADATA,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("client", String, nullable=False, unique=True),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),  # empty until the wallet is open
    Column("device", String, nullable=True, unique=True),  # the name that it signs under
)
_BY_CODE: Final = select(_DEVICE).where(_DEVICE.c.code_hash == bindparam("which"))
_BY_CLIENT: Final = select(_DEVICE).where(_DEVICE.c.client == bindparam("which"))
_BY_NAME: Final = select(_DEVICE).where(_DEVICE.c.device == bindparam("which"))

_LOST = Table(
    "lost_device",
    _METADATA,
    Column("device", String, primary_key=True),  # speaks for nobody any more
)


@dataclass(frozen=True, slots=True, repr=False)
class InvitedClient:
    """Who was identified, and the key of the device that has opened the wallet, if any."""

    client: ClientId
    name: str
    key: InstitutionPublicKey | None


def _add_lost(connection: Connection) -> None:
    """Version 2 remembers devices that were lost."""
    _LOST.create(connection)


_STEPS: Final[Steps] = {1: _add_lost}


class SqliteDeviceStore:
    """In the bank's database; names are sealed at rest."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "devices", _VERSION, _METADATA, _STEPS)
        self._key = key

    def invite(self, code_hash: Digest, client: ClientId, name: str) -> None:
        """`client_exists` if there is one of this id already."""
        with self._database.transaction() as connection:
            if _find(connection, _BY_CLIENT, client) is not None:
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
            row = _find(connection, _BY_CODE, code_hash)
        return None if row is None else self._read(row)

    def record_key(self, code_hash: Digest, key: InstitutionPublicKey) -> None:
        """The device has opened the wallet; `client_exists` if another one has before."""
        with self._database.transaction() as connection:
            row = _find(connection, _BY_CODE, code_hash)
            if row is None:
                raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "nobody gave out this code")
            if row.key and row.key != key:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "the code was used before")
            if _is_lost(connection, name_device(key)):
                raise SpecieError(ErrorCode.CLIENT_BLOCKED, "this device was reported lost")
            known = _find(connection, _BY_NAME, name_device(key))
            if known is not None and known.code_hash != code_hash:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "this device is another client's")
            mine = _DEVICE.c.code_hash == code_hash
            connection.execute(
                _DEVICE.update().where(mine).values(key=key, device=name_device(key))
            )

    def revoke(self, client: ClientId) -> None:
        """Lost: its device speaks for nobody any more, for good; a code not used opens nothing."""
        with self._database.transaction() as connection:
            row = _find(connection, _BY_CLIENT, client)
            if row is None:
                return
            if row.device:
                connection.execute(insert(_LOST).values(device=row.device))
            connection.execute(delete(_DEVICE).where(_DEVICE.c.client == client))

    def invite_again(self, code_hash: Digest, client: ClientId, name: str) -> None:
        """A new code in the place of one that was not used; `client_exists` if it was."""
        with self._database.transaction() as connection:
            is_unused = (_DEVICE.c.client == client) & (_DEVICE.c.key == b"")
            connection.execute(delete(_DEVICE).where(is_unused))
            self.invite(code_hash, client, name)

    def find_by_name(self, name: str) -> tuple[ClientId, InstitutionPublicKey]:
        """Whose device signs under this name; `caller_unknown` if nobody's that is known."""
        with self._database.reading() as connection:
            row = _find(connection, _BY_NAME, name)
            is_lost = row is None and _is_lost(connection, name)
        if row is None:
            why = "this device was reported lost" if is_lost else "no device of this name is known"
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, why)
        return ClientId(row.client), InstitutionPublicKey(bytes(row.key))

    def load_keys(self) -> dict[ClientId, InstitutionPublicKey]:
        """For a successor."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_DEVICE).where(_DEVICE.c.key != b"")).all()
        return {ClientId(row.client): InstitutionPublicKey(bytes(row.key)) for row in rows}

    def take_over(self, client: ClientId, key: InstitutionPublicKey) -> None:
        """A device of a client whose bank we succeed; who came by itself before keeps its own."""
        with self._database.reading() as connection:
            has_own = _find(connection, _BY_CLIENT, client) is not None
            is_known = _find(connection, _BY_NAME, name_device(key)) is not None
            if has_own or is_known or _is_lost(connection, name_device(key)):
                return
        code_hash = Digest(tagged_hash("code", key))  # no code that was ever given out
        if self.find_invited(code_hash) is None:
            self.invite(code_hash, client, "")
        self.record_key(code_hash, key)

    def _read(self, row: Any) -> InvitedClient:
        name = open_sealed(self._key, row.sealed_name, row.code_hash).decode()
        key = InstitutionPublicKey(bytes(row.key)) if row.key else None
        return InvitedClient(ClientId(row.client), name, key)


def name_device(key: InstitutionPublicKey) -> str:
    """What a device signs under: by its key, so it tells a stranger nothing."""
    return key.hex()[:32]


def _is_lost(connection: Connection, name: str) -> bool:
    query = select(_LOST).where(_LOST.c.device == name)
    return connection.execute(query).first() is not None


def _find(connection: Connection, query: Select[Any], which: object) -> Any:
    return connection.execute(query, {"which": which}).first()
