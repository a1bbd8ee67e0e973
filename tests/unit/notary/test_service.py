"""The notary as a service: many callers, one batch after the other, and nothing lost on the way."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from specie.ledger.state import SupplyState
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.notary.service import Notary
from specie.ports.notary import RecordedTransaction
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import BATCHES_AT_ONCE
from tests.country import Country, build_country, refused
from tests.unit.notary.house import House, build_house

CALLERS = 12
Answer = Promise | BaseException


@dataclass(slots=True, repr=False)
class Scene:
    """A country, and payments ready to be sent."""

    country: Country
    batch: list[bytes]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Twelve payments of twelve tokens."""
    country = build_country(tmp_path_factory.mktemp("service"))
    payer = country.open_person(country.north, *[10] * CALLERS)
    payee = country.open_person(country.north)
    batch = [
        encode_attested(country.attest(country.build(payer, payee, 10, token), country.north))
        for token in payer.wallet.load_tokens()
        if token.amount
    ]
    return Scene(country, batch)


@pytest.fixture
def own(scene: Scene, tmp_path: Path) -> House:
    """A notary that has not seen them."""
    return build_house(scene.country, tmp_path)


@dataclass(slots=True)
class Gate:
    """Holds the first batch inside the store until it is opened; counts all of them."""

    sizes: list[int] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self, batch: Sequence[RecordedTransaction]) -> None:
        """Called in place of recording, before it."""
        self.sizes.append(len(batch))
        self.arrived.set()
        assert self.opened.wait(30), "nobody opened the gate"


@contextmanager
def gated() -> Iterator[Gate]:
    """Within: recording waits at a gate."""
    gate, record = Gate(), SqliteNotaryStore.record_batch

    def record_later(
        store: SqliteNotaryStore, batch: Sequence[RecordedTransaction], supply: SupplyState
    ) -> None:
        gate.wait(batch)
        record(store, batch, supply)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteNotaryStore, "record_batch", record_later)
        yield gate


class Callers:
    """Threads that ask the notary, each for one transaction, and what they were told."""

    def __init__(self, notary: Notary) -> None:
        self.answers: dict[int, Answer] = {}
        self._notary = notary
        self._threads: list[threading.Thread] = []

    def ask(self, data: bytes) -> None:
        """One more caller."""
        place = len(self._threads)

        def call() -> None:
            try:
                self.answers[place] = self._notary.notarise(data)
            except (SpecieError, OSError) as error:
                self.answers[place] = error

        self._threads.append(threading.Thread(target=call))
        self._threads[-1].start()

    def take_all_turns(self, gate: "Gate", batch: Sequence[bytes]) -> None:
        """One caller at the gate, and whoever else may start has started behind it."""
        self.ask(batch[0])
        assert gate.arrived.wait(30)
        for data in batch[1:BATCHES_AT_ONCE]:
            self.ask(data)
        self._wait(lambda: self._notary._turns == 0)  # noqa: SLF001  # no caller can see this

    def wait_until_queued(self, count: int) -> None:
        """Until so many wait behind the batch that is being worked on."""
        queue = self._notary._queue  # noqa: SLF001  # no caller can see this
        self._wait(lambda: len(queue) == count)

    def _wait(self, has_come: Callable[[], bool]) -> None:
        for _ in range(3_000):
            if has_come():
                return
            threading.Event().wait(0.005)
        raise AssertionError("the callers did not come")

    def join(self) -> list[Answer]:
        """All answers, by caller."""
        for thread in self._threads:
            thread.join(60)
        return [self.answers[place] for place in range(len(self._threads))]


def test_who_waits_is_worked_off_together(scene: Scene, own: House) -> None:
    callers = Callers(own.open_notary())
    with gated() as gate:
        callers.take_all_turns(gate, scene.batch)
        for data in scene.batch[2:]:
            callers.ask(data)
        callers.wait_until_queued(CALLERS - 2)
        gate.opened.set()
        answers = callers.join()
    assert sorted(gate.sizes) == [1, 1, CALLERS - 2]
    assert all(isinstance(one, Promise) for one in answers)
    assert len({one.txid for one in answers if isinstance(one, Promise)}) == CALLERS


def test_a_bad_one_among_those_who_wait_is_told_so_alone(scene: Scene, own: House) -> None:
    callers = Callers(own.open_notary())
    with gated() as gate:
        callers.take_all_turns(gate, scene.batch)
        for data in (*scene.batch[2:4], b"nonsense", *scene.batch[4:6]):
            callers.ask(data)
        callers.wait_until_queued(5)
        gate.opened.set()
        answers = callers.join()
    assert isinstance(answers[4], SpecieError)
    assert sum(isinstance(one, Promise) for one in answers) == 6


def test_the_same_from_everybody_is_one_transaction(scene: Scene, own: House) -> None:
    notary = own.open_notary()
    waiting = len(own.open_store().load_waiting(999))
    callers = Callers(notary)
    for _ in range(20):
        callers.ask(scene.batch[0])
    assert len(set(callers.join())) == 1
    assert len(own.open_store().load_waiting(999)) == waiting + 1


def test_a_full_queue_refuses_and_loses_nobody(
    scene: Scene, own: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specie.notary.queueing.QUEUE_TRANSACTIONS_MAX", 3)
    notary = own.open_notary()
    callers = Callers(notary)
    with gated() as gate:
        callers.take_all_turns(gate, scene.batch)
        for data in scene.batch[2:5]:
            callers.ask(data)
        callers.wait_until_queued(3)
        with refused(ErrorCode.LIMIT_EXCEEDED):
            notary.notarise(scene.batch[5])
        gate.opened.set()
        assert all(isinstance(one, Promise) for one in callers.join())
    assert isinstance(notary.notarise(scene.batch[5]), Promise)


# --- a store that fails -------------------------------------------------------------------------


@contextmanager
def failing(name: str, error: Exception) -> Iterator[None]:
    """Within: this method of the store does not work."""

    def fail(*_: object) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteNotaryStore, name, fail)
        yield


@pytest.mark.parametrize("name", ["find_promises", "load_view", "record_batch"])
def test_a_store_that_fails_promises_nothing(scene: Scene, own: House, name: str) -> None:
    notary, data = own.open_notary(), scene.batch[0]
    before = len(own.open_store().load_waiting(999))
    with failing(name, SpecieError(ErrorCode.STORE_UNUSABLE, "disk full")):
        with refused(ErrorCode.STORE_UNUSABLE):
            notary.notarise(data)
        with refused(ErrorCode.STORE_UNUSABLE):
            notary.notarise_batch([data])
    assert len(own.open_store().load_waiting(999)) == before
    promise = notary.notarise(data)
    assert notary.notarise(data) == promise


def test_everybody_who_waited_hears_of_a_failure(scene: Scene, own: House) -> None:
    """Also when it is one that nobody foresaw: then it is nobody's answer, and asking again is."""
    notary = own.open_notary()
    callers = Callers(notary)
    with gated() as gate:
        callers.take_all_turns(gate, scene.batch)
        for data in scene.batch[2:5]:
            callers.ask(data)
        callers.wait_until_queued(3)
        with failing("load_view", OSError("a cable was pulled")):
            gate.opened.set()
            answers = callers.join()
    assert isinstance(answers[0], Promise)
    told = [one for one in answers[2:] if isinstance(one, SpecieError)]
    assert {error.code for error in told} == {ErrorCode.STORE_UNUSABLE}
    assert sum(isinstance(one, OSError) for one in answers[2:]) == 1 and len(told) == 2
    assert all(isinstance(notary.notarise(data), Promise) for data in scene.batch[:5])


# --- restarts -----------------------------------------------------------------------------------


def test_a_restart_keeps_every_promise(scene: Scene, own: House) -> None:
    notary = own.open_notary()
    promises = [notary.notarise(data) for data in scene.batch[:4]]
    supply = notary.get_supply()
    again = own.open_notary()
    own.clock.advance(86_400_000)
    assert [again.notarise(data) for data in scene.batch[:4]] == promises
    assert again.get_supply() == supply
    assert again.public_key == notary.public_key
    assert again.publish(is_forced=True) > 0


def test_killed_before_and_after_recording(scene: Scene, own: House) -> None:
    """Not acknowledged means: ask again and it is as if nothing had happened (design §5, 3)."""
    record = SqliteNotaryStore.record_batch

    def record_and_die(
        store: SqliteNotaryStore, batch: Sequence[RecordedTransaction], supply: SupplyState
    ) -> None:
        record(store, batch, supply)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteNotaryStore, "record_batch", record_and_die)
        with pytest.raises(KeyboardInterrupt):
            own.open_notary().notarise(scene.batch[0])
    recorded = own.open_store().load_waiting(999)[-1]
    assert recorded.data == scene.batch[0]
    assert own.open_notary().notarise(scene.batch[0]) == recorded.promise
