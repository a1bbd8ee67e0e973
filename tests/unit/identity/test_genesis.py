"""Genesis: the network's parameters, one encoding, signed by its own list key (spec page 04)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import (
    Genesis,
    ProofMode,
    compute_origin,
    sign_genesis,
    unpack_genesis,
    verify_genesis,
)
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey
from specie.values.limits import AMOUNT_MAX
from tests.building import make_world
from tests.refusing import attempt, refuse

WORLD = make_world()
SIZE = 125
LETTERS = "abcdefghijklmnopqrstuvwxyz"

geneses = st.builds(
    Genesis,
    name=st.text(LETTERS + " é", max_size=20),
    currency=st.builds(
        Currency, st.text(LETTERS.upper(), min_size=3, max_size=3), st.integers(0, 8)
    ),
    address_prefix=st.text(LETTERS + "0123456789", min_size=1, max_size=16),
    proof_mode=st.sampled_from(ProofMode),
    list_key=st.binary(min_size=32, max_size=32).map(InstitutionPublicKey),
    officers_required=st.integers(2, 8),
    supply_cap_day=st.integers(0, AMOUNT_MAX).map(Minor),
    batch_payments_min=st.integers(1, 65_535),
    batch_age_ms_max=st.integers(1, 3_600_000),
    created_ms=st.integers(0, 2**63 - 1),
)


@given(geneses)
def test_genesis_is_packed_and_read_back(genesis: Genesis) -> None:
    packed = genesis.pack()
    assert len(packed) == SIZE
    assert unpack_genesis(packed) == genesis
    assert genesis.network == tagged_hash("network", packed)[:16]


@given(geneses, geneses)
def test_other_parameters_are_another_network(one: Genesis, other: Genesis) -> None:
    assert (one == other) == (one.network == other.network)
    assert (one == other) == (compute_origin(one) == compute_origin(other))


@given(geneses, st.integers(0, SIZE - 1), st.integers(0, 255))
def test_no_two_encodings_of_one_genesis(genesis: Genesis, place: int, byte: int) -> None:
    packed = genesis.pack()
    spoilt = packed[:place] + bytes([byte]) + packed[place + 1 :]
    found = attempt(unpack_genesis, spoilt)
    if not isinstance(found, ErrorCode):
        assert found.pack() == spoilt


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("address_prefix", ["", "UP", "a b", "a-b", "é", "x" * 17, "a\n"]),
        ("officers_required", [-1, 0, 1, 9]),
        ("batch_payments_min", [0, -1, 65_536]),
        ("batch_age_ms_max", [0, -1, 3_600_001]),
    ],
)
def test_parameters_out_of_their_range(field: str, values: list[Any]) -> None:  # P2
    """One officer alone is never enough to make money."""
    for value in values:
        assert refuse(replace, WORLD.genesis, **{field: value}) is ErrorCode.SETTING_INVALID


@pytest.mark.parametrize("cap", [-1, 2**64])
def test_a_cap_is_an_amount(cap: int) -> None:
    assert refuse(lambda: replace(WORLD.genesis, supply_cap_day=Minor(cap))) is (
        ErrorCode.AMOUNT_OUT_OF_RANGE
    )


def test_malformed_genesis_bytes() -> None:
    packed = WORLD.genesis.pack()
    cases = {
        ErrorCode.VERSION_UNKNOWN: b"\x02" + packed[1:],
        ErrorCode.TRUNCATED: packed[:-1],
        ErrorCode.TRAILING_BYTES: packed + b"\0",
        ErrorCode.TEXT_INVALID: packed[:1] + b"\0x" + packed[3:],
        ErrorCode.CURRENCY_MISMATCH: packed[:49] + b"tst" + packed[52:],
        ErrorCode.KIND_UNKNOWN: packed[:69] + b"\x03" + packed[70:],
        ErrorCode.NOT_CANONICAL: packed[:-8] + b"\xff" * 8,
    }
    for code, spoilt in cases.items():
        assert refuse(unpack_genesis, spoilt) is code


def test_genesis_is_signed_by_its_list_key() -> None:  # T1, P4
    signed = sign_genesis(WORLD.genesis, WORLD.list_key)
    assert verify_genesis(signed) == WORLD.genesis
    forged = sign_genesis(WORLD.genesis, InstitutionKey.generate())
    assert refuse(verify_genesis, forged) is ErrorCode.SIGNATURE_INVALID
    other = sign_genesis(replace(WORLD.genesis, name="other"), WORLD.list_key)
    assert refuse(verify_genesis, signed[:-64] + other[-64:]) is ErrorCode.SIGNATURE_INVALID


def test_no_byte_of_a_signed_genesis_can_be_changed() -> None:  # P4
    signed = sign_genesis(WORLD.genesis, WORLD.list_key)
    for place in range(len(signed)):
        spoilt = bytearray(signed)
        spoilt[place] ^= 1 << place % 8
        assert isinstance(attempt(verify_genesis, bytes(spoilt)), ErrorCode)
    for size in range(len(signed)):
        assert isinstance(attempt(verify_genesis, signed[:size]), ErrorCode)


def test_the_origin_is_one_line() -> None:
    origin = compute_origin(WORLD.genesis)
    assert origin == f"specie/tst/{WORLD.genesis.network.hex()}"
    assert origin.split() == [origin]
