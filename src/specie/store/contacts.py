"""A holder's address book, in the vault's database; names and addresses sealed together.

    contact.sealed = name48, as in a memo ‖ address        under the holder's key

It is short, so it is read as a whole: nothing about a name is in the clear, not even a hash.
"""

from sqlalchemy import Connection, delete, insert, select

from specie.crypto.addresses import format_address, parse_address
from specie.crypto.secrets import SealingKey, open_sealed
from specie.store.database import Database
from specie.store.vault_tables import CONTACT
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, pad_text, unpad_text
from specie.values.errors import SpecieError
from specie.values.limits import CONTACTS_MAX, NAME_BYTES_MAX

_CONTEXT = b"\0contact"


class SqliteContactStore:
    """`ContactStore` on SQLite."""

    def __init__(self, database: Database, holder: str, key: SealingKey, prefix: str) -> None:
        self._database = database
        self._holder = holder
        self._key = key
        self._prefix = prefix
        self._aad = encode_text(holder) + _CONTEXT

    def add(self, name: str, address: str) -> None:
        """Keep an address of this network under a name; a name that is there gets the new one."""
        packed = _pack_name(name)
        text = format_address(parse_address(address, self._prefix), self._prefix)
        sealed = self._key.seal(packed + encode_text(text), self._aad)
        with self._database.transaction() as connection:
            known = self._select(connection)
            number = known.pop(unpad_text(packed), (None, ""))[0]
            if len(known) >= CONTACTS_MAX:
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "the address book is full")
            connection.execute(delete(CONTACT).where(CONTACT.c.sequence == number))
            connection.execute(insert(CONTACT).values(holder=self._holder, sealed=sealed))

    def remove(self, name: str) -> None:
        """Forget a name; `contact_unknown` if it is not there."""
        with self._database.transaction() as connection:
            number, _ = self._get(connection, name)
            connection.execute(delete(CONTACT).where(CONTACT.c.sequence == number))

    def get(self, name: str) -> str:
        """The address as text; `contact_unknown` if it is not there."""
        with self._database.reading() as connection:
            return self._get(connection, name)[1]

    def load(self) -> dict[str, str]:
        """Name → address, by name."""
        with self._database.reading() as connection:
            known = self._select(connection)
        return {name: known[name][1] for name in sorted(known)}

    def _get(self, connection: Connection, name: str) -> tuple[int, str]:
        found = self._select(connection).get(unpad_text(_pack_name(name)))
        if found is None:
            raise SpecieError(ErrorCode.CONTACT_UNKNOWN, "nobody of this name in the address book")
        return found

    def _select(self, connection: Connection) -> dict[str, tuple[int, str]]:
        known = {}
        for row in connection.execute(select(CONTACT).where(CONTACT.c.holder == self._holder)):
            plain = open_sealed(self._key, row.sealed, self._aad)
            name, address = unpad_text(plain[:NAME_BYTES_MAX]), plain[NAME_BYTES_MAX:].decode()
            known[name] = (row.sequence, address)
        return known


def _pack_name(name: str) -> bytes:
    """In its one spelling; a name is not empty, and holds no control."""
    packed = pad_text(name, NAME_BYTES_MAX)
    if not packed.strip(b"\0"):
        raise SpecieError(ErrorCode.TEXT_INVALID, "a contact has a name")
    return packed
