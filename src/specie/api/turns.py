"""Threads for handlers, shared among callers: each has at most its share, who waits comes in turn.

    a thread is free and the caller has less than its share   begins at once
    otherwise                                                 waits behind its own requests
    a thread becomes free                                     to the caller that waits longest for
                                                              a turn, its oldest request

So as many callers as shares fit into the threads have to flood together before another waits at
all; and then it waits for one request of each of them, not for all that they have sent (ADR 0027).
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from specie.remote.operations import Caller
from specie.values.limits import (
    CALLS_AT_ONCE_MAX,
    CLIENT_THREADS_MAX,
    OFFICER_THREADS_MAX,
    READER_THREADS_MAX,
    SERVICE_THREADS_MAX,
    SIGNATORY_THREADS_MAX,
    STRANGER_THREADS_MAX,
    THREADS_SHARE,
)


@dataclass(slots=True)
class Turns:
    """Of one kind of callers, in one event loop.

    Always: whoever waits has its share at work, or there is no free thread.
    """

    threads: int
    share: int  # of one caller
    _at_work: Counter[str] = field(default_factory=Counter)
    _waiting: OrderedDict[str, deque[asyncio.Future[None]]] = field(default_factory=OrderedDict)

    @asynccontextmanager
    async def take(self, caller: str) -> AsyncIterator[None]:
        """A thread's place, for as long as the block lasts."""
        if self._may_begin(caller):
            self._at_work[caller] += 1
        else:
            await self._wait(caller)
        try:
            yield
        finally:
            self._give_back(caller)

    def _may_begin(self, caller: str) -> bool:
        return self._at_work.total() < self.threads and self._at_work[caller] < self.share

    async def _wait(self, caller: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came in the same moment
                self._give_back(caller)
            raise

    def _give_back(self, caller: str) -> None:
        self._at_work[caller] -= 1
        if not self._at_work[caller]:
            del self._at_work[caller]
        while (following := self._find_next()) is not None:
            queue = self._waiting.pop(following)
            turn = queue.popleft()
            if queue:
                self._waiting[following] = queue  # behind all others
            if not turn.cancelled():
                self._at_work[following] += 1
                turn.set_result(None)
                return

    def _find_next(self) -> str | None:
        return next((one for one in self._waiting if self._may_begin(one)), None)


def make_turns() -> dict[Caller | None, Turns]:
    """By kind of caller, None for institutions.

    A few callers can never fill the threads; the operator is alone, and may have all of its.
    """
    threads = {
        None: SERVICE_THREADS_MAX,
        Caller.OFFICER: OFFICER_THREADS_MAX,
        Caller.CLIENT: CLIENT_THREADS_MAX,
        Caller.SIGNATORY: SIGNATORY_THREADS_MAX,
        Caller.READER: READER_THREADS_MAX,
        Caller.ANYONE: STRANGER_THREADS_MAX,
    }
    found = {kind: Turns(count, count // THREADS_SHARE) for kind, count in threads.items()}
    return {**found, Caller.OPERATOR: Turns(CALLS_AT_ONCE_MAX, CALLS_AT_ONCE_MAX)}
