"""The notary's queue: one bank's flood does not slow another's payments (P4)."""

from hypothesis import given
from hypothesis import strategies as st

from specie.notary.queueing import FairQueue, Waiter
from specie.values.catalogue import ErrorCode
from specie.values.limits import QUEUE_TRANSACTIONS_MAX, SENDER_TRANSACTIONS_MAX
from tests.country import refused


def make_waiters(name: str, count: int) -> list[Waiter]:
    return [Waiter(f"{name}{number}".encode()) for number in range(count)]


def test_senders_take_turns() -> None:
    queue = FairQueue()
    queue.add("bank-2", make_waiters("a", 5))
    queue.add("bank-3", make_waiters("b", 2))
    assert [one.data for one in queue.take(4)] == [b"a0", b"b0", b"a1", b"b1"]
    assert [one.data for one in queue.take(9)] == [b"a2", b"a3", b"a4"]
    assert not len(queue)


def test_who_comes_late_is_in_the_next_batch() -> None:
    """A flood of 2,000 waits before it; the latecomer waits for none of them."""
    queue = FairQueue()
    queue.add("bank-2", make_waiters("a", 2_000))
    queue.take(256)
    queue.add("bank-3", make_waiters("b", 1))
    assert b"b0" in {one.data for one in queue.take(2)}


def test_too_much_of_one_sender_is_refused_whole() -> None:
    queue = FairQueue()
    queue.add("bank-2", make_waiters("a", SENDER_TRANSACTIONS_MAX))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        queue.add("bank-2", make_waiters("b", 1))
    queue.add("bank-3", make_waiters("c", 1))
    assert len(queue) == SENDER_TRANSACTIONS_MAX + 1


def test_too_much_of_all_is_refused() -> None:
    queue = FairQueue()
    full, rest = divmod(QUEUE_TRANSACTIONS_MAX, SENDER_TRANSACTIONS_MAX)
    for number in range(full):
        queue.add(f"bank-{number}", make_waiters("a", SENDER_TRANSACTIONS_MAX))
    queue.add("last", make_waiters("b", rest))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        queue.add("one-more", make_waiters("c", 1))
    assert len(queue) == QUEUE_TRANSACTIONS_MAX


def test_who_goes_away_is_not_served() -> None:
    queue = FairQueue()
    first, second = make_waiters("a", 2)
    queue.add("bank-2", [first, second])
    queue.remove(first)
    queue.remove(first)
    assert queue.take(5) == [second]
    queue.remove(second)
    assert not len(queue)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=20), st.integers(1, 7)
)
def test_each_once_in_its_senders_order(adds: list[tuple[str, int]], most: int) -> None:
    queue, sent = FairQueue(), {name: list[bytes]() for name in "abc"}
    for number, (name, count) in enumerate(adds):
        waiters = make_waiters(f"{name}{number}-", count)
        queue.add(name, waiters)
        sent[name] += [one.data for one in waiters]
    taken: list[bytes] = []
    while len(queue):
        batch = queue.take(most)
        assert 1 <= len(batch) <= most
        taken += [one.data for one in batch]
    for name in "abc":
        assert [one for one in taken if one.startswith(name.encode())] == sent[name]
