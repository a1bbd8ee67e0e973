"""A phrase in shares (SLIP-39): some of them give it back, fewer tell nothing (X7).

    24 words (BIP-39) → 32 bytes ─ threshold k of n ─→ n shares of 33 words each

The library does the arithmetic; here words become bytes and back, with BIP-39's checksum. For the
owner's eyes: words in, words out, nothing is kept.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from shamir_mnemonic import (  # type: ignore[import-untyped]  # it ships no types
    MnemonicError,
    combine_mnemonics,
    generate_mnemonics,
)

from specie.crypto.secrets import parse_phrase
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import SHARES_MAX

_WORD_BITS: Final = 11
_WORDS: Final = Path(__file__).with_name("bip39_english.txt")


def split_phrase(phrase: str, threshold: int, count: int) -> list[str]:
    """`count` shares, of which `threshold` are enough; other ones each time.

    `setting_invalid` for 1 of n: each share would be the phrase. `phrase_invalid` for no phrase.
    """
    if count > SHARES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {SHARES_MAX} shares")
    if not 2 <= threshold <= count:
        raise SpecieError(ErrorCode.SETTING_INVALID, "a threshold of 2 at least, of all at most")
    entropy = _read_phrase(phrase)
    [group] = generate_mnemonics(1, [(threshold, count)], entropy)
    return list(group)


def combine_shares(shares: list[str]) -> str:
    """The phrase; `phrase_invalid` if they are too few, changed, or of different phrases."""
    try:
        entropy = combine_mnemonics([" ".join(one.lower().split()) for one in shares])
    except (MnemonicError, ValueError):
        reason = "not shares of one phrase, or too few of them"
        raise SpecieError(ErrorCode.PHRASE_INVALID, reason) from None
    return _write_phrase(entropy)


@lru_cache(1)
def _load_words() -> list[str]:
    return _WORDS.read_text(encoding="ascii").split()


def _read_phrase(phrase: str) -> bytes:
    """The bytes that the words stand for; the kernel has the say whether it is a phrase."""
    parse_phrase(phrase)
    places = {word: place for place, word in enumerate(_load_words())}
    number = 0
    words = phrase.split()
    for word in words:
        number = number << _WORD_BITS | places[word.lower()]
    checksum_bits = len(words) // 3
    return (number >> checksum_bits).to_bytes(checksum_bits * 4, "big")


def _write_phrase(entropy: bytes) -> str:
    """With the checksum of BIP-39: the first bits of SHA-256."""
    checksum_bits = len(entropy) // 4
    checksum = hashlib.sha256(entropy).digest()[0] >> (8 - checksum_bits)
    number = int.from_bytes(entropy, "big") << checksum_bits | checksum
    count = checksum_bits * 3
    words, mask = _load_words(), (1 << _WORD_BITS) - 1
    shifts = range((count - 1) * _WORD_BITS, -1, -_WORD_BITS)
    phrase = " ".join(words[number >> shift & mask] for shift in shifts)
    parse_phrase(phrase)
    return phrase
