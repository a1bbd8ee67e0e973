"""Asks all cosigners at once, and waits for none of them for long (X3).

A cosigner that answers a byte a second would hold up what the registration publishes. Whoever has
not answered in time is left out, and asked for the next checkpoint when that call has ended. A slow
refusal gives rest for a while: else each round would take as long as it.
"""

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from specie.log.notes import SignedLine
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

PATIENCE_S: Final = 5.0
_REST: Final = 4  # times as long as a refusal took, until it is asked again
_REST_S_MAX: Final = 30.0
_LOG: Final = structlog.get_logger("specie.process")

Cosign = Callable[[str], Sequence[SignedLine]]
"""Note → lines of one cosigner under it, or its refusal raised."""


@dataclass(slots=True)
class _Asked:
    note: str
    lines: Sequence[SignedLine] = ()
    refusal: SpecieError | None = None
    is_done: threading.Event = field(default_factory=threading.Event)
    begun_at: float = field(default_factory=time.monotonic)
    rests_until: float = 0.0  # after a refusal


class Gathering:
    """Of one registration; called by its worker alone."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._asked: dict[str, _Asked] = {}

    def gather(
        self, note: str, cosigners: Mapping[str, Cosign]
    ) -> tuple[list[SignedLine], list[SpecieError]]:
        """Lines of everybody who gave them for this note; why there are none of the others.

        Who has given them is not asked again; who refuses is, the sooner the sooner it did.
        """
        end = time.monotonic() + self._patience_s
        begun = [name for name in cosigners if self._is_to_be_asked(name, note)]
        for name in begun:
            self._asked[name] = _begin(note, cosigners[name])
        for name in begun:
            self._asked[name].is_done.wait(max(0.0, end - time.monotonic()))
        lines: list[SignedLine] = []
        refusals: list[SpecieError] = []
        for name in cosigners:
            asked = self._asked[name]
            if not asked.is_done.is_set() or asked.note != note:
                refusals.append(SpecieError(ErrorCode.UNREACHABLE, f"{name} takes too long"))
            elif asked.refusal is not None:
                refusals.append(asked.refusal)
            else:
                lines += asked.lines
        return lines, refusals

    def _is_to_be_asked(self, name: str, note: str) -> bool:
        asked = self._asked.get(name)
        if asked is None:
            return True
        if not asked.is_done.is_set() or time.monotonic() < asked.rests_until:
            return False
        return asked.note != note or asked.refusal is not None


def _begin(note: str, cosign: Cosign) -> _Asked:
    asked = _Asked(note)

    def ask() -> None:
        try:
            asked.lines = cosign(note)
        except SpecieError as error:
            asked.refusal = error
        except Exception as error:  # noqa: BLE001  # told to the log; it is asked again
            _LOG.error("worker failed", error=type(error).__name__)
            asked.refusal = SpecieError(ErrorCode.INTERNAL, "our mistake, see the log")
        finally:
            _end(asked)

    here = contextvars.copy_context()  # the trace goes along
    threading.Thread(target=here.run, args=(ask,), name="cosigner", daemon=True).start()
    return asked


def _end(asked: _Asked) -> None:
    if asked.refusal is not None:
        now = time.monotonic()
        asked.rests_until = now + min(_REST * (now - asked.begun_at), _REST_S_MAX)
    asked.is_done.set()
