"""A bank's policies by version, its clients' tiers, freezes, and what attested payments were judged
by. Texts, reasons and references are sealed under the bank's storage key.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.supervision import Freeze, Judged, PolicyVersion
from specie.store.database import Place, open_store
from specie.values.encoding import encode_text
from specie.values.identifiers import ClientId, TransactionId
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()
_POLICY_AAD: Final = b"policy\0"
_FREEZE_AAD: Final = b"freeze\0"

_POLICY = Table(
    "bank_policy",
    _METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sealed_text", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("officer", String, nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
)
_FIND_VERSION: Final = select(func.max(_POLICY.c.version))
_FIND_POLICY: Final = select(_POLICY).order_by(_POLICY.c.version.desc()).limit(1)

_TIER = Table(
    "client_tier",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("tier", String, nullable=False),
)
_FIND_TIER: Final = select(_TIER.c.tier).where(_TIER.c.client == bindparam("client"))

_FREEZE = Table(
    "client_freeze",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("sealed_reference", LargeBinary, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("officer", String, nullable=False),
)
_FIND_FREEZE: Final = select(_FREEZE).where(_FREEZE.c.client == bindparam("client"))

_JUDGED = Table(
    "judged_payment",
    _METADATA,
    Column("txid", LargeBinary, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("noted", String, nullable=False),  # names of rules, a space between
)
_FIND_JUDGED: Final = select(_JUDGED).where(_JUDGED.c.txid == bindparam("txid"))
_INSERT_JUDGED: Final = insert(_JUDGED)


class SqlitePolicyStore:
    """`PolicyStore` in the bank's database."""

    def __init__(self, place: Place, key: SealingKey) -> None:
        self._database = open_store(place, "policy", _VERSION, _METADATA)
        self._key = key

    def transaction(self) -> AbstractContextManager[object]:
        """All or nothing, one after the other, with what other stores of the bank do in it."""
        return self._database.transaction()

    def find_version(self) -> int | None:
        """Of the one in force."""
        with self._database.reading() as connection:
            found = connection.execute(_FIND_VERSION).scalar()
        return None if found is None else int(found)

    def find_policy(self) -> PolicyVersion | None:
        """The one in force; None if the bank never set one."""
        with self._database.reading() as connection:
            row = connection.execute(_FIND_POLICY).first()
        return None if row is None else self._open_policy(row)

    def load_policies(self) -> Sequence[PolicyVersion]:
        """All of them, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_POLICY).order_by(_POLICY.c.version)).all()
        return [self._open_policy(row) for row in rows]

    def add_policy(self, policy: PolicyVersion) -> None:
        """In force from now on."""
        aad = _POLICY_AAD + str(policy.version).encode()
        with self._database.transaction() as connection:
            connection.execute(
                insert(_POLICY).values(
                    version=policy.version,
                    sealed_text=self._key.seal(encode_text(policy.text), aad),
                    time=policy.time,
                    officer=policy.officer,
                    sealed_reason=self._key.seal(encode_text(policy.reason), aad),
                )
            )

    def find_tier(self, client: ClientId) -> str | None:
        """None if it has the default."""
        with self._database.reading() as connection:
            found = connection.execute(_FIND_TIER, {"client": client}).scalar()
        return None if found is None else str(found)

    def load_tiers(self) -> dict[ClientId, str]:
        """Of all clients that have one."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_TIER)).all()
        return {ClientId(row.client): str(row.tier) for row in rows}

    def set_tier(self, client: ClientId, tier: str) -> None:
        """From now on."""
        with self._database.transaction() as connection:
            connection.execute(delete(_TIER).where(_TIER.c.client == client))
            connection.execute(insert(_TIER).values(client=client, tier=tier))

    def find_freeze(self, client: ClientId) -> Freeze | None:
        """The newest that nobody lifted, whether it has ended by itself or not."""
        with self._database.reading() as connection:
            row = connection.execute(_FIND_FREEZE, {"client": client}).first()
        if row is None:
            return None
        aad = _FREEZE_AAD + encode_text(client)
        return Freeze(
            client=client,
            reference=open_sealed(self._key, row.sealed_reference, aad).decode(),
            since=Timestamp(row.since),
            until=Timestamp(row.until),
            officer=row.officer,
        )

    def set_freeze(self, freeze: Freeze) -> None:
        """In place of the one before."""
        aad = _FREEZE_AAD + encode_text(freeze.client)
        with self._database.transaction() as connection:
            connection.execute(delete(_FREEZE).where(_FREEZE.c.client == freeze.client))
            connection.execute(
                insert(_FREEZE).values(
                    client=freeze.client,
                    sealed_reference=self._key.seal(encode_text(freeze.reference), aad),
                    since=freeze.since,
                    until=freeze.until,
                    officer=freeze.officer,
                )
            )

    def lift_freeze(self, client: ClientId) -> None:
        """Nothing if there is none."""
        with self._database.transaction() as connection:
            connection.execute(delete(_FREEZE).where(_FREEZE.c.client == client))

    def find_judged(self, txid: TransactionId) -> Judged | None:
        """None if it was never attested under a policy."""
        with self._database.reading() as connection:
            row = connection.execute(_FIND_JUDGED, {"txid": txid}).first()
        return None if row is None else Judged(row.version, tuple(row.noted.split()))

    def add_judged(self, txid: TransactionId, judged: Judged) -> None:
        """With the attestation."""
        row = {"txid": txid, "version": judged.version, "noted": " ".join(judged.noted)}
        with self._database.transaction() as connection:
            connection.execute(_INSERT_JUDGED, row)

    def _open_policy(self, row: Any) -> PolicyVersion:
        aad = _POLICY_AAD + str(row.version).encode()
        return PolicyVersion(
            version=row.version,
            text=open_sealed(self._key, row.sealed_text, aad).decode(),
            time=Timestamp(row.time),
            officer=row.officer,
            reason=open_sealed(self._key, row.sealed_reason, aad).decode(),
        )
