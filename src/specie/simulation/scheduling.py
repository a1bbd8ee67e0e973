"""Threads under a baton: one runs at a time, and who is next is decided from outside.

Flows are plain calls, so each activity has a thread of its own; it gives the baton back at every
passage of a message, and nowhere else.
"""

import threading
from collections.abc import Callable

_STACK_SECONDS = 60.0


class Abandoned(BaseException):
    """The simulation is over; whoever still waits unwinds."""


class Stranded(Exception):
    """The activity that runs waits for something that is not the baton: a deadlock."""


class Activity:
    """One thread that runs when it is let."""

    def __init__(self, name: str, body: Callable[[], None], scheduler: "Scheduler") -> None:
        self.name = name
        self.is_done = False
        self.failure: BaseException | None = None
        self.go = threading.Semaphore(0)
        self._body = body
        self._scheduler = scheduler
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        self.go.acquire()
        try:
            if not self._scheduler.is_over:
                self._body()
        except Abandoned:
            pass
        except BaseException as failure:  # noqa: BLE001  # raised again by whoever let it run
            self.failure = failure
        self.is_done = True
        self._scheduler.back.release()


class Scheduler:
    """Lets one activity run to its next pause."""

    def __init__(self) -> None:
        self.activities: list[Activity] = []
        self.back = threading.Semaphore(0)
        self.is_over = False
        self._current: Activity | None = None

    @property
    def current(self) -> str:
        """Name of who has the baton."""
        return self._current.name if self._current else "the world"

    def spawn(self, name: str, body: Callable[[], None]) -> None:
        """It begins when it is chosen for the first time."""
        activity = Activity(name, body, self)
        self.activities.append(activity)
        activity.thread.start()

    def run(self, activity: Activity) -> None:
        """Until it pauses or ends; what it failed with is raised here."""
        self._current = activity
        activity.go.release()
        if not self.back.acquire(timeout=_STACK_SECONDS):
            raise Stranded(f"{activity.name} does not give the baton back")
        self._current = None
        if activity.is_done:
            self.activities.remove(activity)
            activity.thread.join()
            if activity.failure is not None:
                raise activity.failure

    def pause(self) -> None:
        """Give the baton back, and wait to be chosen again. In no activity: nothing."""
        mine = self._current
        if mine is None:
            return
        self.back.release()
        mine.go.acquire()
        if self.is_over:
            raise Abandoned

    def end(self) -> None:
        """Unwind everybody who still waits."""
        self.is_over = True
        while self.activities:
            self.run(self.activities[0])
