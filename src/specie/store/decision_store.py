"""The central bank's decisions, what is in force and was lent by them, invitations to join."""

import json
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
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from specie.ports.decisions import Decision, DecisionState, Invitation, Loan
from specie.store.database import Place, Steps, open_store
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, EntryId, ParticipantNumber, Signature
from specie.values.times import Timestamp

_VERSION: Final = 2
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
_FIND: Final = select(_DECISION).where(_DECISION.c.id == bindparam("which"))
_LOAD_OPEN: Final = (
    select(_DECISION).where(_DECISION.c.state.in_(_OPEN)).order_by(_DECISION.c.number)
)
_SIGNATURE = Table(
    "decision_signature",
    _METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("officer", Integer, primary_key=True),
    Column("signature", LargeBinary, nullable=False),
)
_LOAD_SIGNATURES: Final = (
    select(_SIGNATURE).where(_SIGNATURE.c.id == bindparam("which")).order_by(_SIGNATURE.c.officer)
)
_SETTING = Table(
    "decided_setting",
    _METADATA,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),  # u64, big-endian
)
_LOAD_SETTINGS: Final = select(_SETTING)
_INVITATION = Table(
    "invitation",
    _METADATA,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("name", String, nullable=False),
    Column("officer", Integer, nullable=False),
    Column("expires", LargeBinary, nullable=False),  # u64, big-endian
    Column("enrolment", LargeBinary, nullable=False),
)
_LOAN = Table(
    "loan",
    _METADATA,
    Column("participant", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),  # 0, 1, … of this participant
    Column("entry", LargeBinary, nullable=False, unique=True),
    Column("amount", LargeBinary, nullable=False),  # u64, big-endian
)


def _list_loans(connection: Connection) -> None:
    """Version 2: loans have a list of their own, no longer looked for among all decisions."""
    _LOAN.create(connection)
    done = and_(_DECISION.c.kind == "lend-reserves", _DECISION.c.state == DecisionState.DONE.value)
    query = select(_DECISION.c.id, _DECISION.c.parameters).where(done)
    for row in connection.execute(query.order_by(_DECISION.c.number)).all():
        fields = json.loads(row.parameters)
        number, amount = ParticipantNumber(fields["participant"]), Minor(fields["amount"])
        _add_loan(connection, Loan(EntryId(bytes(row.id)), number, amount))


_STEPS: Final[Steps] = {1: _list_loans}


class SqliteDecisionStore:
    """`DecisionStore` and `LoanStore` in the central bank's database."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "decisions", _VERSION, _METADATA, _STEPS)

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
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_OPEN).all()
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

    def record_loan(self, loan: Loan) -> None:
        """At the end of the participant's list; idempotent by entry."""
        known = select(_LOAN.c.place).where(_LOAN.c.entry == loan.entry)
        with self._database.transaction() as connection:
            if connection.execute(known).first() is None:
                _add_loan(connection, loan)

    def load_loans(self, participant: ParticipantNumber, start: int, limit: int) -> list[Loan]:
        """At most `limit` of one participant's list, from the place `start` on: by the key."""
        wanted = and_(_LOAN.c.participant == participant, _LOAN.c.place >= start)
        query = select(_LOAN).where(wanted).order_by(_LOAN.c.place).limit(limit)
        with self._database.reading() as connection:
            return [_read_loan(row) for row in connection.execute(query)]

    def load_settings(self) -> dict[str, int]:
        """What decisions have set so far."""
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_SETTINGS).all()
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
    return connection.execute(_FIND, {"which": identifier}).first()


def _add_loan(connection: Connection, loan: Loan) -> None:
    own = _LOAN.c.participant == loan.participant
    last = connection.execute(select(func.max(_LOAN.c.place)).where(own)).scalar()
    connection.execute(
        insert(_LOAN).values(
            participant=loan.participant,
            place=0 if last is None else last + 1,
            entry=loan.entry,
            amount=_pack(loan.amount),
        )
    )


def _read_loan(row: Any) -> Loan:
    number, amount = ParticipantNumber(row.participant), Minor(_unpack(row.amount))
    return Loan(EntryId(bytes(row.entry)), number, amount)


def _find_invitation(connection: Connection, code_hash: Digest) -> Any:
    query = select(_INVITATION).where(_INVITATION.c.code_hash == code_hash)
    return connection.execute(query).first()


def _read(connection: Connection, row: Any) -> Decision:
    signed = connection.execute(_LOAD_SIGNATURES, {"which": row.id}).all()
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
