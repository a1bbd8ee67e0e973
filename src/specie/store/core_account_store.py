"""A core bank's accounts and holds, beside its books in one database. It keeps no names."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    update,
)

from specie.ports.core_accounts import CustomerAccount, Hold, HoldState
from specie.store.database import Place, open_store
from specie.values.amounts import Minor, sum_minor
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId

_VERSION: Final = 1
_METADATA: Final = MetaData()

_ACCOUNT = Table(
    "customer_account",
    _METADATA,
    Column("serial", Integer, primary_key=True, autoincrement=True),
    Column("number", String, nullable=False, unique=True),
    Column("customer", String, nullable=False, index=True),
    Column("is_open", Integer, nullable=False),
)
_HOLD = Table(
    "hold",
    _METADATA,
    Column("reference", LargeBinary, primary_key=True),
    Column("account", String, nullable=False, index=True),
    Column("amount", LargeBinary, nullable=False),  # u64, big-endian
    Column("state", String, nullable=False, index=True),
)


class SqliteCoreAccounts:
    """`CoreAccountStore` on a database."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "core accounts", _VERSION, _METADATA)

    def transaction(self) -> AbstractContextManager[object]:
        """Books and accounts are written together."""
        return self._database.transaction()

    def count_accounts(self) -> int:
        """All there ever were: none is removed."""
        with self._database.reading() as connection:
            found = connection.execute(select(func.count()).select_from(_ACCOUNT)).scalar()
        return int(found or 0)

    def add_account(self, account: CustomerAccount) -> None:
        """A new one."""
        values = {"number": account.number, "customer": account.customer}
        with self._database.transaction() as connection:
            connection.execute(insert(_ACCOUNT).values(**values, is_open=int(account.is_open)))

    def close_account(self, number: CoreAccount) -> None:
        """It takes part in nothing any more, but keeps what is on it."""
        with self._database.transaction() as connection:
            connection.execute(
                update(_ACCOUNT).where(_ACCOUNT.c.number == number).values(is_open=0)
            )

    def find_account(self, number: CoreAccount) -> CustomerAccount | None:
        """By its number."""
        query = select(_ACCOUNT).where(_ACCOUNT.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read_account(row)

    def list_accounts(self, customer: ClientId) -> Sequence[CustomerAccount]:
        """Of one customer, oldest first."""
        query = select(_ACCOUNT).where(_ACCOUNT.c.customer == customer).order_by(_ACCOUNT.c.serial)
        with self._database.reading() as connection:
            return [_read_account(row) for row in connection.execute(query)]

    def find_hold(self, reference: EndToEndId) -> Hold | None:
        """By its end-to-end id."""
        with self._database.reading() as connection:
            row = connection.execute(select(_HOLD).where(_HOLD.c.reference == reference)).first()
        if row is None:
            return None
        amount = Minor(int.from_bytes(row.amount, "big"))
        return Hold(reference, CoreAccount(row.account), amount, HoldState(row.state))

    def put_hold(self, hold: Hold) -> None:
        """A new one, or its new state."""
        is_it = _HOLD.c.reference == hold.reference
        with self._database.transaction() as connection:
            change = update(_HOLD).where(is_it).values(state=hold.state.value)
            if connection.execute(change).rowcount:
                return
            connection.execute(
                insert(_HOLD).values(
                    reference=hold.reference,
                    account=hold.account,
                    amount=hold.amount.to_bytes(8, "big"),
                    state=hold.state.value,
                )
            )

    def count_held(self, account: CoreAccount | None = None) -> Minor:
        """What is held of one account, or of all."""
        query = select(_HOLD.c.amount).where(_HOLD.c.state == HoldState.HELD.value)
        if account is not None:
            query = query.where(_HOLD.c.account == account)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return sum_minor([Minor(int.from_bytes(row.amount, "big")) for row in rows])

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _read_account(row: Any) -> CustomerAccount:
    return CustomerAccount(CoreAccount(row.number), ClientId(row.customer), bool(row.is_open))
