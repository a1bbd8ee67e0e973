"""Kernels and nonces with a part of H: money from nothing, if anybody believed them.

    K = k·G + x·H,   R = r·G + y·H,   s = r + c·k       leaves -(y + c·x)·H in the signature
    outputs worth `gain` more than inputs and issue      leave (gain - x)·H in the balance

With equal weights the two sums cancel when gain - x = y + c·x. The amounts, masks and range proofs
of these payments are right, so nothing but the kernel's signature stands against them.
"""

from dataclasses import replace
from typing import Final

import pytest

from specie.crypto.proofs import Statement, build_statement
from specie.crypto.secrets import SigningKey
from specie.values.identifiers import Scalar
from tests.kernel_batches.residues import (
    check_cancelling,
    compute_balance_residue,
    compute_signature_residue,
    put_signature,
)
from tests.kernel_batches.statements import (
    Parts,
    Record,
    Stock,
    find_named,
    make_payment_and_kernel,
)
from tests.reference import handles, ristretto, schnorr
from tests.reference.commitment import value_generator
from tests.reference.hashing import ORDER, decode_scalar, encode_scalar
from tests.reference.ristretto import BASE

GAIN: Final = 1_000_000
TRIES: Final = 10
X: Final = 2**231 + 101
Y: Final = 2**222 + 103
NONCE: Final = 2**190 + 107


def expose(key: SigningKey) -> int:
    """The secret scalar of a kernel: its owner may do what it likes."""
    return decode_scalar(handles.expose(key, "signing-key"))


def raise_point(public: bytes, value_part: int) -> bytes:
    """P + x·H."""
    part = ristretto.multiply(value_part, value_generator())
    return ristretto.encode(ristretto.add(ristretto.decode(public), part))


def sign_raised(public: bytes, message: bytes, secret: int, nonce_part: int) -> Record:
    """The best that can be signed for a raised kernel: R has a part y·H, s = r + c·k."""
    nonce_point = ristretto.encode(
        ristretto.multiply_many([NONCE, nonce_part], [BASE, value_generator()])
    )
    c = schnorr.challenge(public, message, nonce_point)
    raw = bytearray(nonce_point + encode_scalar(NONCE + c * secret))
    raw[63] |= 0x80
    return public, message, bytes(raw)


def compute_left_over(record: Record, value_part: int, nonce_part: int) -> int:
    """y + c·x."""
    c = schnorr.challenge(record[0], record[1], record[2][:32])
    return (nonce_part + c * value_part) % ORDER


def check_refused_beside(
    stock: Stock, forged: Statement, parts: list[tuple[str, int]], place: int = 3
) -> None:
    """Named wherever it hides among payments that hold, whatever weights are drawn."""
    batch = stock.mix(12, every=3)
    batch[place] = forged
    for _ in range(TRIES):
        assert find_named(batch) == [(place, *part) for part in parts]


def test_a_nonce_with_a_part_of_h_against_a_gain(stock: Stock) -> None:  # T10, T16
    """The shortest forgery: an honest kernel, every amount real, R = r·G + gain·H."""
    parts, kernel = make_payment_and_kernel(3, is_aggregated=False, gain=GAIN)
    public, message, _ = parts.signatures[0]
    record = sign_raised(public, message, expose(kernel), GAIN)
    forged = put_signature(parts, 0, record)
    check_cancelling(compute_balance_residue(forged), compute_signature_residue(record))
    check_refused_beside(stock, forged.build(), [("balance", 0), ("kernel", 0)])


def test_a_kernel_with_a_part_of_h_against_its_nonce(stock: Stock) -> None:  # T10, T16
    """K = k·G + x·H and R = r·G + y·H; the input's amount is chosen so that all cancels."""
    parts, kernel = make_payment_and_kernel(3, is_aggregated=False, gain=GAIN)
    raised, message = raise_point(kernel.public, X), parts.signatures[0][1]
    record = sign_raised(raised, message, expose(kernel), Y)
    surplus = (GAIN - X - compute_left_over(record, X, Y)) % ORDER
    inputs = (raise_point(parts.inputs[0], surplus), parts.inputs[1])
    forged = replace(put_signature(parts, 0, record), inputs=inputs)
    check_cancelling(compute_balance_residue(forged), compute_signature_residue(record))
    check_refused_beside(stock, forged.build(), [("balance", 0), ("kernel", 0)])


def test_two_kernels_that_balance_each_other(stock: Stock) -> None:  # T10, T16
    """K and R with parts of H and every amount real: a second kernel's nonce takes the rest.

    The first kernel's challenge is fixed before the second nonce is chosen, so nothing has to be
    guessed; its key is counted into the offset.
    """
    parts, kernel = make_payment_and_kernel(3, is_aggregated=True, gain=GAIN)
    second = SigningKey.generate()
    message = parts.signatures[0][1]
    record = sign_raised(raise_point(kernel.public, X), message, expose(kernel), Y)
    rest = (GAIN - X - compute_left_over(record, X, Y)) % ORDER
    other = sign_raised(second.public, message, expose(second), rest)
    assert parts.offset is not None
    forged = replace(
        parts,
        signatures=(record, other, *parts.signatures[1:]),
        kernels=2,
        offset=Scalar(encode_scalar(decode_scalar(parts.offset) - expose(second))),
    )
    residues = [compute_signature_residue(one) for one in (record, other)]
    check_cancelling(compute_balance_residue(forged), *residues)
    named = [("balance", 0), ("kernel", 0), ("kernel", 1)]
    check_refused_beside(stock, forged.build(), named)


@pytest.mark.parametrize("places", [(0, 1), (63, 64), (7, 290)])
def test_a_nonce_in_one_statement_against_a_gain_in_another(  # T10, T16
    stock: Stock, places: tuple[int, int]
) -> None:
    gaining, _ = make_payment_and_kernel(3, is_aggregated=True, gain=GAIN)
    parts, kernel = make_payment_and_kernel(4, is_aggregated=True)
    public, message, _ = parts.signatures[0]
    record = sign_raised(public, message, expose(kernel), GAIN)
    helping = put_signature(parts, 0, record)
    check_cancelling(compute_balance_residue(gaining), compute_signature_residue(record))
    batch = stock.mix(300, every=16)
    batch[places[0]], batch[places[1]] = gaining.build(), helping.build()
    for _ in range(3):
        assert find_named(batch) == [(places[0], "balance", 0), (places[1], "kernel", 0)]


# --- K + H ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [1, -1, 500, 2**62])
def test_k_plus_h_is_refused(stock: Stock, units: int) -> None:  # T10, X1
    """As it is, nothing balances; with supply_change shifted it does, and the signature fails."""
    parts, kernel = make_payment_and_kernel(5, is_aggregated=False)
    public, message, signature = parts.signatures[0]
    raised = raise_point(public, units)
    kept = put_signature(parts, 0, (raised, message, signature))
    check_refused_beside(stock, kept.build(), [("balance", 0), ("kernel", 0)])

    shifted = replace(kept, value=-units)
    assert ristretto.is_identity(compute_balance_residue(shifted))
    check_refused_beside(stock, shifted.build(), [("kernel", 0)])

    # Signed anew over the shifted supply_change, by whoever holds k, with and without an H-part.
    for nonce_part in (0, units, -units, Y):
        record = sign_raised(raised, b"\7" * 32, expose(kernel), nonce_part)
        check_refused_beside(stock, put_signature(shifted, 0, record).build(), [("kernel", 0)])


def test_k_plus_h_is_refused_by_a_public_auditor() -> None:  # X1
    """Who has no single transaction's offset verifies kernels alone, and it is enough."""
    parts, kernel = make_payment_and_kernel(5, is_aggregated=True)
    public, message, signature = parts.signatures[0]
    right = build_statement([parts.signatures[0]], 1, (), (), 0, None, ())
    raised = raise_point(public, 1)
    forged = [
        build_statement([record], 1, (), (), 0, None, ())
        for record in (
            (raised, message, signature),
            sign_raised(raised, message, expose(kernel), 0),
            sign_raised(raised, message, expose(kernel), 1),
        )
    ]
    assert find_named([right, *forged]) == [(place, "kernel", 0) for place in (1, 2, 3)]


def test_an_issue_of_another_amount_is_refused(stock: Stock) -> None:  # P2, T10
    """The supply change is in the balance: neither more nor less than the outputs hold."""
    issue, _ = make_payment_and_kernel(6, is_aggregated=False, gain=GAIN, value=GAIN)
    assert find_named([issue.build()]) == []
    for wrong in (GAIN + 1, GAIN - 1, 0, -GAIN):
        forged: Parts = replace(issue, value=wrong)
        check_refused_beside(stock, forged.build(), [("balance", 0)])
