"""From when to when a signed payment is valid (ADR 0010).

    not_before = the minute now is in − W, and later than all that was signed for its tokens
    not_after  = the last millisecond before that minute + W

Windows are made of whole minutes, so that they are no fingerprint of a device's clock. Two windows
for one token never overlap, whatever the clock says meanwhile: that is what keeps an honest wallet
from making evidence against itself.
"""

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import ATTEST_EARLY_MS_MAX, WINDOW_MS_DEFAULT, WINDOW_STEP_MS
from specie.values.times import Timestamp


def compute_window(
    now: Timestamp, signed_until: Timestamp | None = None
) -> tuple[Timestamp, Timestamp]:
    """`token_unavailable` while a window that was signed before has not ended by our clock."""
    if not is_signable(now, signed_until):
        raise SpecieError(ErrorCode.TOKEN_UNAVAILABLE, "a token was signed until later than now")
    minute = now - now % WINDOW_STEP_MS
    not_before = max(0, minute - WINDOW_MS_DEFAULT, _get_earliest(signed_until))
    return Timestamp(not_before), Timestamp(minute + WINDOW_MS_DEFAULT - 1)


def compute_last_signed(now: Timestamp) -> Timestamp:
    """Behind the last `not_after` that a bank can have attested by now; a whole minute.

    Banks attest no window that begins more than 2 minutes later than their clock. A window begins
    10 minutes before the device's minute and ends 10 minutes after it, so it ends 22 minutes from
    now at the latest, whatever the lost device's clock says.
    """
    last = now + ATTEST_EARLY_MS_MAX + 2 * WINDOW_MS_DEFAULT
    return Timestamp(-(-last // WINDOW_STEP_MS) * WINDOW_STEP_MS)


def is_signable(now: Timestamp, signed_until: Timestamp | None) -> bool:
    """Whether a window after this one can have begun."""
    return _get_earliest(signed_until) <= now


def _get_earliest(signed_until: Timestamp | None) -> int:
    """The first whole minute after it."""
    return 0 if signed_until is None else (signed_until // WINDOW_STEP_MS + 1) * WINDOW_STEP_MS
