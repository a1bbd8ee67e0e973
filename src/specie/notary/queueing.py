"""Who waits for the notary, and whose turn it is: senders in turn, each sender's own in order.

    bank 2   ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒        batch   2 3 2 3 2 2 2 2 …
    bank 3   ▒▒                                every sender one by one, until the batch is full

Payments cost nothing, so a limit protects from floods: of what waits of one sender, and of all.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from specie.notary.notarisation import Outcome
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import QUEUE_TRANSACTIONS_MAX, SENDER_TRANSACTIONS_MAX


@dataclass(slots=True, eq=False)
class Waiter:
    """One transaction whose sender waits for its outcome."""

    data: bytes
    outcome: Outcome | None = None
    batch: "list[Waiter]" = field(default_factory=list)  # to be worked off by who waits for this
    awake: threading.Event = field(default_factory=threading.Event)


class FairQueue:
    """Not locked: whoever uses it holds the lock."""

    def __init__(self) -> None:
        self._senders: OrderedDict[str, deque[Waiter]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, sender: str, requests: Sequence[Waiter]) -> None:
        """Behind what waits of this sender; all of them, or `limit_exceeded` and none."""
        waiting = self._senders.get(sender, ())
        if self._count + len(requests) > QUEUE_TRANSACTIONS_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "the notary's queue is full")
        if len(waiting) + len(requests) > SENDER_TRANSACTIONS_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too much of this sender waits already")
        self._senders.setdefault(sender, deque()).extend(requests)
        self._count += len(requests)

    def take(self, most: int) -> list[Waiter]:
        """The next batch; who was served last is behind all others the next time."""
        taken: list[Waiter] = []
        while self._senders and len(taken) < most:
            sender, waiting = self._senders.popitem(last=False)
            taken.append(waiting.popleft())
            if waiting:
                self._senders[sender] = waiting
        self._count -= len(taken)
        return taken

    def remove(self, request: Waiter) -> None:
        """Who does not wait any more; nothing if its turn has come already."""
        for sender, waiting in self._senders.items():
            if request in waiting:
                waiting.remove(request)
                self._count -= 1
                if not waiting:
                    del self._senders[sender]
                return
