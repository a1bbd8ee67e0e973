"""Phone numbers as the directory knows them: E.164, one way to write each (row T8)."""

from typing import Final, NewType

import phonenumbers

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

PhoneNumber = NewType("PhoneNumber", str)  # "+" and 7 to 15 digits
PHONE_CHARS_MAX: Final = 16
_TYPED_CHARS_MAX: Final = 40


def parse_phone(text: str) -> PhoneNumber:
    """As people write it, with its country: spaces, hyphens and brackets do not count.

    `phone_invalid` unless it begins with + and can be a number by the numbering plans.
    """
    typed = text.strip()
    if not typed.startswith("+") or len(typed) > _TYPED_CHARS_MAX:
        raise SpecieError(ErrorCode.PHONE_INVALID, "a number with its country: +77015550102")
    try:
        number = phonenumbers.parse(typed, None)
    except phonenumbers.NumberParseException as error:
        raise SpecieError(ErrorCode.PHONE_INVALID, f"no phone number: {error}") from None
    if number.extension or not phonenumbers.is_possible_number(number):
        raise SpecieError(ErrorCode.PHONE_INVALID, "no country has phone numbers of this form")
    return PhoneNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
