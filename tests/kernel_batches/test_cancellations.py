"""Signatures and balances moved against each other (protocol, "Group, keys, signatures").

What an equation leaves is its residue. Each test makes equations whose residues are not zero but
sum to zero, shows that by plain arithmetic, and that the kernel names every one of them, whatever
weights it draws. `rust/kernel/tests/whole/cancellation.rs` asks it of pairs in a call of two.
"""

import hashlib
from dataclasses import replace
from typing import Final

import pytest

from tests.kernel_batches.residues import (
    check_cancelling,
    compute_balance_residue,
    compute_signature_residue,
    move,
    put_signature,
)
from tests.kernel_batches.statements import Record, Stock, find_named, make_payment, move_scalar
from tests.reference import ristretto
from tests.reference.hashing import ORDER

TRIES: Final = 10
"""Weights are drawn anew in every call; none of them may let a forgery pass."""
STEPS: Final = (1, ORDER - 1, 2**200 + 12345, pow(2, 128, ORDER))


def test_the_residue_of_what_holds_is_zero(stock: Stock) -> None:
    parts = stock.payments[0]
    assert ristretto.is_identity(compute_balance_residue(parts))
    for record in parts.signatures:
        assert ristretto.is_identity(compute_signature_residue(record))


@pytest.mark.parametrize("step", STEPS)
def test_two_signatures_moved_against_each_other_in_one_statement(  # T16
    stock: Stock, step: int
) -> None:
    """Any two of one payment: kernel and owner, two owners, owner and attestation."""
    right = stock.payments[0]
    names = [("kernel", 0), *(("signature", place) for place in range(4))]
    for first, second in ((0, 1), (1, 2), (2, 4)):
        moved = [move(right.signatures[first], step), move(right.signatures[second], -step)]
        check_cancelling(*map(compute_signature_residue, moved))
        forged = put_signature(put_signature(right, first, moved[0]), second, moved[1]).build()
        expected = sorted((1, *names[place]) for place in (first, second))
        for _ in range(TRIES):
            assert find_named([right.build(), forged]) == expected


@pytest.mark.parametrize("places", [(0, 1), (5, 6), (63, 64), (0, 299)])
def test_two_signatures_moved_against_each_other_across_statements(  # T16
    stock: Stock, places: tuple[int, int]
) -> None:
    batch = stock.mix(300, every=16)
    for step in STEPS:
        residues = []
        for place, change, parts in zip(places, (step, -step), stock.payments, strict=False):
            record = move(parts.signatures[1], change)
            residues.append(compute_signature_residue(record))
            batch[place] = put_signature(parts, 1, record).build()
        check_cancelling(*residues)
        assert find_named(batch) == [(place, "signature", 0) for place in places]


def test_three_signatures_that_cancel_together(stock: Stock) -> None:  # T16
    steps = (5, 7, -12)
    parts = stock.payments[:3]
    moved = [move(one.signatures[2], step) for one, step in zip(parts, steps, strict=True)]
    check_cancelling(*map(compute_signature_residue, moved))
    forged = [
        put_signature(one, 2, record).build() for one, record in zip(parts, moved, strict=True)
    ]
    assert find_named(forged) == [(place, "signature", 1) for place in range(3)]


def test_a_signature_twice_moved_against_itself(stock: Stock) -> None:  # T16
    """Key, nonce and message are the same: weights that leave out s are equal by themselves."""
    right = stock.payments[0]
    moved = [move(right.signatures[1], step) for step in (9, -9)]
    check_cancelling(*map(compute_signature_residue, moved))
    forged = [put_signature(right, 1, record).build() for record in moved]
    for _ in range(TRIES):
        assert find_named(forged) == [(0, "signature", 0), (1, "signature", 0)]


def test_weights_that_follow_from_all_but_s_can_be_met(stock: Stock) -> None:  # T16
    """The trap itself: who knows the weights beforehand makes wrong signatures cancel by them.

    z·(first) + z'·(second) = 0 for any weights z, z' that are fixed before s is chosen; that is
    what schnorrkel's deterministic batch does, and why it is banned here.
    """

    def draw_weight(record: Record) -> int:
        return int.from_bytes(
            hashlib.sha256(record[0] + record[1] + record[2][:32]).digest(), "big"
        )

    first, second = (one.signatures[1] for one in stock.payments[:2])
    weights = draw_weight(first), draw_weight(second)
    step = 4_711
    answer = -step * weights[0] * pow(weights[1], -1, ORDER) % ORDER
    moved = move(first, step), move(second, answer)
    residues = [compute_signature_residue(record) for record in moved]
    weighted = [
        ristretto.multiply(weight, one) for weight, one in zip(weights, residues, strict=True)
    ]
    check_cancelling(*weighted)
    assert weights == tuple(map(draw_weight, moved))
    forged = [
        put_signature(parts, 1, record).build()
        for parts, record in zip(stock.payments, moved, strict=False)
    ]
    for _ in range(TRIES):
        assert find_named(forged) == [(0, "signature", 0), (1, "signature", 0)]


def test_an_offset_moved_against_a_signature(stock: Stock) -> None:  # T16
    """Both equations have a G-part: o + d leaves -d·G, s + d leaves d·G."""
    right = stock.payments[1]
    assert right.offset is not None
    moved = replace(right, offset=move_scalar(right.offset, 77))
    forged = put_signature(moved, 0, move(right.signatures[0], 77))
    residues = compute_balance_residue(forged), compute_signature_residue(forged.signatures[0])
    check_cancelling(*residues)
    for _ in range(TRIES):
        assert find_named([forged.build()]) == [(0, "balance", 0), (0, "kernel", 0)]


def test_two_balances_moved_against_each_other(stock: Stock) -> None:  # T10, T16
    """One pays a unit too much, the other a unit too little: a theft between strangers."""
    forged = [
        make_payment(place, is_aggregated=True, gain=gain) for place, gain in ((1, 1), (2, -1))
    ]
    check_cancelling(*map(compute_balance_residue, forged))
    statements = [one.build() for one in forged]
    for _ in range(TRIES):
        expected = [(3, "balance", 0), (4, "balance", 0)]
        assert find_named([*stock.mix(3, every=2), *statements]) == expected
