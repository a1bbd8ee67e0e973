"""Twin of docs/spec/10: links of requests, what is signed in them, and name claims."""

from collections.abc import Mapping
from typing import Any

from tests.reference.address import encode_address
from tests.reference.hashing import tagged_hash

FREE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


def compute_message(request: Mapping[str, Any]) -> bytes:
    """What the payee's spend key signs."""
    return tagged_hash(
        "request",
        request["network"]
        + _u32(request["bank"])
        + request["view"]
        + request["spend"]
        + _u64(request["amount"])
        + request["order"]
        + request["end_to_end"]
        + _u64(request["seconds"] * 1000)
        + request["name"].encode().ljust(48, b"\0")
        + tagged_hash("request-text", request["text"].encode()),
    )


def write_link(request: Mapping[str, Any], signature: bytes, prefix: str) -> str:
    """The one spelling."""
    parts = ["v=1", f"n={request['network'].hex()}"]
    address = encode_address(prefix, request["bank"], request["view"], request["spend"])
    parts.append(f"a={address}")
    if request["amount"]:
        parts.append(f"m={request['amount']}")
    parts.append(f"o={request['order'].hex()}")
    if any(request["end_to_end"]):
        parts.append(f"e={request['end_to_end'].hex()}")
    if request["seconds"]:
        parts.append(f"x={request['seconds']}")
    for letter, text in (("p", request["name"]), ("t", request["text"])):
        if text:
            escaped = (chr(one) if one in FREE else f"%{one:02X}" for one in text.encode())
            parts.append(f"{letter}={''.join(escaped)}")
    return "specie:pay?" + "&".join([*parts, f"s={signature.hex()}"])


def compute_claim(claim: Mapping[str, Any]) -> bytes:
    """What the payer's bank signs."""
    return tagged_hash(
        "name-claim",
        claim["network"]
        + _u32(claim["payers_bank"])
        + _u32(claim["bank"])
        + claim["view"]
        + claim["spend"]
        + _u64(claim["amount"])
        + claim["order"]
        + claim["end_to_end"]
        + claim["name"].encode().ljust(48, b"\0"),
    )


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _u64(value: int) -> bytes:
    return value.to_bytes(8, "little")
