"""Cases of a bank's officers, with notes and decisions; what they say is sealed at rest."""

import json
from collections.abc import Sequence
from dataclasses import replace
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
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.policy.cases import Case, CaseKind, CaseState, Decision, Verdict
from specie.policy.policies import Direction
from specie.ports.supervision import CaseNote
from specie.store.database import Place, open_store
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, OrderId, TransactionId
from specie.values.limits import CASE_NOTES_MAX
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_CASE = Table(
    "bank_case",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("client", String, nullable=False, index=True),
    Column("opened", BigInteger, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("likeness", LargeBinary, nullable=False, index=True),
    Column("txid", LargeBinary, nullable=False, index=True),
    Column("released_until", BigInteger, nullable=False),
    Column("used_by", LargeBinary, nullable=True),
    Column("sealed", LargeBinary, nullable=False),  # JSON: the rest, with all decisions
)
_IS_PAYMENT: Final = _CASE.c.kind == CaseKind.PAYMENT.value
_IS_ALIKE: Final = or_(_CASE.c.likeness == bindparam("likeness"), _CASE.c.txid == bindparam("txid"))
_LOAD_ALIKE: Final = select(_CASE).where(_IS_PAYMENT, _IS_ALIKE).order_by(_CASE.c.number.desc())
_COUNT_OPEN: Final = (
    select(func.count())
    .select_from(_CASE)
    .where(_CASE.c.client == bindparam("client"))
    .where(_CASE.c.state == CaseState.OPEN.value, _IS_PAYMENT)
)

_NOTE = Table(
    "bank_case_note",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the case
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("officer", String, nullable=False),
    Column("sealed_text", LargeBinary, nullable=False),
)


class SqliteCaseStore:
    """`CaseStore` in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "cases", _VERSION, _METADATA)
        self._key = key

    def add(self, case: Case) -> Case:
        """Under the next number, which stands in what it gives."""
        with self._database.transaction() as connection:
            last = connection.execute(select(func.max(_CASE.c.number))).scalar()
            numbered = replace(case, number=(last or 0) + 1)
            connection.execute(insert(_CASE).values(**self._seal(numbered)))
        return numbered

    def replace(self, case: Case) -> None:
        """Its new state."""
        with self._database.transaction() as connection:
            change = update(_CASE).where(_CASE.c.number == case.number)
            connection.execute(change.values(**self._seal(case)))

    def find(self, number: int) -> Case | None:
        """By its number."""
        with self._database.reading() as connection:
            row = connection.execute(select(_CASE).where(_CASE.c.number == number)).first()
        return None if row is None else self._open(row)

    def load_alike(self, likeness: Digest, txid: TransactionId) -> Sequence[Case]:
        """About this payment or one that says the same, newest first."""
        keys = {"likeness": likeness, "txid": txid}
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_ALIKE, keys).all()
        return [self._open(row) for row in rows]

    def count_open(self, client: ClientId) -> int:
        """About payments of this client that wait for a decision."""
        with self._database.reading() as connection:
            return int(connection.execute(_COUNT_OPEN, {"client": client}).scalar_one())

    def load(self, *, is_open: bool, before: int, limit: int) -> Sequence[Case]:
        """A page, newest first, of numbers below `before` (0: from the newest)."""
        query = select(_CASE).order_by(_CASE.c.number.desc()).limit(limit)
        if is_open:
            query = query.where(_CASE.c.state == CaseState.OPEN.value)
        if before:
            query = query.where(_CASE.c.number < before)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [self._open(row) for row in rows]

    def add_note(self, number: int, note: CaseNote) -> None:
        """Kept for ever; `limit_exceeded` if there are too many."""
        with self._database.transaction() as connection:
            place = _count_notes(connection, number) + 1
            if place > CASE_NOTES_MAX:
                reason = f"a case has at most {CASE_NOTES_MAX:,} notes"
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)
            connection.execute(
                insert(_NOTE).values(
                    number=number,
                    place=place,
                    time=note.time,
                    officer=note.officer,
                    sealed_text=self._key.seal(encode_text(note.text), _name_note(number, place)),
                )
            )

    def load_notes(self, number: int) -> Sequence[CaseNote]:
        """Oldest first."""
        query = select(_NOTE).where(_NOTE.c.number == number).order_by(_NOTE.c.place)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            CaseNote(
                row.officer,
                Timestamp(row.time),
                open_sealed(self._key, row.sealed_text, _name_note(number, row.place)).decode(),
            )
            for row in rows
        ]

    def _seal(self, case: Case) -> dict[str, Any]:
        rest = {
            "rules": list(case.rules),
            "amount": case.amount,
            "order": case.order.hex(),
            "text": case.text,
            "people_needed": case.people_needed,
            "direction": case.direction.value,
            "parties": [one.hex() for one in case.parties],
            "names": list(case.names),
            "decisions": [
                [one.officer, one.verdict.value, one.time, one.reason] for one in case.decisions
            ],
        }
        return {
            "number": case.number,
            "kind": case.kind.value,
            "client": case.client,
            "opened": case.opened,
            "state": case.state.value,
            "likeness": case.likeness,
            "txid": case.txid,
            "released_until": case.released_until,
            "used_by": case.used_by,
            "sealed": self._key.seal(json.dumps(rest).encode(), _name_case(case.number)),
        }

    def _open(self, row: Any) -> Case:
        rest = json.loads(open_sealed(self._key, row.sealed, _name_case(row.number)))
        return Case(
            number=row.number,
            kind=CaseKind(row.kind),
            client=ClientId(row.client),
            opened=Timestamp(row.opened),
            rules=tuple(rest["rules"]),
            amount=Minor(rest["amount"]),
            likeness=Digest(bytes(row.likeness)),
            txid=TransactionId(bytes(row.txid)),
            order=OrderId(bytes.fromhex(rest["order"])),
            text=rest["text"],
            people_needed=rest["people_needed"],
            state=CaseState(row.state),
            decisions=tuple(
                Decision(officer, Verdict(verdict), Timestamp(time), reason)
                for officer, verdict, time, reason in rest["decisions"]
            ),
            released_until=Timestamp(row.released_until),
            used_by=None if row.used_by is None else TransactionId(bytes(row.used_by)),
            direction=Direction(rest["direction"]),
            parties=tuple(bytes.fromhex(one) for one in rest["parties"]),
            names=tuple(rest["names"]),
        )


def _count_notes(connection: Connection, number: int) -> int:
    query = select(func.count()).select_from(_NOTE).where(_NOTE.c.number == number)
    return int(connection.execute(query).scalar() or 0)


def _name_case(number: int) -> bytes:
    return b"case\0" + str(number).encode()


def _name_note(number: int, place: int) -> bytes:
    return b"note\0" + f"{number}.{place}".encode()
