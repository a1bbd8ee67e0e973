"""Any set of bad statements is named exactly, at any size; a batch without any is accepted."""

import random
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.proofs import BatchRefusedError, build_statement, verify_statements
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.kernel_batches.statements import (
    KINDS,
    Named,
    Parts,
    Stock,
    find_named,
    make_payment,
    spoil,
)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 129, 256, 257, 300])
def test_good_batches_are_accepted(stock: Stock, size: int) -> None:  # T10, T16
    verify_statements(stock.mix(size, every=5))


def test_an_empty_batch_and_an_empty_statement_hold() -> None:
    verify_statements([])
    verify_statements([build_statement((), 0, (), (), 0, None, ())])


def test_payments_that_are_all_different(stock: Stock) -> None:  # T16
    """Nothing is shared, not even a key: 96 payments, 144 proofs, made for this call alone."""
    parts = [make_payment(place, is_aggregated=place % 2 == 0) for place in range(96)]
    statements = [one.build() for one in parts]
    verify_statements(statements)
    for place, kind in enumerate(KINDS):
        at = 19 * place + 1
        broken, (part, position) = spoil(parts[at], kind, place, stock.payments[at % 2])
        found = find_named([*statements[:at], broken.build(), *statements[at + 1 :]])
        assert found == [(at, part, position)], kind


def test_one_statement_many_times(stock: Stock) -> None:  # T16
    """The same object everywhere, good or bad: nothing is judged once for all its places."""
    good = stock.payments[0]
    bad, (part, position) = spoil(good, "owner", 0, stock.payments[2])
    right, wrong = good.build(), bad.build()
    verify_statements([right] * 70)
    assert find_named([wrong] * 70) == [(place, part, position) for place in range(70)]
    found = find_named([wrong, right] * 35)
    assert found == [(place, part, position) for place in range(0, 70, 2)]


broken_places = st.dictionaries(st.integers(0, 129), st.sampled_from(KINDS), max_size=12)


@settings(max_examples=25)
@given(broken_places, st.integers(0, 11), st.integers(0, 12))
def test_several_bad_ones_are_named_exactly(  # T16
    stock: Stock, places: dict[int, str], way: int, lone: int
) -> None:
    statements = stock.mix(130, every=7)
    expected: list[Named] = []
    for at, kind in places.items():
        parts = stock.payments[(at + lone) % len(stock.payments)]
        stranger = stock.payments[(at + lone + 2) % len(stock.payments)]
        broken, (part, position) = spoil(parts, kind, way + at, stranger)
        statements[at] = broken.build()
        expected.append((at, part, position))
    assert find_named(statements) == sorted(expected)


def test_everything_wrong_with_one_payment_is_named(stock: Stock) -> None:  # T16
    """Sorted by statement, part and position; what holds of it is not named."""
    broken, stranger = stock.find_published(), stock.payments[2]
    expected: list[Named] = []
    for kind in KINDS:
        broken, (part, position) = spoil(broken, kind, 3, stranger)
        expected.append((5, part, position))
    statements = stock.mix(12, every=3)
    statements[5] = broken.build()
    assert find_named(statements) == sorted(expected)


def test_the_error_says_which_and_has_a_code(stock: Stock) -> None:
    bad, _ = spoil(stock.payments[1], "balance", 0, stock.payments[3])
    with pytest.raises(BatchRefusedError) as refused:
        verify_statements([stock.payments[0].build(), bad.build()])
    assert refused.value.code is ErrorCode.BATCH_REFUSED
    assert "1 (balance 0)" in str(refused.value)


def test_proofs_of_another_number_of_outputs(stock: Stock) -> None:
    """An aggregated proof says nothing about one output alone, nor two single ones about two."""
    published, aggregated = stock.payments[0], stock.payments[1]
    one = replace(published, proofs=((aggregated.proofs[0][0], 1), published.proofs[1]))
    two = replace(aggregated, proofs=((published.proofs[0][0], 2),))
    found = find_named([one.build(), two.build(), published.build(), aggregated.build()])
    assert found == [(0, "proof", 0), (1, "proof", 0)]


def test_a_statement_has_to_prove_every_output(stock: Stock) -> None:  # T24
    """Leaving a proof out is refused when the statement is made, and so are odd sizes."""
    published = stock.payments[0]
    shapes: list[Parts] = [
        replace(published, proofs=published.proofs[:1]),
        replace(published, proofs=()),
        replace(published, proofs=((published.proofs[0][0], 2), published.proofs[1])),
        replace(published, kernels=6),
        replace(published, inputs=(bytes(31),)),
    ]
    for parts in shapes:
        with pytest.raises(SpecieError) as refused:
            parts.build()
        assert refused.value.code is ErrorCode.SIZE_INVALID


def test_threads_verify_at_the_same_time(stock: Stock) -> None:  # T16
    """Batches of different callers share the cores and nothing else."""
    found: dict[int, list[Named]] = {}

    def work(number: int) -> None:
        order = random.Random(number)
        for _ in range(6):
            at = order.randrange(40)
            parts, stranger = stock.payments[number], stock.payments[number + 2]
            broken, (part, position) = spoil(parts, KINDS[at % 5], at, stranger)
            statements = stock.mix(40, every=4)
            statements[at] = broken.build()
            assert find_named(statements) == [(at, part, position)]
        found[number] = find_named(stock.mix(40, every=4))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: [], 1: [], 2: [], 3: []}
