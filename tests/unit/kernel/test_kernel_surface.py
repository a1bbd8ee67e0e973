"""The native kernel as Python sees it: handles, error codes, sizes, sealing, addresses.

Values are compared with the plain-Python twins elsewhere (tests/reference); here is the surface.
"""

import contextlib
import copy
import multiprocessing
import pickle
import resource
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie import _kernel as kernel
from specie._kernel import (
    ERROR_CODES,
    InstitutionKey,
    KernelError,
    KeyTree,
    Mask,
    PointSum,
    ScanKey,
    Scanner,
    SealingKey,
    SigningKey,
    VrfKey,
)
from tests.unit.kernel.samples import (
    GARBAGE,
    IDENTITY,
    MESSAGE,
    PARTS,
    PHRASE,
    TREE,
    G,
    flip,
    get_code,
    put,
)

HANDLES: tuple[object, ...] = (
    SealingKey.generate(),
    TREE,
    TREE.view_key(0),
    TREE.spend_key(0),
    TREE.wallet_secret(0),
    ScanKey.generate(),
    SigningKey.generate(),
    VrfKey.generate(),
    InstitutionKey.generate(),
    Mask.generate(),
    Scanner(1, G),
    PARTS.statement(),
    PointSum(),
)


def get_name(handle: object) -> str:
    return type(handle).__name__


# --- handles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("handle", HANDLES, ids=get_name)
def test_handles_print_their_type_and_nothing_else(handle: object) -> None:
    name = get_name(handle)
    assert repr(handle) == str(handle) == f"{handle}" == f"<{name}>"


@pytest.mark.parametrize("handle", HANDLES, ids=get_name)
def test_handles_do_not_pickle_or_copy(handle: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="does not pickle or copy"):
            pickle.dumps(handle, protocol)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not pickle or copy"):
            duplicate(handle)


@pytest.mark.parametrize("handle", HANDLES, ids=get_name)
def test_handles_have_no_bytes_and_no_attributes_to_set(handle: Any) -> None:
    conversions: list[Callable[..., object]] = [bytes, memoryview, int, list]
    for convert in conversions:
        with pytest.raises(TypeError):
            convert(handle)
    with pytest.raises(AttributeError):
        handle.secret = 1
    public = {name for name in dir(handle) if not name.startswith("_")}
    assert not public & {"secret", "scalar", "bytes", "to_bytes", "__bytes__", "export"}


def test_handles_compare_by_identity_only() -> None:
    one, other = TREE.view_key(0), TREE.view_key(0)
    assert one.public == other.public
    assert one != other and len({one, other, one}) == 2


@pytest.mark.parametrize("handle", HANDLES, ids=get_name)
def test_handles_cannot_be_subclassed(handle: object) -> None:
    with pytest.raises(TypeError):
        type("Thief", (type(handle),), {})


def test_public_parts_cannot_be_replaced() -> None:
    key: Any = SigningKey.generate()
    with pytest.raises(AttributeError):
        key.public = G


# --- errors ------------------------------------------------------------------------------------


def test_errors_are_value_errors_with_a_code_and_pickle() -> None:
    with pytest.raises(ValueError, match="identity") as caught:
        kernel.check_point(IDENTITY)
    error = caught.value
    assert isinstance(error, KernelError)
    assert error.code == "identity_point" and error.failures == ()
    again = pickle.loads(pickle.dumps(error))
    assert again.code == error.code and again.args == error.args
    assert len(set(ERROR_CODES)) == len(ERROR_CODES)


BAD_INPUT: Final[list[tuple[Callable[[], object], str]]] = [
    (lambda: kernel.check_point(GARBAGE), "point_invalid"),
    (lambda: kernel.check_point(G[:-1]), "size_invalid"),
    (lambda: kernel.check_scalar(GARBAGE), "scalar_invalid"),
    (lambda: kernel.check_scalar(b""), "size_invalid"),
    (lambda: kernel.sum_scalars(bytes(33)), "size_invalid"),
    (lambda: kernel.sum_scalars(GARBAGE), "scalar_invalid"),
    (lambda: kernel.tagged_hash("", b""), "tag_invalid"),
    (lambda: kernel.tagged_hash("\ud800", b""), "tag_invalid"),
    (lambda: kernel.tagged_scalar("a\0b", b""), "tag_invalid"),
    (lambda: kernel.tagged_hash_many("a", b"abc", 2), "size_invalid"),
    (lambda: kernel.tagged_hash_many("a", b"abc", 0), "size_invalid"),
    (lambda: kernel.tagged_hash_many("a", b"abc", -1), "value_range"),
    (lambda: kernel.tagged_hash_many("a", b"abc", 2**64), "value_range"),
    (lambda: KeyTree.from_phrase("legal"), "phrase_invalid"),
    (lambda: KeyTree.from_phrase("\udc80"), "phrase_invalid"),
    (lambda: TREE.view_key(-1), "value_range"),
    (lambda: TREE.spend_key(2**32), "value_range"),
    (lambda: TREE.wallet_secret(0).anchor(b"", 0), "size_invalid"),
    (lambda: TREE.wallet_secret(0).anchor(bytes(32), 2**32), "value_range"),
    (lambda: Mask.generate().commit(2**64), "value_range"),
    (lambda: Mask.generate().commit(-1), "value_range"),
    (lambda: SigningKey.generate().sign(b"short"), "size_invalid"),
    (lambda: SealingKey.derive(b"", b"short", 64, 1, 1), "sealing_parameters_invalid"),
    (lambda: SealingKey.derive(b"", bytes(16), 2**31, 1, 1), "sealing_parameters_invalid"),
    (lambda: SealingKey.derive(b"", bytes(16), 2**40, 1, 1), "value_range"),
    (lambda: kernel.bech32m_encode("Ü", b""), "address_invalid"),
    (lambda: kernel.bech32m_encode("a", bytes(700)), "size_invalid"),
    (lambda: kernel.bech32m_decode("\ud800"), "address_invalid"),
    (lambda: kernel.bech32m_decode("q" * 5000), "address_invalid"),
    (lambda: kernel.derive_output(bytes(296), G, None), "size_invalid"),
    (lambda: kernel.derive_output(bytes(297), IDENTITY, None), "identity_point"),
    (lambda: kernel.derive_output(bytes(297), G, None), "identity_point"),
    (lambda: kernel.derive_output(bytes(297), G, G), "audit_key_invalid"),
    (lambda: Scanner(2**32, G), "value_range"),
    (lambda: Scanner(1, GARBAGE), "point_invalid"),
    (lambda: Scanner(1, G, [(0, G)]), "audit_key_invalid"),
    (lambda: Scanner(1, G, [(1, IDENTITY)]), "identity_point"),
    (lambda: Scanner(1, G).add(TREE.view_key(0), IDENTITY), "identity_point"),
    (lambda: Scanner(1, G).scan(bytes(413)), "size_invalid"),
    (lambda: Scanner(1, G).scan_hinted(ScanKey.generate(), b""), "scan_key_mismatch"),
    (lambda: kernel.range_proof_size(0), "size_invalid"),
    (lambda: kernel.range_proof_size(17), "size_invalid"),
    (lambda: kernel.prove_range([], []), "size_invalid"),
    (lambda: kernel.prove_range([1], []), "size_invalid"),
    (lambda: kernel.prove_range([2**64], [Mask.generate()]), "value_range"),
    (lambda: kernel.verify_range(b"", b""), "size_invalid"),
    (lambda: kernel.verify_range(b"", IDENTITY), "identity_point"),
    (lambda: kernel.verify_range(b"", G), "proof_invalid"),
    (lambda: kernel.verify_signature(IDENTITY, MESSAGE, bytes(64)), "identity_point"),
    (lambda: kernel.verify_signature(G, MESSAGE, bytes(64)), "signature_invalid"),
    (lambda: kernel.verify_signature(G, b"", bytes(64)), "size_invalid"),
    (lambda: kernel.verify_signatures(bytes(127)), "size_invalid"),
    (lambda: kernel.verify_institution_signature(bytes(31), b"", bytes(64)), "size_invalid"),
    (lambda: kernel.verify_institution_signature(G, b"", bytes(63)), "size_invalid"),
    (lambda: TREE.spend_key(0).owner_key(TREE.view_key(0), bytes(414)), "identity_point"),
    (lambda: PointSum().add_points(IDENTITY), "identity_point"),
    (lambda: PointSum().add_points(G + GARBAGE), "point_invalid"),
    (lambda: PointSum().subtract_points(G[1:]), "size_invalid"),
    (lambda: PointSum().add_value(2**127), "value_range"),
    (lambda: PointSum().add_value(-(2**127)), "value_range"),
    (lambda: PointSum().add_blinding(GARBAGE), "scalar_invalid"),
]

# Codes of the tests below, of tests/unit/kernel/test_kernel_batches.py, and those that no input
# causes: a fault of our own, and an operating system without randomness.
ELSEWHERE: Final = {
    "balance_invalid",
    "batch_refused",
    "memory_unavailable",
    "opening_mismatch",
    "sealed_invalid",
}
NOT_BY_INPUT: Final = {"batch_inconsistent", "randomness_unavailable"}


@pytest.mark.parametrize(("call", "code"), BAD_INPUT)
def test_bad_input_gets_a_code(call: Callable[[], object], code: str) -> None:
    assert get_code(call) == code


def test_every_code_is_accounted_for() -> None:
    assert {code for _, code in BAD_INPUT} | ELSEWHERE | NOT_BY_INPUT == set(ERROR_CODES)


def derive_without_memory() -> None:
    """Exits with 0 if the refusal is an error with its code, and not an abort."""
    gibibyte = 1 << 30
    resource.setrlimit(resource.RLIMIT_AS, (3 * gibibyte, 3 * gibibyte))
    derive = partial(SealingKey.derive, b"", bytes(16), 4 << 20, 1, 1)
    assert get_code(derive) == "memory_unavailable"


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_too_little_memory_is_an_error() -> None:
    child = multiprocessing.get_context("fork").Process(target=derive_without_memory)
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0


def test_messages_do_not_repeat_the_input() -> None:
    with pytest.raises(KernelError) as caught:
        KeyTree.from_phrase("correct horse battery staple")
    assert "horse" not in str(caught.value)


def test_a_wrong_type_is_a_type_error() -> None:
    loose: Any = kernel
    calls: list[Callable[[], object]] = [
        lambda: loose.check_point(bytearray(32)),  # bytes that could change meanwhile
        lambda: loose.check_point("text"),
        lambda: loose.tagged_hash(b"tag", b""),
        lambda: loose.prove_range([1.5], [Mask.generate()]),
        lambda: loose.prove_range([1], [object()]),
        lambda: loose.verify_statements([1]),
        lambda: loose.verify_statements(1),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


@given(st.binary(max_size=700), st.text(max_size=40), st.integers())
def test_no_input_makes_the_kernel_panic(data: bytes, text: str, number: int) -> None:
    """A panic would be no `Exception` at all; anything but `KernelError` fails the test."""
    calls: list[Callable[[], object]] = [
        lambda: kernel.tagged_hash(text, data),
        lambda: kernel.tagged_hash_many(text, data, number),
        lambda: kernel.check_point(data),
        lambda: kernel.check_scalar(data),
        lambda: kernel.sum_scalars(data),
        lambda: PointSum().add_points(data),
        lambda: PointSum().add_value(number),
        lambda: KeyTree.from_phrase(text),
        lambda: kernel.bech32m_decode(text),
        lambda: kernel.bech32m_encode(text, data),
        lambda: kernel.derive_output(data[:297].ljust(297), G, None),
        lambda: Scanner(1, G).scan(data),
        lambda: kernel.verify_range(data, G),
        lambda: kernel.verify_range(b"\1" + data[:576].ljust(576, b"\0"), G),
        lambda: kernel.verify_signature(G, MESSAGE, data),
        lambda: kernel.verify_institution_signature(data[:32].ljust(32), data, data[:64]),
        lambda: kernel.verify_signatures(data[:128].ljust(128)),
        lambda: SealingKey.generate().open(data, data),
    ]
    for call in calls:
        with contextlib.suppress(KernelError):
            call()


# --- sums, sealing, addresses ------------------------------------------------------------------


def test_a_sum_adds_up() -> None:
    total = PointSum()
    total.verify_zero()
    assert total.encoded() == IDENTITY
    total.add_points(PARTS.outputs)
    total.subtract_points(PARTS.inputs)
    total.subtract_points(PARTS.signatures[:32])
    assert get_code(total.verify_zero) == "balance_invalid"
    assert PARTS.offset is not None
    total.subtract_blinding(PARTS.offset)
    total.verify_zero()
    for value in (0, 5, -7, 2**127 - 1, -(2**127) + 1):
        total.add_value(value)
        total.add_value(-value)
    total.add_value(1)
    assert total.encoded() == kernel.value_generator()
    total.add_value(-1)
    total.add_blinding(PARTS.offset)
    total.subtract_blinding(PARTS.offset)
    total.verify_zero()


def test_sealing_opens_only_with_the_same_key_and_context() -> None:
    key, other = SealingKey.generate(), SealingKey.generate()
    sealed = key.seal(b"plain", b"context")
    assert key.open(sealed, b"context") == b"plain"
    assert len(sealed) == 24 + 5 + 16
    assert get_code(lambda: other.open(sealed, b"context")) == "sealed_invalid"
    assert get_code(lambda: key.open(sealed, b"other")) == "sealed_invalid"
    assert get_code(lambda: key.open(flip(sealed, 30), b"context")) == "sealed_invalid"
    assert get_code(lambda: key.open(b"", b"context")) == "sealed_invalid"


def test_derived_keys_repeat() -> None:
    one = SealingKey.derive(b"passphrase", bytes(16), 64, 1, 1)
    same = SealingKey.derive(b"passphrase", bytes(16), 64, 1, 1)
    sealed = one.seal_key(SealingKey.generate(), b"")
    same.open_key(sealed, b"")
    other = SealingKey.derive(b"passphrasf", bytes(16), 64, 1, 1)
    assert get_code(lambda: other.open_key(sealed, b"")) == "sealed_invalid"


def test_every_secret_comes_back_sealed_and_as_nothing_else() -> None:
    key = SealingKey.generate()
    view, spend, scan = TREE.view_key(0), TREE.spend_key(0), ScanKey.generate()
    signing, institution = SigningKey.generate(), InstitutionKey.generate()
    assert type(view).unseal(key, view.seal(key, b"v"), b"v").public == view.public
    assert type(spend).unseal(key, spend.seal(key, b"s"), b"s").public == spend.public
    assert ScanKey.unseal(key, scan.seal(key, b"x"), b"x").public == scan.public
    assert SigningKey.unseal(key, signing.seal(key, b""), b"").public == signing.public
    again = InstitutionKey.unseal(key, institution.seal(key, b""), b"")
    assert again.public == institution.public
    assert KeyTree.unseal(key, TREE.seal(key, b""), b"").phrase() == PHRASE
    secret = TREE.wallet_secret(0)
    type(secret).unseal(key, secret.seal(key, b""), b"")
    sealed = view.seal(key, b"")
    assert get_code(lambda: key.open(sealed, b"")) == "sealed_invalid"
    assert get_code(lambda: SigningKey.unseal(key, sealed, b"")) == "sealed_invalid"
    assert get_code(lambda: type(spend).unseal(key, sealed, b"")) == "sealed_invalid"


def test_addresses_have_one_spelling() -> None:
    payload = bytes(range(77))
    text = kernel.bech32m_encode("test", payload)
    assert len(text) == 135
    assert kernel.bech32m_decode(text) == ("test", payload)
    assert kernel.bech32m_decode(text.upper()) == ("test", payload)
    assert get_code(lambda: kernel.bech32m_decode(text[:9].upper() + text[9:])) == "address_invalid"
    for at in range(5, len(text)):
        wrong = put(text.encode(), at, b"q" if text[at] != "q" else b"p").decode()
        assert get_code(partial(kernel.bech32m_decode, wrong)) == "address_invalid"
