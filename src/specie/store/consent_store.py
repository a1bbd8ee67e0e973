"""Who may read which accounts of a bank, and who has read (T3); sealed at rest.

    sealed       = signature 64 ‖ the statement (identity/consents.py)
    sealed_end   = by u8 ‖ signature 64, zeros if it is no statement of the client's
    sealed_what  = text

Readers' keys stand in a table of their own, beside no client: a consent's id says nothing of what
it is about.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.identity.consents import unpack_consent
from specie.ports.consents import ConsentEnd, EndedBy, KeptConsent, Reading
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u8
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO64,
    ClientId,
    Digest,
    InstitutionPublicKey,
    Signature,
)
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_AAD: Final = b"consent\0"
_END_AAD: Final = b"consent-end\0"
_READING_AAD: Final = b"consent-reading\0"
_ENDERS: Final = tuple(EndedBy)

_CONSENT = Table(
    "consent",
    _METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("client", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("ended", BigInteger, nullable=True),
    Column("sealed_end", LargeBinary, nullable=True),
    Column("asked", BigInteger, nullable=False),
    UniqueConstraint("client", "number"),
)
_READER = Table("consent_reader", _METADATA, Column("key", LargeBinary, primary_key=True))
_READING = Table(
    "consent_reading",
    _METADATA,
    Column("entry", Integer, primary_key=True, autoincrement=False),  # of the access log
    Column("consent", LargeBinary, nullable=False),
    Column("client", String, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("sealed_what", LargeBinary, nullable=False),
    Index("consent_reading_by_client", "client", "entry"),
    Index("consent_reading_by_time", "consent", "time"),
)


class SqliteConsentStore:
    """`ConsentStore`, in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "consents", _VERSION, _METADATA)
        self._key = key

    def transaction(self) -> AbstractContextManager[object]:
        """All or nothing, one after the other, with what other stores of the bank do in it."""
        return self._database.transaction()

    def add(self, kept: KeptConsent) -> None:
        """Once; `order_conflict` if the client has given another one this number."""
        plain = kept.signature + kept.consent.pack()
        number = (_CONSENT.c.client == kept.client) & (_CONSENT.c.number == kept.consent.number)
        reader = kept.consent.reader
        with self._database.transaction() as connection:
            if connection.execute(select(_CONSENT.c.id).where(number)).first() is not None:
                reason = f"another consent has number {kept.consent.number}"
                raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
            connection.execute(
                insert(_CONSENT).values(
                    id=kept.id,
                    client=kept.client,
                    number=kept.consent.number,
                    sealed=self._key.seal(plain, _AAD + kept.id),
                    asked=kept.asked,
                )
            )
            if not self.has_reader(reader):
                connection.execute(insert(_READER).values(key=reader))

    def find(self, consent: Digest) -> KeptConsent | None:
        """By its id."""
        query = select(_CONSENT).where(_CONSENT.c.id == consent)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._open(row)

    def load(self, client: ClientId) -> Sequence[KeptConsent]:
        """All of a client's, by number."""
        query = select(_CONSENT).where(_CONSENT.c.client == client).order_by(_CONSENT.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [self._open(row) for row in rows]

    def revoke(self, consent: Digest, end: ConsentEnd) -> None:
        """Once: the first end counts."""
        is_open = (_CONSENT.c.id == consent) & _CONSENT.c.ended.is_(None)
        plain = u8(_ENDERS.index(end.by)) + (end.signature or ZERO64)
        sealed = self._key.seal(plain, _END_AAD + consent)
        with self._database.transaction() as connection:
            change = update(_CONSENT).where(is_open)
            connection.execute(change.values(ended=end.time, sealed_end=sealed))

    def has_reader(self, reader: InstitutionPublicKey) -> bool:
        """Whether any client has ever named it."""
        query = select(_READER.c.key).where(_READER.c.key == reader)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def record_reading(self, reading: Reading, number: int, entry: int) -> None:
        """With the number of its request, and of its entry in the access log."""
        sealed = self._key.seal(encode_text(reading.what), _bind_reading(entry))
        with self._database.transaction() as connection:
            change = update(_CONSENT).where(_CONSENT.c.id == reading.consent)
            connection.execute(change.values(asked=number))
            connection.execute(
                insert(_READING).values(
                    entry=entry,
                    consent=reading.consent,
                    client=reading.client,
                    time=reading.time,
                    sealed_what=sealed,
                )
            )

    def count_readings(self, consent: Digest, since: Timestamp) -> int:
        """By this consent, later than that."""
        query = select(func.count()).where(_READING.c.consent == consent, _READING.c.time > since)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def load_readings(self, client: ClientId, start: int, limit: int) -> Sequence[Reading]:
        """A page, the newest first."""
        query = select(_READING).where(_READING.c.client == client)
        page = query.order_by(_READING.c.entry.desc()).offset(start).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(page).all()
        return [
            Reading(
                consent=Digest(bytes(row.consent)),
                client=client,
                time=Timestamp(row.time),
                what=open_sealed(self._key, row.sealed_what, _bind_reading(row.entry)).decode(),
            )
            for row in rows
        ]

    def _open(self, row: Any) -> KeptConsent:
        identifier = Digest(bytes(row.id))
        plain = open_sealed(self._key, row.sealed, _AAD + identifier)
        end = None
        if row.ended is not None:
            told = open_sealed(self._key, row.sealed_end, _END_AAD + identifier)
            signature = None if told[1:] == ZERO64 else Signature(told[1:])
            end = ConsentEnd(Timestamp(row.ended), _ENDERS[told[0]], signature)
        return KeptConsent(
            id=identifier,
            client=ClientId(row.client),
            consent=unpack_consent(plain[64:]),
            signature=Signature(plain[:64]),
            end=end,
            asked=row.asked,
        )


def _bind_reading(entry: int) -> bytes:
    return _READING_AAD + str(entry).encode()
