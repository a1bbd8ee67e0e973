"""A bank's links to its core system: a client's account there, and credits that are due to it.

Accounts and amounts are sealed under the bank's storage key.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.core_bank import CreditReason, DueCredit
from specie.store.database import Place, open_store
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, encode_text, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId

_VERSION: Final = 1
_METADATA: Final = MetaData()
_AAD: Final = b"core-account\0"

_LINK = Table(
    "core_link",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("sealed_account", LargeBinary, nullable=False),
)
_CREDIT = Table(
    "core_credit",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("reference", LargeBinary, nullable=False, unique=True),
    Column("client", String, nullable=False, index=True),
    Column("reason", String, nullable=False),
    Column("sealed_amount", LargeBinary, nullable=False),
    Column("is_due", Integer, nullable=False, index=True),
)


class SqliteCoreLinks:
    """`CoreLinks` on a database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "core links", _VERSION, _METADATA)
        self._key = key

    def transaction(self) -> AbstractContextManager[object]:
        """What the bank's stores write within is one transaction."""
        return self._database.transaction()

    def link(self, client: ClientId, account: CoreAccount) -> None:
        """Idempotent; `order_conflict` if the client has another."""
        known = self.find_account(client)
        if known == account:
            return
        if known is not None:
            reason = "the client has another account; unlink that one first"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
        self.replace(client, account)

    def replace(self, client: ClientId, account: CoreAccount) -> None:
        """Another account, whatever it was: what is due is credited there."""
        sealed = self._key.seal(encode_text(account), _AAD + encode_text(client))
        with self._database.transaction() as connection:
            connection.execute(delete(_LINK).where(_LINK.c.client == client))
            connection.execute(insert(_LINK).values(client=client, sealed_account=sealed))

    def unlink(self, client: ClientId) -> None:
        """`core_bank_refused` while credits are due; idempotent."""
        query = select(_CREDIT.c.number).where(_CREDIT.c.client == client, _CREDIT.c.is_due == 1)
        with self._database.transaction() as connection:
            if connection.execute(query).first() is not None:
                reason = "credits are due to this account; again, when nothing is in transit"
                raise SpecieError(ErrorCode.CORE_BANK_REFUSED, reason)
            connection.execute(delete(_LINK).where(_LINK.c.client == client))

    def find_account(self, client: ClientId) -> CoreAccount | None:
        """None if it was never linked."""
        with self._database.reading() as connection:
            row = connection.execute(select(_LINK).where(_LINK.c.client == client)).first()
        return None if row is None else self._open_account(row)

    def add_due(self, credit: DueCredit) -> bool:
        """Durable; whether it is new. `entry_conflict` if the id has another content."""
        with self._database.transaction() as connection:
            row = _find_credit(connection, credit.reference)
            if row is None:
                sealed = self._key.seal(u64(credit.amount), credit.reference)
                connection.execute(
                    insert(_CREDIT).values(
                        reference=credit.reference,
                        client=credit.client,
                        reason=credit.reason.value,
                        sealed_amount=sealed,
                        is_due=1,
                    )
                )
                return True
        if self._open_credit(row) != credit:
            raise SpecieError(ErrorCode.ENTRY_CONFLICT, "this id has another content")
        return False

    def list_due(self) -> Sequence[DueCredit]:
        """Oldest first."""
        query = select(_CREDIT).where(_CREDIT.c.is_due == 1).order_by(_CREDIT.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [self._open_credit(row) for row in rows]

    def mark_credited(self, reference: EndToEndId) -> None:
        """The core system has confirmed it; idempotent."""
        change = update(_CREDIT).where(_CREDIT.c.reference == reference).values(is_due=0)
        with self._database.transaction() as connection:
            connection.execute(change)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _open_account(self, row: Any) -> CoreAccount:
        aad = _AAD + encode_text(row.client)
        return CoreAccount(open_sealed(self._key, row.sealed_account, aad).decode())

    def _open_credit(self, row: Any) -> DueCredit:
        reader = Reader(open_sealed(self._key, row.sealed_amount, row.reference))
        amount = Minor(reader.u64())
        reader.finish()
        reference = EndToEndId(row.reference)
        return DueCredit(reference, ClientId(row.client), amount, CreditReason(row.reason))


def _find_credit(connection: Connection, reference: EndToEndId) -> Any:
    return connection.execute(select(_CREDIT).where(_CREDIT.c.reference == reference)).first()
