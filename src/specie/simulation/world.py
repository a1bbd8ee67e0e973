"""Machines and the network between them, as unreliable as the seed says.

    a message may be    lost, performed without an answer, performed twice, performed again later
    two machines may    not reach each other for a while
    a machine may       stop before or after any commit, or between messages; its clock may be off

A machine that stopped loses its objects and what its disk had not synced, and is built again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from specie.simulation.scheduling import Scheduler
from specie.store.database import Database
from specie.store.synced_memory import SyncedMemory
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.times import Timestamp

MORNING: Final = 1_800_000_000_000  # some day in 2027
OUTAGE_MS_MAX: Final = 120_000


class Crashed(BaseException):
    """A machine has stopped: nothing that ran on it goes on."""

    def __init__(self, machine: "Machine") -> None:
        super().__init__(machine.name)
        self.machine = machine


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each happens: per message, per commit, per step of the scheduler."""

    lost: float = 0.03
    unanswered: float = 0.03
    doubled: float = 0.03
    late: float = 0.03
    stop_at_commit: float = 0.012
    stop: float = 0.006
    partition: float = 0.01


CALM: Final = Faults(0, 0, 0, 0, 0, 0, 0)


class World:
    """Time, chance, machines, messages, and the trace of all of it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.time = MORNING
        self.faults = CALM
        self.scheduler = Scheduler()
        self.machines: dict[str, Machine] = {}
        self.partitions: dict[frozenset[str], int] = {}
        self.late: list[tuple[str, Callable[[], object]]] = []
        self.listeners: list[Callable[[str, str, tuple[Any, ...], Any], None]] = []
        self.askers: list[Callable[[str, str, tuple[Any, ...]], None]] = []
        self.counts: dict[str, int] = {}
        self.steps = 0
        self.tail: list[str] = []
        self._trace = hashlib.sha256()

    @property
    def trace(self) -> str:
        """Hash of everything that was decided and every outcome."""
        return self._trace.hexdigest()

    def note(self, event: str) -> None:
        """One line of the trace."""
        line = f"{self.time - MORNING} {self.scheduler.current}: {event}"
        self._trace.update(line.encode() + b"\n")
        self.tail = [*self.tail[-39:], line]

    def happens(self, probability: float) -> bool:
        """One draw, unless it cannot happen."""
        return probability > 0 and self.random.random() < probability

    def count(self, what: str) -> None:
        """For the report."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.note(what)

    def tell(self, callee: str, method: str, arguments: tuple[Any, ...], answer: Any) -> None:
        """Whoever audits hears every answer as it is given, also one that is lost afterwards."""
        for listener in self.listeners:
            listener(callee, method, arguments, answer)

    def ask(self, callee: str, method: str, arguments: tuple[Any, ...]) -> None:
        """And every request that arrives."""
        for asker in self.askers:
            asker(callee, method, arguments)

    def is_cut(self, one: str, other: str) -> bool:
        """Whether these two cannot reach each other now."""
        return self.partitions.get(frozenset((one, other)), 0) > self.time


@dataclass(slots=True, eq=False)
class Machine:
    """One party's computer: a clock, a disk, and what runs on it since it last started."""

    name: str
    world: World
    make: Callable[[Database], Any]
    skew_ms: int = 0
    life: int = 0
    down_until: int = 0
    service: Any = None
    parts: dict[str, Any] = field(default_factory=dict)  # what else answers here, by name
    disk: SyncedMemory = field(init=False)
    last_ms: int = 0

    def __post_init__(self) -> None:
        self.disk = SyncedMemory(self.pass_commit)
        self.world.machines[self.name] = self

    def now(self) -> Timestamp:
        """`Clock`: never goes back while the machine runs."""
        self.last_ms = max(self.last_ms, self.world.time + self.skew_ms)
        return Timestamp(self.last_ms)

    def start(self) -> None:
        """Power is back."""
        self.life += 1
        self.world.note(f"{self.name} starts")
        self.parts = {}
        try:
            self.service = self.make(self.disk.open())
        except Crashed:
            self.service = None

    def stop(self) -> None:
        """Power is gone."""
        self.life += 1
        self.service = None
        self.down_until = self.world.time + self.world.random.randrange(OUTAGE_MS_MAX)
        self.world.count(f"stop of {self.name.rstrip('0123456789-')}")

    def pass_commit(self) -> None:
        """Before and after each commit."""
        if self.world.happens(self.world.faults.stop_at_commit):
            self.stop()
            raise Crashed(self)

    def get(self, part: str = "") -> Any:
        """What runs here, or a part of it; `unreachable` while nothing does."""
        if self.service is None:
            raise SpecieError(ErrorCode.UNREACHABLE, f"{self.name} does not answer")
        return self.parts[part] if part else self.service


class Turn:
    """A lock on a machine: whoever waits for it gives the baton back."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._is_taken = False

    def __enter__(self) -> None:
        life = self._machine.life
        while self._is_taken:
            self._machine.world.scheduler.pause()
            if self._machine.life != life:
                raise Crashed(self._machine)
        self._is_taken = True

    def __exit__(self, *_: object) -> None:
        self._is_taken = False


class Remote:
    """A port of another machine: every call is a message there and one back."""

    def __init__(self, caller: Machine, callee: Machine, part: str = "", **known: Any) -> None:
        """`known`: attributes that the caller knows without asking."""
        self._caller, self._callee, self._part = caller, callee, part
        self._life = caller.life
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, name)

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        world, caller, callee = self._caller.world, self._caller, self._callee
        self._pause()
        if world.is_cut(caller.name, callee.name):
            self._fail(method, "cut")
        if world.happens(world.faults.lost):
            self._fail(method, "lost")
        perform = partial(_perform, (callee, self._part), method, arguments, named)
        if world.happens(world.faults.late):
            world.late.append((f"{callee.name}.{method} again", perform))
        if world.happens(world.faults.doubled):
            self._try_first(method, perform)
        answer = perform()
        self._pause()
        if world.happens(world.faults.unanswered):
            self._fail(method, "unanswered")
        return answer

    def _try_first(self, method: str, perform: Callable[[], Any]) -> None:
        """The first of two copies of a message; the caller hears the answer to the second."""
        self._caller.world.count("doubled message")
        try:
            perform()
        except SpecieError as error:
            self._caller.world.note(f"{method} doubled: {error.code}")
        self._pause()

    def _pause(self) -> None:
        self._caller.world.scheduler.pause()
        if self._caller.life != self._life:
            raise Crashed(self._caller)

    def _fail(self, method: str, why: str) -> None:
        world = self._caller.world
        world.count(f"{why} message")
        self._caller.world.note(f"{self._callee.name}.{method} {why}")
        raise SpecieError(ErrorCode.UNREACHABLE, f"{self._callee.name} does not answer")


def _perform(
    whom: tuple[Machine, str], method: str, arguments: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """On the callee's machine; if it stops, the caller only hears nothing."""
    callee, part = whom
    world, called = callee.world, f"{callee.name}/{part}" if part else callee.name
    try:
        callee.get()
        world.ask(called, method, arguments)
        answer = getattr(callee.get(part), method)(*arguments, **named)
    except Crashed as crashed:
        if crashed.machine is not callee:
            raise
        raise SpecieError(ErrorCode.UNREACHABLE, f"{callee.name} does not answer") from None
    except SpecieError as error:
        world.note(f"{called}.{method}: {error.code}")
        raise
    world.note(f"{called}.{method}")
    world.tell(called, method, arguments, answer)
    return answer
