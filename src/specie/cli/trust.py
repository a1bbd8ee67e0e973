"""What a reader believes beforehand: genesis, participants and cosigners beside the log (X1, X3).

All three are signed by the authentication centre, whose key stands in genesis; so everything rests
on the network id that the reader brings. Who brings none trusts the folder for it, and is told.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from specie.identity.cosigners import (
    Backing,
    CosignerRole,
    find_backing,
    parse_trusted,
    verify_cosigners,
)
from specie.identity.genesis import verify_genesis
from specie.identity.participants import verify_participants
from specie.ledger.receipts import ReceiptTrust
from specie.log.notes import SignedCheckpoint, VerifierKey
from specie.store.durable_files import read_limited, read_regular
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from specie.values.limits import LOG_FILE_BYTES_MAX, NOTE_BYTES_MAX

GENESIS: Final = "genesis"
PARTICIPANTS: Final = "participants"
COSIGNERS: Final = "cosigners"

Trusted = Sequence[tuple[CosignerRole, VerifierKey]]


def load_trust(folder: Path, expected: NetworkId | None) -> ReceiptTrust:
    """Genesis, participants and cosigners beside the log; `network_mismatch` if not `expected`."""
    signed = read(folder, GENESIS)
    with naming(GENESIS):
        genesis = verify_genesis(signed)
        if expected is not None and genesis.network != expected:
            raise SpecieError(ErrorCode.NETWORK_MISMATCH, "this is another network's data")
    members_signed = read(folder, PARTICIPANTS)
    with naming(PARTICIPANTS):
        members = verify_participants(members_signed, genesis)
    cosigners = read(folder, COSIGNERS)
    with naming(COSIGNERS):
        listed = verify_cosigners(cosigners, genesis)
    return ReceiptTrust(genesis, members, listed.keys, listed)


def load_backing(
    trust: ReceiptTrust, signed: SignedCheckpoint, own: Path | None
) -> tuple[Backing, ...]:
    """Who vouches for a checkpoint; with the reader's own file, only who stands in it as well."""
    assert trust.listed is not None, "loaded from a folder"
    return find_backing(signed, trust.listed, None if own is None else load_trusted(own))


def load_trusted(path: Path) -> Trusted:
    """The reader's own file of cosigners' keys; it may be a link."""
    text = read_text(path, LOG_FILE_BYTES_MAX)
    with naming(path.name):
        return parse_trusted(text)


def load_note(path: Path) -> str:
    """A checkpoint that the reader has kept."""
    return read_text(path, NOTE_BYTES_MAX)


def describe_network(expected: NetworkId | None) -> str:
    """On what it rests that this is the network that the reader means."""
    return "the id that you gave" if expected else "the folder's own word; give --network"


def read_text(path: Path, size_max: int) -> str:
    """A reader's own file; `setting_invalid` if it cannot be read."""
    try:
        data = read_regular(path, size_max)
    except OSError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path.name}: {error.strerror}") from None
    if len(data) > size_max:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{path.name} is too long")
    with naming(path.name):
        return decode(data)


def decode(data: bytes) -> str:
    """UTF-8; `text_invalid` otherwise."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.TEXT_INVALID, "not text") from None


def read(folder: Path, name: str) -> bytes:
    """A file of the public folder."""
    return read_limited(folder, name, LOG_FILE_BYTES_MAX)


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Whatever is refused here is refused of this file."""
    try:
        yield
    except SpecieError as error:
        raise SpecieError(error.code, f"{name}: {error.message}") from None
