"""The interpreter's lock is released while the kernel works."""

import threading
import time
from collections.abc import Callable

from specie.crypto.outputs import Opening, Scanner, derive_output
from specie.crypto.proofs import prove_range, verify_statements
from specie.crypto.secrets import KeyTree, Mask, ScanKey
from specie.values.amounts import Minor
from specie.values.identifiers import ParticipantNumber, PublicKey
from specie.values.times import Timestamp
from tests.kernel_batches.statements import Stock

TICK_S = 0.001
TICKS_MIN = 10


def count_ticks(work: Callable[[], object]) -> int:
    """How often this thread ran, a millisecond apart at least, between start and end of `work`.

    With the lock held through the call it would run at its edges only: once or twice.
    """
    span: list[float] = []

    def run() -> None:
        span.append(time.perf_counter())
        work()
        span.append(time.perf_counter())

    thread = threading.Thread(target=run)
    ticks: list[float] = []
    thread.start()
    while thread.is_alive():
        time.sleep(TICK_S)
        ticks.append(time.perf_counter())
    thread.join()
    start, end = span
    return sum(start < tick < end for tick in ticks)


def test_threads_go_on_while_a_batch_is_verified(stock: Stock) -> None:  # T26
    paid = [one.build() for one in stock.payments]
    batch = [paid[place % len(paid)] for place in range(512)]
    assert count_ticks(lambda: verify_statements(batch)) >= TICKS_MIN


def test_threads_go_on_while_ranges_are_proven() -> None:  # T26
    masks = [Mask.generate() for _ in range(16)]
    amounts = [Minor(number) for number in range(16)]
    assert count_ticks(lambda: prove_range(amounts, masks)) >= TICKS_MIN


def test_threads_go_on_while_outputs_are_scanned() -> None:  # T11, T26
    tree, bank = KeyTree.generate(), ScanKey.generate()
    view, spend = PublicKey(tree.view_key(0).public), PublicKey(tree.spend_key(0).public)
    opening = Opening(
        view=view,
        spend=spend,
        bank=ParticipantNumber(1),
        anchor=bytes(16),
        amount=Minor(5),
        kind=1,
        label=0,
        lock=bytes(32),
        expiry=Timestamp(0),
        memo=bytes(160),
    )
    output = derive_output(opening, PublicKey(bank.public)).data
    scanner = Scanner(ParticipantNumber(1), PublicKey(bank.public))
    scanner.add(tree.view_key(1), PublicKey(tree.spend_key(1).public))
    outputs = [output] * 4_000
    assert count_ticks(lambda: scanner.scan(outputs)) >= TICKS_MIN
