"""Range proofs and whole statements: the native kernel against its plain-Python twins."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from specie import _kernel as kernel
from tests.reference import hashing, output, range_proof, schnorr, statement
from tests.reference.comparing import (
    FEW,
    SOME,
    amounts,
    find_native_failures,
    flip,
    outcome,
    points,
    spellings,
    words32,
)
from tests.reference.output import Opening
from tests.reference.range_prover import derive_nonces, prove_range
from tests.vectors.files import load, read_statement

TRANSACTIONS: Final = [read_statement(case) for case in load("transaction")["transactions"]]

changes = st.tuples(
    st.sampled_from(
        ["signatures", "inputs", "outputs", "offset", "value", "proofs", "swap", "no offset"]
    ),
    st.integers(0, 10**5),
)


def make_masks(values: Sequence[int]) -> tuple[list[kernel.Mask], list[int], bytes]:
    """Masks as handles and as integers, by way of outputs, and the commitments."""
    native, plain, commitments = [], [], b""
    public = schnorr.public_key(3)
    for at, value in enumerate(values):
        anchor = bytes([at] * 16)
        opening = Opening(public, public, 1, anchor, value, 1, 0, bytes(32), 0, bytes(160))
        made, mask, _ = kernel.derive_output(opening.pack(), public, None)
        native.append(mask)
        plain.append(output.derive_output(opening, public, None).mask)
        commitments += made[65:97]
    return native, plain, commitments


@settings(max_examples=FEW)
@given(st.lists(amounts, min_size=1, max_size=3), words32)
def test_range_proofs(values: list[int], seed: bytes) -> None:  # T24
    """The twin accepts the kernel's proof, the kernel the twin's."""
    native, plain, commitments = make_masks(values)
    proof = kernel.prove_range(values, native)
    range_proof.verify_range(proof, commitments)
    one = prove_range(values[:1], plain[:1], derive_nonces(seed, 1))
    kernel.verify_range(one, commitments[:32])


@settings(max_examples=SOME)
@given(st.sampled_from([1, 2, 3]), st.integers(0, 8 * 900), st.booleans(), st.data())
def test_broken_range_proofs(covers: int, bit: int, swap: bool, data: st.DataObject) -> None:
    native, _, commitments = make_masks(range(covers))
    proof = kernel.prove_range(range(covers), native)
    if bit < 8 * len(proof):
        proof = flip(proof, bit)
    elif swap:
        other = data.draw(spellings | points)
        commitments = other + commitments[32:]
    else:
        commitments += commitments[:32]
    natively = outcome(kernel.verify_range, proof, commitments)
    assert natively == outcome(range_proof.verify_range, proof, commitments)
    assert natively[0] == "refuses"


def test_sizes_of_range_proofs() -> None:
    for covers in range(18):
        native = outcome(kernel.range_proof_size, covers)
        assert native == outcome(range_proof.range_proof_size, covers)


def to_native(plain: statement.Statement) -> kernel.Statement:
    """The kernel's statement with the same fields."""
    return kernel.Statement(
        plain.signatures,
        plain.kernels,
        plain.inputs,
        plain.outputs,
        plain.value,
        plain.offset,
        plain.proofs,
    )


def spoil(plain: statement.Statement, field: str, bit: int) -> statement.Statement:
    """One thing changed."""
    if field == "value":
        return replace(plain, value=plain.value + (1 if plain.value < 2**62 else -1))
    if field == "proofs":
        at = bit % len(plain.proofs)
        proofs = list(plain.proofs)
        proofs[at] = flip(proofs[at][0], bit // len(proofs)), proofs[at][1]
        return replace(plain, proofs=proofs)
    if field == "swap":
        return replace(plain, outputs=plain.outputs[32:] + plain.outputs[:32])
    if field == "no offset":
        return replace(plain, offset=None)
    part: bytes = getattr(plain, field)
    changed: Any = {field: flip(part, bit) if part else part}
    return replace(plain, **changed)


@settings(max_examples=SOME)
@given(
    st.lists(st.sampled_from(TRANSACTIONS), min_size=1, max_size=2), st.lists(changes, max_size=2)
)
def test_statements_name_what_fails(  # T16
    plain: list[statement.Statement], spoilt: list[tuple[str, int]]
) -> None:
    for field, bit in spoilt:
        if field == "no offset" or plain[-1].offset is not None:
            plain[-1] = spoil(plain[-1], field, bit)
    natively = find_native_failures(kernel.verify_statements, [to_native(one) for one in plain])
    assert natively == statement.find_failures(plain)


@settings(max_examples=FEW)
@given(st.integers(0, 299), st.sampled_from(["proofs", "signatures", "value"]))
@example(0, "proofs")
@example(256, "proofs")
@example(299, "proofs")
def test_one_bad_statement_in_a_large_batch_is_found(place: int, field: str) -> None:
    """Wherever it stands; the range-proof crate itself looks at the first 256 proofs only."""
    good = min(TRANSACTIONS, key=lambda plain: len(plain.outputs))
    bad = spoil(good, field, 3_001)
    batch = [to_native(good)] * 300
    batch[place] = to_native(bad)
    expected = [(place, part, at) for _, part, at in statement.find_failures([bad])]
    assert expected
    assert list(find_native_failures(kernel.verify_statements, batch)) == expected


@settings(max_examples=FEW)
@given(st.lists(amounts.map(lambda v: v >> 2), min_size=1, max_size=2), amounts)
def test_a_payment_made_by_the_kernel_holds(paid: list[int], cut: int) -> None:  # T10, T16
    total = sum(paid)
    change = cut % (total + 1)
    in_masks, _, inputs = make_masks(paid)
    out_masks, _, outputs = make_masks([total - change, change])
    key, offset = kernel.balance_key(out_masks, in_masks)
    message = hashing.tagged_hash("kernel", b"")
    made = statement.Statement(
        signatures=key.public + message + key.sign(message),
        kernels=1,
        inputs=inputs,
        outputs=outputs,
        value=0,
        offset=offset,
        proofs=[(kernel.prove_range([total - change, change], out_masks), 2)],
    )
    assert statement.find_failures([made]) == ()
    kernel.verify_statements([to_native(made)])
    assert kernel.balance_key(out_masks, in_masks)[1] != offset
