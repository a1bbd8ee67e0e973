"""Starts processes of the version before: what they say and understand, what they have not got.

Taken away from this release before anybody else imports it: the number, and the operations, fields
and codes that came with it. What an older process never heard of it does not offer, ask, write or
read; a field of a later version it refuses.
"""

import sys
from importlib import import_module
from typing import Any

from specie.remote import operations
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

operations.VERSION -= 1  # before anybody else imports it

encoding: Any = import_module("specie.remote.encoding")  # only now, with the version of before
decode, build_error = encoding.decode, encoding.build_error
LATER_CODES = frozenset(
    {
        ErrorCode.CLIENT_FROZEN,
        ErrorCode.DATA_MISSING,
        ErrorCode.DIRECTORY_ENTRY_MISSING,
        ErrorCode.HOLDING_LIMIT_EXCEEDED,
        ErrorCode.PAYMENT_HELD,
        ErrorCode.PAYMENT_LIMIT_EXCEEDED,
        ErrorCode.PAYMENT_REFUSED_BY_POLICY,
        ErrorCode.PHONE_NOT_CONFIRMED,
        ErrorCode.PHONE_UNKNOWN,
        ErrorCode.SIGNATURES_MISSING,
    }
)


def decode_older(data: bytes, kind: str, model: Any) -> Any:
    """Unknown fields are refused, and these are."""
    found = decode(data, kind, model)
    newer = encoding.find_newer(model, operations.VERSION)
    said = found.model_dump(exclude_unset=True)
    if newer and said != found.model_dump(exclude_unset=True, exclude=newer):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "a field that nobody knows here")
    return found


def build_older_error(code: str, message: str, evidence: bytes = b"") -> Any:
    """A code that nobody knows here."""
    return build_error("later" if code in LATER_CODES else code, message, evidence)


encoding.decode, encoding.build_error = decode_older, build_older_error

gate: Any = import_module("specie.api.gate")  # takes both from there
channel: Any = import_module("specie.remote.channel")
is_offered, call = vars(gate.Gate)["_is_offered"], channel.Channel.call


def is_older_offered(self: Any, operation: Any) -> bool:
    """No path of what came later."""
    return bool(operation.since <= operations.VERSION and is_offered(self, operation))


def call_older(self: Any, to: Any, operation: Any, request: Any) -> Any:
    """Nobody here has thought of asking for it."""
    if operation.since > operations.VERSION:
        raise SpecieError(ErrorCode.UNREACHABLE, f"{operation.name}: not of this version")
    return call(self, to, operation, request)


gate.Gate._is_offered = is_older_offered  # noqa: SLF001  # the place of what came later
channel.Channel.call = call_older

if __name__ == "__main__":
    import_module("tests.network.zygote").listen(sys.argv[1])
