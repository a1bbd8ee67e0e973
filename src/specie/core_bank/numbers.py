"""Account numbers with check digits, made as IBANs are (ISO 13616, ISO 7064 MOD 97-10).

    XX ‖ check digits, 2 ‖ bank, 4 digits ‖ serial, 10 digits

XX is a code that ISO 3166 leaves to users: no number of ours is anybody's in the world.
"""

from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import CoreAccount

_COUNTRY: Final = "XX"
_LENGTH: Final = 18


def make_number(bank: int, serial: int) -> CoreAccount:
    """Of the account with this serial."""
    rest = f"{bank:04d}{serial:010d}"
    check = 98 - _compute_rest(f"{rest}{_COUNTRY}00")
    return CoreAccount(f"{_COUNTRY}{check:02d}{rest}")


def check_number(account: CoreAccount) -> None:
    """`account_unknown` for a typing error: no account has such a number."""
    is_form = len(account) == _LENGTH and account.isascii() and account[2:].isdigit()
    if not is_form or account[:2] != _COUNTRY or _compute_rest(account[4:] + account[:4]) != 1:
        raise SpecieError(ErrorCode.ACCOUNT_UNKNOWN, "no account number: look at it again")


def _compute_rest(text: str) -> int:
    """Letters count as 10 to 35."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
