"""A bank's record of who applied for a wallet, and the key that view keys are sealed for.

View keys, what people say of themselves and the key are sealed under the bank's storage key. Where
an application came from is kept as a keyed hash: enough to count by, and no address.
"""

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    text,
    true,
    update,
)

from specie.crypto.addresses import Address
from specie.crypto.secrets import SealingKey, ViewKey, open_sealed, unseal
from specie.crypto.transit import TRANSIT_KEY_BYTES, TransitKey, draw_transit_key
from specie.ports.onboarding import AccountApplication, AccountState, Person
from specie.store.database import Place, Steps, open_store
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
)
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp

_VERSION: Final = 2
_METADATA: Final = MetaData()
_KEY_AAD: Final = b"transit-key\0"

_KEY = Table(
    "onboarding_key",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # private key ‖ key of the hash of places
)
_APPLICATION = Table(
    "account_application",
    _METADATA,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("number", String, nullable=False, unique=True),
    Column("bank", Integer, nullable=False),
    Column("view", LargeBinary, nullable=False),
    Column("spend", LargeBinary, nullable=False),
    Column("device", LargeBinary, nullable=False),
    Column("tier", String, nullable=False),
    Column("place", LargeBinary, nullable=False, index=True),
    Column("time", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("sealed_person", LargeBinary, nullable=False),  # empty when it is not needed any more
    Column("sealed_view_key", LargeBinary, nullable=False),  # the same
    Column("client", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("network", LargeBinary, nullable=True, index=True),  # the same hash, of what is wider
)


def _add_networks(connection: Connection) -> None:
    """Version 2: of older ones only the place is known, so it is their network."""
    binary = LargeBinary().compile(dialect=connection.dialect)
    connection.execute(text(f"ALTER TABLE account_application ADD COLUMN network {binary}"))
    connection.execute(text("UPDATE account_application SET network = place"))
    name = "ix_account_application_network"
    connection.execute(text(f"CREATE INDEX {name} ON account_application (network)"))


_STEPS: Final[Steps] = {1: _add_networks}


_IS_WAITING: Final = _APPLICATION.c.state == AccountState.WAITING.value
_GONE: Final = {
    "state": AccountState.EXPIRED.value,
    "sealed_person": b"",
    "sealed_view_key": b"",
}


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    transit: TransitKey
    places: bytes


class SqliteOnboardingStore:
    """In the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "onboarding", _VERSION, _METADATA, _STEPS)
        self._key = key
        self._keys = self._load_keys()

    @property
    def transit(self) -> TransitKey:
        """The bank's, drawn once."""
        return self._keys.transit

    def add(self, one: AccountApplication, place: str, network: str) -> AccountApplication:
        """Again gives what is recorded; `order_conflict` if the id was used for something else."""
        with self._database.transaction() as connection:
            row = _find(connection, one.code_hash)
            if row is None:
                connection.execute(
                    insert(_APPLICATION).values(
                        network=self._hash_place(network), **self._seal(one, place)
                    )
                )
                return one
            known = self._open(row)
        same = (known.address, known.device, known.tier)
        if same != (one.address, one.device, one.tier):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this id is another application's")
        return known

    def count_waiting(self, place: str, network: str) -> tuple[int, int]:
        """From one place, and from its network."""
        here = _APPLICATION.c.place == self._hash_place(place)
        around = _APPLICATION.c.network == self._hash_place(network)
        with self._database.reading() as connection:
            return _count(connection, here), _count(connection, around)

    def count_all(self) -> int:
        """That wait."""
        with self._database.reading() as connection:
            return _count(connection, true())

    def displace(self, network: str) -> bool:
        """The oldest of the network with most is over; false if no other has more than this one."""
        many = func.count().label("many")
        query = select(_APPLICATION.c.network, many).where(_IS_WAITING)
        query = query.group_by(_APPLICATION.c.network).order_by(many.desc()).limit(1)
        with self._database.transaction() as connection:
            mine = _count(connection, _APPLICATION.c.network == self._hash_place(network))
            fullest = connection.execute(query).first()
            if fullest is None or fullest.many <= mine + 1:
                return False
            theirs = select(_APPLICATION.c.code_hash).where(
                _IS_WAITING, _APPLICATION.c.network == fullest.network
            )
            theirs = theirs.order_by(_APPLICATION.c.time, _APPLICATION.c.number).limit(1)
            oldest = connection.execute(theirs).scalar_one()
            which = _APPLICATION.c.code_hash == oldest
            connection.execute(update(_APPLICATION).where(which).values(**_GONE))
        return True

    def find(self, code_hash: Digest) -> AccountApplication | None:
        """By the hash of the device's id."""
        with self._database.reading() as connection:
            row = _find(connection, code_hash)
        return None if row is None else self._open(row)

    def get(self, number: str) -> AccountApplication:
        """By what operators call it; `application_unknown`."""
        query = select(_APPLICATION).where(_APPLICATION.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "no application of this number")
        return self._open(row)

    def load(self, state: AccountState, limit: int) -> list[AccountApplication]:
        """The oldest first."""
        query = select(_APPLICATION).where(_APPLICATION.c.state == state.value)
        query = query.order_by(_APPLICATION.c.time, _APPLICATION.c.number).limit(limit)
        with self._database.reading() as connection:
            return [self._open(row) for row in connection.execute(query)]

    def approve(self, code_hash: Digest, client: ClientId, by: str) -> None:
        """Whose view key has its place with the client now."""
        self._decide(
            code_hash,
            state=AccountState.APPROVED.value,
            client=client,
            decided_by=by,
            sealed_view_key=b"",
        )

    def refuse(self, code_hash: Digest, reason: str, by: str) -> None:
        """The view key is forgotten at once; who asked, and why not, is the bank's to keep."""
        self._decide(
            code_hash,
            state=AccountState.REFUSED.value,
            decided_by=by,
            sealed_reason=self._key.seal(reason.encode(), code_hash),
            sealed_view_key=b"",
        )

    def expire(self, now: Timestamp) -> int:
        """What nobody has decided in time: all that was told is forgotten. Gives how many."""
        is_over = _IS_WAITING & (_APPLICATION.c.expires <= now)
        with self._database.transaction() as connection:
            change = update(_APPLICATION).where(is_over)
            return connection.execute(change.values(**_GONE)).rowcount

    def _decide(self, code_hash: Digest, **values: object) -> None:
        which = (_APPLICATION.c.code_hash == code_hash) & (
            _APPLICATION.c.state == AccountState.WAITING.value
        )
        with self._database.transaction() as connection:
            done = connection.execute(update(_APPLICATION).where(which).values(**values))
            if done.rowcount != 1:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "it is decided, or has expired")

    def _load_keys(self) -> _Keys:
        with self._database.transaction() as connection:
            sealed = connection.execute(select(_KEY.c.sealed)).scalar()
            if sealed is None:
                drawn = draw_transit_key() + secrets.token_bytes(32)
                sealed = self._key.seal(drawn, _KEY_AAD)
                connection.execute(insert(_KEY).values(id=1, sealed=sealed))
        plain = open_sealed(self._key, sealed, _KEY_AAD)
        return _Keys(TransitKey(plain[:TRANSIT_KEY_BYTES]), plain[TRANSIT_KEY_BYTES:])

    def _hash_place(self, place: str) -> bytes:
        return hmac.digest(self._keys.places, place.encode(), "sha256")

    def _seal(self, one: AccountApplication, place: str) -> dict[str, Any]:
        assert one.person is not None and one.view_key is not None, "a new one has both"
        person = one.person
        told = {"name": person.name, "phone": person.phone, "data": dict(person.data)}
        return {
            "code_hash": one.code_hash,
            "number": one.number,
            "bank": one.address.bank,
            "view": one.address.view,
            "spend": one.address.spend,
            "device": one.device,
            "tier": one.tier,
            "place": self._hash_place(place),
            "time": one.time,
            "expires": one.expires,
            "state": one.state.value,
            "sealed_person": self._key.seal(json.dumps(told).encode(), one.code_hash),
            "sealed_view_key": one.view_key.seal(self._key, one.code_hash),
            "client": "",
            "decided_by": "",
            "sealed_reason": b"",
        }

    def _open(self, row: Any) -> AccountApplication:
        aad = bytes(row.code_hash)
        reason = open_sealed(self._key, row.sealed_reason, aad) if row.sealed_reason else b""
        sealed = bytes(row.sealed_view_key)
        view = unseal(ViewKey.unseal, self._key, sealed, aad) if sealed else None
        return AccountApplication(
            code_hash=Digest(aad),
            address=Address(ParticipantNumber(row.bank), PublicKey(row.view), PublicKey(row.spend)),
            device=InstitutionPublicKey(bytes(row.device)),
            tier=row.tier,
            time=Timestamp(row.time),
            expires=Timestamp(row.expires),
            state=AccountState(row.state),
            person=self._open_person(row),
            view_key=view,
            client=ClientId(row.client) if row.client else None,
            decided_by=row.decided_by,
            reason=reason.decode(),
        )

    def _open_person(self, row: Any) -> Person | None:
        if not row.sealed_person:
            return None
        told = json.loads(open_sealed(self._key, row.sealed_person, bytes(row.code_hash)))
        phone = None if told["phone"] is None else PhoneNumber(told["phone"])
        return Person(told["name"], phone, told["data"])


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(_APPLICATION).where(_IS_WAITING, which)
    return int(connection.execute(query).scalar_one())


def _find(connection: Connection, code_hash: Digest) -> Any:
    query = select(_APPLICATION).where(_APPLICATION.c.code_hash == code_hash)
    return connection.execute(query).first()
