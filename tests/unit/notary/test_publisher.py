"""The thread that publishes: it calls, it goes on after an error, it stops."""

import threading

import pytest

from specie.notary.publisher import Publisher
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.country import refused


class Calls:
    """Counts; may fail at some of them."""

    def __init__(self, *errors: Exception | None) -> None:
        self.count = 0
        self.reached = threading.Event()
        self._errors = errors

    def __call__(self) -> int:
        """One call."""
        self.count += 1
        if self.count > len(self._errors) + 2:
            self.reached.set()
        error = self._errors[self.count - 1] if self.count <= len(self._errors) else None
        if error is not None:
            raise error
        return 0


def test_it_calls_until_it_is_stopped() -> None:
    calls = Calls()
    with Publisher(calls, 1):
        assert calls.reached.wait(30)
    count = calls.count
    assert not any(thread.name == "publisher" for thread in threading.enumerate())
    assert calls.count == count


def test_it_goes_on_after_an_error_and_tells_the_first() -> None:
    first = SpecieError(ErrorCode.STORE_UNUSABLE, "disk full")
    calls = Calls(None, first, ValueError("another"))
    publisher = Publisher(calls, 1)
    publisher.start()
    assert calls.reached.wait(30)
    with refused(ErrorCode.STORE_UNUSABLE):
        publisher.stop()
    publisher.stop()  # told once


def test_it_stops_at_once_and_before_it_was_started() -> None:
    Publisher(Calls(), 1).stop()
    calls = Calls()
    with Publisher(calls, 3_600_000):
        pass
    assert calls.count == 0


def test_a_call_that_is_under_way_ends_first() -> None:
    entered, leave, done = threading.Event(), threading.Event(), threading.Event()

    def call() -> None:
        entered.set()
        assert leave.wait(30)
        done.set()

    publisher = Publisher(call, 1)
    publisher.start()
    assert entered.wait(30)
    threading.Timer(0.05, leave.set).start()
    publisher.stop()
    assert done.is_set()


def test_an_error_of_the_block_comes_first() -> None:
    calls = Calls(ValueError("of the publisher"))

    def work() -> None:
        with Publisher(calls, 1):
            assert calls.reached.wait(30)
            raise KeyError("of the block")

    with pytest.raises(KeyError):
        work()
