"""A bank's requests for return, on both sides; one row each, sealed.

sealed = JSON: the request, the payer's bank and its signature; the answer if there is one
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    func,
    insert,
    select,
    update,
)

from specie.crypto.addresses import Address
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.returns import KeptReturn, ReturnAnswer
from specie.store.database import Place, open_store
from specie.tokens.return_requests import ReturnRequest, SignedReturn
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_AAD: Final = b"return\0"

_RETURN = Table(
    "return_request",
    _METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("id", LargeBinary, nullable=False, index=True),
    Column("is_asked", Integer, nullable=False),
    Column("client", String, nullable=False, index=True),
    Column("time", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)


class SqliteReturnStore:
    """`ReturnStore`, in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "returns", _VERSION, _METADATA)
        self._key = key

    def add(self, kept: KeptReturn) -> None:
        """Once for each payment; again is nothing, `order_conflict` if it says something else."""
        row = {"id": kept.id, "is_asked": int(kept.is_asked), "client": kept.client}
        with self._database.transaction() as connection:
            known = self.find(kept.id, is_asked=kept.is_asked)
            if known is not None:
                if (known.client, known.signed.request) != (kept.client, kept.signed.request):
                    reason = "this payment was asked back before, in other words"
                    raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
                return
            sealed = self._seal(kept, kept.answer)
            connection.execute(insert(_RETURN).values(**row, time=kept.time, sealed=sealed))

    def record_answer(self, kept: KeptReturn, answer: ReturnAnswer) -> bool:
        """Whether it is new; the first one counts."""
        with self._database.transaction() as connection:
            known = self.find(kept.id, is_asked=kept.is_asked)
            if known is None or known.answer is not None:
                return False
            change = update(_RETURN).where(_is(kept.id, is_asked=kept.is_asked))
            connection.execute(change.values(sealed=self._seal(kept, answer)))
        return True

    def find(self, identifier: bytes, *, is_asked: bool) -> KeptReturn | None:
        """By its id."""
        query = select(_RETURN).where(_is(identifier, is_asked=is_asked))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._open(row)

    def count_asked(self, client: ClientId, since: Timestamp) -> int:
        """How many this client has made later than that."""
        is_mine = and_(_RETURN.c.client == client, _RETURN.c.is_asked == 1)
        query = select(func.count()).where(is_mine, _RETURN.c.time > since)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def load(self, client: ClientId, limit: int) -> Sequence[KeptReturn]:
        """The newest of both kinds, the newest first."""
        query = select(_RETURN).where(_RETURN.c.client == client)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_RETURN.c.sequence.desc()).limit(limit)).all()
        return [self._open(row) for row in rows]

    def _seal(self, kept: KeptReturn, answer: ReturnAnswer | None) -> bytes:
        plain = json.dumps(_write(kept, answer)).encode()
        return self._key.seal(plain, _bind(kept.id, is_asked=kept.is_asked))

    def _open(self, row: Any) -> KeptReturn:
        is_asked = bool(row.is_asked)
        plain = open_sealed(self._key, row.sealed, _bind(row.id, is_asked=is_asked))
        return _read(row, json.loads(plain))


def _is(identifier: bytes, *, is_asked: bool) -> Any:
    return and_(_RETURN.c.id == identifier, _RETURN.c.is_asked == int(is_asked))


def _bind(identifier: bytes, *, is_asked: bool) -> bytes:
    return _AAD + u8(int(is_asked)) + identifier


def _write(kept: KeptReturn, answer: ReturnAnswer | None) -> dict[str, Any]:
    request = kept.signed.request
    said = None if answer is None else {"text": answer.text, "proof": answer.proof.hex()}
    return {
        "other": kept.other,
        "ref": request.ref.hex(),
        "creditor": [
            *(request.creditor.bank, request.creditor.view.hex(), request.creditor.spend.hex())
        ],
        "asked": request.time,
        "reason": request.reason,
        "proof": request.proof.hex(),
        "bank": kept.signed.bank,
        "signature": kept.signed.signature.hex(),
        "answer": said,
    }


def _read(row: Any, found: dict[str, Any]) -> KeptReturn:
    bank, view, spend = found["creditor"]
    creditor = Address(
        ParticipantNumber(bank), PublicKey(bytes.fromhex(view)), PublicKey(bytes.fromhex(spend))
    )
    request = ReturnRequest(
        ref=OutputRef(bytes.fromhex(found["ref"])),
        creditor=creditor,
        time=Timestamp(found["asked"]),
        reason=found["reason"],
        proof=Digest(bytes.fromhex(found["proof"])),
    )
    signature = Signature(bytes.fromhex(found["signature"]))
    said = found["answer"]
    return KeptReturn(
        id=bytes(row.id),
        client=ClientId(row.client),
        is_asked=bool(row.is_asked),
        other=ParticipantNumber(found["other"]),
        signed=SignedReturn(request, ParticipantNumber(found["bank"]), signature),
        time=Timestamp(row.time),
        answer=said and ReturnAnswer(said["text"], Digest(bytes.fromhex(said["proof"]))),
    )
