"""The twins alone, against what others published. No native code here."""

import hashlib

import pytest

from tests.reference import address, keys, merlin, range_proof, ristretto, schnorr, statement
from tests.reference.building import Plan, build_transaction
from tests.reference.commitment import commit
from tests.reference.hashing import ORDER
from tests.reference.range_prover import derive_nonces, prove_range
from tests.reference.refusals import Refused
from tests.vectors import published


def test_keccak_is_sha3() -> None:
    """SHA3-256 from our permutation and hashlib's: 136 bytes of rate, suffix 0x06."""
    state = b"specie".ljust(200, b"\0")
    padded = bytearray(state)
    padded[6] ^= 0x06
    padded[135] ^= 0x80
    assert merlin.permute(bytes(padded))[:32] == hashlib.sha3_256(b"specie").digest()


def test_merlin_has_its_published_challenge() -> None:
    transcript = merlin.Transcript(b"test protocol")
    transcript.append(b"some label", b"some data")
    assert transcript.challenge(b"challenge", 32).hex() == published.MERLIN_CHALLENGE


def test_group_law_and_many_multiplications_agree() -> None:
    points = [ristretto.multiply(at, ristretto.BASE) for at in range(1, 40)]
    scalars = [pow(3, at, ORDER) * 2**at for at in range(1, 40)]
    expected = sum(scalar * at for at, scalar in enumerate(scalars, 1))
    total = ristretto.multiply_many(scalars, points)
    assert ristretto.is_equal(total, ristretto.multiply(expected, ristretto.BASE))
    assert ristretto.is_identity(ristretto.multiply(ORDER, points[5]))
    assert ristretto.is_identity(ristretto.subtract(total, total))


def test_the_four_points_of_a_class_encode_alike() -> None:
    """RFC 9496: adding a point of order 4 changes the point and not the element."""
    point = ristretto.multiply(12_345, ristretto.BASE)
    turned = ristretto.Point(ristretto.SQRT_M1, 0, 1, 0)
    for _ in range(4):
        assert ristretto.encode(point) == ristretto.encode(ristretto.add(point, turned))
        point = ristretto.add(point, turned)


def test_first_seed_is_the_known_one() -> None:
    phrase = published.PHRASES[0][1]
    assert keys.derive_seed(phrase).hex() == published.FIRST_SEED


@pytest.mark.parametrize("text", published.BIP350_VALID)
def test_bech32m_checksums_of_bip350(text: str) -> None:
    prefix, _, letters = text.lower().rpartition("1")
    digits = [address.ALPHABET.index(letter) for letter in letters[:-6]]
    assert address.encode_digits(prefix, digits) == text.lower()


@pytest.mark.parametrize("text", published.BIP350_INVALID)
def test_bech32m_refusals_of_bip350(text: str) -> None:
    with pytest.raises(Refused, match="address_invalid"):
        address.bech32m_decode(text)


def test_plain_bulletproof_of_a_wrong_value_does_not_hold() -> None:
    proof = prove_range([7], [11], derive_nonces(b"wrong", 1))
    range_proof.verify_range(proof, commit(7, 11))
    for value, mask in ((8, 11), (7, 12)):
        with pytest.raises(Refused, match="proof_invalid"):
            range_proof.verify_range(proof, commit(value, mask))


def test_a_nonce_used_twice_gives_the_secret_away() -> None:
    """Why the kernel hedges: the twin, given one nonce twice, leaks x."""
    secret, nonce, messages = 1_234_567, 99, (b"a" * 32, b"b" * 32)
    public, nonce_point = schnorr.public_key(secret), schnorr.public_key(nonce)
    s = [int.from_bytes(schnorr.sign(secret, nonce, m)[32:], "little") for m in messages]
    c = [schnorr.challenge(public, message, nonce_point) for message in messages]
    found = (s[0] - s[1]) * pow(c[0] - c[1], -1, ORDER) % ORDER
    assert found == secret


def test_built_transactions_hold_and_unbalanced_ones_do_not() -> None:  # T16
    built = build_transaction(Plan([5], [4, 1]), b"balance", prove=lambda *_: bytes(577))
    assert statement.find_failures([built.statement]) == ((0, "proof", 0), (0, "proof", 1))
    assert len(built.encoded) == 2_554 - 32 - 64
