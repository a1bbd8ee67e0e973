"""The central bank's decisions, what is in force by them, and invitations to join."""

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
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from specie.ports.decisions import Decision, DecisionState, Invitation
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, Signature
from specie.values.times import Timestamp

_VERSION: Final = 1
_OPEN: Final = (DecisionState.PROPOSED.value, DecisionState.BEGUN.value)
_METADATA: Final = MetaData()

_DECISION = Table(
    "decision",
    _METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # 1, 2, … in the order they came
    Column("kind", String, nullable=False),
    Column("parameters", String, nullable=False),
    Column("state", String, nullable=False),
    Column("time", LargeBinary, nullable=False),  # u64, big-endian
)
_SIGNATURE = Table(
    "decision_signature",
    _METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("officer", Integer, primary_key=True),
    Column("signature", LargeBinary, nullable=False),
)
_SETTING = Table(
    "decided_setting",
    _METADATA,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),  # u64, big-endian
)
_INVITATION = Table(
    "invitation",
    _METADATA,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("name", String, nullable=False),
    Column("officer", Integer, nullable=False),
    Column("expires", LargeBinary, nullable=False),  # u64, big-endian
    Column("enrolment", LargeBinary, nullable=False),
)


class SqliteDecisionStore:
    """`DecisionStore` in the central bank's database."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "decisions", _VERSION, _METADATA)

    def sign(self, decision: Decision, officer: int, signature: Signature) -> Decision:
        """Record it with the first signature, add further ones; `order_conflict` if it differs."""
        with self._database.transaction() as connection:
            row = _find(connection, decision.id)
            if row is None:
                last = connection.execute(select(func.max(_DECISION.c.number))).scalar()
                connection.execute(
                    insert(_DECISION).values(
                        id=decision.id,
                        number=(last or 0) + 1,
                        kind=decision.kind,
                        parameters=decision.parameters,
                        state=decision.state.value,
                        time=_pack(decision.time),
                    )
                )
            elif (row.kind, row.parameters) != (decision.kind, decision.parameters):
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this decision is about something else")
            elif row.state not in _OPEN:
                return _read(connection, row)  # history does not change
            mine = and_(_SIGNATURE.c.id == decision.id, _SIGNATURE.c.officer == officer)
            connection.execute(delete(_SIGNATURE).where(mine))
            connection.execute(
                insert(_SIGNATURE).values(id=decision.id, officer=officer, signature=signature)
            )
            return _read(connection, _find(connection, decision.id))

    def find(self, identifier: bytes) -> Decision | None:
        """None if nobody proposed it."""
        with self._database.reading() as connection:
            row = _find(connection, identifier)
            return None if row is None else _read(connection, row)

    def finish(self, identifier: bytes, settings: dict[str, int]) -> None:
        """It is carried out; with it, in one transaction, what is in force from now on."""
        with self._database.transaction() as connection:
            change = update(_DECISION).where(_DECISION.c.id == identifier)
            connection.execute(change.values(state=DecisionState.DONE.value))
            for name, value in settings.items():
                connection.execute(delete(_SETTING).where(_SETTING.c.name == name))
                connection.execute(insert(_SETTING).values(name=name, value=_pack(value)))

    def begin(self, identifier: bytes) -> None:
        """Part of it may be done: from now on no rule refuses it, it goes on."""
        self._set_state(identifier, DecisionState.BEGUN)

    def refuse(self, identifier: bytes) -> None:
        """It will not be carried out, also not later, when nobody expects it any more."""
        self._set_state(identifier, DecisionState.REFUSED)

    def expire(self, identifier: bytes) -> None:
        """The same, because its signatures did not come in time."""
        self._set_state(identifier, DecisionState.EXPIRED)

    def withdraw(self, identifier: bytes) -> None:
        """The same, because who has signed it does not want it any more."""
        self._set_state(identifier, DecisionState.WITHDRAWN)

    def _set_state(self, identifier: bytes, state: DecisionState) -> None:
        with self._database.transaction() as connection:
            change = update(_DECISION).where(_DECISION.c.id == identifier)
            connection.execute(change.values(state=state.value))

    def load_open(self) -> Sequence[Decision]:
        """Proposed or begun, oldest first."""
        query = select(_DECISION).where(_DECISION.c.state.in_(_OPEN))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_DECISION.c.number)).all()
            return [_read(connection, row) for row in rows]

    def load(self, start: int, limit: int) -> Sequence[Decision]:
        """A page of the history, oldest first."""
        query = select(_DECISION).order_by(_DECISION.c.number).offset(start).limit(limit)
        with self._database.reading() as connection:
            return [_read(connection, row) for row in connection.execute(query).all()]

    def load_done(self, kind: str) -> Sequence[Decision]:
        """All of one kind that were carried out, oldest first."""
        done = DecisionState.DONE.value
        query = select(_DECISION).where(_DECISION.c.kind == kind, _DECISION.c.state == done)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_DECISION.c.number)).all()
            return [_read(connection, row) for row in rows]

    def load_settings(self) -> dict[str, int]:
        """What decisions have set so far."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_SETTING)).all()
        return {row.name: _unpack(row.value) for row in rows}

    def invite(self, code_hash: Digest, name: str, officer: int, expires: Timestamp) -> None:
        """A one-time code is out; idempotent."""
        with self._database.transaction() as connection:
            if _find_invitation(connection, code_hash) is None:
                connection.execute(
                    insert(_INVITATION).values(
                        code_hash=code_hash,
                        name=name,
                        officer=officer,
                        expires=_pack(expires),
                        enrolment=b"",
                    )
                )

    def find_invitation(self, code_hash: Digest) -> Invitation | None:
        """None for a code that nobody gave out."""
        with self._database.reading() as connection:
            row = _find_invitation(connection, code_hash)
        return None if row is None else _read_invitation(row)

    def record_enrolment(self, code_hash: Digest, enrolment: bytes) -> bytes:
        """The first that comes with the code counts; gives what is recorded."""
        with self._database.transaction() as connection:
            row = _find_invitation(connection, code_hash)
            if row is None:
                raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody gave out this code")
            if row.enrolment:
                return bytes(row.enrolment)
            mine = _INVITATION.c.code_hash == code_hash
            connection.execute(update(_INVITATION).where(mine).values(enrolment=enrolment))
            return enrolment

    def load_enrolments(self) -> list[Invitation]:
        """Codes that were used, with what came."""
        query = select(_INVITATION).where(_INVITATION.c.enrolment != b"")
        with self._database.reading() as connection:
            return [_read_invitation(row) for row in connection.execute(query).all()]


def _find(connection: Connection, identifier: bytes) -> Any:
    return connection.execute(select(_DECISION).where(_DECISION.c.id == identifier)).first()


def _find_invitation(connection: Connection, code_hash: Digest) -> Any:
    query = select(_INVITATION).where(_INVITATION.c.code_hash == code_hash)
    return connection.execute(query).first()


def _read(connection: Connection, row: Any) -> Decision:
    query = select(_SIGNATURE).where(_SIGNATURE.c.id == row.id).order_by(_SIGNATURE.c.officer)
    signed = connection.execute(query).all()
    return Decision(
        id=bytes(row.id),
        kind=row.kind,
        parameters=row.parameters,
        state=DecisionState(row.state),
        time=Timestamp(_unpack(row.time)),
        signatures=tuple((one.officer, Signature(bytes(one.signature))) for one in signed),
    )


def _read_invitation(row: Any) -> Invitation:
    return Invitation(
        code_hash=Digest(bytes(row.code_hash)),
        name=row.name,
        officer=row.officer,
        expires=Timestamp(_unpack(row.expires)),
        enrolment=bytes(row.enrolment),
    )


def _pack(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _unpack(data: bytes) -> int:
    return int.from_bytes(data, "big")
