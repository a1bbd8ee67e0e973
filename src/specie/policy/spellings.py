"""How an address, a name or a phone number is spelled before it is looked up in a list.

    spelled   addresses: small letters · names: NFKC, case folded, single spaces · phones: E.164
    listed    "kind:" ‖ hex of SHA-256 over the spelled text, for a list given plain or hashed

A list that is hashed shows nothing to who reads the policy and has no guess; phone numbers are few
enough to try them all, so it is no protection for those.
"""

import hashlib
import re
import unicodedata
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.phones import parse_phone

ADDRESSES: Final = "addresses"
NAMES: Final = "names"
PHONES: Final = "phones"
_PREFIX: Final = "sha256:"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def spell(kind: str, text: str) -> str:
    """The one spelling that is compared and hashed."""
    if kind == PHONES:
        return str(parse_phone(text))
    if kind == ADDRESSES:
        return text.strip().lower()
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def spell_known(kind: str, text: str) -> str:
    """Of somebody in a payment, as lists have it."""
    digest = hashlib.sha256(encode_text(spell(kind, text))).hexdigest()
    return f"{kind}:{digest}"


def spell_listed(kind: str, text: str) -> str:
    """Of an entry of a list, plain or `sha256:` and 64 digits."""
    if not text.startswith(_PREFIX):
        return spell_known(kind, text)
    digest = text.removeprefix(_PREFIX)
    if not _DIGEST.fullmatch(digest):
        reason = f"{_PREFIX} and 64 hexadecimal digits, small letters"
        raise SpecieError(ErrorCode.POLICY_INVALID, reason)
    return f"{kind}:{digest}"
