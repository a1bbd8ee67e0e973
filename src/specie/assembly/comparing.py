"""Whether a database is as new as what its owner has signed and others keep (P11, X3).

The registration has the notary's newest checkpoint, and of each witness the newest that it has
cosigned. Signed is after recorded: if one of these says more than the database, the database came
back from an old copy, and whoever went on from there would sign another history.

    start     asked once; a database that is behind does not run (`store_outdated`)
    nobody    answers: it runs, and asks again and again, until somebody has answered; a witness
              cosigns nothing before that, as what it cosigned then would hide how old it is
"""

import threading
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
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _registration: RemoteRegistration = field(init=False)

    def __post_init__(self) -> None:
        self._registration = RemoteRegistration(_open_impatient(self.base.channel))

    def ask(self) -> None:
        """Once it was answered, never again; a process that is behind comes to its end.

        `store_outdated`, or `log_invalid` if it is another history. What cannot be read is as if
        nobody had answered, and so is a refusal: the registration cannot stop others by words.
        """
        with self._asking:
            now = time.monotonic()
            if self.is_done or now - self._asked_at < _AGAIN_S:
                return
            self._asked_at = now
            note = self._find_signed()
            if note is not None:
                self.is_done = self._compare(note)

    def insist(self) -> None:
        """The same; `unreachable` if nobody has answered yet."""
        self.ask()
        if not self.is_done:
            raise SpecieError(ErrorCode.UNREACHABLE, "nobody has said yet how old our database is")

    def _find_signed(self) -> str | None:
        """None if nobody has answered; a registration of before knows of no note."""
        try:
            return self._registration.find_signed()
        except SpecieError as error:
            _tell(error)
            return "" if error.code is ErrorCode.NOT_FOUND else None

    def _compare(self, note: str) -> bool:
        try:
            if note:
                self.check(note)
        except SpecieError as error:
            if error.code in _BEHIND:
                self.base.is_behind = True
                raise
            _tell(error)
            return False
        return True


def _tell(error: SpecieError) -> None:
    if error.code is not ErrorCode.UNREACHABLE:
        _LOG.warning("not compared", code=error.code.value)


def _open_impatient(ours: Channel) -> Channel:
    return Channel(ours.speaker, ours.peers, ours.context, ours.clock, answer_s=_ANSWER_S)
