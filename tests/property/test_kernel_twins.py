"""Each function of the native kernel against its plain-Python twin, on random and broken input.

Both must give the same bytes or refuse with the same code. What the kernel makes with fresh
randomness (signatures, proofs, sealed bytes) the twin must accept, and the other way round.
"""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st
from mnemonic import Mnemonic

from specie import _kernel as kernel
from tests.reference import (
    address,
    commitment,
    handles,
    hashing,
    keys,
    output,
    ristretto,
    scanning,
    schnorr,
    sealing,
    statement,
    vrf,
)
from tests.reference.comparing import (
    SOME,
    amounts,
    find_native_failures,
    flip,
    numbers,
    outcome,
    points,
    scalars,
    spellings,
    words32,
)
from tests.reference.output import NO_NONCE, Opening
from tests.reference.refusals import Refused

# --- hashing, points, scalars ----------------------------------------------------------------


@given(st.text(max_size=40), st.binary(max_size=300))
def test_hashes(tag: str, data: bytes) -> None:
    native = outcome(kernel.tagged_hash, tag, data)
    assert native == outcome(hashing.tagged_hash, tag, data)
    native = outcome(kernel.tagged_scalar, tag, data)
    assert native == outcome(lambda: hashing.encode_scalar(hashing.tagged_scalar(tag, data)))


@given(st.binary(max_size=2_000), st.integers(0, 70))
def test_many_hashes(records: bytes, width: int) -> None:
    native = outcome(kernel.tagged_hash_many, "output", records, width)
    assert native == outcome(hashing.tagged_hash_many, "output", records, width)


@given(words32 | spellings | st.binary(max_size=40) | points, st.none() | st.integers(0, 255))
def test_points_are_decoded_alike(raw: bytes, bit: int | None) -> None:
    encoding = raw if bit is None or not raw else flip(raw, bit)

    def decode() -> None:
        assert ristretto.encode(ristretto.decode_key(encoding)) == encoding

    assert outcome(kernel.check_point, encoding) == outcome(decode)


@given(st.lists(words32 | spellings | scalars.map(hashing.encode_scalar), max_size=5))
def test_scalars_are_decoded_and_summed_alike(parts: list[bytes]) -> None:
    for part in parts:
        native = outcome(kernel.check_scalar, part)
        assert native[0] == outcome(hashing.decode_scalar, part)[0]
    joined = b"".join(parts)
    for run in (joined, joined + b"\0"):
        assert outcome(kernel.sum_scalars, run) == outcome(commitment.sum_scalars, run)


steps = st.one_of(
    st.tuples(
        st.sampled_from(["add_points", "subtract_points"]),
        st.lists(points | spellings, max_size=3).map(b"".join),
    ),
    st.tuples(
        st.sampled_from(["add_blinding", "subtract_blinding"]),
        scalars.map(hashing.encode_scalar) | spellings,
    ),
    st.tuples(st.just("add_value"), st.integers(-(2**127), 2**127) | amounts),
)


@settings(max_examples=25)
@given(st.lists(steps, max_size=5))
def test_sums_of_points_agree_after_every_step(path: list[tuple[str, Any]]) -> None:  # X1
    native, twin = kernel.PointSum(), commitment.PointSum()
    for method, argument in path:
        one = outcome(getattr(native, method), argument)
        assert one == outcome(getattr(twin, method), argument)
        assert native.encoded() == twin.encoded()
        assert outcome(native.verify_zero) == outcome(twin.verify_zero)


@settings(max_examples=SOME)
@given(amounts, scalars)
def test_a_balanced_sum_is_zero(value: int, mask: int) -> None:
    total = kernel.PointSum()
    total.add_points(commitment.commit(value, mask))
    total.add_value(-value)
    total.subtract_blinding(hashing.encode_scalar(mask))
    total.verify_zero()


# --- secrets, sealing, keys --------------------------------------------------------------------


@settings(max_examples=SOME)
@given(
    st.binary(max_size=40),
    st.binary(min_size=8, max_size=64),
    st.tuples(st.integers(8, 64), st.integers(1, 3), st.integers(1, 4)),
    st.binary(max_size=200),
    st.binary(max_size=20),
    st.integers(0, 10_000),
)
def test_sealing(  # T3
    passphrase: bytes,
    salt: bytes,
    costs: tuple[int, int, int],
    plain: bytes,
    aad: bytes,
    bit: int,
) -> None:
    memory, passes, lanes = max(costs[0], 8 * costs[2]), costs[1], costs[2]
    native = kernel.SealingKey.derive(passphrase, salt, memory, passes, lanes)
    twin = sealing.derive_key(passphrase, salt, memory, passes, lanes)
    sealed = native.seal(plain, aad)
    assert sealing.unseal(twin, "bytes", sealed, aad) == plain
    assert native.open(sealing.seal(twin, bytes(24), "bytes", plain, aad), aad) == plain
    newer = kernel.SealingKey.generate().with_older(native)
    assert newer.open(sealed, aad) == plain
    with pytest.raises(Refused, match="sealed_invalid"):
        sealing.unseal(twin, "bytes", newer.seal(plain, aad), aad)
    broken = [(flip(sealed, bit), aad), (sealed, aad + b"x"), (sealed[:-1], aad), (b"", aad)]
    as_secret = sealing.seal(twin, bytes(24), "spend-key", plain, aad)
    for changed, context in [*broken, (as_secret, aad)]:
        with pytest.raises(kernel.KernelError) as refused:
            native.open(changed, context)
        assert refused.value.code == "sealed_invalid"
        with pytest.raises(Refused, match="sealed_invalid"):
            sealing.unseal(twin, "bytes", changed, context)


@settings(max_examples=SOME)
@given(st.sampled_from([16, 20, 24, 28, 32]), st.binary(min_size=32, max_size=32), numbers)
def test_phrases_to_keys(size: int, entropy: bytes, subwallet: int) -> None:  # T3, X7
    phrase = Mnemonic("english").to_mnemonic(entropy[:size])
    tree = kernel.KeyTree.from_phrase(phrase)
    twin = keys.derive_subwallet(keys.derive_seed(phrase), subwallet)
    assert tree.phrase() == phrase
    assert tree.view_key(subwallet).public == twin.view_public
    assert tree.spend_key(subwallet).public == twin.spend_public
    assert handles.expose(tree.wallet_secret(subwallet), "wallet-secret") == twin.wallet_secret
    assert handles.expose(tree, "key-tree") == entropy[:size]


@given(st.lists(st.sampled_from(["abandon", "about", "zoo", "Zoo", "x"]), max_size=25))
def test_phrases_are_refused_alike(words: list[str]) -> None:
    phrase = " ".join(words)
    native, twin = outcome(kernel.KeyTree.from_phrase, phrase), outcome(keys.derive_seed, phrase)
    assert native[0] == twin[0]
    assert native[0] == "gives" or native == twin


def test_generated_secrets_are_fresh_and_well_formed() -> None:
    first, second = kernel.KeyTree.generate(), kernel.KeyTree.generate()
    assert first.phrase() != second.phrase()
    assert len(first.phrase().split()) == 24
    twin = keys.derive_subwallet(keys.derive_seed(first.phrase()), 0)
    assert first.view_key(0).public == twin.view_public
    for handle, kind in (
        (kernel.SigningKey.generate(), "signing-key"),
        (kernel.ScanKey.generate(), "scan-key"),
        (kernel.VrfKey.generate(), "vrf-key"),
    ):
        secret = hashing.decode_scalar(handles.expose(handle, kind))
        assert schnorr.public_key(secret) == handle.public
    assert kernel.Mask.generate().commit(5) != kernel.Mask.generate().commit(5)
    sealed = handles.native_key().seal_key(handles.native_key(), b"")
    assert sealing.unseal(handles.plain_key(), "sealing-key", sealed, b"") == handles.plain_key()


def test_anchors_are_fresh_each_time() -> None:
    """The kernel hedges anchors, so a twin cannot foretell them; they never repeat."""
    secret = kernel.KeyTree.generate().wallet_secret(0)
    anchors = {secret.anchor(bytes(32), index) for index in (0, 0, 1, 1)}
    assert len(anchors) == 4
    assert {len(anchor) for anchor in anchors} == {16}


# --- addresses ---------------------------------------------------------------------------------


@given(
    st.text("abcxyz019", max_size=18) | st.text(max_size=4),
    st.binary(max_size=90),
    st.integers(0, 10**6),
    st.sampled_from("1bioqpzQ \u00e9"),
)
def test_addresses_are_written_and_read_alike(
    prefix: str, payload: bytes, place: int, letter: str
) -> None:
    native = outcome(kernel.bech32m_encode, prefix, payload)
    assert native == outcome(address.bech32m_encode, prefix, payload)
    text = str(native[1])
    at = place % len(text)
    changed = text[:at] + letter + text[at + 1 :]
    for read in (text, text.upper(), changed, text[:at], text[at:], text + letter):
        assert outcome(kernel.bech32m_decode, read) == outcome(address.bech32m_decode, read)


# --- signatures --------------------------------------------------------------------------------


@settings(max_examples=SOME)
@given(scalars, scalars, words32, st.integers(0, 1023))
def test_signatures(secret: int, nonce: int, message: bytes, bit: int) -> None:  # T16
    key = handles.signing_key(secret)
    public = schnorr.public_key(secret)
    assert key.public == public
    first, second = key.sign(message), key.sign(message)
    assert first != second
    for signature in (first, second, schnorr.sign(secret, nonce, message)):
        schnorr.verify(public, message, signature)
        kernel.verify_signature(public, message, signature)
    broken = flip(public + message + first, bit)
    record = broken[:32], broken[32:64], broken[64:]
    native = outcome(kernel.verify_signature, *record)
    assert native == outcome(schnorr.verify, *record)
    assert native[0] == "refuses"


@settings(max_examples=SOME)
@given(scalars, scalars, words32, st.integers(0, 1279))
def test_random_function(secret: int, nonce: int, message: bytes, bit: int) -> None:  # T8
    key = handles.vrf_key(secret)
    public = schnorr.public_key(secret)
    assert key.public == public
    value = key.evaluate(message)
    plain = vrf.evaluate(secret, nonce, message)
    assert value[:32] == plain[:32]
    for one in (value, plain):
        vrf.verify(public, message, one)
        kernel.verify_vrf(public, message, one)
    broken = flip(public + message + value, bit)
    record = broken[:32], broken[32:64], broken[64:]
    native = outcome(kernel.verify_vrf, *record)
    assert native == outcome(vrf.verify, *record)
    assert native[0] == "refuses"


@settings(max_examples=SOME)
@given(st.integers(0, 6), st.sets(st.integers(0, 5)), st.integers(0, 1023))
def test_batches_of_signatures_name_what_fails(count: int, broken: set[int], bit: int) -> None:
    records = []
    for at in range(count):
        key, message = kernel.SigningKey.generate(), bytes([at] * 32)
        record = key.public + message + key.sign(message)
        records.append(flip(record, bit) if at in broken else record)
    failures = find_native_failures(kernel.verify_signatures, b"".join(records))
    single = [statement.Statement(record, 0, b"", b"", 0, None, []) for record in records]
    assert failures == statement.find_failures(single)
    assert [failure[0] for failure in failures] == sorted(at for at in broken if at < count)


@settings(max_examples=30)
@given(words32, st.binary(max_size=100), st.integers(0, 511))
def test_institutions_sign_as_rfc_8032(seed: bytes, message: bytes, bit: int) -> None:
    twin, native = Ed25519PrivateKey.from_private_bytes(seed), handles.institution_key(seed)
    public = twin.public_key().public_bytes_raw()
    signature = native.sign(message)
    assert native.public == public
    assert signature == twin.sign(message)
    kernel.verify_institution_signature(public, message, signature)
    with pytest.raises(kernel.KernelError, match="signature_invalid"):
        kernel.verify_institution_signature(public, message, flip(signature, bit))
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(flip(signature, bit), message)


# --- outputs -----------------------------------------------------------------------------------

openings = st.builds(
    Opening,
    view_public=points,
    spend_public=points,
    bank=numbers,
    anchor=st.binary(min_size=16, max_size=16),
    value=amounts,
    kind=st.integers(0, 255),
    label=st.just(0) | numbers,
    lock=st.just(bytes(32)) | words32,
    expiry=amounts,
    memo=st.binary(max_size=160).map(lambda memo: memo.ljust(160, b"\0")),
)


@settings(max_examples=SOME)
@given(openings, points, st.none() | points, st.none() | spellings)
def test_outputs_from_openings(
    opening: Opening, bank_scan: bytes, audit_key: bytes | None, bad_key: bytes | None
) -> None:  # T5, T10
    if bad_key is not None:
        opening = replace(opening, view_public=bad_key)

    def natively() -> tuple[bytes, bytes, bytes]:
        made, mask, nonce = kernel.derive_output(opening.pack(), bank_scan, audit_key)
        return made, mask.commit(0), nonce

    def plainly() -> tuple[bytes, bytes, bytes]:
        made = output.derive_output(opening, bank_scan, audit_key)
        return made.output, commitment.commit(0, made.mask), made.terms_nonce

    assert outcome(natively) == outcome(plainly)


def cheat(draw: st.DrawFn, opening: Opening, bank_scan: bytes, audit_key: bytes | None) -> bytes:
    """An output as an honest payer makes it, or spoilt in one of several ways."""
    how = draw(st.sampled_from(["honest", "honest", "flip", "hint", "audit", "reseal", "R"]))
    scan_key = schnorr.public_key(99) if how == "hint" else bank_scan
    label_key = schnorr.public_key(98) if how == "audit" and audit_key else audit_key
    made = output.derive_output(opening, scan_key, label_key)
    if how == "flip":
        return flip(made.output, draw(st.integers(0, 8 * 414 - 1)))
    if how == "R":
        return made.output[:32] + draw(spellings) + made.output[64:]
    if how == "reseal":
        plain = flip(opening.sealed_plain(), draw(st.integers(0, 8 * 229 - 1)))
        return reseal(made, plain)
    return made.output


@settings(max_examples=2 * SOME)
@given(st.data())
def test_scanning(data: st.DataObject) -> None:  # T11
    """Outputs for clients and strangers, honest and spoilt: the same hits, the same refusals."""
    clients = data.draw(st.lists(st.tuples(scalars, scalars), min_size=1, max_size=2))
    scan_secret, authority = data.draw(scalars), data.draw(points)
    bank_scan, bank = schnorr.public_key(scan_secret), 7
    pairs = [(view, schnorr.public_key(spend)) for view, spend in clients]
    native = kernel.Scanner(bank, bank_scan, [(5, authority)])
    for view, spend_public in pairs:
        native.add(handles.view_key(view), spend_public)
    made = []
    for _ in range(data.draw(st.integers(0, 3))):
        view, spend_public = data.draw(st.sampled_from([*pairs, (97, schnorr.public_key(96))]))
        opening = replace(
            data.draw(openings),
            view_public=schnorr.public_key(view),
            spend_public=spend_public,
            bank=data.draw(st.sampled_from([bank, bank, bank, 8])),
            label=data.draw(st.sampled_from([0, 5, 6])),
        )
        audit_key = authority if opening.label else None
        made.append(data.draw(st.composite(cheat)(opening, bank_scan, audit_key)))
    joined = b"".join(made)
    twin = scanning.Bank(bank, scan_secret, {5: authority}, pairs)
    plainly, hinted = scanning.scan(twin, joined), scanning.scan_hinted(twin, joined)
    assert check_masks(native.scan(joined), joined) == plainly
    by_hint = native.scan_hinted(handles.scan_key(scan_secret), joined)
    assert check_masks(by_hint, joined) == hinted


NativeFound = tuple[list[tuple[int, int, bytes, kernel.Mask]], list[int]]


def check_masks(found: NativeFound, outputs: bytes) -> scanning.Found:
    """Hits as the twin gives them, once each mask has opened its output's commitment."""
    hits, refused = found
    for at, _, opening, mask in hits:
        sent = outputs[414 * at : 414 * (at + 1)]
        assert mask.commit(output.unpack_opening(opening).value) == sent[65:97]
    return [hit[:3] for hit in hits], refused


@pytest.mark.parametrize("field", ["anchor", "value", "kind", "label", "lock", "expiry"])
def test_a_payer_cannot_seal_something_else(field: str) -> None:  # T11
    """P is the client's and the seal opens, but the output does not follow from the opening."""
    view, scan_secret, authority = 11, 13, schnorr.public_key(14)
    spend_public, bank_scan = schnorr.public_key(12), schnorr.public_key(scan_secret)
    keys_of_client = schnorr.public_key(view), spend_public
    honest = Opening(*keys_of_client, 7, bytes(16), 500, 2, 5, bytes(32), 9, bytes(160))
    other: dict[str, Any] = {
        "anchor": b"\1" * 16,
        "value": 501,
        "kind": 1,
        "label": 6,
        "lock": b"\1" * 32,
        "expiry": 0,
    }
    made = output.derive_output(honest, bank_scan, authority)
    sent = reseal(made, replace(honest, **{field: other[field]}).sealed_plain())
    native = kernel.Scanner(7, bank_scan, [(5, authority), (6, authority)])
    native.add(handles.view_key(view), spend_public)
    bank = scanning.Bank(7, scan_secret, {5: authority, 6: authority}, [(view, spend_public)])
    for found in (
        native.scan(sent),
        native.scan_hinted(handles.scan_key(scan_secret), sent),
        scanning.scan(bank, sent),
        scanning.scan_hinted(bank, sent),
    ):
        assert found == ([], [0]), field


def test_the_memo_is_bound_in_everything() -> None:
    """r depends on the memo (ADR 0004): another memo is another key, so no seal is used twice."""
    public = schnorr.public_key(12)
    first = Opening(public, public, 7, bytes(16), 500, 1, 0, bytes(32), 0, bytes(160))
    second = replace(first, memo=b"\1" * 160)
    one, _, _ = kernel.derive_output(first.pack(), public, None)
    other, _, _ = kernel.derive_output(second.pack(), public, None)
    for start, end in ((0, 32), (32, 64), (65, 97), (97, 105), (105, 137), (137, 169)):
        assert one[start:end] != other[start:end]


def reseal(made: output.Derived, plain: bytes) -> bytes:
    """Other plain bytes under the same seal."""
    owner, ephemeral, sent = made.output[:32], made.output[32:64], made.output[65:97]
    cipher = ChaCha20Poly1305(hashing.tagged_hash("seal", made.shared))
    return made.output[:169] + cipher.encrypt(NO_NONCE, plain, ephemeral + owner + sent)


@settings(max_examples=SOME)
@given(openings, scalars, scalars, points, st.integers(0, 2 * 256 - 1))
def test_owner_keys(opening: Opening, view: int, spend: int, bank_scan: bytes, bit: int) -> None:
    own = replace(
        opening,
        view_public=schnorr.public_key(view),
        spend_public=schnorr.public_key(spend),
        label=0,
    )
    sent = output.derive_output(own, bank_scan, None).output
    for received in (sent, flip(sent, bit)):

        def natively(received: bytes = received) -> bytes:
            key = handles.spend_key(spend).owner_key(handles.view_key(view), received)
            return handles.expose(key, "signing-key")

        def plainly(received: bytes = received) -> bytes:
            return hashing.encode_scalar(output.owner_key(spend, view, received))

        assert outcome(natively) == outcome(plainly)
