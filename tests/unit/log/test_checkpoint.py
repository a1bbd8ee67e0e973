"""Checkpoints: exactly one spelling, one signature line, nothing besides (spec page 05)."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import compute_origin
from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignatureType, VerifierKey, sign_checkpoint, verify_checkpoint
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, InstitutionPublicKey
from tests.building import make_world
from tests.refusing import refuse


def get_key_id(name: str, key: InstitutionPublicKey) -> bytes:
    return VerifierKey(name, SignatureType.LOG, key).key_id


KEY = InstitutionKey.generate()
PUBLIC = InstitutionPublicKey(KEY.public)
ORIGIN = compute_origin(make_world().genesis)
CHECKPOINT = Checkpoint(ORIGIN, 1_234, Digest(bytes(range(32))))
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def check_refused(note: str, origin: str = ORIGIN, key: InstitutionPublicKey = PUBLIC) -> None:
    assert refuse(verify_checkpoint, note, origin, key) is ErrorCode.CHECKPOINT_INVALID


@given(st.integers(0, 10**19 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_are_signed_and_read_back(size: int, root: bytes) -> None:  # X2
    checkpoint = Checkpoint(ORIGIN, size, Digest(root))
    assert verify_checkpoint(sign_checkpoint(checkpoint, KEY), ORIGIN, PUBLIC) == checkpoint


def test_the_form_is_that_of_c2sp() -> None:  # X2, X3
    """tlog-checkpoint in a signed-note: text, empty line, em dash, name, key id and signature."""
    text, _, line = NOTE.rpartition("\n\n")
    assert text == f"{ORIGIN}\n1234\n{base64.b64encode(bytes(range(32))).decode()}"
    dash, name, encoded = line.rstrip("\n").split(" ")
    assert (dash, name) == ("—", ORIGIN)
    raw = base64.b64decode(encoded)
    assert raw[:4] == get_key_id(ORIGIN, PUBLIC)
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(raw[4:], f"{text}\n".encode())


def test_every_character_counts() -> None:  # X2
    wrong = set()
    for place, letter in enumerate(NOTE):
        kept, rest = NOTE[:place], NOTE[place + 1 :]
        wrong |= {kept + rest, kept + letter * 2 + rest}
        wrong |= {kept + other + rest for other in "\n \t0A=-+/é—\r\0"}
        wrong.add(kept + chr(ord(letter) ^ 1) + rest)
    wrong |= {NOTE[:size] for size in range(len(NOTE))}
    for note in wrong - {NOTE}:
        check_refused(note)
    assert verify_checkpoint(NOTE, ORIGIN, PUBLIC) == CHECKPOINT


def resign(change: Callable[[str], str]) -> str:
    """Another text, signed by the log's own key."""
    text = change(CHECKPOINT.format())
    line = base64.b64encode(get_key_id(ORIGIN, PUBLIC) + KEY.sign(text.encode())).decode()
    return f"{text}\n— {ORIGIN} {line}\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "extension line\n",
        lambda text: text.replace("1234", "01234"),
        lambda text: text.replace("1234", "+1234"),
        lambda text: text.replace("1234", "-1"),
        lambda text: text.replace("1234", "1e3"),
        lambda text: text.replace("1234", "1_234"),
        lambda text: text.replace("1234", "١٢"),
        lambda text: text.replace("1234", "²"),
        lambda text: text.replace("1234", ""),
        lambda text: text.replace("1234", " 1234"),
        lambda text: text.replace("1234", "1" * 20),
        lambda text: text.replace(ORIGIN, "specie/other"),
        lambda text: text.replace("=\n", "\n"),
        lambda text: text.replace("8=\n", "9=\n"),
        lambda text: text.replace("=\n", "=AAAA\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n",
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_a_second_spelling_is_refused_though_signed(change: Callable[[str], str]) -> None:  # X2
    note = resign(change)
    assert note != NOTE
    check_refused(note)


def test_signature_lines_that_are_not_the_logs() -> None:  # X2, X3
    text, _, line = NOTE.rpartition("\n\n")
    stranger = InstitutionKey.generate()
    other = sign_checkpoint(CHECKPOINT, stranger)
    check_refused(other)
    check_refused(NOTE, key=InstitutionPublicKey(stranger.public))
    check_refused(NOTE, origin="specie/other")
    check_refused(NOTE + other.rpartition("\n\n")[2])
    check_refused(f"{text}\n\n{line}{line}")
    check_refused(f"{text}\n\n")
    check_refused(NOTE.replace("— ", "- "))
    name = sign_checkpoint(Checkpoint(ORIGIN + "x", 1_234, CHECKPOINT.root), KEY)
    check_refused(f"{text}\n\n{name.rpartition(chr(10) * 2)[2]}")
    raw = base64.b64decode(line.split(" ")[2])
    for spoilt in (raw[:-1], raw + b"\0", b"\0" * 4 + raw[4:], raw[:4]):
        check_refused(f"{text}\n\n— {ORIGIN} {base64.b64encode(spoilt).decode()}\n")


@given(st.text(max_size=300))
def test_other_text_is_no_checkpoint(text: str) -> None:
    check_refused(text)


def test_key_ids_tell_keys_and_names_apart() -> None:
    ids = {
        get_key_id(ORIGIN, PUBLIC),
        get_key_id(ORIGIN + "x", PUBLIC),
        get_key_id(ORIGIN, InstitutionPublicKey(InstitutionKey.generate().public)),
    }
    assert len(ids) == 3
