"""The head of a bank's access log, written where the database's writers cannot reach (T20).

Once a minute, if it is new, as a line of the process' log: `head` is SIZE:HASH. The process also
checks that the one before is still there: whoever cuts entries off while it runs sets off an alarm.
"""

import time
from dataclasses import dataclass, field
from typing import Final

import structlog

from specie.assembly.alarms import ACCESS_LOG_CUT, Alarms
from specie.bank.access import AccessLog
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_LOG: Final = structlog.get_logger("specie.process")
_EVERY_S: Final = 60.0


@dataclass(slots=True, repr=False)
class AccessHeads:
    """Of one bank's process."""

    access: AccessLog
    alarms: Alarms
    _told_at: float = field(default=float("-inf"))  # monotonic seconds

    def work(self) -> list[SpecieError]:
        """What is due; gives what is wrong with the log."""
        now = time.monotonic()
        if now - self._told_at < _EVERY_S:
            return []
        self._told_at = now
        try:
            head = self.access.tell_head()
        except SpecieError as error:
            if error.code is ErrorCode.ACCESS_LOG_INVALID:
                self.alarms.set(ACCESS_LOG_CUT, error.message)
            return [error]
        if head is not None:
            _LOG.info("access log", head=head)
        return []
