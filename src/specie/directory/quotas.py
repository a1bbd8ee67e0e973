"""How often one caller may ask the directory: in an hour and in a day, by the clock of who counts.

Hours are those of UTC, and a day is the last 24 of them, so a count is a few small numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import (
    BANK_LOOK_UPS_DAY_MAX,
    BANK_LOOK_UPS_HOUR_MAX,
    BANK_PHONES_DAY_MAX,
    BANK_PHONES_HOUR_MAX,
    LOOK_UPS_DAY_MAX,
    LOOK_UPS_HOUR_MAX,
    OWN_PHONES_DAY_MAX,
    OWN_PHONES_HOUR_MAX,
)
from specie.values.times import Timestamp

HOUR_MS: Final = 3600 * 1000
HOURS_KEPT: Final = 24


@dataclass(frozen=True, slots=True)
class Quota:
    """The most of one caller."""

    hour: int
    day: int


@dataclass(frozen=True, slots=True)
class Quotas:
    """Of questions about others' numbers, and about numbers that are the caller's own."""

    look_ups: Quota
    own: Quota


CLIENT_QUOTAS: Final = Quotas(
    Quota(LOOK_UPS_HOUR_MAX, LOOK_UPS_DAY_MAX), Quota(OWN_PHONES_HOUR_MAX, OWN_PHONES_DAY_MAX)
)
BANK_QUOTAS: Final = Quotas(
    Quota(BANK_LOOK_UPS_HOUR_MAX, BANK_LOOK_UPS_DAY_MAX),
    Quota(BANK_PHONES_HOUR_MAX, BANK_PHONES_DAY_MAX),
)


def get_hour(time: Timestamp) -> int:
    """Number of the UTC hour."""
    return time // HOUR_MS


def check_quota(quota: Quota, counts: Mapping[int, int], hour: int) -> None:
    """`rate_exceeded` unless one more is within it; counts by hour, later ones too: clocks err."""
    day = sum(count for one, count in counts.items() if one > hour - HOURS_KEPT)
    if counts.get(hour, 0) >= quota.hour or day >= quota.day:
        reason = f"at most {quota.hour} questions to the directory an hour, {quota.day} a day"
        raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)
