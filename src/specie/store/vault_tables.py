"""The tables of a vault's database: keys, tokens, payments and contacts of many holders."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

METADATA: Final = MetaData()

HOLDER: Final = Table(
    "holder",
    METADATA,
    Column("holder", String, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("sealed_tree", LargeBinary, nullable=False),
)
TOKEN: Final = Table(
    "token",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("holder", String, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("output", LargeBinary, nullable=False),
    Column("sealed_opening", LargeBinary, nullable=False),
    Column("payment", LargeBinary, nullable=True, index=True),  # reserved by
    Column("spent", Integer, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("signed_until", BigInteger, nullable=True),  # the last not_after ever signed for it
    UniqueConstraint("holder", "ref"),
)
PAYMENT: Final = Table(
    "payment",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("holder", String, nullable=False),
    Column("id", LargeBinary, nullable=False),
    Column("txid", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # openings ‖ transaction
    Column("outputs", Integer, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("not_after", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("void_publish_by", BigInteger, nullable=True),  # the notary's promise of a void
    Column("void_promise", LargeBinary, nullable=True),
    UniqueConstraint("holder", "id"),
)
CONTACT: Final = Table(
    "contact",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("holder", String, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),  # name ‖ 0x00 ‖ address
)
