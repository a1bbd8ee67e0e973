"""How often each caller has asked the directory, by the hour; kept for a day, restarts or not."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, delete, insert, select
from sqlalchemy import update as change

from specie.directory.quotas import HOURS_KEPT, Quota, check_quota, get_hour
from specie.store.database import Place, open_store
from specie.values.times import Timestamp

_VERSION: Final = 1
_METADATA: Final = MetaData()

_COUNT = Table(
    "look_up_count",
    _METADATA,
    Column("caller", String, primary_key=True),
    Column("hour", BigInteger, primary_key=True),
    Column("asked", Integer, nullable=False),
)


class SqliteLookUpCounts:
    """`LookUpCounts` on SQLite and PostgreSQL."""

    def __init__(self, place: Place) -> None:
        self._database = open_store(place, "look_ups", _VERSION, _METADATA)

    def take(self, caller: str, now: Timestamp, quota: Quota) -> None:
        """One more; `rate_exceeded`, and none more, if that is over the quota."""
        hour = get_hour(now)
        mine = _COUNT.c.caller == caller
        with self._database.transaction() as connection:
            connection.execute(delete(_COUNT).where(mine, _COUNT.c.hour <= hour - HOURS_KEPT))
            rows = connection.execute(select(_COUNT.c.hour, _COUNT.c.asked).where(mine))
            counts = {int(row.hour): int(row.asked) for row in rows}
            check_quota(quota, counts, hour)
            if hour in counts:
                now_counted = change(_COUNT).where(mine, _COUNT.c.hour == hour)
                connection.execute(now_counted.values(asked=counts[hour] + 1))
            else:
                connection.execute(insert(_COUNT).values(caller=caller, hour=hour, asked=1))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
