"""One-time codes: with them an institution enrols, and a device opens a wallet (T2, T3)."""

from specie.crypto.hashing import tagged_hash
from specie.values.identifiers import Digest


def hash_code(code: bytes) -> Digest:
    """What is kept of a one-time code."""
    return tagged_hash("code", code)
