"""Checkpoints: the log's size and root, signed, in the C2SP formats tlog-checkpoint, signed-note.

text      = origin ‖ "\\n" ‖ size ‖ "\\n" ‖ base64(root) ‖ "\\n"
signature = "— " ‖ name ‖ " " ‖ base64(key id 4 ‖ Ed25519 signature 64)
key id    = SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4]
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, Signature

_ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A commitment to the first `size` leaves."""

    origin: str
    size: int
    root: Digest

    def format(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: InstitutionKey) -> str:
    """A signed note by the log's own key; its name is the origin."""
    text = checkpoint.format()
    key_id = compute_key_id(checkpoint.origin, InstitutionPublicKey(key.public))
    signature = sign_as_institution(key, text.encode())
    line = base64.b64encode(key_id + signature).decode()
    return f"{text}\n{_DASH}{checkpoint.origin} {line}\n"


def verify_checkpoint(note: str, origin: str, key: InstitutionPublicKey) -> Checkpoint:
    """Strict: exactly one signature line, the log's, and no extension lines."""
    lines = note.split("\n")
    if len(lines) != 6 or lines[3] != "" or lines[5] != "" or lines[0] != origin:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not a checkpoint of this log")
    size, root = _parse_size(lines[1]), _decode(lines[2], 32)
    checkpoint = Checkpoint(origin, size, Digest(root))
    prefix = f"{_DASH}{origin} "
    if not lines[4].startswith(prefix):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "signed under another name")
    signed = _decode(lines[4][len(prefix) :], 68)
    if signed[:4] != compute_key_id(origin, key):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "signed by another key")
    try:
        verify_institution_signature(key, checkpoint.format().encode(), Signature(signed[4:]))
    except SpecieError:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the signature does not hold") from None
    return checkpoint


def compute_key_id(name: str, key: InstitutionPublicKey) -> bytes:
    """Four bytes that tell which key signed."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key).digest()[:4]


def _parse_size(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or (len(text) > 1 and text[0] == "0"):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the size is not a number")
    if len(text) > 19:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the size is too large")
    return int(text)


def _decode(text: str, size: int) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not base64") from None
    if len(raw) != size or base64.b64encode(raw).decode() != text:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not in its one spelling")
    return raw
