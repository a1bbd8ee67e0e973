"""Signed notes and cosignatures: one spelling, known keys only, each line holds (X3, X13).

What is made by hand here goes through `cryptography`, which shares no line with the kernel.
"""

import base64
import hashlib
import struct
from collections.abc import Sequence
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.log.checkpoint import Checkpoint
from specie.log.notes import (
    SignatureType,
    SignedLine,
    VerifierKey,
    append_lines,
    cosign,
    format_note,
    get_verifier_key,
    parse_note,
    parse_verifier_key,
    sign_as_log,
    sign_checkpoint,
    verify_log_line,
    verify_note,
)
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest
from specie.values.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX
from tests.refusing import refuse
from tests.vectors.generate_cosigner import is_supported

ORIGIN: Final = "specie.example/log"
CHECKPOINT: Final = Checkpoint(ORIGIN, 1_234, Digest(bytes(range(32))))
TEXT: Final = f"{ORIGIN}\n1234\n{base64.b64encode(bytes(range(32))).decode()}\n"
TIME_S: Final = 1_800_000_000

LOG, WITNESS, AUDITOR = (InstitutionKey.generate() for _ in range(3))
QUANTUM_SAFE = CosignerKey.generate()
LOG_KEY = VerifierKey(ORIGIN, SignatureType.LOG, LOG.public)
WITNESS_KEY = get_verifier_key("witness.example", WITNESS)
AUDITOR_KEY = get_verifier_key("auditor.example", AUDITOR)
SAFE_KEY = get_verifier_key("witness.example", QUANTUM_SAFE)
COSIGNERS = (WITNESS_KEY, SAFE_KEY, AUDITOR_KEY)
LINES = (
    sign_as_log(CHECKPOINT, LOG),
    cosign(CHECKPOINT, "witness.example", WITNESS, TIME_S),
    cosign(CHECKPOINT, "witness.example", QUANTUM_SAFE, TIME_S),
    cosign(CHECKPOINT, "auditor.example", AUDITOR, TIME_S),
)
NOTE = format_note(CHECKPOINT, LINES)
CLASSIC = format_note(CHECKPOINT, (LINES[0], LINES[1], LINES[3]))

needs_openssl = pytest.mark.skipif(
    not is_supported(), reason="this build of `cryptography` has an OpenSSL without ML-DSA"
)


def find_code(note: str, cosigners: Sequence[VerifierKey] = COSIGNERS) -> ErrorCode:
    return refuse(verify_note, note, LOG_KEY, cosigners)


def check_refused(note: str, cosigners: Sequence[VerifierKey] = COSIGNERS) -> None:
    assert find_code(note, cosigners) is ErrorCode.CHECKPOINT_INVALID


def write_line(name: str, kind: int, public: bytes, signature: bytes) -> str:
    """A line as the formats say, put together by hand."""
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]
    return f"— {name} {base64.b64encode(key_id + signature).decode()}\n"


def write_subtree(name: str, time_s: int, size: int, root: bytes) -> bytes:
    """What an ML-DSA-44 cosigner signs, by hand."""
    start = b"subtree/v1\n\x00" + bytes([len(name)]) + name.encode() + struct.pack(">Q", time_s)
    origin = bytes([len(ORIGIN)]) + ORIGIN.encode()
    return start + origin + struct.pack(">QQ", 0, size) + root


# --- forms --------------------------------------------------------------------------------------


def test_all_lines_hold_and_say_who_signed() -> None:
    signed = verify_note(NOTE, LOG_KEY, COSIGNERS)
    assert signed.checkpoint == CHECKPOINT
    assert signed.signers == (LOG_KEY, *COSIGNERS)
    assert signed.is_signed_by("auditor.example") and not signed.is_signed_by("nobody")


def test_without_cosigners_it_is_the_plain_checkpoint() -> None:
    plain = format_note(CHECKPOINT, LINES[:1])
    assert plain == sign_checkpoint(CHECKPOINT, LOG)
    assert verify_note(plain, LOG_KEY, ()).signers == (LOG_KEY,)


def test_parsing_is_the_inverse_of_formatting() -> None:
    assert parse_note(NOTE) == (CHECKPOINT, LINES)
    assert format_note(*parse_note(NOTE)) == NOTE


def test_our_lines_hold_by_another_implementation() -> None:
    log = LINES[0].signature
    Ed25519PublicKey.from_public_bytes(LOG.public).verify(log, TEXT.encode())
    for key, line in ((WITNESS, LINES[1]), (AUDITOR, LINES[3])):
        assert line.signature[:8] == struct.pack(">Q", TIME_S)
        message = f"cosignature/v1\ntime {TIME_S}\n{TEXT}".encode()
        Ed25519PublicKey.from_public_bytes(key.public).verify(line.signature[8:], message)


@needs_openssl
def test_our_quantum_safe_line_holds_by_another_implementation() -> None:
    line = LINES[2]
    message = write_subtree("witness.example", TIME_S, 1_234, bytes(range(32)))
    public = MLDSA44PublicKey.from_public_bytes(QUANTUM_SAFE.public)
    public.verify(line.signature[8:], message)
    assert line.signature[:8] == struct.pack(">Q", TIME_S)


def test_lines_made_by_hand_are_accepted() -> None:
    log, witness = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    publics = [key.public_key().public_bytes_raw() for key in (log, witness)]
    dated = f"cosignature/v1\ntime 7\n{TEXT}".encode()
    note = TEXT + "\n" + write_line(ORIGIN, 1, publics[0], log.sign(TEXT.encode()))
    note += write_line("w", 4, publics[1], struct.pack(">Q", 7) + witness.sign(dated))
    log_key = VerifierKey(ORIGIN, SignatureType.LOG, publics[0])
    witness_key = VerifierKey("w", SignatureType.COSIGNER_ED25519, publics[1])
    assert verify_note(note, log_key, (witness_key,)).signers == (log_key, witness_key)


@needs_openssl
def test_a_quantum_safe_line_made_by_hand_is_accepted() -> None:
    key = MLDSA44PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    signature = key.sign(write_subtree("safe", 9, 1_234, bytes(range(32))))
    note = format_note(CHECKPOINT, LINES[:1])
    note += write_line("safe", 6, public, struct.pack(">Q", 9) + signature)
    safe = VerifierKey("safe", SignatureType.COSIGNER_ML_DSA_44, public)
    assert verify_note(note, LOG_KEY, (safe,)).is_signed_by("safe")
    for wrong in (
        write_subtree("other", 9, 1_234, bytes(range(32))),
        write_subtree("safe", 8, 1_234, bytes(range(32))),
        write_subtree("safe", 9, 1_235, bytes(range(32))),
        write_subtree("safe", 9, 1_234, bytes(32)),
    ):
        line = write_line("safe", 6, public, struct.pack(">Q", 9) + key.sign(wrong))
        check_refused(format_note(CHECKPOINT, LINES[:1]) + line, (safe,))


# --- strictness ---------------------------------------------------------------------------------


def test_every_character_counts() -> None:
    """Of text, names, key ids, times and Ed25519 signatures; no byte is free."""
    wrong = {CLASSIC[:size] for size in range(len(CLASSIC))}
    for place, letter in enumerate(CLASSIC):
        kept, rest = CLASSIC[:place], CLASSIC[place + 1 :]
        wrong |= {kept + rest, kept + letter * 2 + rest}
        wrong |= {kept + other + rest for other in "\n A=/—\r\0"}
        wrong.add(kept + chr(ord(letter) ^ 1) + rest)
    fewer = {format_note(CHECKPOINT, (LINES[0], LINES[1])), format_note(CHECKPOINT, LINES[:1])}
    for note in wrong - {CLASSIC} - fewer:  # whole lines less is a note that fewer have signed
        check_refused(note)
    for note in fewer:
        assert not verify_note(note, LOG_KEY, COSIGNERS).is_signed_by("auditor.example")


def test_every_part_of_a_quantum_safe_line_counts() -> None:
    start = NOTE.index(LINES[2].format())
    length = len(LINES[2].format())
    for place in {*range(60), *range(60, length, 41), *range(length - 6, length)}:
        letter = NOTE[start + place]
        other = "B" if letter == "A" else "A"
        check_refused(NOTE[: start + place] + other + NOTE[start + place + 1 :])


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(junk: bytes) -> None:
    text = junk.decode(errors="replace")
    for note in (text, TEXT + text, TEXT + "\n" + text, NOTE + text):
        if note != NOTE:
            check_refused(note)


def test_extension_lines_are_refused() -> None:
    extended = TEXT + "an extension\n"
    signature = Ed25519PrivateKey.generate()
    public = signature.public_key().public_bytes_raw()
    line = write_line(ORIGIN, 1, public, signature.sign(extended.encode()))
    log = VerifierKey(ORIGIN, SignatureType.LOG, public)
    code = refuse(verify_note, f"{extended}\n{line}", log, ())
    assert code is ErrorCode.CHECKPOINT_INVALID


def test_unknown_lines_are_refused() -> None:
    check_refused(NOTE, COSIGNERS[:2])
    check_refused(NOTE, ())
    stranger = cosign(CHECKPOINT, "witness.example", InstitutionKey.generate(), TIME_S)
    check_refused(format_note(CHECKPOINT, (*LINES, stranger)))


@pytest.mark.parametrize("place", range(4))
def test_repeated_lines_are_refused(place: int) -> None:
    check_refused(format_note(CHECKPOINT, (*LINES, LINES[place])))


def test_another_cosignature_of_the_same_key_is_refused() -> None:
    again = cosign(CHECKPOINT, "witness.example", WITNESS, TIME_S + 1)
    check_refused(format_note(CHECKPOINT, (*LINES, again)))


def test_the_log_signs_and_signs_first() -> None:
    check_refused(format_note(CHECKPOINT, LINES[1:]))
    check_refused(format_note(CHECKPOINT, (LINES[1], LINES[0], *LINES[2:])))
    check_refused(format_note(CHECKPOINT, ()))


def test_cosigners_may_stand_in_any_order() -> None:
    turned = format_note(CHECKPOINT, (LINES[0], *reversed(LINES[1:])))
    assert verify_note(turned, LOG_KEY, COSIGNERS).signers == (LOG_KEY, *reversed(COSIGNERS))


@pytest.mark.parametrize("place", range(4))
def test_the_key_id_must_be_that_of_the_key(place: int) -> None:
    line = LINES[place]
    wrong = SignedLine(line.name, bytes([line.key_id[0] ^ 1]) + line.key_id[1:], line.signature)
    check_refused(format_note(CHECKPOINT, (*LINES[:place], wrong, *LINES[place + 1 :])))


@pytest.mark.parametrize("place", range(4))
def test_signatures_have_one_size(place: int) -> None:
    line = LINES[place]
    for signature in (line.signature + b"\0", line.signature[:-1], b"\0", line.signature * 2):
        wrong = SignedLine(line.name, line.key_id, signature)
        check_refused(format_note(CHECKPOINT, (*LINES[:place], wrong, *LINES[place + 1 :])))


def test_one_way_of_signing_is_not_another() -> None:
    """A cosigner's key is not a log's key, and its line not a line of the log."""
    witness_as_log = VerifierKey(ORIGIN, SignatureType.LOG, WITNESS.public)
    dated = cosign(CHECKPOINT, ORIGIN, LOG, TIME_S)
    plain = sign_as_log(CHECKPOINT, WITNESS)
    log_as_cosigner = get_verifier_key(ORIGIN, LOG)
    assert len({LOG_KEY.key_id, log_as_cosigner.key_id, witness_as_log.key_id}) == 3
    check_refused(format_note(CHECKPOINT, (dated,)), (log_as_cosigner,))
    relabelled = SignedLine(ORIGIN, LOG_KEY.key_id, dated.signature[8:])
    check_refused(format_note(CHECKPOINT, (relabelled,)))
    relabelled = SignedLine("witness.example", WITNESS_KEY.key_id, bytes(8) + plain.signature)
    check_refused(format_note(CHECKPOINT, (LINES[0], relabelled)))


def test_lines_of_another_checkpoint_are_refused() -> None:
    others = (
        Checkpoint(ORIGIN, 1_235, CHECKPOINT.root),
        Checkpoint(ORIGIN, 1_234, Digest(bytes(32))),
    )
    for other in others:
        check_refused(format_note(other, LINES))
        for place in range(1, 4):
            note = format_note(other, (sign_as_log(other, LOG), LINES[place]))
            check_refused(note)


def test_another_origin_is_refused() -> None:
    other = Checkpoint("another.example/log", 1_234, CHECKPOINT.root)
    check_refused(format_note(other, (sign_as_log(other, LOG),)))


@pytest.mark.parametrize("size", ["", "01", "-1", "+1", "1 ", "1_0", "²", "0x1", "1" * 20, "1.0"])
def test_the_size_has_one_spelling(size: str) -> None:
    check_refused(NOTE.replace("\n1234\n", f"\n{size}\n"))


def test_limits() -> None:
    keys = [InstitutionKey.generate() for _ in range(NOTE_SIGNATURES_MAX)]
    lines = [cosign(CHECKPOINT, f"w{place}", key, 1) for place, key in enumerate(keys)]
    known = [get_verifier_key(f"w{place}", key) for place, key in enumerate(keys)]
    most = format_note(CHECKPOINT, [LINES[0], *lines[:-1]])
    assert len(verify_note(most, LOG_KEY, known).signers) == NOTE_SIGNATURES_MAX
    over = format_note(CHECKPOINT, [LINES[0], *lines])
    assert find_code(over, known) is ErrorCode.LIMIT_EXCEEDED
    assert refuse(append_lines, most, lines[-1:]) is ErrorCode.LIMIT_EXCEEDED
    assert find_code("x" * (NOTE_BYTES_MAX + 1)) is ErrorCode.LIMIT_EXCEEDED


# --- adding lines, and reading the log's alone --------------------------------------------------


def test_lines_are_added_once() -> None:
    plain = format_note(CHECKPOINT, LINES[:1])
    assert append_lines(plain, LINES[1:]) == NOTE
    assert append_lines(NOTE, LINES) == NOTE
    again = cosign(CHECKPOINT, "witness.example", WITNESS, TIME_S + 1)
    assert append_lines(NOTE, [again]) == NOTE


def test_who_cosigns_looks_at_the_logs_line_alone() -> None:
    for lines in (LINES, LINES[:1], (LINES[1], LINES[0])):
        assert verify_log_line(format_note(CHECKPOINT, lines), LOG_KEY) == CHECKPOINT
    other = Checkpoint("another.example/log", 1_234, CHECKPOINT.root)
    for note in (
        format_note(CHECKPOINT, LINES[1:]),
        format_note(CHECKPOINT, (LINES[0], LINES[0])),
        format_note(other, (sign_as_log(other, LOG),)),
        format_note(Checkpoint(ORIGIN, 9, CHECKPOINT.root), LINES),
        format_note(CHECKPOINT, (sign_as_log(CHECKPOINT, WITNESS),)),
    ):
        assert refuse(verify_log_line, note, LOG_KEY) is ErrorCode.CHECKPOINT_INVALID


# --- keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [LOG_KEY, *COSIGNERS], ids=lambda key: key.type.name)
def test_keys_are_written_and_read_back(key: VerifierKey) -> None:
    text = key.format()
    assert parse_verifier_key(text) == key
    name, key_id, material = text.split("+", 2)
    assert (name, key_id) == (key.name, key.key_id.hex())
    assert base64.b64decode(material) == bytes([key.type]) + key.public


def test_every_character_of_a_key_counts() -> None:
    text = WITNESS_KEY.format()
    for place, letter in enumerate(text):
        other = "b" if letter == "a" else "a"
        changed = text[:place] + other + text[place + 1 :]
        code = refuse(parse_verifier_key, changed)
        assert code in {ErrorCode.CHECKPOINT_INVALID, ErrorCode.SIZE_INVALID}


def test_what_is_no_key() -> None:
    for kind in (0, 2, 3, 5, 7, 255):
        material = bytes([kind]) + WITNESS.public
        key_id = hashlib.sha256(b"w\n" + material).hexdigest()[:8]
        text = f"w+{key_id}+{base64.b64encode(material).decode()}"
        assert refuse(parse_verifier_key, text) is ErrorCode.CHECKPOINT_INVALID
    for text in ("", "w", "w+00000000", "w+00000000+", "w+00000000+!"):
        assert refuse(parse_verifier_key, text) is ErrorCode.CHECKPOINT_INVALID
    for size in (31, 33, 1_312):
        code = refuse(VerifierKey, "w", SignatureType.COSIGNER_ED25519, bytes(size))
        assert code is ErrorCode.SIZE_INVALID
    code = refuse(VerifierKey, "w", SignatureType.COSIGNER_ML_DSA_44, bytes(32))
    assert code is ErrorCode.SIZE_INVALID


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a+b", "a\nb", "a\tb", "a\u00a0b", "a\u2003b", "a\0", "n" * 256]
)
def test_names_that_are_refused(name: str) -> None:
    code = refuse(VerifierKey, name, SignatureType.LOG, bytes(32))
    assert code is ErrorCode.CHECKPOINT_INVALID


@pytest.mark.parametrize("name", ["a", "n" * 255, "witness.example/2026", "müller.example"])
def test_names_that_are_accepted(name: str) -> None:
    key = InstitutionKey.generate()
    line = cosign(CHECKPOINT, name, key, TIME_S)
    note = format_note(CHECKPOINT, (LINES[0], line))
    assert verify_note(note, LOG_KEY, (get_verifier_key(name, key),)).is_signed_by(name)
