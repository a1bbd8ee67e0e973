"""The central bank's applications, approvals and productions, on SQLite."""

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
    delete,
    func,
    insert,
    select,
    update,
)

from specie.crypto.addresses import Address
from specie.crypto.outputs import OPENING_BYTES, unpack_opening
from specie.crypto.secrets import SealingKey, open_sealed
from specie.ledger.wire import decode_signed, encode_signed
from specie.ports.issuance import Application, ApplicationState, Direction, SupplyPlace
from specie.store.database import Place, Steps, open_store
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import Disclosure
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import split_fixed
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    OrderId,
    ParticipantNumber,
    PublicKey,
    Signature,
    TransactionId,
)

_VERSION: Final = 2
_METADATA: Final = MetaData()
_ORDER: Final = tuple(ApplicationState)

_APPLICATION = Table(
    "application",
    _METADATA,
    Column("order_id", LargeBinary, primary_key=True),
    Column("direction", String, nullable=False),
    Column("participant", Integer, nullable=False),
    Column("amount", LargeBinary, nullable=False),  # u64, big-endian
    Column("view", LargeBinary, nullable=False),
    Column("spend", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
)
_APPROVAL = Table(
    "approval",
    _METADATA,
    Column("order_id", LargeBinary, primary_key=True),
    Column("officer", Integer, primary_key=True),
    Column("signature", LargeBinary, nullable=False),
)
_AUTHORISATION = Table(
    "authorisation",
    _METADATA,
    Column("txid", LargeBinary, primary_key=True),
    Column("serial", LargeBinary, primary_key=True),  # u64, big-endian
    Column("officer", Integer, primary_key=True),
    Column("total_after", LargeBinary, nullable=False),  # u64, big-endian
    Column("signature", LargeBinary, nullable=False),
)
_PRODUCED = Table(
    "produced",
    _METADATA,
    Column("order_id", LargeBinary, primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2, … of this order
    Column("txid", LargeBinary, nullable=False, unique=True),  # a transaction serves one order
    Column("data", LargeBinary, nullable=False),
    Column("sealed_openings", LargeBinary, nullable=False),
)


_STEPS: Final[Steps] = {1: _AUTHORISATION.create}


class SqliteApplicationStore:
    """`ApplicationStore` on SQLite."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "applications", _VERSION, _METADATA, _STEPS)
        self._key = key

    def add(self, application: Application) -> Application:
        """Idempotent; `order_conflict` if the order exists with another content."""
        with self._database.transaction() as connection:
            row = _find(connection, application.order)
            if row is None:
                connection.execute(insert(_APPLICATION).values(**_to_row(application)))
                return application
        known = _from_row(row)
        asked = (application.direction, application.participant, application.amount)
        is_same = (known.direction, known.participant, known.amount) == asked
        if not is_same or known.vault != application.vault:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this order has another content")
        return known

    def count_completed(self) -> int:
        """How many changes of the supply have come to their end, in both directions."""
        query = select(func.count()).where(_APPLICATION.c.state == ApplicationState.COMPLETED.value)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def find(self, order: OrderId) -> Application | None:
        """None if nobody applied."""
        with self._database.reading() as connection:
            row = _find(connection, order)
        return None if row is None else _from_row(row)

    def get(self, order: OrderId) -> Application:
        """`application_unknown` if there is none."""
        with self._database.reading() as connection:
            return _from_row(_get(connection, order))

    def record_approval(self, order: OrderId, officer: int, signature: bytes) -> int:
        """The newest signature of each officer counts; gives how many officers have signed."""
        mine = and_(_APPROVAL.c.order_id == order, _APPROVAL.c.officer == officer)
        with self._database.transaction() as connection:
            _get(connection, order)
            change = update(_APPROVAL).where(mine).values(signature=signature)
            if connection.execute(change).rowcount == 0:
                connection.execute(
                    insert(_APPROVAL).values(order_id=order, officer=officer, signature=signature)
                )
            query = select(func.count()).where(_APPROVAL.c.order_id == order)
            return int(connection.execute(query).scalar_one())

    def load_approvals(self, order: OrderId) -> dict[int, Signature]:
        """Signatures by officer, as recorded; whoever counts on them verifies them."""
        query = select(_APPROVAL).where(_APPROVAL.c.order_id == order)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {row.officer: Signature(row.signature) for row in rows}

    def record_authorisation(
        self, txid: TransactionId, place: SupplyPlace, officer: int, signature: Signature
    ) -> None:
        """An officer's word for one change at one place; the newest counts."""
        serial, total = place.serial.to_bytes(8, "big"), place.total_after.to_bytes(8, "big")
        mine = and_(
            _AUTHORISATION.c.txid == txid,
            _AUTHORISATION.c.serial == serial,
            _AUTHORISATION.c.officer == officer,
        )
        with self._database.transaction() as connection:
            connection.execute(delete(_AUTHORISATION).where(mine))
            connection.execute(
                insert(_AUTHORISATION).values(
                    txid=txid,
                    serial=serial,
                    officer=officer,
                    total_after=total,
                    signature=signature,
                )
            )

    def load_authorisations(self, txid: TransactionId, place: SupplyPlace) -> dict[int, Signature]:
        """Signatures by officer, as recorded; the notary's contract verifies them."""
        query = select(_AUTHORISATION).where(
            _AUTHORISATION.c.txid == txid,
            _AUTHORISATION.c.serial == place.serial.to_bytes(8, "big"),
            _AUTHORISATION.c.total_after == place.total_after.to_bytes(8, "big"),
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {row.officer: Signature(row.signature) for row in rows}

    def advance(self, order: OrderId, state: ApplicationState) -> None:
        """States only move forward; going back is silently nothing."""
        with self._database.transaction() as connection:
            row = _get(connection, order)
            if _ORDER.index(ApplicationState(row.state)) < _ORDER.index(state):
                change = update(_APPLICATION).where(_APPLICATION.c.order_id == order)
                connection.execute(change.values(state=state.value))

    def load_vaults(self, participant: ParticipantNumber) -> list[Address]:
        """Where what was issued to it has gone."""
        query = select(_APPLICATION.c.view, _APPLICATION.c.spend).where(
            _APPLICATION.c.participant == participant,
            _APPLICATION.c.direction == Direction.ISSUE.value,
            _APPLICATION.c.state == ApplicationState.COMPLETED.value,
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.distinct()).all()
        return [Address(participant, PublicKey(one.view), PublicKey(one.spend)) for one in rows]

    def load_in_state(self, direction: Direction, state: ApplicationState) -> list[Application]:
        """All that have come just so far."""
        query = select(_APPLICATION).where(
            _APPLICATION.c.direction == direction.value, _APPLICATION.c.state == state.value
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_APPLICATION.c.order_id)).all()
        return [_from_row(row) for row in rows]

    def record_produced(
        self, order: OrderId, built: BuiltTransaction, after: TransactionId | None = None
    ) -> BuiltTransaction:
        """The first production counts, and the first that follows on `after`; gives the newest.

        `order_conflict` if the transaction serves another order, or another one voids this order.
        """
        openings = b"".join(opening.pack() for opening in built.disclosure.openings)
        with self._database.transaction() as connection:
            _get(connection, order)
            row = _find_newest(connection, order)
            if (None if row is None else row.txid) == after:
                _check_unused(connection, built.signed.txid)
                connection.execute(
                    insert(_PRODUCED).values(
                        order_id=order,
                        number=1 if row is None else row.number + 1,
                        txid=built.signed.txid,
                        data=encode_signed(built.signed),
                        sealed_openings=self._key.seal(openings, order),
                    )
                )
                row = None
        known = built if row is None else self._open(row, order)
        if known.signed.txid != built.signed.txid and built.signed.body.supply_change < 0:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "another transaction voids this order")
        self.advance(order, ApplicationState.PRODUCED)
        return known

    def find_produced(self, order: OrderId) -> BuiltTransaction | None:
        """The newest that was produced."""
        with self._database.reading() as connection:
            row = _find_newest(connection, order)
        return None if row is None else self._open(row, order)

    def load_produced(self, order: OrderId) -> list[TransactionId]:
        """All that was ever produced for it, oldest first: any of them may have become final."""
        query = select(_PRODUCED.c.txid).where(_PRODUCED.c.order_id == order)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_PRODUCED.c.number)).all()
        return [TransactionId(row.txid) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _open(self, row: Any, order: OrderId) -> BuiltTransaction:
        packed = open_sealed(self._key, row.sealed_openings, order)
        openings = tuple(unpack_opening(one) for one in split_fixed(packed, OPENING_BYTES))
        return BuiltTransaction(decode_signed(row.data), Disclosure(openings))


def _find(connection: Connection, order: OrderId) -> Any:
    query = select(_APPLICATION).where(_APPLICATION.c.order_id == order)
    return connection.execute(query).first()


def _find_newest(connection: Connection, order: OrderId) -> Any:
    query = select(_PRODUCED).where(_PRODUCED.c.order_id == order)
    return connection.execute(query.order_by(_PRODUCED.c.number.desc()).limit(1)).first()


def _check_unused(connection: Connection, txid: TransactionId) -> None:
    query = select(_PRODUCED.c.order_id).where(_PRODUCED.c.txid == txid)
    if connection.execute(query).first() is not None:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "this transaction serves another order")


def _get(connection: Connection, order: OrderId) -> Any:
    row = _find(connection, order)
    if row is None:
        raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "no such application")
    return row


def _to_row(application: Application) -> dict[str, Any]:
    return {
        "order_id": application.order,
        "direction": application.direction.value,
        "participant": application.participant,
        "amount": application.amount.to_bytes(8, "big"),
        "view": application.vault.view,
        "spend": application.vault.spend,
        "state": application.state.value,
    }


def _from_row(row: Any) -> Application:
    participant = ParticipantNumber(row.participant)
    return Application(
        order=OrderId(row.order_id),
        direction=Direction(row.direction),
        participant=participant,
        amount=Minor(int.from_bytes(row.amount, "big")),
        vault=Address(participant, PublicKey(row.view), PublicKey(row.spend)),
        state=ApplicationState(row.state),
    )
