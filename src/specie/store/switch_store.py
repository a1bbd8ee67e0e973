"""What a bank's clients have their devices do by themselves: waterfall and reverse waterfall."""

from typing import Final

from sqlalchemy import Column, Integer, MetaData, String, Table, delete, insert, select

from specie.ports.core_bank import Switches
from specie.store.database import Place, open_store
from specie.values.identifiers import ClientId

_VERSION: Final = 1
_METADATA: Final = MetaData()

_SWITCH = Table(
    "client_switch",
    _METADATA,
    Column("client", String, primary_key=True),
    Column("waterfall", Integer, nullable=False),
    Column("reverse", Integer, nullable=False),
)


class SqliteSwitchStore:
    """`SwitchStore` on a database."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "client switches", _VERSION, _METADATA)

    def set_switches(self, client: ClientId, switches: Switches) -> None:
        """Durable."""
        values = {"waterfall": int(switches.waterfall), "reverse": int(switches.reverse)}
        with self._database.transaction() as connection:
            connection.execute(delete(_SWITCH).where(_SWITCH.c.client == client))
            connection.execute(insert(_SWITCH).values(client=client, **values))

    def get_switches(self, client: ClientId) -> Switches:
        """Off, if the client has never said."""
        with self._database.reading() as connection:
            row = connection.execute(select(_SWITCH).where(_SWITCH.c.client == client)).first()
        return Switches() if row is None else Switches(bool(row.waterfall), bool(row.reverse))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
