"""The wire form: one encoding for each transaction, every limit enforced (spec page 03)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.outputs import OUTPUT_BYTES
from specie.crypto.proofs import get_proof_size
from specie.identity.genesis import ProofMode
from specie.ledger.records import (
    Attestation,
    AttestationRole,
    Authorisation,
    Claim,
    Kernel,
    Kind,
    Output,
    RangeProof,
    ReserveReference,
    SupplySection,
    Terms,
)
from specie.ledger.transactions import AttestedTransaction, SignedTransaction, TransactionBody
from specie.ledger.wire import decode_attested, decode_signed, encode_attested, encode_signed
from specie.values.catalogue import ErrorCode
from specie.values.encoding import i64, u64
from specie.values.identifiers import (
    EntryId,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Scalar,
    Signature,
)
from specie.values.limits import SUPPLY_CHANGE_MAX, TRANSACTION_BYTES_MAX
from specie.values.times import TIMESTAMP_MAX, Timestamp
from tests.reference.hashing import ORDER, encode_scalar
from tests.refusing import attempt, refuse
from tests.unit.ledger.scenes import make_issue, make_payment, make_redemption

VERSION_AT, KIND_AT, CHANGE_AT, BEFORE_AT, OFFSET_AT, COUNTS_AT, INPUTS_AT = (
    *(0, 17, 18, 26, 42, 74, 82),
)


def fixed(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


# --- any structure ------------------------------------------------------------------------------

times = st.integers(0, TIMESTAMP_MAX).map(Timestamp)
signatures = fixed(64).map(Signature)
banks = st.integers(0, 2**32 - 1).map(ParticipantNumber)
terms = st.builds(
    Terms,
    nonce=fixed(16),
    kind=st.just(Kind.CASH),
    bank=banks,
    label=st.integers(0, 2**32 - 1),
    lock=st.just(bytes(32)) | fixed(32),
    expiry=times,
)
proofs = st.sampled_from([1, 2, 3, 16]).flatmap(
    lambda covers: st.builds(RangeProof, st.just(covers), fixed(get_proof_size(covers)))
)
kernels = st.builds(Kernel, fixed(32).map(PublicKey), signatures)
attestations = st.builds(
    Attestation,
    st.sampled_from(AttestationRole),
    banks,
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**16 - 1),
    st.sampled_from(Claim),
    st.integers(0, 2**32 - 1),
    signatures,
)
reserves = st.builds(
    ReserveReference,
    fixed(16).map(EntryId),
    banks,
    st.integers(0, 2**64 - 1),
    times,
    signatures,
).filter(lambda one: any(one.pack()))  # zeros stand for a debit that is not there yet


@st.composite
def transactions(draw: st.DrawFn) -> AttestedTransaction:
    change = draw(st.sampled_from([0, 1, -1, SUPPLY_CHANGE_MAX, -SUPPLY_CHANGE_MAX]))
    outputs = draw(st.lists(fixed(OUTPUT_BYTES).map(Output), min_size=1, max_size=3))
    inputs = draw(st.lists(fixed(32).map(OutputRef), max_size=4))
    body = TransactionBody(
        network=NetworkId(draw(fixed(16))),
        kind=Kind.CASH,
        supply_change=change,
        not_before=draw(times),
        not_after=draw(times),
        offset=Scalar(encode_scalar(draw(st.integers(0, ORDER - 1)))),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        terms=tuple(draw(terms) for _ in outputs),
        proofs=tuple(draw(st.lists(proofs, min_size=1, max_size=3))),
    )
    supply = None
    if change:
        officers = st.builds(Authorisation, st.integers(0, 255), signatures)
        supply = SupplySection(
            draw(st.integers(0, 2**64 - 1)),
            draw(st.integers(0, 2**64 - 1)),
            tuple(draw(st.lists(officers, max_size=8))),
            draw(st.none() | reserves) if change > 0 else None,
        )
    signed = SignedTransaction(
        body,
        tuple(draw(st.lists(kernels, min_size=1, max_size=4))),
        tuple(draw(signatures) for _ in inputs),
        supply,
    )
    return AttestedTransaction(signed, tuple(draw(st.lists(attestations, max_size=4))))


@given(transactions())
@settings(max_examples=60)
def test_every_transaction_is_encoded_and_read_back(transaction: AttestedTransaction) -> None:
    data = encode_attested(transaction)
    assert decode_attested(data) == transaction
    assert decode_attested(data).txid == transaction.txid
    signed = encode_signed(transaction.signed)
    assert decode_signed(signed) == transaction.signed
    if transaction.attestations:
        assert refuse(decode_signed, data) is ErrorCode.ATTESTATION_EXCESS


@given(transactions(), st.data())
@settings(max_examples=60)
def test_no_two_encodings_of_one_transaction(
    transaction: AttestedTransaction, data: st.DataObject
) -> None:
    """Change any byte: it is refused, or it is another transaction, whose encoding it is."""
    good = encode_attested(transaction)
    place = data.draw(st.integers(0, len(good) - 1) | st.integers(0, 81))
    spoilt = good[:place] + bytes([data.draw(st.integers(0, 255))]) + good[place + 1 :]
    found = attempt(decode_attested, spoilt)
    if not isinstance(found, ErrorCode):
        assert encode_attested(found) == spoilt
        assert (found == transaction) == (spoilt == good)


@given(st.binary(max_size=300))
def test_garbage_is_refused_with_a_code(data: bytes) -> None:
    assert isinstance(attempt(decode_attested, data), ErrorCode)


# --- limits -------------------------------------------------------------------------------------


def overwrite(data: bytes, start: int, part: bytes) -> bytes:
    return data[:start] + part + data[start + len(part) :]


@pytest.fixture(scope="module")
def payment() -> bytes:
    return encode_attested(make_payment().judge()[0])


@pytest.mark.parametrize(
    ("place", "numbers"),
    [
        (0, [17, 255]),
        (1, [0, 17, 255]),
        (2, [0, 17, 255]),
        (3, [0, 5, 255]),
        (4, [5, 255]),
        (5, [9, 255]),
        (6, [1, 255]),
        (7, [1, 255]),
    ],
    ids=[
        *("inputs", "outputs", "proofs", "kernels", "attestations", "authorisations", "links"),
        "devices",
    ],
)
def test_counts_out_of_their_limits(  # T16
    payment: bytes, place: int, numbers: Sequence[int]
) -> None:
    for number in numbers:
        spoilt = overwrite(payment, COUNTS_AT + place, bytes([number]))
        assert refuse(decode_attested, spoilt) is ErrorCode.LIMIT_EXCEEDED


def test_a_body_that_is_too_long(payment: bytes) -> None:
    longer = payment.ljust(TRANSACTION_BYTES_MAX, b"\0")
    assert refuse(decode_attested, longer) is ErrorCode.TRAILING_BYTES
    assert refuse(decode_attested, longer + b"\0") is ErrorCode.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("place", "part", "code"),
    [
        (VERSION_AT, b"\0", ErrorCode.VERSION_UNKNOWN),
        (VERSION_AT, b"\x02", ErrorCode.VERSION_UNKNOWN),
        (KIND_AT, b"\0", ErrorCode.KIND_UNKNOWN),
        (KIND_AT, b"\x07", ErrorCode.KIND_UNKNOWN),
        *((KIND_AT, bytes([kind]), ErrorCode.KIND_NOT_SUPPORTED) for kind in range(2, 7)),
        (CHANGE_AT, i64(-(2**63)), ErrorCode.AMOUNT_OUT_OF_RANGE),
        (BEFORE_AT, u64(2**63), ErrorCode.NOT_CANONICAL),
        (BEFORE_AT + 8, u64(2**64 - 1), ErrorCode.NOT_CANONICAL),
        (OFFSET_AT, ORDER.to_bytes(32, "little"), ErrorCode.SCALAR_INVALID),
        (OFFSET_AT, b"\xff" * 32, ErrorCode.SCALAR_INVALID),
    ],
)
def test_fields_out_of_their_range(  # T16
    payment: bytes, place: int, part: bytes, code: ErrorCode
) -> None:
    assert refuse(decode_attested, overwrite(payment, place, part)) is code


def test_terms_have_one_spelling(payment: bytes) -> None:
    """A field that is zero must be absent; bits without a field are refused."""
    start = INPUTS_AT + 2 * 32 + 2 * OUTPUT_BYTES
    kind, present, rest = start + 16, start + 21, payment[start + 22 :]
    head = payment[:present]
    for bits, field in ((1, 4), (2, 32), (4, 8), (7, 44)):
        zero = head + bytes([bits]) + bytes(field) + rest
        assert refuse(decode_attested, zero) is ErrorCode.NOT_CANONICAL
        given_field = head + bytes([bits]) + b"\x01" * field + rest
        assert encode_attested(decode_attested(given_field)) == given_field
    for bits in (8, 0x80, 0xFF):
        assert refuse(decode_attested, overwrite(payment, present, bytes([bits]))) is (
            ErrorCode.NOT_CANONICAL
        )
    assert refuse(decode_attested, overwrite(payment, kind, b"\x00")) is ErrorCode.KIND_UNKNOWN
    assert refuse(decode_attested, overwrite(payment, kind, b"\x02")) is (
        ErrorCode.KIND_NOT_SUPPORTED
    )


def test_attestations_have_known_roles_and_claims(payment: bytes) -> None:
    start = len(payment) - 2 * 78
    for place, value in ((0, 0), (0, 4), (9, 2), (9, 255)):
        spoilt = overwrite(payment, start + place, bytes([value]))
        assert refuse(decode_attested, spoilt) is ErrorCode.KIND_UNKNOWN


def test_a_proof_covers_one_to_sixteen(payment: bytes) -> None:
    start = INPUTS_AT + 2 * 32 + 2 * OUTPUT_BYTES + 2 * 22
    for covers in (0, 17, 255):
        spoilt = overwrite(payment, start, bytes([covers]))
        assert refuse(decode_attested, spoilt) is ErrorCode.LIMIT_EXCEEDED


def test_authorisations_without_a_change() -> None:  # T4
    scene = make_payment()
    transaction, _ = scene.judge()
    data = bytearray(encode_attested(transaction))
    data[COUNTS_AT + 5] = 1
    code = refuse(decode_attested, bytes(data) + bytes(65))
    assert code is ErrorCode.SUPPLY_SECTION_UNEXPECTED


def test_an_issue_waits_for_its_debit_and_officers() -> None:  # P8
    """What the builder hands on has zeros where officers and accounting are going to sign."""
    scene = make_issue()
    transaction, _ = scene.judge()
    waiting = replace(transaction.signed, supply=SupplySection(0, 0, (), None))
    data = encode_signed(waiting)
    assert data.endswith(bytes(16 + 100))
    assert decode_signed(data) == waiting


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "size", "most"),
    [(ProofMode.PUBLISHED, 2_554, 2_600), (ProofMode.AGGREGATED, 2_040, 2_048)],
    ids=lambda one: one.name if isinstance(one, ProofMode) else None,
)
def test_a_payment_is_small(mode: ProofMode, size: int, most: int) -> None:  # T23, T26
    """2 inputs, 2 outputs, two banks: the specification's figure, and what a wallet plans with."""
    data = encode_attested(make_payment(mode).judge()[0])
    assert len(data) == size <= most


def test_a_redemption_has_no_debit() -> None:  # P9
    transaction, _ = make_redemption().judge()
    assert decode_attested(encode_attested(transaction)) == transaction
    supply = transaction.signed.supply
    assert supply is not None and supply.reserve is None
