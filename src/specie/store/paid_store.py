"""Outputs that a bank's clients have paid to others, found by reference when one comes back.

    mark   = H("paid-output", key32 ‖ ref)          key32: random, sealed, drawn with the store
    sealed = txid32 ‖ bank u32 ‖ amount u64 ‖ anchor16 ‖ client

References stand in the public log; a file that names them beside a client would give the link away.
"""

import secrets
from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    insert,
    select,
)

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.paid import PaidByClient
from specie.store.database import Place, chunked, open_store
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.encoding import Reader, encode_text, u32, u64
from specie.values.identifiers import ClientId, OutputRef, ParticipantNumber, TransactionId

_VERSION: Final = 1
_METADATA: Final = MetaData()
_KEY_AAD: Final = b"paid-output-key\0"
_AAD: Final = b"paid-output\0"
_HEAD_BYTES: Final = 32 + 4 + 8 + 16

_KEY = Table(
    "paid_output_key",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)
_PAID = Table(
    "paid_output",
    _METADATA,
    Column("mark", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
_LOAD_KNOWN: Final = select(_PAID.c.mark).where(
    _PAID.c.mark.in_(bindparam("marks", expanding=True))
)
_FIND: Final = select(_PAID.c.sealed).where(_PAID.c.mark == bindparam("mark"))
_INSERT: Final = insert(_PAID)


class SqlitePaidStore:
    """`PaidOutputs`, in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "paid outputs", _VERSION, _METADATA)
        self._key = key
        with self._database.transaction() as connection:
            self._secret = self._load_secret(connection)

    def record(self, client: ClientId, txid: TransactionId, outputs: Sequence[Token]) -> None:
        """Within the transaction that records the attestation; again is the same."""
        rows = {}
        for token in outputs:
            opening, mark = token.opening, self._mark(token.ref)
            head = txid + u32(opening.bank) + u64(opening.amount) + opening.anchor
            rows[mark] = self._key.seal(head + encode_text(client), _AAD + mark)
        if not rows:
            return
        known: set[bytes] = set()
        with self._database.transaction() as connection:
            for part in chunked(list(rows)):
                found = connection.execute(_LOAD_KNOWN, {"marks": part})
                known.update(bytes(row.mark) for row in found)
            fresh = [{"mark": m, "sealed": s} for m, s in rows.items() if m not in known]
            if fresh:
                connection.execute(_INSERT, fresh)

    def find(self, ref: OutputRef) -> PaidByClient | None:
        """None: no client of ours has paid it."""
        mark = self._mark(ref)
        with self._database.reading() as connection:
            sealed = connection.execute(_FIND, {"mark": mark}).scalar()
        if sealed is None:
            return None
        plain = open_sealed(self._key, sealed, _AAD + mark)
        reader = Reader(plain[:_HEAD_BYTES])
        txid, bank = TransactionId(reader.take(32)), ParticipantNumber(reader.u32())
        amount, anchor = Minor(reader.u64()), reader.take(16)
        reader.finish()
        return PaidByClient(ClientId(plain[_HEAD_BYTES:].decode()), txid, bank, amount, anchor)

    def _mark(self, ref: OutputRef) -> bytes:
        return tagged_hash("paid-output", self._secret, ref)

    def _load_secret(self, connection: Connection) -> bytes:
        sealed = connection.execute(select(_KEY.c.sealed)).scalar()
        if sealed is not None:
            return open_sealed(self._key, sealed, _KEY_AAD)
        secret = secrets.token_bytes(32)
        row = {"number": 1, "sealed": self._key.seal(secret, _KEY_AAD)}
        connection.execute(insert(_KEY).values(row))
        return secret
