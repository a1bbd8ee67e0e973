"""A thread that publishes in time: the rim of the notary, started and stopped by the assembly.

Notarising needs no thread (ADR 0006) and publishing is a plain call; something has to make it
while everybody else is busy, or the notary breaks its promises.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Publisher:
    """Calls `publish_due` every `interval_ms` until it is stopped."""

    def __init__(self, publish_due: Callable[[], object], interval_ms: int) -> None:
        self._publish_due = publish_due
        self._interval_ms = interval_ms
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._error: Exception | None = None

    def start(self) -> None:
        """Once."""
        self._thread.start()

    def stop(self) -> None:
        """Let a call that is under way end, then raise the first error there was, if any."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """An error of the block is not hidden behind one of ours."""
        try:
            self.stop()
        except Exception:
            if error is None:
                raise

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_ms / 1000):
            try:
                self._publish_due()
            except Exception as error:  # noqa: BLE001  # told to whoever stops us, then tried again
                self._error = self._error or error
