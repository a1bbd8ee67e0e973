"""On a device: which client a holder is at which bank, and the key that speaks for it (sealed)."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, insert, select

from specie.crypto.secrets import InstitutionKey, SealingKey, unseal
from specie.store.database import Place, open_store
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber
from specie.wallet.keys import spell_subholder

_VERSION: Final = 1
_METADATA: Final = MetaData()
_AAD: Final = b"device-key\0"

_ACCOUNT = Table(
    "account",
    _METADATA,
    Column("holder", String, primary_key=True),
    Column("bank", Integer, nullable=False),
    Column("client", String, nullable=False),  # empty until the bank has opened the wallet
    Column("sealed_key", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """A holder at its bank."""

    bank: ParticipantNumber
    client: ClientId
    key: InstitutionKey


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What is seen of an account without its key."""

    holder: str
    bank: ParticipantNumber
    client: ClientId  # empty until the bank has opened the wallet


class SqliteAccountStore:
    """In the device's store."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "accounts", _VERSION, _METADATA)

    def prepare(self, holder: str, bank: ParticipantNumber, key: SealingKey) -> Account:
        """The key is drawn and durable before the bank hears of it; again gives the same.

        A bank that has opened nothing binds nobody: another one gets a key of its own.
        `client_exists` if a wallet is open at another bank.
        """
        with self._database.transaction() as connection:
            row = connection.execute(_select(holder)).first()
            if row is not None and row.client and row.bank != bank:
                reason = f"{spell_subholder(holder)} is a client of bank {row.bank}"
                raise SpecieError(ErrorCode.CLIENT_EXISTS, reason)
            if row is None or row.bank != bank:
                drawn = InstitutionKey.generate()
                sealed = drawn.seal(key, _AAD + encode_text(holder))
                connection.execute(_ACCOUNT.delete().where(_ACCOUNT.c.holder == holder))
                connection.execute(
                    insert(_ACCOUNT).values(holder=holder, bank=bank, client="", sealed_key=sealed)
                )
                return Account(bank, ClientId(""), drawn)
        return _read(row, holder, key)

    def record_client(self, holder: str, client: ClientId) -> None:
        """The bank has opened the wallet."""
        with self._database.transaction() as connection:
            change = _ACCOUNT.update().where(_ACCOUNT.c.holder == holder)
            connection.execute(change.values(client=client))

    def get(self, holder: str, key: SealingKey) -> Account:
        """`client_unknown` if no bank has opened this wallet."""
        with self._database.reading() as connection:
            row = connection.execute(_select(holder)).first()
        if row is None or not row.client:
            whose = spell_subholder(holder)
            reason = f"no bank has opened the wallet of {whose}; `specie wallet open` asks one"
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, reason)
        return _read(row, holder, key)

    def list_known(self) -> list[KnownAccount]:
        """All of this device, sub-wallets too, by holder; keys stay sealed."""
        query = select(_ACCOUNT.c.holder, _ACCOUNT.c.bank, _ACCOUNT.c.client)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_ACCOUNT.c.holder)).all()
        return [
            KnownAccount(row.holder, ParticipantNumber(row.bank), ClientId(row.client))
            for row in rows
        ]


def _select(holder: str) -> Any:
    return select(_ACCOUNT).where(_ACCOUNT.c.holder == holder)


def _read(row: Any, holder: str, key: SealingKey) -> Account:
    handle = unseal(InstitutionKey.unseal, key, row.sealed_key, _AAD + encode_text(holder))
    return Account(ParticipantNumber(row.bank), ClientId(row.client), handle)
