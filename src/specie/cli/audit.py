"""`specie audit DIR`: the whole currency from the public folder alone (X1, X3).

Reads `genesis`, `participants`, `checkpoint`, `cosigners` and `tile/`, insists that there is
nothing else, and believes nothing but the network id that the caller trusts. First every file is
compared with the checkpoint, so that a damaged one is named; then the leaves are interpreted.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from specie.identity.genesis import Genesis, ProofMode, verify_genesis
from specie.identity.participants import ParticipantList, verify_participants
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.ledger.receipts import ReceiptTrust
from specie.log.checkpoint import Checkpoint
from specie.log.notes import (
    SignatureType,
    SignedCheckpoint,
    VerifierKey,
    parse_verifier_key,
    verify_note,
)
from specie.log.tiles import CHECKPOINT_PATH, iterate_tile_paths
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.durable_files import read_limited, read_regular
from specie.store.log_files import LogFolder
from specie.store.tally_files import TallyFolder
from specie.store.tile_checks import verify_tiles
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from specie.values.limits import COSIGNERS_MAX, LOG_FILE_BYTES_MAX

GENESIS: Final = "genesis"
PARTICIPANTS: Final = "participants"
COSIGNERS: Final = "cosigners"

_KINDS: Final = {
    SignatureType.LOG: "the notary",
    SignatureType.COSIGNER_ED25519: "Ed25519",
    SignatureType.COSIGNER_ML_DSA_44: "ML-DSA-44",
}

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is, over both passes."""


def load_trust(folder: Path, expected: NetworkId | None) -> ReceiptTrust:
    """Genesis, participants and cosigners beside the log; `network_mismatch` if not `expected`."""
    signed = _read(folder, GENESIS)
    with _naming(GENESIS):
        genesis = verify_genesis(signed)
        if expected is not None and genesis.network != expected:
            raise SpecieError(ErrorCode.NETWORK_MISMATCH, "this is another network's data")
    members_signed = _read(folder, PARTICIPANTS)
    with _naming(PARTICIPANTS):
        members = verify_participants(members_signed, genesis)
    lines = _read(folder, COSIGNERS)
    with _naming(COSIGNERS):
        return ReceiptTrust(genesis, members, _parse_cosigners(lines))


def audit_folder(
    folder: Path,
    expected: NetworkId | None = None,
    progress: Progress | None = None,
    cosigners: Path | None = None,
) -> tuple[ReceiptTrust, SignedCheckpoint, Totals]:
    """Verify everything; raises with the code of the first wrong thing.

    `cosigners` is a file of keys that the caller trusts, instead of those of the folder.
    """
    trust = load_trust(folder, expected)
    if cosigners is not None:
        trust = replace(trust, cosigners=_load_cosigners(cosigners))
    log = LogFolder(folder)
    note = _read(folder, CHECKPOINT_PATH)
    with _naming(CHECKPOINT_PATH):
        signed = verify_note(_decode(note), trust.get_log_key(), trust.cosigners)
    _check_files(log, signed.checkpoint)
    verify_tiles(folder, signed.checkpoint, progress)
    with tempfile.TemporaryDirectory(prefix="specie-audit-") as scratch:
        tally = TallyFolder(Path(scratch))
        try:
            audit = PublicAudit(trust.genesis, trust.participants, tally=tally)
            _run(audit, log, signed.checkpoint, progress)
            totals = audit.finish()
        finally:
            tally.close()
    return trust, signed, totals


def describe_totals(
    trust: ReceiptTrust, signed: SignedCheckpoint, totals: Totals
) -> dict[str, int | str]:
    """What was verified, for people and for machines."""
    counts = {name.replace("_", " "): value for name, value in asdict(totals).items()}
    counts.pop("supply")
    return {
        "network": trust.genesis.network.hex(),
        "leaves": signed.checkpoint.size,
        **counts,
        "signed by": ", ".join(key.name for key in signed.signers),
        "supply": trust.genesis.currency.format(totals.supply),
        "supply minor": totals.supply,
    }


def describe_signers(signed: SignedCheckpoint) -> list[str]:
    """Who put a signature under this checkpoint, and in which way."""
    return [f"{key.name} ({_KINDS[key.type]})" for key in signed.signers]


def describe_claims(
    genesis: Genesis, members: ParticipantList, signed: SignedCheckpoint
) -> list[tuple[str, str]]:
    """Which claim rests on the data alone, and which on whose word.

    Only auditors see private batches; witnesses and auditors see that the log only grew.
    """
    seen = _describe_word(signed, "auditor")
    is_published = genesis.proof_mode is ProofMode.PUBLISHED
    officers = f"{genesis.officers_required} of {len(members.officers)} officers signed each"
    return [
        ("unspent = issued - redeemed", "proven in the data"),
        ("nothing is spent twice", "proven in the data"),
        ("every amount is in range", "proven in the data" if is_published else seen),
        ("changes of the supply were allowed", f"{officers}, verified"),
        ("every reader is shown this log", _describe_word(signed, "witness", "auditor")),
        ("issues are backed by reserves", "the word of the notary, not in the data"),
    ]


def _describe_word(signed: SignedCheckpoint, *roles: str) -> str:
    """Whose word, of cosigners with these roles; the first word of a name says the role."""
    names = dict.fromkeys(key.name for key in signed.signers[1:])
    credited = [name for name in names if _get_role(name) in roles]
    return f"the word of {', '.join(credited)}" if credited else "nobody's word but the notary's"


def _get_role(name: str) -> str:
    found = re.match("[a-z]*", name)
    return found.group() if found else ""


def _run(
    audit: PublicAudit, log: LogFolder, checkpoint: Checkpoint, progress: Progress | None
) -> None:
    frontier = Frontier()
    for batch in split_batches(log.iterate_leaves(checkpoint.size)):
        audit.add_batch(batch)
        frontier = frontier.append(compute_leaf_hash(leaf) for leaf in batch)
        if progress is not None:
            progress(frontier.size, checkpoint.size)
    if frontier.compute_root() != checkpoint.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the folder was changed while it was read")


def _check_files(log: LogFolder, checkpoint: Checkpoint) -> None:
    """Exactly the files that a log of this size has."""
    expected = {GENESIS, PARTICIPANTS, COSIGNERS, CHECKPOINT_PATH}
    expected.update(iterate_tile_paths(checkpoint.size))
    found = log.list_files(expected)
    missing = sorted(expected - found)
    if missing:
        raise SpecieError(ErrorCode.LOG_INVALID, f"{missing[0]}: a file that is missing")
    wrong = sorted(found - expected)
    if wrong:
        raise SpecieError(ErrorCode.LOG_INVALID, f"{wrong[0]}: a file that does not belong there")


def _load_cosigners(path: Path) -> tuple[VerifierKey, ...]:
    """The caller's own file, so it may be a link; otherwise as strict as the folder's."""
    try:
        data = read_regular(path, LOG_FILE_BYTES_MAX)
    except OSError as error:
        what = f"{path.name}: {error.strerror}"
        raise SpecieError(ErrorCode.SETTING_INVALID, what) from None
    if len(data) > LOG_FILE_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{path.name} is too long")
    with _naming(path.name):
        return _parse_cosigners(data)


def _parse_cosigners(data: bytes) -> tuple[VerifierKey, ...]:
    text = _decode(data)
    lines = text.splitlines()
    if len(lines) > COSIGNERS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many cosigners")
    keys = tuple(parse_verifier_key(line) for line in lines)
    if "".join(key.format() + "\n" for key in keys) != text:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not in its one spelling")
    return keys


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.TEXT_INVALID, "not text") from None


def _read(folder: Path, name: str) -> bytes:
    return read_limited(folder, name, LOG_FILE_BYTES_MAX)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Whatever is refused here is refused of this file."""
    try:
        yield
    except SpecieError as error:
        raise SpecieError(error.code, f"{name}: {error.message}") from None
