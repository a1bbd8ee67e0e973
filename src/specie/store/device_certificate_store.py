"""A bank's record of certificates that it had made for its clients' devices, and of their end."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)

from specie.store.database import Place, open_store
from specie.values.identifiers import ClientId
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_GOOD: Final = 0
_ENDING: Final = 1  # the centre has not heard of it yet
_ENDED: Final = 2

_CERTIFICATE = Table(
    "device_certificate",
    _METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False, unique=True),  # name of the key
    Column("client", String, nullable=False, index=True),
    Column("chain", LargeBinary, nullable=False),  # PEM
    Column("ends", BigInteger, nullable=False),
    Column("state", Integer, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """A chain in PEM, for a key that the device keeps."""

    subject: str
    client: ClientId
    chain: bytes
    ends: Timestamp


class SqliteDeviceCertificateStore:
    """In the bank's database. Who has which certificate is known here and nowhere else."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "device certificates", _VERSION, _METADATA)

    def put(self, one: DeviceCertificate) -> None:
        """Before the device hears of it; the same key again has its newest one."""
        values = {"client": one.client, "chain": one.chain, "ends": one.ends}
        which = _CERTIFICATE.c.subject == one.subject
        with self._database.transaction() as connection:
            known = connection.execute(select(_CERTIFICATE.c.subject).where(which)).first()
            if known is None:
                row = insert(_CERTIFICATE).values(subject=one.subject, state=_GOOD, **values)
                connection.execute(row)
            else:
                connection.execute(update(_CERTIFICATE).where(which).values(**values))

    def find(self, subject: str) -> DeviceCertificate | None:
        """One that was not revoked."""
        query = select(_CERTIFICATE).where(
            _CERTIFICATE.c.subject == subject, _CERTIFICATE.c.state == _GOOD
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read(row)

    def end(self, client: ClientId) -> int:
        """The client's are to be revoked; gives how many."""
        which = (_CERTIFICATE.c.client == client) & (_CERTIFICATE.c.state == _GOOD)
        with self._database.transaction() as connection:
            change = update(_CERTIFICATE).where(which).values(state=_ENDING)
            return connection.execute(change).rowcount

    def load_ending(self) -> list[str]:
        """Of which the centre has not heard yet that they end."""
        query = select(_CERTIFICATE.c.subject).where(_CERTIFICATE.c.state == _ENDING)
        with self._database.reading() as connection:
            return [row.subject for row in connection.execute(query)]

    def note_ended(self, subject: str) -> None:
        """The centre has revoked it."""
        with self._database.transaction() as connection:
            which = _CERTIFICATE.c.subject == subject
            connection.execute(update(_CERTIFICATE).where(which).values(state=_ENDED))


def _read(row: Any) -> DeviceCertificate:
    return DeviceCertificate(
        row.subject, ClientId(row.client), bytes(row.chain), Timestamp(row.ends)
    )
