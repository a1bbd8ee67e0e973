"""Amounts: whole minor units, 0 to 2**64 - 1, of one currency, and their text for people."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.values.amounts import Currency, Minor, Money, check_minor, check_positive, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.limits import AMOUNT_MAX
from tests.refusing import attempt, refuse

amounts = st.sampled_from([0, 1, 2**63, AMOUNT_MAX]) | st.integers(0, AMOUNT_MAX)
currencies = st.builds(
    Currency, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3), st.integers(0, 8)
)
DCU = Currency("DCU", 2)


# --- numbers ------------------------------------------------------------------------------------


@given(amounts)
def test_amounts_are_what_fits_64_bits(value: int) -> None:  # T16
    assert check_minor(value) == value


@pytest.mark.parametrize(
    "value", [-1, -(2**63), 2**64, 2**128, 1.0, 0.5, "1", None, True, Decimal(1), b"1"]
)
def test_what_is_not_an_amount(value: Any) -> None:  # T16
    assert refuse(check_minor, value) is ErrorCode.AMOUNT_OUT_OF_RANGE
    assert refuse(check_positive, value) is ErrorCode.AMOUNT_OUT_OF_RANGE


def test_nothing_is_not_paid() -> None:
    assert refuse(check_positive, 0) is ErrorCode.AMOUNT_OUT_OF_RANGE
    assert check_positive(1) == 1


@given(st.lists(amounts, max_size=5))
def test_sums_are_exact_or_refused(values: list[int]) -> None:  # T16
    minors = [Minor(value) for value in values]
    if sum(values) <= AMOUNT_MAX:
        assert sum_minor(minors) == sum(values)
    else:
        assert refuse(sum_minor, minors) is ErrorCode.AMOUNT_OUT_OF_RANGE


@given(amounts, amounts)
def test_money_adds_and_subtracts_within_the_range(one: int, two: int) -> None:
    left, right = Money(Minor(one), DCU), Money(Minor(two), DCU)
    if one + two <= AMOUNT_MAX:
        assert (left + right).minor == one + two
        assert left + right - right == left
    else:
        assert refuse(lambda: left + right) is ErrorCode.AMOUNT_OUT_OF_RANGE
    if one < two:
        assert refuse(lambda: left - right) is ErrorCode.AMOUNT_OUT_OF_RANGE
    assert str(left) == DCU.format(one)


def test_two_currencies_do_not_mix() -> None:
    one, other = Money(Minor(5), DCU), Money(Minor(1), Currency("DCU", 3))
    assert refuse(lambda: one + other) is ErrorCode.CURRENCY_MISMATCH
    assert refuse(lambda: one - other) is ErrorCode.CURRENCY_MISMATCH
    assert refuse(Money, Minor(-1), DCU) is ErrorCode.AMOUNT_OUT_OF_RANGE


# --- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "decimals"),
    [
        *(("", 2), ("DC", 2), ("DCUU", 2), ("dcu", 2), ("DcU", 2), ("D1U", 2), ("D U", 2)),
        *(("ÄÖÜ", 2), ("ΑΒΓ", 2), ("D\0U", 2), ("DCU", -1), ("DCU", 9)),
    ],
)
def test_what_is_not_a_currency(code: str, decimals: int) -> None:
    assert refuse(Currency, code, decimals) is ErrorCode.CURRENCY_MISMATCH


@pytest.mark.parametrize(
    ("decimals", "value", "text"),
    [
        (2, 0, "0.00 DCU"),
        (2, 7, "0.07 DCU"),
        (2, 123450, "1,234.50 DCU"),
        (2, -123450, "-1,234.50 DCU"),
        (0, 1234567, "1,234,567 DCU"),
        (8, 1, "0.00000001 DCU"),
        (2, AMOUNT_MAX, "184,467,440,737,095,516.15 DCU"),
    ],
)
def test_format(decimals: int, value: int, text: str) -> None:
    assert Currency("DCU", decimals).format(value) == text


@given(amounts, currencies)
def test_what_is_formatted_is_read_back(value: int, currency: Currency) -> None:
    text = currency.format(value).removesuffix(f" {currency.code}")
    assert currency.parse(text) == value
    assert currency.parse(f"  {text.replace(',', '')}\n") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 100), ("1.5", 150), ("1.50", 150), ("007", 700), ("1,000", 100_000), ("0.01", 1)],
)
def test_parse(text: str, value: int) -> None:
    assert DCU.parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "-1", "+1", "-0", "1.", ".5", "1.234", "1.500", "1e5", "0x10", "1_000"),
        *("12,50", "1,5", "1,00", "1,0000", "10,00,000", ",100", "1,", "1,000,", "1 000", "1.5.0"),
        *("nan", "inf", "Infinity", "ten", "١٢", "１２", "²", "1.٥", "1\0", "1 DCU"),
        *("184467440737095516.16", "99999999999999999999", "1" * 5_000, "1." + "0" * 5_000),
        *("1.00000000000000000000000000000000001", "0.000000000000000000000000000000000000001"),
    ],
)
def test_what_is_not_an_amount_in_text(text: str) -> None:
    """A decimal comma is refused, not read as a hundred times as much."""
    assert refuse(DCU.parse, text) is ErrorCode.AMOUNT_OUT_OF_RANGE


@given(st.text(max_size=30) | st.text("0123456789.,-+eE ", max_size=30), currencies)
def test_no_text_is_read_inexactly(text: str, currency: Currency) -> None:
    value = attempt(currency.parse, text)
    if value is not ErrorCode.AMOUNT_OUT_OF_RANGE:
        exact = Decimal(text.strip().replace(",", "")) * 10**currency.decimals
        assert value == exact
