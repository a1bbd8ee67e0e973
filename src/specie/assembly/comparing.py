"""Whether a database is as new as what its owner has signed and others keep (P11, X3).

The registration has the notary's newest checkpoint, and of each witness the newest that it has
cosigned. Signed is after recorded: if one of these says more than the database, the database came
back from an old copy, and whoever went on from there would sign another history.

    start     asked once; a database that is behind does not run (`store_outdated`)
    nobody    answers: it runs, and asks again and again, until somebody has answered
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from specie.assembly.foundation import Foundation
from specie.remote.channel import Channel
from specie.remote.institutions import RemoteRegistration
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_ANSWER_S: Final = 3.0  # nobody waits for it longer, at the start or between two publications
_AGAIN_S: Final = 5.0
_BEHIND: Final = (ErrorCode.STORE_OUTDATED, ErrorCode.LOG_INVALID)
_LOG: Final = structlog.get_logger("specie.process")


@dataclass(slots=True, repr=False)
class Comparison:
    """Of one process with what bears its signature."""

    base: Foundation
    check: Callable[[str], None]  # of that note; `store_outdated`, `log_invalid`
    is_done: bool = False
    _asked_at: float = float("-inf")
    _registration: RemoteRegistration = field(init=False)

    def __post_init__(self) -> None:
        self._registration = RemoteRegistration(_open_impatient(self.base.channel))

    def ask(self) -> None:
        """Once it was answered, never again; a process that is behind comes to its end.

        `store_outdated`, or `log_invalid` if it is another history. What cannot be read is as if
        nobody had answered: the registration must not be able to stop others.
        """
        now = time.monotonic()
        if self.is_done or now - self._asked_at < _AGAIN_S:
            return
        self._asked_at = now
        try:
            note = self._registration.find_signed()
            if note:
                self.check(note)
        except SpecieError as error:
            if error.code in _BEHIND:
                self.base.is_behind = True
                raise
            if error.code is not ErrorCode.UNREACHABLE:
                _LOG.warning("not compared", code=error.code.value)
            return
        self.is_done = True


def _open_impatient(ours: Channel) -> Channel:
    return Channel(ours.speaker, ours.peers, ours.context, ours.clock, answer_s=_ANSWER_S)
