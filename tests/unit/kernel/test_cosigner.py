"""ML-DSA-44 of cosigners: the kernel, OpenSSL through `cryptography`, and the golden bytes.

Two implementations that share no line: what one signs the other verifies, what one refuses the
other refuses.
"""

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from specie import _kernel as kernel
from specie._kernel import CosignerKey, InstitutionKey, SealingKey
from specie.crypto import cosigning
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.reference import handles
from tests.unit.kernel.samples import flip, get_code
from tests.vectors.files import load, raw
from tests.vectors.generate_cosigner import is_supported, make_cosigner, open_key

VECTORS: Final = load("cosigner")
MESSAGE: Final = b"a checkpoint"
KEY: Final = CosignerKey.generate()
SIGNATURE: Final = KEY.sign(MESSAGE)
REGIONS: Final = {
    "challenge": (0, 32),
    "response": (32, 2336),
    "hint": (2336, 2416),
    "cuts": (2416, 2420),
}

SEEDS: Final = st.binary(min_size=32, max_size=32)
MESSAGES: Final = st.binary(max_size=300)

needs_openssl = pytest.mark.skipif(
    not is_supported(), reason="this build of `cryptography` has an OpenSSL without ML-DSA"
)


def name_case(case: dict[str, Any]) -> str:
    return str(case.get("why") or f"{case['made_by']}, {len(case['message']) // 2} bytes")


def is_held_by_openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def is_held_by_kernel(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        kernel.verify_cosignature(public, message, signature)
    except kernel.KernelError as error:
        if error.code != "signature_invalid":
            raise
        return False
    return True


# --- the handle --------------------------------------------------------------------------------


def test_the_handle_shows_nothing_and_is_not_copied() -> None:
    assert repr(KEY) == str(KEY) == "<CosignerKey>"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="does not pickle or copy"):
            pickle.dumps(KEY, protocol)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not pickle or copy"):
            duplicate(KEY)
    loose: Any = KEY
    conversions: list[Callable[[Any], object]] = [bytes, memoryview, int, list]
    for convert in conversions:
        with pytest.raises(TypeError):
            convert(loose)
    with pytest.raises(AttributeError):
        loose.public = bytes(1312)
    with pytest.raises(TypeError):
        type("Thief", (CosignerKey,), {})
    names = {name for name in dir(KEY) if not name.startswith("_")}
    assert names == {"generate", "public", "seal", "sign", "unseal"}


def test_it_comes_back_sealed_and_as_nothing_else() -> None:
    sealing = SealingKey.generate()
    sealed = KEY.seal(sealing, b"aad")
    assert len(sealed) == 32 + 40
    again = CosignerKey.unseal(sealing, sealed, b"aad")
    assert again.public == KEY.public
    kernel.verify_cosignature(KEY.public, b"again", again.sign(b"again"))
    institution = InstitutionKey.generate().seal(sealing, b"aad")
    for call in (
        lambda: CosignerKey.unseal(sealing, sealed, b"other"),
        lambda: CosignerKey.unseal(SealingKey.generate(), sealed, b"aad"),
        lambda: CosignerKey.unseal(sealing, institution, b"aad"),
        lambda: InstitutionKey.unseal(sealing, sealed, b"aad"),
        lambda: sealing.open(sealed, b"aad"),
    ):
        assert get_code(call) == "sealed_invalid"


def test_the_twin_opens_what_is_sealed() -> None:
    for case in VECTORS["keys"]:
        seed = raw(case["seed"])
        assert handles.expose(open_key(seed), "cosigner-key") == seed


# --- signing and verifying ---------------------------------------------------------------------


def test_sizes_are_those_of_the_standard() -> None:
    assert len(KEY.public) == cosigning.ML_DSA_44_PUBLIC_SIZE == 1312
    assert len(SIGNATURE) == cosigning.ML_DSA_44_SIGNATURE_SIZE == 2420
    verify = kernel.verify_cosignature
    for wrong in (b"", bytes(32), KEY.public[:-1], KEY.public + b"\0"):
        assert get_code(partial(verify, wrong, MESSAGE, SIGNATURE)) == "size_invalid"
    for wrong in (b"", bytes(64), SIGNATURE[:-1], SIGNATURE + b"\0"):
        assert get_code(partial(verify, KEY.public, MESSAGE, wrong)) == "size_invalid"


@pytest.mark.parametrize("message", [b"", b"\0", b"x" * 1_000_000], ids=len)
def test_any_length_is_signed(message: bytes) -> None:
    kernel.verify_cosignature(KEY.public, message, KEY.sign(message))


def test_signing_is_hedged() -> None:
    signatures = {KEY.sign(MESSAGE) for _ in range(20)}
    assert len(signatures) == 20
    assert len({signature[:32] for signature in signatures}) == 20
    for signature in signatures:
        kernel.verify_cosignature(KEY.public, MESSAGE, signature)


def test_another_message_or_key_is_refused() -> None:
    assert is_held_by_kernel(KEY.public, MESSAGE, SIGNATURE)
    for message in (b"", MESSAGE[:-1], MESSAGE + b"\0", flip(MESSAGE, 0)):
        assert not is_held_by_kernel(KEY.public, message, SIGNATURE)
    assert not is_held_by_kernel(CosignerKey.generate().public, MESSAGE, SIGNATURE)
    for at in range(0, 1312, 41):
        assert not is_held_by_kernel(flip(KEY.public, at), MESSAGE, SIGNATURE)


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_of_a_signature_counts(region: str) -> None:
    start, end = REGIONS[region]
    for at in range(start, end, 1 if end - start < 100 else 13):
        assert not is_held_by_kernel(KEY.public, MESSAGE, flip(SIGNATURE, at)), at


def test_a_wrong_type_is_a_type_error() -> None:
    loose: Any = kernel.verify_cosignature
    calls: list[Callable[[], object]] = [
        lambda: loose(bytearray(1312), MESSAGE, SIGNATURE),  # bytes that could change meanwhile
        lambda: loose(KEY.public, "text", SIGNATURE),
        lambda: loose(KEY.public, MESSAGE, None),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


@given(st.binary(max_size=1312), st.binary(max_size=2420), MESSAGES)
def test_no_bytes_make_the_kernel_panic(public: bytes, signature: bytes, message: bytes) -> None:
    """A panic would be no `KernelError`. The second has no hint, so its response is looked at."""
    public, signature = public.ljust(1312, b"\x5a"), signature.ljust(2420, b"\xa5")
    assert not is_held_by_kernel(public, message, signature)
    assert not is_held_by_kernel(public, message, signature[:2336] + bytes(84))


# --- against OpenSSL ---------------------------------------------------------------------------


@needs_openssl
@given(SEEDS, MESSAGES)
def test_both_have_the_same_keys_and_accept_each_other(seed: bytes, message: bytes) -> None:  # X13
    ours, theirs = open_key(seed), MLDSA44PrivateKey.from_seed_bytes(seed)
    assert ours.public == theirs.public_key().public_bytes_raw()
    assert is_held_by_openssl(ours.public, message, ours.sign(message))
    kernel.verify_cosignature(ours.public, message, theirs.sign(message))


@needs_openssl
@settings(max_examples=300)
@given(st.data())
def test_both_refuse_the_same(data: st.DataObject) -> None:
    """A signature with some bytes replaced, most often in the hint, where spellings could hide."""
    start, end = REGIONS[data.draw(st.sampled_from([*REGIONS, "hint", "cuts"]))]
    changed = bytearray(SIGNATURE)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(start, end - 1))] = data.draw(st.integers(0, 255))
    signature = bytes(changed)
    verdict = is_held_by_kernel(KEY.public, MESSAGE, signature)
    assert verdict == is_held_by_openssl(KEY.public, MESSAGE, signature)
    assert verdict == (signature == SIGNATURE)


@needs_openssl
@given(MESSAGES, st.binary(min_size=1, max_size=255))
def test_a_context_is_not_ours(message: bytes, context: bytes) -> None:
    seed = raw(VECTORS["keys"][0]["seed"])
    signature = MLDSA44PrivateKey.from_seed_bytes(seed).sign(message, context)
    assert not is_held_by_kernel(open_key(seed).public, message, signature)


# --- golden bytes ------------------------------------------------------------------------------


@needs_openssl
def test_generator_still_makes_these_bytes() -> None:
    assert make_cosigner(VECTORS) == VECTORS


@pytest.mark.parametrize("case", VECTORS["published"], ids=lambda case: str(case["test"]))
def test_published_keys(case: dict[str, Any]) -> None:
    assert open_key(raw(case["seed"])).public == raw(case["public"])


@pytest.mark.parametrize("case", VECTORS["keys"], ids=lambda case: str(case["seed"][:8]))
def test_keys(case: dict[str, Any]) -> None:
    assert open_key(raw(case["seed"])).public == raw(case["public"])


@pytest.mark.parametrize("case", VECTORS["signed"], ids=name_case)
def test_signatures_hold(case: dict[str, Any]) -> None:  # X13
    record = raw(VECTORS["keys"][case["key"]]["public"]), raw(case["message"])
    kernel.verify_cosignature(*record, raw(case["signature"]))


@pytest.mark.parametrize("case", VECTORS["refused"], ids=name_case)
def test_signatures_refused(case: dict[str, Any]) -> None:
    record = raw(VECTORS["keys"][case["key"]]["public"]), raw(case["message"])
    assert not is_held_by_kernel(*record, raw(case["signature"]))


@needs_openssl
@pytest.mark.parametrize("case", [*VECTORS["signed"], *VECTORS["refused"]], ids=name_case)
def test_openssl_says_the_same(case: dict[str, Any]) -> None:
    record = raw(VECTORS["keys"][case["key"]]["public"]), raw(case["message"])
    assert is_held_by_openssl(*record, raw(case["signature"])) == ("made_by" in case)


# --- specie.crypto -----------------------------------------------------------------------------


def test_crypto_signs_verifies_and_translates() -> None:
    signature = cosigning.sign_as_cosigner(KEY, MESSAGE)
    cosigning.verify_ml_dsa_44(KEY.public, MESSAGE, signature)
    assert cosigning.CosignerKey is CosignerKey
    for public, message, wrong, code in (
        (KEY.public, b"another", signature, ErrorCode.SIGNATURE_INVALID),
        (KEY.public, MESSAGE, flip(signature, 99), ErrorCode.SIGNATURE_INVALID),
        (KEY.public[1:], MESSAGE, signature, ErrorCode.SIZE_INVALID),
        (KEY.public, MESSAGE, signature[1:], ErrorCode.SIZE_INVALID),
    ):
        with pytest.raises(SpecieError) as refused:
            cosigning.verify_ml_dsa_44(public, message, wrong)
        assert refused.value.code is code
