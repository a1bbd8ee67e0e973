"""The identity is refused wherever a key, an ephemeral, a kernel or a commitment is expected.

Its one encoding is 32 zero bytes. As a key it would let anyone sign, as a commitment it would be an
amount of zero that anyone can open (protocol, "Group, keys, signatures").
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.outputs import Opening, Scanner, derive_output, derive_owner_key
from specie.crypto.proofs import build_statement
from specie.crypto.secrets import KeyTree, ScanKey, SigningKey
from specie.crypto.signatures import sign, verify_institution_signature, verify_signature
from specie.crypto.sums import SupplySum
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.times import Timestamp
from tests.kernel_batches.residues import put_signature
from tests.kernel_batches.statements import Parts, Stock, find_named
from tests.reference import ristretto

IDENTITY: Final = PublicKey(bytes(32))
MESSAGE: Final = b"\5" * 32
BANK: Final = ParticipantNumber(7)
LABEL: Final = 3

TREE: Final = KeyTree.from_phrase("abandon " * 11 + "about")
VIEW, SPEND = TREE.view_key(0), TREE.spend_key(0)
SCAN: Final = ScanKey.generate()
SCAN_PUBLIC: Final = PublicKey(SCAN.public)
OPENING: Final = Opening(
    view=PublicKey(VIEW.public),
    spend=PublicKey(SPEND.public),
    bank=BANK,
    anchor=bytes(16),
    amount=Minor(5),
    kind=1,
    label=0,
    lock=bytes(32),
    expiry=Timestamp(0),
    memo=bytes(160),
)


def refused_with(work: Callable[[], object]) -> ErrorCode:
    """The code of the refusal; fails if there is none."""
    with pytest.raises(SpecieError) as refused:
        work()
    return refused.value.code


def test_the_identity_has_this_one_encoding() -> None:
    assert ristretto.encode(ristretto.IDENTITY) == IDENTITY


# --- statements ----------------------------------------------------------------------------------


def check_named(stock: Stock, parts: Parts, expected: list[tuple[str, int]]) -> None:
    """Named between payments that hold."""
    batch = [stock.payments[1].build(), parts.build(), stock.payments[3].build()]
    assert find_named(batch) == [(1, part, position) for part, position in expected]


def test_an_owner_key_p(stock: Stock) -> None:  # T16
    """Also with the signature that holds for it in the equation: s = 0, R = the identity."""
    parts = stock.payments[0]
    _, message, signature = parts.signatures[1]
    nothing = bytes(63) + b"\x80"
    own_nonce = sign(SigningKey.generate(), message)[:32] + nothing[32:]
    for forged in (signature, nothing, own_nonce):
        changed = put_signature(parts, 1, (IDENTITY, message, forged))
        check_named(stock, changed, [("signature", 0)])


def test_a_kernel_k(stock: Stock) -> None:  # T10
    parts = stock.payments[0]
    _, message, signature = parts.signatures[0]
    for forged in (signature, bytes(63) + b"\x80"):
        changed = put_signature(parts, 0, (IDENTITY, message, forged))
        check_named(stock, changed, [("balance", 0), ("kernel", 0)])


def test_a_kernel_that_is_not_needed(stock: Stock) -> None:  # T10
    """A second kernel that changes nothing in the sum is refused all the same, also in public."""
    parts = stock.payments[0]
    empty = (bytes(IDENTITY), MESSAGE, bytes(63) + b"\x80")
    more = replace(parts, signatures=(*parts.signatures[:1], empty, *parts.signatures[1:]))
    check_named(stock, replace(more, kernels=2), [("balance", 0), ("kernel", 1)])
    alone = build_statement([empty], 1, (), (), 0, None, ())
    assert find_named([alone]) == [(0, "kernel", 0)]


def test_a_nonce_r(stock: Stock) -> None:  # T16
    parts = stock.payments[0]
    for place, named in ((0, ("kernel", 0)), (2, ("signature", 1)), (4, ("signature", 3))):
        public, message, signature = parts.signatures[place]
        forged = (public, message, IDENTITY + signature[32:])
        check_named(stock, put_signature(parts, place, forged), [named])


def test_a_commitment_c(stock: Stock) -> None:  # T10
    """An input or an output; positions count inputs first."""
    parts = stock.find_published()
    inputs = replace(parts, inputs=(bytes(IDENTITY), parts.inputs[1]))
    check_named(stock, inputs, [("balance", 0), ("point", 0)])
    outputs = replace(parts, outputs=(parts.outputs[0], bytes(IDENTITY)))
    check_named(stock, outputs, [("balance", 0), ("point", 3), ("proof", 1)])


def test_commitments_that_add_nothing(stock: Stock) -> None:  # T10
    """An identity among the inputs leaves the balance as it is; it is refused all the same."""
    parts = stock.payments[0]
    padded = replace(parts, inputs=(*parts.inputs, bytes(IDENTITY)))
    check_named(stock, padded, [("balance", 0), ("point", 2)])


# --- signatures alone, sums ----------------------------------------------------------------------


def test_signatures_alone() -> None:  # T16
    key = SigningKey.generate()
    public, signature = PublicKey(key.public), sign(key, MESSAGE)
    nothing = Signature(bytes(63) + b"\x80")
    code = ErrorCode.SIGNATURE_INVALID
    assert refused_with(lambda: verify_signature(IDENTITY, MESSAGE, signature)) == "identity_point"
    assert refused_with(lambda: verify_signature(IDENTITY, MESSAGE, nothing)) == "identity_point"
    swapped = Signature(IDENTITY + signature[32:])
    assert refused_with(lambda: verify_signature(public, MESSAGE, swapped)) is code


def test_institutions_keys_of_small_order() -> None:  # P4
    """Ed25519: with such a key, R = the key and s = 0 hold for many messages; strict refuses."""
    for encoding in (b"\1" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"):
        public = InstitutionPublicKey(encoding)
        for nonce in (encoding, b"\1" + bytes(31)):
            forged = Signature(nonce + bytes(32))
            for number in range(8):
                message = bytes([number]) * 32
                code = refused_with(partial(verify_institution_signature, public, message, forged))
                assert code is ErrorCode.SIGNATURE_INVALID


def test_sums_of_the_public_check() -> None:  # X1
    total = SupplySum()
    point = SigningKey.generate().public
    for change in (total.add_commitments, total.subtract_commitments):
        assert refused_with(partial(change, [point, IDENTITY])) is ErrorCode.IDENTITY_POINT
    total.verify_balanced()  # nothing of a refused list was added


# --- outputs, scanning, addresses ----------------------------------------------------------------


@pytest.mark.parametrize("change", [{"view": IDENTITY}, {"spend": IDENTITY}])
def test_addresses_of_payees(change: dict[str, PublicKey]) -> None:  # T10
    opening = replace(OPENING, **change)  # type: ignore[arg-type]  # the names are those above
    code = refused_with(lambda: derive_output(opening, SCAN_PUBLIC))
    assert code is ErrorCode.IDENTITY_POINT
    address = Address(BANK, opening.view, opening.spend)
    text = format_address(address, "spc")
    assert refused_with(lambda: parse_address(text, "spc")) is ErrorCode.IDENTITY_POINT


def test_scan_keys_of_banks() -> None:  # T11
    for work in (
        lambda: derive_output(OPENING, IDENTITY),
        lambda: Scanner(BANK, IDENTITY),
        lambda: Scanner(BANK, SCAN_PUBLIC).add(VIEW, IDENTITY),
    ):
        assert refused_with(work) is ErrorCode.IDENTITY_POINT


def test_audit_keys_of_labels() -> None:  # T7
    labelled = replace(OPENING, label=LABEL)
    for work in (
        lambda: derive_output(labelled, SCAN_PUBLIC, IDENTITY),
        lambda: Scanner(BANK, SCAN_PUBLIC, {LABEL: IDENTITY}),
    ):
        assert refused_with(work) is ErrorCode.IDENTITY_POINT


@pytest.mark.parametrize("field", ["P", "R", "C"])
def test_received_outputs(field: str) -> None:  # T11
    """Nobody finds such an output, and nobody gets a key for it."""
    data = derive_output(OPENING, SCAN_PUBLIC).data
    start = {"P": 0, "R": 32, "C": 65}[field]
    broken = data[:start] + IDENTITY + data[start + 32 :]
    scanner = Scanner(BANK, SCAN_PUBLIC)
    scanner.add(VIEW, OPENING.spend)
    for found in (scanner.scan([broken, data]), scanner.scan_hinted(SCAN, [broken, data])):
        assert [hit.index for hit in found.hits] == [1]
        assert found.refused == ((0,) if field == "C" else ())
    if field != "C":
        expected = {"P": "opening_mismatch", "R": "identity_point"}[field]
        assert refused_with(lambda: derive_owner_key(SPEND, VIEW, broken)) == expected
