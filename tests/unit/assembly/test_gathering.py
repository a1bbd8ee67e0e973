"""Cosigners are asked at once, and nobody waits for long for one of them (X3)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from specie.assembly.gathering import Cosign, Gathering
from specie.log.notes import SignedLine
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

PATIENCE_S = 0.5


def make_line(name: str, note: str) -> SignedLine:
    return SignedLine(name, b"\0\0\0\1", note.encode())


def answer(name: str, count: list[str]) -> Cosign:
    """At once; `count` gets each note that it was asked for."""

    def cosign(note: str) -> list[SignedLine]:
        count.append(note)
        return [make_line(name, note)]

    return cosign


@contextmanager
def holding(name: str) -> Iterator[tuple[Cosign, Callable[[], None]]]:
    """One that answers when it is let go, and is let go at the end."""
    free = threading.Event()

    def cosign(note: str) -> list[SignedLine]:
        free.wait(30)
        return [make_line(name, note)]

    try:
        yield cosign, free.set
    finally:
        free.set()


def refuse_always(note: str) -> list[SignedLine]:
    raise SpecieError(ErrorCode.LOG_INVALID, note)


def fail_always(note: str) -> list[SignedLine]:
    raise ValueError(note)


def test_who_has_answered_is_not_asked_again() -> None:
    gathering, asked = Gathering(PATIENCE_S), list[str]()
    cosigners = {"one": answer("one", asked), "two": refuse_always, "three": fail_always}
    for _ in range(3):
        lines, refusals = gathering.gather("a", cosigners)
        assert lines == [make_line("one", "a")]
        assert [one.code for one in refusals] == [ErrorCode.LOG_INVALID, ErrorCode.INTERNAL]
    assert asked == ["a"]
    assert gathering.gather("b", {"one": cosigners["one"]})[0] == [make_line("one", "b")]
    assert asked == ["a", "b"]


def test_who_is_slow_is_left_out() -> None:
    """And its late answer counts if it is still for this note, and is forgotten if it is not."""
    gathering, asked = Gathering(PATIENCE_S), list[str]()
    with holding("slow") as (cosign, let_go):
        cosigners = {"slow": cosign, "one": answer("one", asked)}
        for note in ("a", "b", "b"):
            lines, refusals = gathering.gather(note, cosigners)
            assert lines == [make_line("one", note)]
            assert [one.code for one in refusals] == [ErrorCode.UNREACHABLE]
        let_go()
        while len(gathering.gather("b", cosigners)[0]) < 2:
            assert not {one.signature for one in gathering.gather("b", cosigners)[0]} - {b"b"}
        assert set(gathering.gather("b", cosigners)[0]) == {
            make_line("slow", "b"),
            make_line("one", "b"),
        }
    assert asked == ["a", "b"]


def test_who_refuses_slowly_is_left_alone_for_a_while() -> None:
    """Rounds meanwhile, for newer notes too, do not wait for it; then it is asked again."""
    gathering, asked = Gathering(30), list[str]()
    is_over = threading.Event()

    def refuse_slowly(note: str) -> list[SignedLine]:
        asked.append(note)
        if len(asked) == 1:
            is_over.wait(0.5)
            raise SpecieError(ErrorCode.LOG_INVALID, note)
        return [make_line("slow", note)]

    for note in "abc":
        lines, refusals = gathering.gather(note, {"slow": refuse_slowly})
        assert lines == [] and len(refusals) == 1
    assert asked == ["a"]
    while not (lines := gathering.gather("d", {"slow": refuse_slowly})[0]):
        time.sleep(0.05)
    assert lines == [make_line("slow", "d")] and asked == ["a", "d"]


def test_all_are_asked_at_once() -> None:
    """Each of them answers only when all of them were asked."""
    barrier = threading.Barrier(3, timeout=30)

    def make(name: str) -> Cosign:
        def cosign(note: str) -> list[SignedLine]:
            barrier.wait()
            return [make_line(name, note)]

        return cosign

    lines, refusals = Gathering(30).gather("a", {name: make(name) for name in "xyz"})
    assert [one.name for one in lines] == ["x", "y", "z"]
    assert refusals == []
