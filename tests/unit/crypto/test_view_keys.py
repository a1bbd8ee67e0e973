"""A view key as text: read back as it was, on its own network, and changed by nobody (T3)."""

from typing import Final

import pytest

from specie.crypto.addresses import format_address
from specie.crypto.secrets import KeyTree
from specie.crypto.view_keys import format_view_key, parse_view_key
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber
from tests.country import refused

BANK: Final = ParticipantNumber(2)
LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@pytest.fixture
def keys() -> HolderKeys:
    return derive_keys(KeyTree.generate(), 3, BANK)


def test_it_is_read_as_it_was_written(keys: HolderKeys) -> None:
    """In another text each time; upper case is the same."""
    texts = [format_view_key(keys.view, keys.address, "spc") for _ in range(2)]
    assert texts[0] != texts[1]
    for text in (*texts, texts[0].upper()):
        view, address = parse_view_key(text, "spc")
        assert (view.public, address) == (keys.view.public, keys.address)
    assert f"{parse_view_key(texts[0], 'spc')[0]!r}".count(keys.view.public.hex()) == 0


def test_another_network_has_no_use_for_it(keys: HolderKeys) -> None:
    with refused(ErrorCode.ADDRESS_INVALID):
        parse_view_key(format_view_key(keys.view, keys.address, "spc"), "tst")


def test_every_typing_error_is_found_and_tells_nothing(keys: HolderKeys) -> None:
    text = format_view_key(keys.view, keys.address, "spc")
    for place in range(0, len(text), 7):
        other = next(one for one in LETTERS if one != text[place])
        with pytest.raises(SpecieError) as raised:
            parse_view_key(text[:place] + other + text[place + 1 :], "spc")
        assert text[20:60] not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "specieview1", "no view key", "specieview1qqqqqqqq", "\udcff"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpecieError):
        parse_view_key(text, "spc")


def test_an_address_is_no_view_key(keys: HolderKeys) -> None:
    with refused(ErrorCode.ADDRESS_INVALID):
        parse_view_key(format_address(keys.address, "spc"), "spc")
