"""The tables of a bank's clients, the tokens it watches and what it has attested; and what is asked
of them for every payment. A statement that is built once costs a fraction of one built each time.
"""

from typing import Final

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    select,
    update,
)

from specie.store.movement_search import METADATA, MOVEMENT
from specie.store.return_addresses import is_at

CLIENT: Final = Table(
    "client",
    METADATA,
    Column("id", String, primary_key=True),
    Column("bank", Integer, nullable=False),
    Column("view", LargeBinary, nullable=False),
    Column("spend", LargeBinary, nullable=False),
    Column("sealed_view_key", LargeBinary, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("status", String, nullable=False),
    UniqueConstraint("bank", "spend"),  # one phrase may be at us and at a bank that we succeed
)
FIND_CLIENT: Final = select(CLIENT).where(CLIENT.c.id == bindparam("client"))
FIND_BY_ADDRESS: Final = select(CLIENT).where(is_at(CLIENT))

TOKEN: Final = Table(
    "client_token",
    METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("client", String, nullable=False, index=True),
    Column("output", LargeBinary, nullable=False),
    Column("sealed_opening", LargeBinary, nullable=False),
    Column("is_final", Integer, nullable=False),
    Column("spent_by", LargeBinary, nullable=True),
    Column("is_delivered", Integer, nullable=False),
)
_IS_NAMED: Final = TOKEN.c.ref.in_(bindparam("refs", expanding=True))
_IS_FINAL: Final = (TOKEN.c.client == bindparam("owner")) & (TOKEN.c.is_final == 1)
_IS_HELD: Final = _IS_FINAL & TOKEN.c.spent_by.is_(None)
INSERT_TOKENS: Final = TOKEN.insert()
LOAD_TOKENS: Final = select(TOKEN).where(_IS_NAMED)
LOAD_REFS: Final = select(TOKEN.c.ref).where(_IS_NAMED)
LOAD_OPENINGS: Final = select(TOKEN.c.ref, TOKEN.c.sealed_opening).where(_IS_NAMED)
LOAD_HELD: Final = select(TOKEN).where(_IS_HELD)
LOAD_HELD_REFS: Final = select(TOKEN.c.ref).where(_IS_HELD)
LOAD_UNDELIVERED: Final = (
    select(TOKEN.c.output).where(_IS_HELD, TOKEN.c.is_delivered == 0).limit(bindparam("most"))
)
LOAD_OUTPUTS: Final = select(TOKEN.c.output).where(_IS_FINAL)
MARK_FOUND: Final = update(TOKEN).where(_IS_NAMED).values(is_final=1)
MARK_DELIVERED: Final = (
    update(TOKEN).where(TOKEN.c.client == bindparam("owner"), _IS_NAMED).values(is_delivered=1)
)

PART: Final = Table(
    "attested_part",
    METADATA,
    Column("txid", LargeBinary, primary_key=True),
    Column("ref", LargeBinary, primary_key=True),
    Column("is_input", Integer, primary_key=True),
)
_IS_OF_IT: Final = PART.c.txid == bindparam("which")
LOAD_INPUTS: Final = select(PART.c.ref).where(_IS_OF_IT, PART.c.is_input == 1)
_OUTPUTS: Final = select(PART.c.ref).where(_IS_OF_IT, PART.c.is_input == 0)
INSERT_PARTS: Final = PART.insert()
LOAD_PARTS: Final = select(PART).where(_IS_OF_IT)
FIND_ATTESTED: Final = select(PART.c.txid).where(_IS_OF_IT).limit(1)
MARK_INPUTS_SPENT: Final = (
    update(TOKEN).where(TOKEN.c.ref.in_(LOAD_INPUTS)).values(spent_by=bindparam("which"))
)
MARK_OUTPUTS_FINAL: Final = update(TOKEN).where(TOKEN.c.ref.in_(_OUTPUTS)).values(is_final=1)
LOAD_ITS_OUTPUTS: Final = select(TOKEN).where(TOKEN.c.ref.in_(_OUTPUTS))

_MOVES_IN_IT: Final = MOVEMENT.c.txid == bindparam("which")
INSERT_MOVEMENTS: Final = MOVEMENT.insert()
LOAD_MOVES: Final = select(MOVEMENT).where(_MOVES_IN_IT).order_by(MOVEMENT.c.sequence)
LOAD_OPEN_MOVES: Final = select(MOVEMENT).where(_MOVES_IN_IT, MOVEMENT.c.is_final == 0)
MARK_MOVES_FINAL: Final = update(MOVEMENT).where(_MOVES_IN_IT).values(is_final=1)
