"""A bank's clients by phone number (T8): numbers and entries sealed at rest.

A number is found by H("phone-tag", salt ‖ number); the salt is drawn once and sealed, so who reads
the file tries no numbers against it.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SealingKey, open_sealed
from specie.directory.entries import SignedEntry, unpack_signed_entry
from specie.ports.directory import ConfirmedPhone
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey
from specie.values.phones import PHONE_CHARS_MAX, PhoneNumber

_VERSION: Final = 1
_METADATA: Final = MetaData()
_SALT_AAD: Final = b"phone-salt\0"

_PHONE = Table(
    "client_phone",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("tag", LargeBinary, nullable=False, unique=True),
    Column("sealed_phone", LargeBinary, nullable=False),
    Column("sealed_entry", LargeBinary, nullable=True),  # that stands in the directory
    Column("signer", LargeBinary, nullable=True),  # our key under it
)
_FIND: Final = select(_PHONE).where(_PHONE.c.client == bindparam("client"))
_LOAD_SIGNED_BY_OTHERS: Final = (
    select(_PHONE)
    .where(_PHONE.c.signer.is_not(None), _PHONE.c.signer != bindparam("signer"))
    .order_by(_PHONE.c.client)
    .limit(bindparam("most"))
)
_SALT = Table(
    "phone_salt",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


class SqlitePhoneStore:
    """`PhoneStore` on SQLite and PostgreSQL."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "phones", _VERSION, _METADATA)
        self._key = key
        self._salt = self._draw_salt()

    def confirm(self, client: ClientId, phone: PhoneNumber) -> None:
        """`order_conflict` if it is another client's; of a client there is one."""
        tag = self._tag(phone)
        with self._database.transaction() as connection:
            owner = connection.execute(select(_PHONE.c.client).where(_PHONE.c.tag == tag)).scalar()
            if owner is not None and owner != client:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "the number is another client's")
            row = _find(connection, client)
            if row is not None and row.tag != tag and row.sealed_entry is not None:
                reason = "the client's number before has an entry; take that away first"
                raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
            sealed = self._key.seal(phone.encode(), _bind(client))
            if row is None:
                values = {"client": client, "tag": tag, "sealed_phone": sealed}
                connection.execute(insert(_PHONE).values(**values))
            elif row.tag != tag:
                mine = update(_PHONE).where(_PHONE.c.client == client)
                connection.execute(mine.values(tag=tag, sealed_phone=sealed))

    def find(self, client: ClientId) -> ConfirmedPhone | None:
        """Of one client."""
        with self._database.reading() as connection:
            row = _find(connection, client)
        return None if row is None else self._read(row)

    def forget(self, client: ClientId) -> None:
        """The number is this client's no more."""
        with self._database.transaction() as connection:
            connection.execute(delete(_PHONE).where(_PHONE.c.client == client))

    def record_entry(
        self, client: ClientId, signed: SignedEntry, signer: InstitutionPublicKey
    ) -> None:
        """What the bank has signed for it."""
        sealed = self._key.seal(signed.pack(), _bind(client))
        change = update(_PHONE).where(_PHONE.c.client == client)
        with self._database.transaction() as connection:
            connection.execute(change.values(sealed_entry=sealed, signer=signer))

    def load_signed_by_others(
        self, signer: InstitutionPublicKey, limit: int
    ) -> Sequence[ConfirmedPhone]:
        """Entries that stand under another key of the bank than this one."""
        page = {"signer": signer, "most": limit}
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_SIGNED_BY_OTHERS, page).all()
        return [self._read(row) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _draw_salt(self) -> bytes:
        with self._database.transaction() as connection:
            sealed = connection.execute(select(_SALT.c.sealed)).scalar()
            if sealed is not None:
                return open_sealed(self._key, sealed, _SALT_AAD)
            salt = secrets.token_bytes(32)
            connection.execute(insert(_SALT).values(id=1, sealed=self._key.seal(salt, _SALT_AAD)))
            return salt

    def _tag(self, phone: PhoneNumber) -> Digest:
        padded = phone.encode().ljust(PHONE_CHARS_MAX, b"\0")
        return tagged_hash("phone-tag", self._salt, padded)

    def _read(self, row: Any) -> ConfirmedPhone:
        aad = _bind(row.client)
        phone = PhoneNumber(open_sealed(self._key, row.sealed_phone, aad).decode())
        signed = None
        if row.sealed_entry is not None:
            signed = unpack_signed_entry(open_sealed(self._key, row.sealed_entry, aad))
        signer = None if row.signer is None else InstitutionPublicKey(bytes(row.signer))
        return ConfirmedPhone(ClientId(row.client), phone, signed, signer)


def _find(connection: Connection, client: ClientId) -> Any:
    return connection.execute(_FIND, {"client": client}).first()


def _bind(client: str) -> bytes:
    return b"phone\0" + encode_text(client)
