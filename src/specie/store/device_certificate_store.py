"""A bank's record of certificates that it had made for its clients' devices, and of their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from specie.store.database import Place, open_store
from specie.values.identifiers import ClientId
from specie.values.limits import DEVICE_CERTIFICATE_DAYS, DEVICE_CERTIFICATES_MAX
from specie.values.times import DAY_MS, Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_GOOD: Final = 0
_ENDING: Final = 1  # the centre has not heard of it yet
_ENDED: Final = 2
_LIFE_MS: Final = DEVICE_CERTIFICATE_DAYS * DAY_MS
_NEARLY_OVER_MS: Final = DAY_MS  # what makes room for a newer one is not revoked any more

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

    def put(self, one: DeviceCertificate, now: Timestamp) -> None:
        """Before the device hears of it; the same key again has its newest one.

        The client's oldest make room for it; its own that are over are forgotten.
        """
        values = {"client": one.client, "chain": one.chain, "ends": one.ends}
        which = _CERTIFICATE.c.subject == one.subject
        with self._database.transaction() as connection:
            is_over = (_CERTIFICATE.c.client == one.client) & (_CERTIFICATE.c.ends <= now)
            connection.execute(delete(_CERTIFICATE).where(is_over))
            known = connection.execute(select(_CERTIFICATE.c.subject).where(which)).first()
            if known is None:
                row = insert(_CERTIFICATE).values(subject=one.subject, state=_GOOD, **values)
                connection.execute(row)
            else:
                connection.execute(update(_CERTIFICATE).where(which).values(**values))
            _make_room(connection, one, now)

    def find(self, subject: str) -> DeviceCertificate | None:
        """One that was not revoked."""
        query = select(_CERTIFICATE).where(
            _CERTIFICATE.c.subject == subject, _CERTIFICATE.c.state == _GOOD
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read(row)

    def is_ended(self, subject: str) -> bool:
        """Whether this key's certificate was ended before its time, and is not forgotten."""
        query = select(_CERTIFICATE.c.state).where(_CERTIFICATE.c.subject == subject)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() in (_ENDING, _ENDED)

    def count_since(self, client: ClientId, time: Timestamp) -> int:
        """The client's that were made since, ended ones too: each has the same life."""
        mine = _CERTIFICATE.c.client == client
        query = select(func.count()).where(mine, _CERTIFICATE.c.ends > time + _LIFE_MS)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def end(self, client: ClientId) -> int:
        """The client's are to be revoked; gives how many."""
        which = (_CERTIFICATE.c.client == client) & (_CERTIFICATE.c.state == _GOOD)
        with self._database.transaction() as connection:
            change = update(_CERTIFICATE).where(which).values(state=_ENDING)
            return connection.execute(change).rowcount

    def load_ending(self, now: Timestamp, limit: int) -> list[str]:
        """Of which the centre has not heard yet that they end, the first one first."""
        is_ending = (_CERTIFICATE.c.state == _ENDING) & (_CERTIFICATE.c.ends > now)
        query = select(_CERTIFICATE.c.subject).where(is_ending)
        query = query.order_by(_CERTIFICATE.c.sequence).limit(limit)
        with self._database.reading() as connection:
            return [row.subject for row in connection.execute(query)]

    def note_ended(self, subjects: Sequence[str]) -> None:
        """The centre has revoked them."""
        with self._database.transaction() as connection:
            which = _CERTIFICATE.c.subject.in_(subjects)
            connection.execute(update(_CERTIFICATE).where(which).values(state=_ENDED))


def _make_room(connection: Connection, one: DeviceCertificate, now: Timestamp) -> None:
    others = (_CERTIFICATE.c.client == one.client) & (_CERTIFICATE.c.subject != one.subject)
    query = select(_CERTIFICATE.c.subject, _CERTIFICATE.c.ends)
    query = query.where(others, _CERTIFICATE.c.state == _GOOD)
    rows = connection.execute(
        query.order_by(_CERTIFICATE.c.ends.desc(), _CERTIFICATE.c.sequence.desc())
    )
    for row in rows.all()[DEVICE_CERTIFICATES_MAX - 1 :]:
        state = _ENDED if row.ends - now <= _NEARLY_OVER_MS else _ENDING
        which = _CERTIFICATE.c.subject == row.subject
        connection.execute(update(_CERTIFICATE).where(which).values(state=state))


def _read(row: Any) -> DeviceCertificate:
    return DeviceCertificate(
        row.subject, ClientId(row.client), bytes(row.chain), Timestamp(row.ends)
    )
