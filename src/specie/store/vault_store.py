"""Tokens and payments of many holders in one SQLite database; each holder sees its own rows.

Openings are sealed under the holder's key, bound to holder and reference. That key is random and
itself sealed, on a device under Argon2id of the passphrase.
"""

from collections.abc import Sequence
from pathlib import Path
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
    insert,
    select,
    update,
)

from specie.crypto.outputs import unpack_opening
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ledger.records import Output
from specie.ports.vault import PaymentState, Selection, StoredPayment
from specie.store.database import Database, chunked
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.encoding import split_fixed
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef, TransactionId

_VERSION: Final = 1
_METADATA: Final = MetaData()
_OPENING_SIZE: Final = 297

_HOLDER = Table(
    "holder",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("sealed_tree", LargeBinary, nullable=False),
)
_TOKEN = Table(
    "token",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("ref", LargeBinary, primary_key=True),
    Column("output", LargeBinary, nullable=False),
    Column("sealed_opening", LargeBinary, nullable=False),
    Column("payment", LargeBinary, nullable=True, index=True),  # reserved by
    Column("spent", Integer, nullable=False),
)
_PAYMENT = Table(
    "payment",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("id", LargeBinary, primary_key=True),
    Column("txid", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # openings ‖ transaction
    Column("outputs", Integer, nullable=False),
    Column("state", String, nullable=False, index=True),
)


class VaultDatabase:
    """The file; `open_holder` gives one holder's part of it."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _METADATA, "vault", _VERSION)

    def store_keys(self, holder: str, salt: bytes, sealed_key: bytes, sealed_tree: bytes) -> None:
        """A holder's sealed keys; never overwritten."""
        with self._database.transaction() as connection:
            if _find_holder(connection, holder) is not None:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this holder has keys already")
            connection.execute(
                insert(_HOLDER).values(
                    holder=holder, salt=salt, sealed_key=sealed_key, sealed_tree=sealed_tree
                )
            )

    def find_keys(self, holder: str) -> tuple[bytes, bytes, bytes] | None:
        """(salt, sealed key, sealed tree) of a holder."""
        with self._database.reading() as connection:
            return _find_holder(connection, holder)

    def open_holder(self, holder: str, key: SealingKey) -> "SqliteVaultStore":
        """The holder's rows, opened with the holder's key."""
        return SqliteVaultStore(self._database, holder, key)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


class SqliteVaultStore:
    """`VaultStore` on SQLite."""

    def __init__(self, database: Database, holder: str, key: SealingKey) -> None:
        self._database = database
        self._holder = holder
        self._key = key

    def add_tokens(self, tokens: Sequence[Token]) -> int:
        """New tokens become available; known ones are left alone. Gives how many were new."""
        with self._database.transaction() as connection:
            return self._insert_tokens(connection, tokens)

    def load_available(self) -> list[Token]:
        """Neither reserved nor spent."""
        with self._database.reading() as connection:
            return self._select_available(connection)

    def load_spent(self) -> list[OutputRef]:
        """Spent by settled payments."""
        query = select(_TOKEN.c.ref).where(_TOKEN.c.holder == self._holder, _TOKEN.c.spent == 1)
        with self._database.reading() as connection:
            return [OutputRef(row.ref) for row in connection.execute(query)]

    def reserve(self, payment_id: bytes, select_tokens: Selection) -> tuple[Token, ...]:
        """Select and reserve at once, under the write lock: no two payments get one token."""
        with self._database.transaction() as connection:
            self._check_unrecorded(connection, payment_id)
            self._free(connection, self._is_reserved_by(payment_id))
            chosen = tuple(select_tokens(self._select_available(connection)))
            for part in chunked([token.ref for token in chosen]):
                change = update(_TOKEN).where(
                    _TOKEN.c.holder == self._holder, _TOKEN.c.ref.in_(part)
                )
                connection.execute(change.values(payment=payment_id))
        return chosen

    def record_payment(self, payment: StoredPayment, inputs: Sequence[OutputRef]) -> None:
        """Durable before the transaction leaves; only if it spends what is reserved for it."""
        sealed = self._key.seal(b"".join(payment.openings) + payment.data, self._bind(payment.txid))
        reserved = select(_TOKEN.c.ref).where(self._is_reserved_by(payment.payment_id))
        with self._database.transaction() as connection:
            self._check_unrecorded(connection, payment.payment_id)
            if {row.ref for row in connection.execute(reserved)} != set(inputs):
                raise SpecieError(ErrorCode.TOKEN_UNAVAILABLE, "the tokens are not reserved for it")
            connection.execute(
                insert(_PAYMENT).values(
                    holder=self._holder,
                    id=payment.payment_id,
                    txid=payment.txid,
                    sealed=sealed,
                    outputs=len(payment.openings),
                    state=payment.state.value,
                )
            )

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """By the holder's own id."""
        with self._database.reading() as connection:
            row = connection.execute(select(_PAYMENT).where(self._is_payment(payment_id))).first()
        return None if row is None else self._open_payment(row)

    def load_prepared(self) -> list[StoredPayment]:
        """Payments whose answer was not heard."""
        query = select(_PAYMENT).where(
            _PAYMENT.c.holder == self._holder, _PAYMENT.c.state == PaymentState.PREPARED.value
        )
        with self._database.reading() as connection:
            return [self._open_payment(row) for row in connection.execute(query)]

    def settle(self, payment_id: bytes, change: Sequence[Token]) -> None:
        """Inputs spent, change available; in one database transaction."""
        with self._database.transaction() as connection:
            self._change_state(connection, payment_id, PaymentState.SETTLED)
            connection.execute(
                update(_TOKEN).where(self._is_reserved_by(payment_id)).values(spent=1)
            )
            self._insert_tokens(connection, change)

    def release(self, payment_id: bytes) -> None:
        """Refused for good: tokens free again. `payment_unknown` if it is not recorded."""
        with self._database.transaction() as connection:
            self._change_state(connection, payment_id, PaymentState.REFUSED)
            self._free(connection, self._is_reserved_by(payment_id))

    def release_unsigned(self, payment_id: bytes | None = None) -> int:
        """Reservations without a recorded transaction are free again: of one id, or all."""
        signed = select(_PAYMENT.c.id).where(_PAYMENT.c.holder == self._holder)
        is_unsigned = and_(_TOKEN.c.payment.is_not(None), _TOKEN.c.payment.not_in(signed))
        if payment_id is not None:
            is_unsigned = and_(is_unsigned, _TOKEN.c.payment == payment_id)
        with self._database.transaction() as connection:
            return self._free(connection, is_unsigned)

    def _free(self, connection: Connection, which: Any) -> int:
        is_mine = and_(_TOKEN.c.holder == self._holder, _TOKEN.c.spent == 0, which)
        return connection.execute(update(_TOKEN).where(is_mine).values(payment=None)).rowcount

    def _check_unrecorded(self, connection: Connection, payment_id: bytes) -> None:
        query = select(_PAYMENT.c.id).where(self._is_payment(payment_id))
        if connection.execute(query).first() is not None:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this payment is recorded already")

    def _select_available(self, connection: Connection) -> list[Token]:
        query = select(_TOKEN.c.ref, _TOKEN.c.output, _TOKEN.c.sealed_opening).where(
            _TOKEN.c.holder == self._holder, _TOKEN.c.payment.is_(None), _TOKEN.c.spent == 0
        )
        return [self._open_token(row) for row in connection.execute(query)]

    def _insert_tokens(self, connection: Connection, tokens: Sequence[Token]) -> int:
        known: set[bytes] = set()
        for part in chunked([token.ref for token in tokens]):
            query = select(_TOKEN.c.ref).where(
                _TOKEN.c.holder == self._holder, _TOKEN.c.ref.in_(part)
            )
            known.update(row.ref for row in connection.execute(query))
        fresh = {token.ref: token for token in tokens if token.ref not in known}
        if fresh:
            connection.execute(insert(_TOKEN), [self._seal_token(one) for one in fresh.values()])
        return len(fresh)

    def _change_state(self, connection: Connection, payment_id: bytes, state: PaymentState) -> None:
        """A settled payment stays settled; saying it again changes nothing."""
        row = connection.execute(
            select(_PAYMENT.c.state).where(self._is_payment(payment_id))
        ).first()
        if row is None:
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "no such payment")
        if row.state not in (PaymentState.PREPARED.value, state.value):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, f"the payment is {row.state} already")
        connection.execute(
            update(_PAYMENT).where(self._is_payment(payment_id)).values(state=state.value)
        )

    def _is_payment(self, payment_id: bytes) -> Any:
        return and_(_PAYMENT.c.holder == self._holder, _PAYMENT.c.id == payment_id)

    def _is_reserved_by(self, payment_id: bytes) -> Any:
        return and_(_TOKEN.c.holder == self._holder, _TOKEN.c.payment == payment_id)

    def _seal_token(self, token: Token) -> dict[str, Any]:
        return {
            "holder": self._holder,
            "ref": token.ref,
            "output": token.output.data,
            "sealed_opening": self._key.seal(token.opening.pack(), self._bind(token.ref)),
            "payment": None,
            "spent": 0,
        }

    def _open_token(self, row: Any) -> Token:
        opening = open_sealed(self._key, row.sealed_opening, self._bind(row.ref))
        return Token(Output(row.output), unpack_opening(opening))

    def _open_payment(self, row: Any) -> StoredPayment:
        plain = open_sealed(self._key, row.sealed, self._bind(row.txid))
        size = row.outputs * _OPENING_SIZE
        return StoredPayment(
            payment_id=row.id,
            txid=TransactionId(row.txid),
            data=plain[size:],
            openings=tuple(split_fixed(plain[:size], _OPENING_SIZE)),
            state=PaymentState(row.state),
        )

    def _bind(self, name: bytes) -> bytes:
        return self._holder.encode() + b"\0" + name


def _find_holder(connection: Connection, holder: str) -> tuple[bytes, bytes, bytes] | None:
    row = connection.execute(select(_HOLDER).where(_HOLDER.c.holder == holder)).first()
    return None if row is None else (row.salt, row.sealed_key, row.sealed_tree)
