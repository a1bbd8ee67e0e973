"""Double-entry books on SQLite. A balance is kept beside its postings and checked against them."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)

from specie.books.entries import Account, Entry, Posting, Side, compute_balances
from specie.store.database import Place, open_store
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import AccountName, EntryId
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_ACCOUNT = Table(
    "account",
    _METADATA,
    Column("name", String, primary_key=True),
    Column("normal", Integer, nullable=False),
    Column("balance", LargeBinary, nullable=False),  # u64, big-endian
)
_ENTRY = Table(
    "entry",
    _METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("text", String, nullable=False),
)
_POSTING = Table(
    "posting",
    _METADATA,
    Column("entry", LargeBinary, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", String, nullable=False, index=True),
    Column("side", Integer, nullable=False),
    Column("amount", LargeBinary, nullable=False),  # u64, big-endian
)


class SqliteBooksStore:
    """`BooksStore` on SQLite."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "books", _VERSION, _METADATA)

    def open_account(self, account: Account) -> None:
        """Idempotent; `account_exists` if it is there with another normal side."""
        with self._database.transaction() as connection:
            query = select(_ACCOUNT.c.normal).where(_ACCOUNT.c.name == account.name)
            normal = connection.execute(query).scalar()
            if normal is not None and normal != account.normal:
                raise SpecieError(ErrorCode.ACCOUNT_EXISTS, "the account grows on another side")
            if normal is None:
                connection.execute(
                    insert(_ACCOUNT).values(
                        name=account.name, normal=int(account.normal), balance=_pack(0)
                    )
                )

    def post(self, entry: Entry) -> None:
        """Durable; idempotent by entry id, `entry_conflict` if the id has another content."""
        with self._database.transaction() as connection:
            known = _find_postings(connection, entry.id)
            if known:
                _check_same(known, entry)
                return
            names = sorted({posting.account for posting in entry.postings})
            rows = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.name.in_(names))).all()
            accounts = {AccountName(row.name): Account(row.name, Side(row.normal)) for row in rows}
            balances = {AccountName(row.name): _unpack(row.balance) for row in rows}
            after = compute_balances(accounts, balances, entry)
            _insert_entry(connection, entry)
            for name, balance in after.items():
                change = update(_ACCOUNT).where(_ACCOUNT.c.name == name)
                connection.execute(change.values(balance=_pack(balance)))

    def get_balance(self, account: AccountName) -> Minor:
        """On the account's normal side."""
        with self._database.reading() as connection:
            query = select(_ACCOUNT.c.balance).where(_ACCOUNT.c.name == account)
            found = connection.execute(query).scalar()
        if found is None:
            raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, "no such account")
        return _unpack(found)

    def load_accounts(self) -> Mapping[AccountName, Account]:
        """All accounts."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_ACCOUNT)).all()
        return {AccountName(row.name): Account(row.name, Side(row.normal)) for row in rows}

    def load_balances(self) -> Mapping[AccountName, Minor]:
        """All balances."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_ACCOUNT)).all()
        return {AccountName(row.name): _unpack(row.balance) for row in rows}

    def load_entry(self, entry: EntryId) -> Entry | None:
        """An entry as posted."""
        with self._database.reading() as connection:
            row = connection.execute(select(_ENTRY).where(_ENTRY.c.id == entry)).first()
            postings = _find_postings(connection, entry)
        if row is None:
            return None
        return Entry(entry, Timestamp(row.time), row.text, postings)

    def load_entries(self, account: AccountName, start: int, limit: int) -> list[Entry]:
        """A page of the entries that touch an account, oldest first."""
        touched = select(_POSTING.c.entry).where(_POSTING.c.account == account)
        query = select(_ENTRY).where(_ENTRY.c.id.in_(touched)).order_by(_ENTRY.c.time, _ENTRY.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query.offset(start).limit(limit)).all()
            return [
                Entry(EntryId(row.id), Timestamp(row.time), row.text, found)
                for row in rows
                if (found := _find_postings(connection, EntryId(row.id)))
            ]

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _insert_entry(connection: Connection, entry: Entry) -> None:
    connection.execute(insert(_ENTRY).values(id=entry.id, time=entry.time, text=entry.text))
    connection.execute(
        insert(_POSTING),
        [
            {
                "entry": entry.id,
                "line": line,
                "account": posting.account,
                "side": int(posting.side),
                "amount": _pack(posting.amount),
            }
            for line, posting in enumerate(entry.postings)
        ],
    )


def _find_postings(connection: Connection, entry: EntryId) -> tuple[Posting, ...]:
    query = select(_POSTING).where(_POSTING.c.entry == entry).order_by(_POSTING.c.line)
    return tuple(
        Posting(AccountName(row.account), Side(row.side), _unpack(row.amount))
        for row in connection.execute(query)
    )


def _check_same(known: tuple[Posting, ...], entry: Entry) -> None:
    if known != entry.postings:
        raise SpecieError(ErrorCode.ENTRY_CONFLICT, "this entry id has another content")


def _pack(amount: int) -> bytes:
    return amount.to_bytes(8, "big")


def _unpack(data: bytes) -> Minor:
    return Minor(int.from_bytes(data, "big"))
