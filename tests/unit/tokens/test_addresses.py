"""Addresses: one text each; a typing error never leads to somebody else (spec page 01)."""

from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.hashing import tagged_hash
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8, u32
from specie.values.identifiers import ParticipantNumber, PublicKey
from tests.building import NORTH, make_world
from tests.reference import address as twin
from tests.reference.comparing import points
from tests.refusing import attempt, refuse

PREFIX = "tst"
addresses = st.builds(
    Address,
    st.integers(0, 2**32 - 1).map(ParticipantNumber),
    points.map(PublicKey),
    points.map(PublicKey),
)
prefixes = st.text(ascii_lowercase + digits, min_size=1, max_size=16)


@given(addresses, prefixes)
def test_addresses_are_written_and_read_back(address: Address, prefix: str) -> None:  # T10
    text = format_address(address, prefix)
    assert text == twin.encode_address(prefix, address.bank, address.view, address.spend)
    assert parse_address(text, prefix) == address
    assert parse_address(text.upper(), prefix) == address
    assert twin.decode_address(text) == (prefix, address.bank, address.view, address.spend)


@given(addresses, prefixes, prefixes)
def test_addresses_of_another_network(address: Address, prefix: str, other: str) -> None:  # T10
    if prefix != other:
        text = format_address(address, other)
        assert refuse(parse_address, text, prefix) is ErrorCode.NETWORK_MISMATCH


@pytest.fixture(scope="module")
def known() -> Address:
    return make_world().institutions[NORTH].alice.address


def test_every_single_character_counts(known: Address) -> None:  # T10
    """Every other character at every place; then every character left out, and every two turned."""
    text = format_address(known, PREFIX)
    assert len(text) == 134
    wrong = {
        text[:place] + letter + text[place + 1 :]
        for place in range(len(text))
        for letter in ascii_lowercase + ascii_uppercase + digits + " -_é"
    }
    wrong |= {text[:place] + text[place + 1 :] for place in range(len(text))}
    wrong |= {
        text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        for place in range(len(text) - 1)
    }
    wrong |= {text[:place] + "q" + text[place:] for place in range(len(text) + 1)}
    wrong |= {text[:size] for size in range(len(text))}
    wrong -= {text}
    codes = {refuse(parse_address, one, PREFIX) for one in wrong}
    assert codes <= {ErrorCode.ADDRESS_INVALID, ErrorCode.NETWORK_MISMATCH, ErrorCode.TRUNCATED}


@given(st.text(max_size=150))
def test_other_text_is_no_address(text: str) -> None:
    assert attempt(parse_address, text, PREFIX) in {
        ErrorCode.ADDRESS_INVALID,
        ErrorCode.NETWORK_MISMATCH,
    }


def seal_payload(payload: bytes) -> str:
    """A text whose checks are right, whatever stands in it."""
    check = tagged_hash("address", PREFIX.encode(), b"\0", payload)[:8]
    return twin.bech32m_encode(PREFIX, payload + check)


def test_addresses_of_wrong_contents(known: Address) -> None:  # T10
    good = u8(1) + u32(known.bank) + known.view + known.spend
    assert parse_address(seal_payload(good), PREFIX) == known
    cases = {
        ErrorCode.VERSION_UNKNOWN: [b"\0" + good[1:], b"\x02" + good[1:]],
        ErrorCode.IDENTITY_POINT: [good[:5] + bytes(32) + good[37:], good[:37] + bytes(32)],
        ErrorCode.POINT_INVALID: [
            good[:5] + b"\x01" + bytes(31) + good[37:],
            good[:37] + b"\xff" * 32,
        ],
        ErrorCode.TRUNCATED: [good[:-1], b""],
        ErrorCode.TRAILING_BYTES: [good + b"\0"],
    }
    for code, payloads in cases.items():
        for payload in payloads:
            assert refuse(parse_address, seal_payload(payload), PREFIX) is code


def test_a_prefix_that_is_none(known: Address) -> None:
    for prefix in ("", "UPPER", "with space", "x" * 100):
        assert refuse(format_address, known, prefix) is ErrorCode.ADDRESS_INVALID


def test_the_clients_tag_is_of_both_keys(known: Address) -> None:  # T11
    assert known.client_tag() == tagged_hash("client", known.view, known.spend)[:8]
    swapped = Address(known.bank, known.spend, known.view)
    assert swapped.client_tag() != known.client_tag()
