"""Addresses at which a bank's clients take money back; one client has many. Part of client_store.

They are public keys, and whose they are is readable in the bank's files as a client's own address
is. Their view keys stay on the device: the bank is shown what is paid there when it attests.
"""

from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from specie.crypto.addresses import Address
from specie.store.movement_search import METADATA
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber, PublicKey
from specie.values.limits import LOST_SUBWALLETS_MAX, RETURN_ADDRESSES_MAX

RETURN_ADDRESS: Final = Table(
    "return_address",
    METADATA,
    Column("bank", Integer, primary_key=True, autoincrement=False),
    Column("spend", LargeBinary, primary_key=True),
    Column("view", LargeBinary, nullable=False),
    Column("client", String, nullable=False, index=True),
)


def is_at(table: Table) -> ColumnElement[bool]:
    """Rows of an address, which `spell_address` gives."""
    return and_(*(table.c[name] == bindparam(name) for name in ("bank", "spend", "view")))


def spell_address(address: Address) -> dict[str, Any]:
    """Its columns."""
    return {"bank": address.bank, "spend": address.spend, "view": address.view}


_FIND_OWNER: Final = select(RETURN_ADDRESS.c.client).where(is_at(RETURN_ADDRESS))
_MOST: Final = LOST_SUBWALLETS_MAX * RETURN_ADDRESSES_MAX


def create_table(connection: Connection) -> None:
    """Version 6."""
    RETURN_ADDRESS.create(connection)


def add_address(connection: Connection, client: ClientId, address: Address) -> None:
    """Again is nothing; `client_exists` if it is another's, `limit_exceeded` if there are many."""
    known = find_owner(connection, address)
    if known == client:
        return
    is_spend = and_(RETURN_ADDRESS.c.bank == address.bank, RETURN_ADDRESS.c.spend == address.spend)
    taken = select(RETURN_ADDRESS.c.client).where(is_spend)
    if connection.execute(taken).first() is not None:
        raise SpecieError(ErrorCode.CLIENT_EXISTS, "this address is known")
    count = select(func.count()).where(RETURN_ADDRESS.c.client == client)
    if connection.execute(count).scalar_one() >= _MOST:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {_MOST} return addresses")
    row = {**spell_address(address), "client": client}
    connection.execute(insert(RETURN_ADDRESS).values(row))


def find_owner(connection: Connection, address: Address) -> ClientId | None:
    """Whose return address it is."""
    found = connection.execute(_FIND_OWNER, spell_address(address)).scalar()
    return None if found is None else ClientId(found)


def list_addresses(connection: Connection, client: ClientId) -> list[Address]:
    """All that are this client's."""
    query = select(RETURN_ADDRESS).where(RETURN_ADDRESS.c.client == client)
    return [
        Address(ParticipantNumber(row.bank), PublicKey(row.view), PublicKey(row.spend))
        for row in connection.execute(query.order_by(RETURN_ADDRESS.c.spend))
    ]


def retire_addresses(connection: Connection, client: ClientId, retired: ClientId) -> None:
    """They go with the keys that were lost."""
    change = update(RETURN_ADDRESS).where(RETURN_ADDRESS.c.client == client)
    connection.execute(change.values(client=retired))
