"""Times: whole milliseconds since 1970-01-01T00:00:00Z, u64 on the wire, never a float."""

from datetime import UTC, datetime
from typing import Final, NewType

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

Timestamp = NewType("Timestamp", int)

DAY_MS: Final = 24 * 3600 * 1000
TIMESTAMP_MAX: Final = 2**63 - 1


def check_timestamp(value: int) -> Timestamp:
    """Refuse negative times and times no database could hold."""
    if not 0 <= value <= TIMESTAMP_MAX:
        raise SpecieError(ErrorCode.NOT_CANONICAL, "a time is 0 to 2**63 - 1 milliseconds")
    return Timestamp(value)


def get_day(time: Timestamp) -> int:
    """Number of the UTC day, for daily caps."""
    return time // DAY_MS


def format_time(time: Timestamp) -> str:
    """RFC 3339, to the millisecond."""
    moment = datetime.fromtimestamp(time // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % 1000:03d}Z"
