"""Amounts: checked integers in minor units of one currency. No floats, no negative money."""

import re
from dataclasses import dataclass
from typing import Final, NewType, Self

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import AMOUNT_MAX

Minor = NewType("Minor", int)
"""An amount in minor units, 0 ≤ v ≤ 2**64 - 1, of the network's currency."""

# Whole units with commas at every third digit or without; decimals behind a point.
_TEXT: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,6}|[0-9]{1,20})(?:\.([0-9]+))?")


def check_minor(value: int) -> Minor:
    """Refuse what is not an amount: negative, over u64, or not an integer at all."""
    if type(value) is not int or not 0 <= value <= AMOUNT_MAX:
        raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "an amount is 0 to 2**64 - 1 minor units")
    return Minor(value)


def check_positive(value: int) -> Minor:
    """An amount that somebody pays: at least one minor unit."""
    if check_minor(value) == 0:
        raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "an amount to pay is at least 1")
    return Minor(value)


def sum_minor(values: list[Minor]) -> Minor:
    """Sum that refuses to overflow."""
    return check_minor(sum(values))


@dataclass(frozen=True, slots=True)
class Currency:
    """Code (three capital letters, ISO 4217 form) and number of decimals of the minor unit."""

    code: str
    decimals: int

    def __post_init__(self) -> None:
        is_code = len(self.code) == 3 and self.code.isascii() and self.code.isalpha()
        if not is_code or not self.code.isupper() or not 0 <= self.decimals <= 8:
            raise SpecieError(ErrorCode.CURRENCY_MISMATCH, "a currency is AAA with 0-8 decimals")

    def format(self, value: int) -> str:
        """Minor units → text for people: `1,234.50 DCU`. Signed values are allowed here only."""
        sign = "-" if value < 0 else ""
        whole, rest = divmod(abs(value), 10**self.decimals)
        decimals = f".{rest:0{self.decimals}d}" if self.decimals else ""
        return f"{sign}{whole:,}{decimals} {self.code}"

    def parse(self, text: str) -> Minor:
        """Text from people → minor units, exactly; more decimals than the currency has is wrong.

        A comma stands before three digits or not at all: `12,50` is refused, not read as 1250.
        """
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "not an amount")
        whole, decimals = found[1].replace(",", ""), found[2] or ""
        if len(decimals) > self.decimals:
            raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "too many decimals")
        return check_minor(int(whole + decimals.ljust(self.decimals, "0")))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency, for the edges where several currencies could meet."""

    minor: Minor
    currency: Currency

    def __post_init__(self) -> None:
        check_minor(self.minor)

    def __add__(self, other: Self) -> "Money":
        self._check_same(other)
        return Money(check_minor(self.minor + other.minor), self.currency)

    def __sub__(self, other: Self) -> "Money":
        self._check_same(other)
        return Money(check_minor(self.minor - other.minor), self.currency)

    def __str__(self) -> str:
        return self.currency.format(self.minor)

    def _check_same(self, other: Self) -> None:
        if self.currency != other.currency:
            raise SpecieError(ErrorCode.CURRENCY_MISMATCH, "amounts of two currencies")
