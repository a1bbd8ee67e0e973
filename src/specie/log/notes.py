"""Signed notes and cosignatures in the C2SP formats signed-note and tlog-cosignature (X3, X13).

    note      = text ‖ "\\n" ‖ lines,   line = "— " ‖ name ‖ " " ‖ base64(key id 4 ‖ signature)
    key id    = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]

    type 0x01   the log itself:          Ed25519 over the text
    type 0x04   cosigner, Ed25519:       time u64be ‖ Ed25519("cosignature/v1\\ntime T\\n" ‖ text)
    type 0x06   cosigner, ML-DSA-44:     time u64be ‖ ML-DSA-44(cosigned message)
    cosigned message = "subtree/v1\\n\\0" ‖ len8 name ‖ time u64be ‖ len8 origin
                       ‖ start u64be (0) ‖ end u64be (size) ‖ root32

We are strict: every line must be of a key we know and must hold; nothing stands in extension
lines. Witnesses vouch for consistency, auditors for the full batches; names and keys differ.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from specie.crypto.cosigning import (
    ML_DSA_44_PUBLIC_SIZE,
    ML_DSA_44_SIGNATURE_SIZE,
    CosignerKey,
    verify_ml_dsa_44,
)
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.log.checkpoint import Checkpoint
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, Signature
from specie.values.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX

_DASH: Final = "\u2014 "
_ED25519_SIZE: Final = 64
_TIME_SIZE: Final = 8
_SUBTREE: Final = b"subtree/v1\n\0"


class SignatureType(IntEnum):
    """The byte that tells how a line is signed."""

    LOG = 0x01
    COSIGNER_ED25519 = 0x04
    COSIGNER_ML_DSA_44 = 0x06


_PUBLIC_SIZES: Final = {
    SignatureType.LOG: 32,
    SignatureType.COSIGNER_ED25519: 32,
    SignatureType.COSIGNER_ML_DSA_44: ML_DSA_44_PUBLIC_SIZE,
}
_SIGNATURE_SIZES: Final = {
    SignatureType.LOG: _ED25519_SIZE,
    SignatureType.COSIGNER_ED25519: _TIME_SIZE + _ED25519_SIZE,
    SignatureType.COSIGNER_ML_DSA_44: _TIME_SIZE + ML_DSA_44_SIGNATURE_SIZE,
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that may sign checkpoints, under one name, in one way."""

    name: str
    type: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        is_name = self.name.isprintable() and not set(self.name) & set(" +\u2003")
        if not is_name or not 1 <= len(self.name.encode()) <= 255:
            raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not a name for a key")
        if len(self.public) != _PUBLIC_SIZES[self.type]:
            raise SpecieError(ErrorCode.SIZE_INVALID, "a public key of another size")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which key signed."""
        start = self.name.encode() + b"\n" + bytes([self.type])
        return hashlib.sha256(start + self.public).digest()[:4]

    def format(self) -> str:
        """The vkey form: name+id+base64(type ‖ key)."""
        material = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class SignedLine:
    """One line below the text."""

    name: str
    key_id: bytes
    signature: bytes

    def format(self) -> str:
        """With its dash, without its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose every line has been verified, and by whom it is signed."""

    checkpoint: Checkpoint
    signers: tuple[VerifierKey, ...]

    def is_signed_by(self, name: str) -> bool:
        """Whether a line of this name is among them."""
        return any(key.name == name for key in self.signers)


def parse_verifier_key(text: str) -> VerifierKey:
    """The inverse of `VerifierKey.format`; the id must be that of name and key."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "a key has the form name+id+key")
    material = _decode_base64(parts[2])
    if not material or material[0] not in tuple(SignatureType):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "a key of an unknown type")
    key = VerifierKey(parts[0], SignatureType(material[0]), material[1:])
    if key.key_id.hex() != parts[1]:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the key's id is not that of the key")
    return key


def sign_as_log(checkpoint: Checkpoint, key: InstitutionSigner) -> SignedLine:
    """The log's own line; its name is the origin."""
    return sign_text(checkpoint.format(), checkpoint.origin, key)


def sign_checkpoint(checkpoint: Checkpoint, key: InstitutionSigner) -> str:
    """A note with the log's own line alone."""
    return format_note(checkpoint, [sign_as_log(checkpoint, key)])


def cosign(
    checkpoint: Checkpoint, name: str, key: InstitutionSigner | CosignerKey, time_s: int
) -> SignedLine:
    """A cosigner's line at POSIX time `time_s`; what it vouches for is for its name to say."""
    if not isinstance(key, CosignerKey):
        signature: bytes = sign_as_institution(key, _build_v1_message(checkpoint, time_s))
    else:
        signature = key.sign(_build_subtree_message(checkpoint, name, time_s))
    key_id = get_verifier_key(name, key).key_id
    return SignedLine(name, key_id, time_s.to_bytes(_TIME_SIZE, "big") + signature)


def get_verifier_key(name: str, key: InstitutionSigner | CosignerKey) -> VerifierKey:
    """The public side of a cosigner's key."""
    if not isinstance(key, CosignerKey):
        return VerifierKey(name, SignatureType.COSIGNER_ED25519, key.public)
    return VerifierKey(name, SignatureType.COSIGNER_ML_DSA_44, key.public)


def format_note(checkpoint: Checkpoint, lines: Sequence[SignedLine]) -> str:
    """The whole note."""
    return checkpoint.format() + "\n" + "".join(line.format() + "\n" for line in lines)


def append_lines(text: str, lines: Sequence[SignedLine]) -> str:
    """A note with more lines below; a line that is there already is not added twice."""
    checkpoint, known = parse_note(text)
    names = {(line.name, line.key_id) for line in known}
    fresh = [line for line in lines if (line.name, line.key_id) not in names]
    if len(known) + len(fresh) > NOTE_SIGNATURES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many signatures")
    return format_note(checkpoint, [*known, *fresh])


def drop_ml_dsa_lines(text: str) -> str:
    """The same note without its largest lines; what is left still verifies."""
    checkpoint, lines = parse_note(text)
    size = _SIGNATURE_SIZES[SignatureType.COSIGNER_ML_DSA_44]
    return format_note(checkpoint, [line for line in lines if len(line.signature) != size])


def parse_note(text: str) -> tuple[Checkpoint, tuple[SignedLine, ...]]:
    """Form only; nothing is believed before `verify_note`."""
    if len(text.encode()) > NOTE_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "the note is too long")
    head, separator, tail = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) != 3 or not tail.endswith("\n"):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not a checkpoint")
    checkpoint = Checkpoint(lines[0], _parse_size(lines[1]), Digest(_decode_root(lines[2])))
    signed = tail[:-1].split("\n")
    if len(signed) > NOTE_SIGNATURES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many signatures")
    return checkpoint, tuple(parse_line(line) for line in signed)


def verify_note(text: str, log: VerifierKey, cosigners: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Strict: signed by the log first, then by known cosigners, each once, and every line holds."""
    checkpoint, lines = parse_note(text)
    if checkpoint.origin != log.name:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "a checkpoint of another log")
    known = {(key.name, key.key_id): key for key in (log, *cosigners)}
    signers: list[VerifierKey] = []
    for line in lines:
        key = known.pop((line.name, line.key_id), None)
        if key is None:
            raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "a line of an unknown key, or twice")
        _verify_line(checkpoint, line, key)
        signers.append(key)
    if not signers or signers[0] != log:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not signed by the log")
    return SignedCheckpoint(checkpoint, tuple(signers))


def verify_checkpoint(note: str, origin: str, key: InstitutionPublicKey) -> Checkpoint:
    """Strict: the log's line and no other."""
    return verify_note(note, VerifierKey(origin, SignatureType.LOG, key), ()).checkpoint


def sign_text(text: str, name: str, key: InstitutionSigner) -> SignedLine:
    """A signed-note's line over any text that ends in a newline."""
    public = VerifierKey(name, SignatureType.LOG, key.public)
    return SignedLine(name, public.key_id, sign_as_institution(key, text.encode()))


def verify_text(text: str, line: str, key: VerifierKey) -> None:
    """`checkpoint_invalid` unless the line is this key's over the text."""
    found = parse_line(line)
    if (found.name, found.key_id) != (key.name, key.key_id):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "signed by another key")
    if len(found.signature) != _ED25519_SIZE:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "a signature of another size")
    try:
        _verify_ed25519(key, text.encode(), found.signature)
    except SpecieError:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the signature does not hold") from None


def verify_log_line(text: str, log: VerifierKey) -> Checkpoint:
    """For who is about to cosign: only the log's own line counts, others may stand beside it."""
    checkpoint, lines = parse_note(text)
    own = [line for line in lines if (line.name, line.key_id) == (log.name, log.key_id)]
    if checkpoint.origin != log.name or len(own) != 1:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not signed by the log")
    _verify_line(checkpoint, own[0], log)
    return checkpoint


def keep_log_line(text: str, log: VerifierKey) -> str:
    """The same note with the log's own line alone; `checkpoint_invalid` as `verify_log_line`."""
    checkpoint = verify_log_line(text, log)
    own = (log.name, log.key_id)
    lines = [line for line in parse_note(text)[1] if (line.name, line.key_id) == own]
    return format_note(checkpoint, lines)


def pick_lines(
    text: str, lines: Sequence[SignedLine], keys: Sequence[VerifierKey]
) -> tuple[SignedLine, ...]:
    """Of what a cosigner has answered, the lines of these keys, each once; `checkpoint_invalid`
    if one of them does not hold.

    Lines of other keys are left out: a cosigner's may be newer than the list that we have.
    """
    checkpoint, _ = parse_note(text)
    known = {(key.name, key.key_id): key for key in keys}
    picked: list[SignedLine] = []
    for line in lines:
        key = known.pop((line.name, line.key_id), None)
        if key is not None:
            _verify_line(checkpoint, line, key)
            picked.append(line)
    return tuple(picked)


def _verify_line(checkpoint: Checkpoint, line: SignedLine, key: VerifierKey) -> None:
    if len(line.signature) != _SIGNATURE_SIZES[key.type]:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "a signature of another size")
    time_s = int.from_bytes(line.signature[:_TIME_SIZE], "big")
    try:
        if key.type is SignatureType.LOG:
            _verify_ed25519(key, checkpoint.format().encode(), line.signature)
        elif key.type is SignatureType.COSIGNER_ED25519:
            message = _build_v1_message(checkpoint, time_s)
            _verify_ed25519(key, message, line.signature[_TIME_SIZE:])
        else:
            message = _build_subtree_message(checkpoint, key.name, time_s)
            verify_ml_dsa_44(key.public, message, line.signature[_TIME_SIZE:])
    except SpecieError:
        raise SpecieError(
            ErrorCode.CHECKPOINT_INVALID, f"the signature of {key.name} does not hold"
        ) from None


def _verify_ed25519(key: VerifierKey, message: bytes, signature: bytes) -> None:
    public = InstitutionPublicKey(key.public)
    verify_institution_signature(public, message, Signature(signature))


def _build_v1_message(checkpoint: Checkpoint, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{checkpoint.format()}".encode()


def _build_subtree_message(checkpoint: Checkpoint, name: str, time_s: int) -> bytes:
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            _SUBTREE,
            bytes([len(cosigner)]) + cosigner,
            time_s.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def parse_line(line: str) -> SignedLine:
    """The inverse of `SignedLine.format`."""
    name, separator, signed = line.removeprefix(_DASH).partition(" ")
    raw = _decode_base64(signed) if separator and line.startswith(_DASH) else b""
    if len(raw) <= 4 or not name:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not a signature line")
    return SignedLine(name, raw[:4], raw[4:])


def _parse_size(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 19
    if not is_number or (len(text) > 1 and text[0] == "0"):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the size is not a number")
    return int(text)


def _decode_root(text: str) -> bytes:
    root = _decode_base64(text)
    if len(root) != 32:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "the root is not a hash")
    return root


def _decode_base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not in its one spelling")
    return raw
