"""Phone numbers (row T8)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.phones import PHONE_CHARS_MAX, parse_phone


@pytest.mark.parametrize(
    "typed",
    ["+77015550102", "+7 701 555 01 02", " +7 (701) 555-01-02 ", "+7-701-555-0102"],
)
def test_however_it_is_typed_it_is_one_number(typed: str) -> None:
    assert parse_phone(typed) == "+77015550102"


@pytest.mark.parametrize(
    "typed",
    ["", "+", "7015550102", "+7 701", "+999 12345678", "+77015550102;ext=5", "+7701555" * 9, "+ab"],
)
def test_what_is_no_number_with_its_country_is_refused(typed: str) -> None:
    with pytest.raises(SpecieError) as caught:
        parse_phone(typed)
    assert caught.value.code is ErrorCode.PHONE_INVALID


@given(st.text(max_size=30))
def test_whatever_is_typed_gets_a_number_or_a_code(typed: str) -> None:
    with suppress(SpecieError):  # its code is looked at above
        found = parse_phone("+" + typed)
        assert found[0] == "+"
        assert found[1:].isdigit()
        assert len(found) <= PHONE_CHARS_MAX
        assert parse_phone(found) == found, "one form, and no other"
