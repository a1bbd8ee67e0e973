"""The C2SP format tlog-proof: a file that shows offline that a leaf is in the log (X2).

c2sp.org/tlog-proof@v1
extra BASE64            what the leaf and its meaning are; not authenticated by itself
index N
BASE64 hashes …         from the leaf's sibling up
                        (empty line)
the checkpoint, verbatim
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from specie.log.proofs import PROOF_HASHES_MAX
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import PROOF_BYTES_MAX

_HEAD: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Parsed form only; `verify_inclusion` and `verify_note` decide whether it holds."""

    extra: bytes
    index: int
    path: tuple[Digest, ...]
    note: str

    def format(self) -> str:
        """The file's text."""
        hashes = "".join(f"{_encode(one)}\n" for one in self.path)
        return f"{_HEAD}\nextra {_encode(self.extra)}\nindex {self.index}\n{hashes}\n{self.note}"


def parse_inclusion(text: str) -> InclusionProof:
    """Strict: one spelling of everything; `receipt_invalid` otherwise."""
    if len(text.encode()) > PROOF_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "the proof is too long")
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    is_headed = len(lines) >= 3 and lines[0] == _HEAD
    if not separator or not is_headed or not lines[1].startswith("extra "):
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "not a proof of inclusion")
    index = lines[2].removeprefix("index ")
    is_number = index.isascii() and index.isdigit() and len(index) <= 19
    if lines[2] != f"index {index}" or not is_number or str(int(index)) != index:
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "the index is not a number")
    path = tuple(Digest(_decode(line)) for line in lines[3:])
    if len(path) > PROOF_HASHES_MAX or any(len(one) != 32 for one in path):
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "not a path of hashes")
    return InclusionProof(_decode(lines[1].removeprefix("extra ")), int(index), path, note)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "not base64") from None
    if _encode(raw) != text:
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "not in its one spelling")
    return raw
