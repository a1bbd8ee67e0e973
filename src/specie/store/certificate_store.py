"""Certificates that the authentication centre has issued, and which of them it has revoked."""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)

from specie.identity.certificates import Revoked
from specie.store.database import Database, Place, Steps, insert_rows, open_store
from specie.values.identifiers import ServiceName
from specie.values.times import Timestamp

_VERSION: Final = 2
_METADATA: Final = MetaData()
_SERIAL_BYTES: Final = 20

_CERTIFICATE = Table(
    "certificate",
    _METADATA,
    Column("serial", LargeBinary, primary_key=True),  # big-endian
    Column("service", String, nullable=False),
    Column("data", LargeBinary, nullable=False),  # DER
    Column("revoked", LargeBinary, nullable=True),  # when, u64, big-endian
)
_NUMBER = Table(
    "revocation_number",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)
_DAY = Table(
    "device_certificate_day",
    _METADATA,
    Column("bank", String, primary_key=True),
    Column("day", BigInteger, nullable=False),  # the newest, since 1970
    Column("issued", Integer, nullable=False),
)
_BY_SERVICE = Index("certificate_by_service", _CERTIFICATE.c.service)


def _count_devices(connection: Connection) -> None:
    """Version 2: devices have certificates too, so there are many, and a bank's are counted."""
    _DAY.create(connection)
    _BY_SERVICE.create(connection)


_STEPS: Final[Steps] = {1: _count_devices}


class SqliteCertificateStore:
    """In the central bank's database."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "certificates", _VERSION, _METADATA, _STEPS)

    @property
    def database(self) -> Database:
        """The one that all this is in."""
        return self._database

    def add(self, service: ServiceName, certificate: x509.Certificate) -> None:
        """Before it leaves: what is not here cannot be revoked."""
        serial = certificate.serial_number.to_bytes(_SERIAL_BYTES, "big")
        data = certificate.public_bytes(Encoding.DER)
        with self._database.transaction() as connection:
            connection.execute(
                insert(_CERTIFICATE).values(serial=serial, service=service, data=data)
            )

    def adopt(self, other: Database) -> None:
        """All certificates of another database, if there are none here: again is nothing."""
        with other.reading() as connection:
            rows = [tuple(row) for row in connection.execute(select(_CERTIFICATE)).all()]
            number = connection.execute(select(_NUMBER.c.number)).scalar()
        with self._database.transaction() as connection:
            if connection.execute(select(_CERTIFICATE.c.serial)).first() is not None:
                return
            insert_rows(connection, _CERTIFICATE, rows)
            if number is not None:
                connection.execute(insert(_NUMBER).values(id=1, number=number))

    def load(self) -> list[x509.Certificate]:
        """All that were ever issued."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_CERTIFICATE.c.data)).all()
        return [x509.load_der_x509_certificate(row.data) for row in rows]

    def find(self, serial: int) -> tuple[x509.Certificate, Timestamp | None] | None:
        """One of ours, and when it was revoked if it was."""
        if not 0 <= serial < 1 << (8 * _SERIAL_BYTES):
            return None
        mine = _CERTIFICATE.c.serial == serial.to_bytes(_SERIAL_BYTES, "big")
        with self._database.reading() as connection:
            row = connection.execute(select(_CERTIFICATE).where(mine)).first()
        if row is None:
            return None
        return x509.load_der_x509_certificate(row.data), _read_time(row.revoked)

    def find_all(self, service: ServiceName) -> list[tuple[x509.Certificate, Timestamp | None]]:
        """All of one service, and when each was revoked if it was."""
        query = select(_CERTIFICATE).where(_CERTIFICATE.c.service == service)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [(x509.load_der_x509_certificate(row.data), _read_time(row.revoked)) for row in rows]

    def revoke(self, service: ServiceName, time: Timestamp, kept: int | None = None) -> int:
        """All of one service but the one with this serial, for good; gives how many."""
        with self._database.transaction() as connection:
            change = update(_CERTIFICATE).where(
                _CERTIFICATE.c.service == service, _CERTIFICATE.c.revoked.is_(None)
            )
            if kept is not None:
                change = change.where(_CERTIFICATE.c.serial != kept.to_bytes(_SERIAL_BYTES, "big"))
            return connection.execute(change.values(revoked=time.to_bytes(8, "big"))).rowcount

    def load_revoked(self, now: Timestamp) -> list[Revoked]:
        """For the next revocation list: without those that have ended by themselves."""
        query = select(_CERTIFICATE).where(_CERTIFICATE.c.revoked.is_not(None))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        found = []
        for row in rows:
            certificate = x509.load_der_x509_certificate(row.data)
            time = _read_time(row.revoked)
            if time is not None and certificate.not_valid_after_utc.timestamp() * 1000 > now:
                found.append(Revoked(certificate.serial_number, time))
        return found

    def count_device(self, bank: str, day: int, most: int) -> bool:
        """One more certificate for a device of this bank's clients; false if it had `most`."""
        with self._database.transaction() as connection:
            known = connection.execute(select(_DAY).where(_DAY.c.bank == bank)).first()
            if known is None:
                connection.execute(insert(_DAY).values(bank=bank, day=day, issued=0))
            issued = known.issued if known is not None and known.day == day else 0
            if issued >= most:
                return False
            change = update(_DAY).where(_DAY.c.bank == bank)
            connection.execute(change.values(day=day, issued=issued + 1))
            return True

    def draw_number(self) -> int:
        """Of the next revocation list: 1, 2, …"""
        with self._database.transaction() as connection:
            query = select(_NUMBER.c.number)
            last = connection.execute(query).scalar()
            if last is None:
                connection.execute(insert(_NUMBER).values(id=1, number=1))
                return 1
            connection.execute(update(_NUMBER).values(number=last + 1))
            return int(last) + 1


def _read_time(data: bytes | None) -> Timestamp | None:
    return None if data is None else Timestamp(int.from_bytes(data, "big"))
