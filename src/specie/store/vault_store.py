"""Tokens and payments of many holders in one database; each holder sees its own rows.

Openings are sealed under the holder's key, bound to holder and reference. That key is random and
itself sealed, on a device under Argon2id of the passphrase.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from sqlalchemy import Connection, Update, and_, bindparam, insert, or_, select, union, update

from specie.crypto.outputs import OPENING_BYTES, unpack_opening
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ledger.records import Output
from specie.ledger.transactions import VoidPromise
from specie.ports.vault import HeldToken, PaymentState, Selection, StoredPayment
from specie.store.contacts import SqliteContactStore
from specie.store.database import Database, Place, chunked, open_store
from specie.store.vault_tables import HOLDER, METADATA, PAYMENT, TOKEN
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, split_fixed
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef, Signature, TransactionId
from specie.values.times import Timestamp

_VERSION: Final = 2

_FIND_HOLDER: Final = select(HOLDER).where(HOLDER.c.holder == bindparam("mine"))

_IS_MINE: Final = TOKEN.c.holder == bindparam("mine")
_IS_NAMED: Final = and_(_IS_MINE, TOKEN.c.ref.in_(bindparam("refs", expanding=True)))
_IS_RESERVED: Final = and_(_IS_MINE, TOKEN.c.payment == bindparam("by"))
_IS_EARLIER: Final = or_(
    TOKEN.c.signed_until.is_(None), TOKEN.c.signed_until < bindparam("until")
)  # what was signed until later stays so
_INSERT_TOKENS: Final = insert(TOKEN)
_LOAD_TOKENS: Final = select(TOKEN).where(_IS_MINE).order_by(TOKEN.c.sequence)
_LOAD_AVAILABLE: Final = select(TOKEN).where(
    _IS_MINE, TOKEN.c.payment.is_(None), TOKEN.c.spent == 0
)
_LOAD_NAMED: Final = select(TOKEN).where(_IS_NAMED)
_LOAD_KNOWN: Final = select(TOKEN.c.ref).where(_IS_NAMED)
_LOAD_RESERVED: Final = select(TOKEN.c.ref).where(_IS_RESERVED)
_LOAD_SPENT: Final = select(TOKEN.c.ref).where(_IS_MINE, TOKEN.c.spent == 1)
_RESERVE: Final = update(TOKEN).where(_IS_NAMED).values(payment=bindparam("by"))
_FREE: Final = update(TOKEN).where(_IS_RESERVED, TOKEN.c.spent == 0).values(payment=None)
_SPEND: Final = update(TOKEN).where(_IS_NAMED).values(spent=1)
_SPEND_BY: Final = _SPEND.values(payment=bindparam("by"))
_SPEND_RESERVED: Final = _SPEND.where(TOKEN.c.payment == bindparam("by"))
_NOTE_SIGNED: Final = update(TOKEN).where(_IS_EARLIER).values(signed_until=bindparam("until"))
_NOTE_NAMED_SIGNED: Final = _NOTE_SIGNED.where(_IS_NAMED)
_NOTE_RESERVED_SIGNED: Final = _NOTE_SIGNED.where(_IS_RESERVED)

_IS_OURS: Final = PAYMENT.c.holder == bindparam("mine")
_IS_PAYMENT: Final = and_(_IS_OURS, PAYMENT.c.id == bindparam("by"))
_INSERT_PAYMENT: Final = insert(PAYMENT)
_FIND_PAYMENT: Final = select(PAYMENT).where(_IS_PAYMENT)
_FIND_STATE: Final = select(PAYMENT.c.state).where(_IS_PAYMENT)
_SET_STATE: Final = update(PAYMENT).where(_IS_PAYMENT).values(state=bindparam("to"))
_LOAD_PAYMENTS: Final = select(PAYMENT).where(_IS_OURS).order_by(PAYMENT.c.sequence)
_LOAD_PAYMENTS_SINCE: Final = _LOAD_PAYMENTS.where(PAYMENT.c.time > bindparam("since"))
_LOAD_PREPARED: Final = select(PAYMENT).where(
    _IS_OURS, PAYMENT.c.state == PaymentState.PREPARED.value
)


class VaultDatabase:
    """All holders; `open_holder` gives one holder's part of it."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "vault", _VERSION, METADATA)

    def store_keys(self, holder: str, salt: bytes, sealed_key: bytes, sealed_tree: bytes) -> None:
        """A holder's sealed keys; never overwritten."""
        with self._database.transaction() as connection:
            if _find_holder(connection, holder) is not None:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "this holder has keys already")
            connection.execute(
                insert(HOLDER).values(
                    holder=holder, salt=salt, sealed_key=sealed_key, sealed_tree=sealed_tree
                )
            )

    def find_keys(self, holder: str) -> tuple[bytes, bytes, bytes] | None:
        """(salt, sealed key, sealed tree) of a holder."""
        with self._database.reading() as connection:
            return _find_holder(connection, holder)

    def list_holders(self) -> list[str]:
        """Everybody whose keys are here."""
        with self._database.reading() as connection:
            rows = connection.execute(select(HOLDER.c.holder).order_by(HOLDER.c.holder))
            return [row.holder for row in rows]

    def list_used(self) -> list[str]:
        """Everybody who has or had tokens or payments here, sub-wallets by their own names."""
        both = union(select(TOKEN.c.holder), select(PAYMENT.c.holder))
        with self._database.reading() as connection:
            return sorted(row.holder for row in connection.execute(both))

    def open_holder(self, holder: str, key: SealingKey) -> "SqliteVaultStore":
        """The holder's rows, opened with the holder's key."""
        return SqliteVaultStore(self._database, holder, key)

    def open_contacts(self, holder: str, key: SealingKey, prefix: str) -> SqliteContactStore:
        """The holder's address book, for addresses with this network's prefix."""
        return SqliteContactStore(self._database, holder, key, prefix)

    @property
    def place(self) -> Database:
        """For other stores of the same device."""
        return self._database

    def close(self) -> None:
        """Close the database."""
        self._database.close()


class SqliteVaultStore:
    """`VaultStore` on SQLite."""

    def __init__(self, database: Database, holder: str, key: SealingKey) -> None:
        self._database = database
        self._holder = holder
        self._key = key

    def add_tokens(
        self, tokens: Sequence[Token], time: Timestamp, signed_until: Timestamp | None = None
    ) -> int:
        """New tokens become available; known ones are left alone. Gives how many were new."""
        with self._database.transaction() as connection:
            fresh = self._insert_tokens(connection, tokens, time)
            if signed_until is not None:
                for part in chunked([token.ref for token in tokens]):
                    which = {"mine": self._holder, "refs": part, "until": signed_until}
                    connection.execute(_NOTE_NAMED_SIGNED, which)
        return fresh

    def mark_spent(self, refs: Sequence[OutputRef]) -> None:
        """Spent elsewhere, by the log: never available again."""
        with self._database.transaction() as connection:
            self._update_tokens(connection, refs, _SPEND)

    def load_available(self) -> list[HeldToken]:
        """Neither reserved nor spent."""
        with self._database.reading() as connection:
            return self._select_available(connection)

    def load_tokens(self) -> list[HeldToken]:
        """All that were ever received, the oldest first; spent ones too."""
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_TOKENS, {"mine": self._holder})
            return [self._open_held(row) for row in rows]

    def find_token(self, ref: OutputRef) -> Token | None:
        """Reserved and spent ones too."""
        which = {"mine": self._holder, "refs": [ref]}
        with self._database.reading() as connection:
            row = connection.execute(_LOAD_NAMED, which).first()
        return None if row is None else self._open_token(row)

    def load_spent(self) -> list[OutputRef]:
        """Spent by settled payments, or elsewhere."""
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_SPENT, {"mine": self._holder})
            return [OutputRef(row.ref) for row in rows]

    def reserve(self, payment_id: bytes, select_tokens: Selection) -> tuple[HeldToken, ...]:
        """Select and reserve at once, under the write lock: no two payments get one token."""
        with self._database.transaction() as connection:
            self._check_unrecorded(connection, payment_id)
            connection.execute(_FREE, self._name(payment_id))
            chosen = tuple(select_tokens(self._select_available(connection)))
            self._update_tokens(connection, [one.ref for one in chosen], _RESERVE, by=payment_id)
        return chosen

    def record_payment(self, payment: StoredPayment, inputs: Sequence[OutputRef]) -> None:
        """Durable before the transaction leaves; only if it spends what is reserved for it."""
        sealed = self._key.seal(b"".join(payment.openings) + payment.data, self._bind(payment.txid))
        row = {
            "holder": self._holder,
            "id": payment.payment_id,
            "txid": payment.txid,
            "sealed": sealed,
            "outputs": len(payment.openings),
            "state": payment.state.value,
            "not_after": payment.not_after,
            "time": payment.time,
        }
        which = self._name(payment.payment_id)
        with self._database.transaction() as connection:
            self._check_unrecorded(connection, payment.payment_id)
            if {row.ref for row in connection.execute(_LOAD_RESERVED, which)} != set(inputs):
                raise SpecieError(ErrorCode.TOKEN_UNAVAILABLE, "the tokens are not reserved for it")
            connection.execute(_INSERT_PAYMENT, row)
            connection.execute(_NOTE_RESERVED_SIGNED, {**which, "until": payment.not_after})

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """By the holder's own id."""
        with self._database.reading() as connection:
            row = connection.execute(_FIND_PAYMENT, self._name(payment_id)).first()
        return None if row is None else self._open_payment(row)

    def load_prepared(self) -> list[StoredPayment]:
        """Payments whose answer was not heard."""
        with self._database.reading() as connection:
            rows = connection.execute(_LOAD_PREPARED, {"mine": self._holder})
            return [self._open_payment(row) for row in rows]

    def load_payments(self, since: Timestamp | None = None) -> list[StoredPayment]:
        """All that were recorded later than that, the oldest first."""
        which: dict[str, Any] = {"mine": self._holder}
        query = _LOAD_PAYMENTS
        if since is not None:
            query, which = _LOAD_PAYMENTS_SINCE, {**which, "since": since}
        with self._database.reading() as connection:
            rows = connection.execute(query, which)
            return [self._open_payment(row) for row in rows]

    def settle(
        self,
        payment_id: bytes,
        inputs: Sequence[OutputRef],
        change: Sequence[Token],
        time: Timestamp,
    ) -> None:
        """Inputs spent, change available; in one database transaction. Whatever was thought before.

        What is final is final: also a payment whose tokens were freed meanwhile.
        """
        with self._database.transaction() as connection:
            self._change_state(connection, payment_id, PaymentState.SETTLED, set(PaymentState))
            self._update_tokens(connection, inputs, _SPEND_BY, by=payment_id)
            self._insert_tokens(connection, change, time)

    def release(self, payment_id: bytes, spent: Sequence[OutputRef] = ()) -> None:
        """Refused for good: `spent` were spent elsewhere, its other tokens are free again."""
        with self._database.transaction() as connection:
            self._change_state(connection, payment_id, PaymentState.REFUSED)
            which = self._name(payment_id)
            connection.execute(_SPEND_RESERVED, {**which, "refs": list(spent)})
            connection.execute(_FREE, which)

    def release_void(
        self, payment_id: bytes, signed_until: Timestamp, promise: VoidPromise
    ) -> None:
        """Cancelled for good: its tokens are free, and count as signed until then at most."""
        word = {"void_publish_by": promise.publish_by, "void_promise": promise.signature}
        which = self._name(payment_id)
        with self._database.transaction() as connection:
            self._change_state(connection, payment_id, PaymentState.CANCELLED)
            connection.execute(update(PAYMENT).where(_IS_PAYMENT).values(**word), which)
            its = select(PAYMENT.c.not_after).where(_IS_PAYMENT).scalar_subquery()
            connection.execute(
                update(TOKEN)  # what something else has signed until later stays so
                .where(_IS_RESERVED, TOKEN.c.signed_until == its)
                .values(signed_until=signed_until),
                which,
            )
            connection.execute(_FREE, which)

    def release_unsigned(self, payment_id: bytes | None = None) -> int:
        """Reservations without a recorded transaction are free again: of one id, or all."""
        signed = select(PAYMENT.c.id).where(PAYMENT.c.holder == self._holder)
        is_unsigned = and_(TOKEN.c.payment.is_not(None), TOKEN.c.payment.not_in(signed))
        if payment_id is not None:
            is_unsigned = and_(is_unsigned, TOKEN.c.payment == payment_id)
        is_mine = and_(TOKEN.c.holder == self._holder, TOKEN.c.spent == 0)
        change = update(TOKEN).where(is_mine, is_unsigned).values(payment=None)
        with self._database.transaction() as connection:
            return connection.execute(change).rowcount

    def _check_unrecorded(self, connection: Connection, payment_id: bytes) -> None:
        if connection.execute(_FIND_STATE, self._name(payment_id)).first() is not None:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this payment is recorded already")

    def _update_tokens(
        self, connection: Connection, refs: Sequence[OutputRef], change: Update, **values: Any
    ) -> None:
        for part in chunked(list(refs)):
            connection.execute(change, {"mine": self._holder, "refs": part, **values})

    def _select_available(self, connection: Connection) -> list[HeldToken]:
        rows = connection.execute(_LOAD_AVAILABLE, {"mine": self._holder})
        return [self._open_held(row) for row in rows]

    def _insert_tokens(
        self, connection: Connection, tokens: Sequence[Token], time: Timestamp
    ) -> int:
        known: set[bytes] = set()
        for part in chunked([token.ref for token in tokens]):
            rows = connection.execute(_LOAD_KNOWN, {"mine": self._holder, "refs": part})
            known.update(row.ref for row in rows)
        fresh = {token.ref: token for token in tokens if token.ref not in known}
        if fresh:
            sealed = [self._seal_token(one, time) for one in fresh.values()]
            connection.execute(_INSERT_TOKENS, sealed)
        return len(fresh)

    def _change_state(
        self,
        connection: Connection,
        payment_id: bytes,
        state: PaymentState,
        before: AbstractSet[PaymentState] = frozenset({PaymentState.PREPARED}),
    ) -> None:
        """A settled payment stays settled; saying it again changes nothing."""
        which = self._name(payment_id)
        row = connection.execute(_FIND_STATE, which).first()
        if row is None:
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "no such payment")
        if PaymentState(row.state) not in {*before, state}:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, f"the payment is {row.state} already")
        connection.execute(_SET_STATE, {**which, "to": state.value})

    def _name(self, payment_id: bytes) -> dict[str, Any]:
        """One of the holder's payments, for the statements above."""
        return {"mine": self._holder, "by": payment_id}

    def _seal_token(self, token: Token, time: Timestamp) -> dict[str, Any]:
        return {
            "holder": self._holder,
            "ref": token.ref,
            "output": token.output.data,
            "sealed_opening": self._key.seal(token.opening.pack(), self._bind(token.ref)),
            "payment": None,
            "spent": 0,
            "received": time,
            "signed_until": None,
        }

    def _open_held(self, row: Any) -> HeldToken:
        until = None if row.signed_until is None else Timestamp(row.signed_until)
        return HeldToken(self._open_token(row), Timestamp(row.received), until)

    def _open_token(self, row: Any) -> Token:
        opening = open_sealed(self._key, row.sealed_opening, self._bind(row.ref))
        return Token(Output(row.output), unpack_opening(opening))

    def _open_payment(self, row: Any) -> StoredPayment:
        plain = open_sealed(self._key, row.sealed, self._bind(row.txid))
        size = row.outputs * OPENING_BYTES
        return StoredPayment(
            payment_id=row.id,
            txid=TransactionId(row.txid),
            data=plain[size:],
            openings=tuple(split_fixed(plain[:size], OPENING_BYTES)),
            state=PaymentState(row.state),
            not_after=Timestamp(row.not_after),
            time=Timestamp(row.time),
            voided=_read_void(row),
        )

    def _bind(self, name: bytes) -> bytes:
        return encode_text(self._holder) + b"\0" + name


def _read_void(row: Any) -> VoidPromise | None:
    if row.void_promise is None:
        return None
    txid, until = TransactionId(row.txid), Timestamp(row.void_publish_by)
    return VoidPromise(txid, until, Signature(row.void_promise))


def _find_holder(connection: Connection, holder: str) -> tuple[bytes, bytes, bytes] | None:
    row = connection.execute(_FIND_HOLDER, {"mine": holder}).first()
    return None if row is None else (row.salt, row.sealed_key, row.sealed_tree)
