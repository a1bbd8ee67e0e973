"""One bad statement among many is refused, alone, wherever it stands (T16).

The range-proof crate below the kernel looks at the first 256 proofs of a call only and says Ok for
the rest; so does nothing here. `rust/kernel/tests/whole/batches.rs` asks the same there.
"""

from collections.abc import Sequence
from itertools import count

import pytest

from specie.crypto.proofs import Statement
from tests.kernel_batches.statements import (
    KINDS,
    WAYS,
    Parts,
    Stock,
    draw_positions,
    find_named,
    list_edges,
    spoil,
)

LARGE = 1_024


def check_positions(
    batch: Sequence[Statement], positions: Sequence[int], kind: str, bad: Sequence[Parts]
) -> None:
    """Put a spoilt statement at each position in turn, each time broken in another way."""
    for place, way in zip(positions, count(), strict=False):
        broken, (part, position) = spoil(bad[way % len(bad)], kind, way, bad[(way + 2) % len(bad)])
        statements = list(batch)
        statements[place] = broken.build()
        assert find_named(statements) == [(place, part, position)], f"{kind}, way {way % WAYS}"


def test_two_bad_proofs_are_refused_anywhere_among_300(stock: Stock) -> None:  # T16
    """Around the 256th, at both ends, and anywhere; the kernel's own test takes every position."""
    edges = (0, 62, 64, 252, 254, 256, 258, 298)
    check_pairs(stock, [one & ~1 for one in draw_positions(300, edges, 4)])


@pytest.mark.soak
def test_two_bad_proofs_are_refused_at_every_position_of_300(stock: Stock) -> None:  # T16
    check_pairs(stock, range(0, 300, 2))


def check_pairs(stock: Stock, places: Sequence[int]) -> None:
    """Two neighbours in each call, broken in two ways: what stands beside them is not named."""
    proofs = [one.build() for one in stock.proofs]
    batch = [proofs[place % len(proofs)] for place in range(300)]
    for place in places:
        bad, other = (stock.proofs[(place + step) % len(proofs)] for step in (0, 1))
        statements = list(batch)
        statements[place] = spoil(bad, "proof", place // 2, other)[0].build()
        statements[place + 1] = spoil(other, "proof", place // 2 + 1, bad)[0].build()
        assert find_named(statements) == [(place, "proof", 0), (place + 1, "proof", 0)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_payment_is_refused_at_edges_and_random_positions(  # T16
    stock: Stock, kind: str
) -> None:
    """1,024 different statements; of five kinds of wrong, each at the edges and four more."""
    positions = draw_positions(LARGE, list_edges(LARGE), 4)
    check_positions(stock.mix(LARGE, every=64), positions, kind, stock.payments)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_payment_is_refused_among_1024_payments(stock: Stock, kind: str) -> None:  # T16
    """Nothing but whole payments, 1,536 proofs in one call: the heaviest batch, at one place."""
    paid = [one.build() for one in stock.payments]
    batch = [paid[place % len(paid)] for place in range(LARGE)]
    check_positions(batch, draw_positions(LARGE, (), 1), kind, stock.payments)


def test_a_bad_proof_is_refused_among_1024_proofs(stock: Stock) -> None:  # T16
    proofs = [one.build() for one in stock.proofs]
    batch = [proofs[place % len(proofs)] for place in range(LARGE)]
    check_positions(batch, (0, 255, 256, 512, LARGE - 1), "proof", stock.proofs)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_payment_is_refused_at_every_position_of_1024(  # T16
    stock: Stock, kind: str
) -> None:
    check_positions(stock.mix(LARGE, every=8), range(LARGE), kind, stock.payments)


@pytest.mark.soak
def test_a_bad_proof_is_refused_at_every_position_of_1024(stock: Stock) -> None:  # T16
    proofs = [one.build() for one in stock.proofs]
    batch = [proofs[place % len(proofs)] for place in range(LARGE)]
    check_positions(batch, range(LARGE), "proof", stock.proofs)
