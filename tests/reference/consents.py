"""Twin of docs/spec/01: a client's consent to be read, and its end."""

from collections.abc import Mapping
from typing import Any

from tests.reference.hashing import tagged_hash


def pack_consent(case: Mapping[str, Any]) -> bytes:
    """What the client's device signs, 193 bytes."""
    account: bytes = _number(case["bank"], 4) + case["view"] + case["spend"]
    named: bytes = case["reader"] + case["name"].encode().ljust(48, b"\0")
    times = b"".join(_number(case[name], 8) for name in ("from", "creation", "expiration"))
    head: bytes = account + _number(case["number"], 4) + case["nonce"] + named
    return head + _number(case["permissions"], 1) + times


def compute_id(case: Mapping[str, Any]) -> bytes:
    """By it the reader names it."""
    at = case["network"] + _number(case["serving"], 4)
    return tagged_hash("consent", at + pack_consent(case))


def compute_end(case: Mapping[str, Any]) -> bytes:
    """What the client's device signs to revoke it."""
    at = case["network"] + _number(case["serving"], 4)
    return tagged_hash("consent-end", at + compute_id(case) + _number(case["time"], 8))


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")
