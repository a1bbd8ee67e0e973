"""Where the time goes: functions of ours, clocked while they run, each without what it calls.

Time is the thread's own processor time, so that waiting (for a disk, for the kernel's threads, for
another thread) is not counted. What the kernel's threads use is the rest of the process's time.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

Part = tuple[str, object, str]
"""A name, and the object and attribute that is clocked under it."""


class Meter:
    """Seconds of processor time by name; what is clocked within counts for itself alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mine = threading.local()
        self.spent: dict[str, float] = defaultdict(float)

    def clock(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same function, clocked."""

        def call(*arguments: Any, **named: Any) -> Any:
            within: list[float] = self._mine.__dict__.setdefault("within", [])
            within.append(0.0)
            started = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                passed = time.thread_time() - started
                own = passed - within.pop()
                if within:
                    within[-1] += passed
                with self._lock:
                    self.spent[name] += own

        return call


@contextmanager
def metered(parts: Sequence[Part]) -> Iterator[Meter]:
    """Within: these parts are clocked."""
    meter = Meter()
    with ExitStack() as stack:
        for name, owner, attribute in parts:
            clocked = meter.clock(getattr(owner, attribute), name)
            stack.enter_context(mock.patch.object(owner, attribute, clocked))
        yield meter


def read_processor_seconds(process: int) -> float:
    """What a process has used until now, its system calls included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def measure_seconds(work: Callable[[], object]) -> float:
    """How long one call takes, by the clock on the wall."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
