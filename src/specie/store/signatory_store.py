"""A bank's record of who signs for its clients, what waits for them, and what they have said.

Names and what is asked (openings, amounts) are sealed under the bank's storage key.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.approvals import Seat, SigningRule, StoredSubject, Subject, SubjectKind
from specie.store.database import Database, Place, open_store
from specie.store.device_store import name_device
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey, Signature
from specie.values.times import DAY_MS, Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_DONE_KEPT_MS: Final = 30 * DAY_MS

_RULE = Table(
    "signing_rule",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("need", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)
_FIND_RULE: Final = select(_RULE).where(_RULE.c.client == bindparam("client"))

_SEAT = Table(
    "signatory",
    _METADATA,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("client", String, nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),  # empty until the device has come
    Column("device", String, nullable=True, unique=True),  # the name that it signs under
)
_LOAD_SEATS: Final = (
    select(_SEAT).where(_SEAT.c.client == bindparam("client")).order_by(_SEAT.c.place)
)
_FIND_BY_CODE: Final = select(_SEAT).where(_SEAT.c.code_hash == bindparam("which"))
_FIND_BY_DEVICE: Final = select(_SEAT).where(_SEAT.c.device == bindparam("which"))

_SUBJECT = Table(
    "approval_subject",
    _METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("client", String, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("is_done", Integer, nullable=False),
)
_IS_SUBJECT: Final = (_SUBJECT.c.digest == bindparam("which")) & (
    _SUBJECT.c.client == bindparam("whose")
)
_FIND_SUBJECT: Final = select(_SUBJECT).where(_IS_SUBJECT)
_END_SUBJECT: Final = update(_SUBJECT).where(_IS_SUBJECT).values(is_done=1)

_VOTE = Table(
    "approval_vote",
    _METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("client", String, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("is_yes", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)


class SqliteSignatoryStore:
    """In the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "signatories", _VERSION, _METADATA)
        self._key = key

    @property
    def database(self) -> Database:
        """What belongs together is one transaction of it."""
        return self._database

    def find_rule(self, client: ClientId) -> SigningRule | None:
        """Who signs for this client; None for one who signs alone."""
        whose = {"client": client}
        with self._database.reading() as connection:
            rule = connection.execute(_FIND_RULE, whose).first()
            rows = connection.execute(_LOAD_SEATS, whose).all()
        if rule is None or not rule.need:
            return None
        return SigningRule(rule.need, rule.version, tuple(self._open_seat(one) for one in rows))

    def get_version(self, client: ClientId) -> int:
        """Of the rule: it grows even when there is none any more."""
        query = select(_RULE.c.version).where(_RULE.c.client == client)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def put_rule(self, client: ClientId, rule: SigningRule) -> None:
        """In the place of what was there."""
        with self._database.transaction() as connection:
            connection.execute(delete(_RULE).where(_RULE.c.client == client))
            connection.execute(delete(_SEAT).where(_SEAT.c.client == client))
            connection.execute(
                insert(_RULE).values(client=client, need=rule.need, version=rule.version)
            )
            for place, seat in enumerate(rule.seats):
                connection.execute(insert(_SEAT).values(self._seal_seat(client, place, seat)))

    def find_seat(self, code_hash: Digest) -> tuple[ClientId, Seat] | None:
        """By the code that was given out."""
        return self._find_seat(_FIND_BY_CODE, code_hash)

    def find_device(self, name: str) -> tuple[ClientId, Seat] | None:
        """By what its device signs under."""
        return self._find_seat(_FIND_BY_DEVICE, name)

    def record_key(self, code_hash: Digest, key: InstitutionPublicKey) -> None:
        """The signatory's device; `client_exists` if the code or the device was used before."""
        with self._database.transaction() as connection:
            found = self.find_seat(code_hash)
            if found is None:
                raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody gave out this code")
            if found[1].key not in (None, key):
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "the code was used before")
            known = self.find_device(name_device(key))
            if known is not None and known[1].code_hash != code_hash:
                raise SpecieError(ErrorCode.CLIENT_EXISTS, "this device signs in another place")
            change = update(_SEAT).where(_SEAT.c.code_hash == code_hash)
            connection.execute(change.values(key=key, device=name_device(key)))

    def add_subject(self, one: StoredSubject) -> None:
        """Again is nothing."""
        subject = one.subject
        with self._database.transaction() as connection:
            if self.find_subject(subject.client, subject.digest) is not None:
                return
            connection.execute(
                insert(_SUBJECT).values(
                    digest=subject.digest,
                    client=subject.client,
                    kind=int(subject.kind),
                    sealed=self._key.seal(one.content, subject.digest),
                    expires=one.expires,
                    is_done=0,
                )
            )

    def find_subject(self, client: ClientId, digest: Digest) -> StoredSubject | None:
        """By what names it."""
        which = {"which": digest, "whose": client}
        with self._database.reading() as connection:
            row = connection.execute(_FIND_SUBJECT, which).first()
        return None if row is None else self._open_subject(row)

    def load_open(self, client: ClientId, now: Timestamp) -> list[StoredSubject]:
        """What is neither done nor over, the first to end first."""
        is_open = (_SUBJECT.c.client == client) & (_SUBJECT.c.expires > now)
        query = select(_SUBJECT).where(is_open, _SUBJECT.c.is_done == 0)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_SUBJECT.c.expires, _SUBJECT.c.digest))
            return [self._open_subject(row) for row in rows]

    def count_open(self, client: ClientId) -> int:
        """What is not done, of what was not pruned."""
        is_open = (_SUBJECT.c.client == client) & (_SUBJECT.c.is_done == 0)
        with self._database.reading() as connection:
            query = select(func.count()).select_from(_SUBJECT).where(is_open)
            return int(connection.execute(query).scalar_one())

    def prune(self, client: ClientId, now: Timestamp) -> None:
        """What is over is forgotten, with what was said of it: it has to be asked anew.

        What was carried out or refused stays for a while: the same again is the same.
        """
        until = case((_SUBJECT.c.is_done == 1, now - _DONE_KEPT_MS), else_=int(now))
        is_over = (_SUBJECT.c.client == client) & (_SUBJECT.c.expires <= until)
        over = select(_SUBJECT.c.digest).where(is_over)
        with self._database.transaction() as connection:
            said = (_VOTE.c.client == client) & _VOTE.c.digest.in_(over)
            connection.execute(delete(_VOTE).where(said))
            connection.execute(delete(_SUBJECT).where(is_over))

    def end_subject(self, client: ClientId, digest: Digest) -> None:
        """It was carried out, or refused: no longer shown."""
        with self._database.transaction() as connection:
            connection.execute(_END_SUBJECT, {"which": digest, "whose": client})

    def add_vote(
        self, subject: Subject, key: InstitutionPublicKey, vote: tuple[bool, Signature]
    ) -> None:
        """Once for each key; `order_conflict` if it has said the other before."""
        is_yes, signature = vote
        known = self.load_votes(subject.client, subject.digest).get(key)
        if known is not None and known[0] != is_yes:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "you have said the other before")
        if known is not None:
            return
        with self._database.transaction() as connection:
            connection.execute(
                insert(_VOTE).values(
                    digest=subject.digest,
                    client=subject.client,
                    key=key,
                    is_yes=int(is_yes),
                    signature=signature,
                )
            )

    def load_votes(
        self, client: ClientId, digest: Digest
    ) -> dict[InstitutionPublicKey, tuple[bool, Signature]]:
        """Who has said what, with the signature."""
        query = select(_VOTE).where(_VOTE.c.digest == digest, _VOTE.c.client == client)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        found = {}
        for row in rows:
            vote = bool(row.is_yes), Signature(bytes(row.signature))
            found[InstitutionPublicKey(bytes(row.key))] = vote
        return found

    def _find_seat(self, query: Select[Any], which: object) -> tuple[ClientId, Seat] | None:
        with self._database.reading() as connection:
            row = connection.execute(query, {"which": which}).first()
        return None if row is None else (ClientId(row.client), self._open_seat(row))

    def _seal_seat(self, client: ClientId, place: int, seat: Seat) -> dict[str, Any]:
        return {
            "code_hash": seat.code_hash,
            "client": client,
            "place": place,
            "sealed_name": self._key.seal(seat.name.encode(), seat.code_hash),
            "key": seat.key or b"",
            "device": name_device(seat.key) if seat.key else None,
        }

    def _open_seat(self, row: Any) -> Seat:
        code_hash = Digest(bytes(row.code_hash))
        name = open_sealed(self._key, row.sealed_name, code_hash).decode()
        return Seat(code_hash, name, InstitutionPublicKey(bytes(row.key)) if row.key else None)

    def _open_subject(self, row: Any) -> StoredSubject:
        digest = Digest(bytes(row.digest))
        subject = Subject(ClientId(row.client), SubjectKind(row.kind), digest)
        content = open_sealed(self._key, row.sealed, digest)
        return StoredSubject(subject, content, Timestamp(row.expires), bool(row.is_done))
