"""Tagged hashes (spec page 00).

H(tag, fields) = SHA-256("specie/v1/" ‖ tag ‖ 0x00 ‖ fields)
"""

from specie._kernel import KernelError
from specie._kernel import tagged_hash as _tagged_hash
from specie._kernel import tagged_hash_many as _tagged_hash_many
from specie.crypto.native import translate, translated_errors
from specie.values.encoding import split_fixed
from specie.values.identifiers import Digest


def tagged_hash(tag: str, *fields: bytes) -> Digest:
    """H over the joined fields, 32 bytes; each field has a fixed width by its spec page."""
    try:
        return Digest(_tagged_hash(tag, b"".join(fields)))
    except KernelError as error:
        raise translate(error) from None


def tagged_hash_many(tag: str, records: bytes, width: int) -> list[Digest]:
    """H of every `width`-byte record of `records`, on all cores."""
    with translated_errors():
        return [Digest(one) for one in split_fixed(_tagged_hash_many(tag, records, width), 32)]
