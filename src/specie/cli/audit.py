"""`specie audit DIR`: the whole currency from the public folder alone (X1, X3).

Reads `genesis`, `participants`, `checkpoint`, `cosigners` and `tile/`, insists that there is
nothing else, and believes nothing but the network id that the caller trusts. First every file is
compared with the checkpoint, so that a damaged one is named; then the leaves are interpreted.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from specie.cli.trust import (
    COSIGNERS,
    GENESIS,
    PARTICIPANTS,
    decode,
    describe_network,
    load_note,
    load_trust,
    naming,
    read,
)
from specie.identity.cosigners import Backing
from specie.identity.genesis import ProofMode
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.ledger.receipts import ReceiptTrust
from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignatureType, SignedCheckpoint, verify_log_line, verify_note
from specie.log.tiles import CHECKPOINT_PATH, iterate_tile_paths
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.log_files import LogFolder
from specie.store.tally_files import TallyFolder
from specie.store.tile_checks import verify_tiles
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId

_KINDS: Final = {
    SignatureType.LOG: "the notary",
    SignatureType.COSIGNER_ED25519: "Ed25519",
    SignatureType.COSIGNER_ML_DSA_44: "ML-DSA-44",
}

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is, over both passes."""


def audit_folder(
    folder: Path,
    expected: NetworkId | None = None,
    progress: Progress | None = None,
    earlier: Path | None = None,
) -> tuple[ReceiptTrust, SignedCheckpoint, Totals]:
    """Verify everything; raises with the code of the first wrong thing.

    `earlier` is a checkpoint of this log that the reader has kept: the log has to continue it.
    """
    trust = load_trust(folder, expected)
    log = LogFolder(folder)
    note = read(folder, CHECKPOINT_PATH)
    with naming(CHECKPOINT_PATH):
        signed = verify_note(decode(note), trust.get_log_key(), trust.cosigners)
    known = None if earlier is None else _load_earlier(earlier, trust, signed.checkpoint)
    _check_files(log, signed.checkpoint)
    verify_tiles(folder, signed.checkpoint, progress)
    with tempfile.TemporaryDirectory(prefix="specie-audit-") as scratch:
        tally = TallyFolder(Path(scratch))
        try:
            audit = PublicAudit(trust.genesis, trust.participants, tally=tally)
            _run(audit, log, signed.checkpoint, known, progress)
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
    trust: ReceiptTrust, backing: Sequence[Backing], expected: NetworkId | None
) -> list[tuple[str, str]]:
    """Which claim rests on the data alone, and which on whose word.

    Only auditors see private batches; witnesses and auditors see that the log only grew.
    """
    witnesses, auditors = backing
    is_published = trust.genesis.proof_mode is ProofMode.PUBLISHED
    ranges = "proven in the data" if is_published else _describe_word(auditors)
    officers = f"{trust.genesis.officers_required} of {len(trust.participants.officers)} officers"
    return [
        ("this is the network that you mean", describe_network(expected)),
        ("unspent = issued - redeemed", "proven in the data"),
        ("nothing is spent twice", "proven in the data"),
        ("every amount is in range", ranges),
        ("changes of the supply were allowed", f"{officers} signed each, verified"),
        ("every reader is shown this log", _describe_word(witnesses, auditors)),
        ("issues are backed by reserves", "the word of the notary, not in the data"),
    ]


def _describe_word(*backing: Backing) -> str:
    """Nobody is credited whom the signed list does not name for it."""
    if not any(one.names for one in backing):
        asked = "; ".join(one.describe() for one in backing if one.required)
        return f"nobody's word but the notary's{f' ({asked})' if asked else ''}"
    return f"the word of {'; '.join(one.describe() for one in backing if one.known)}"


def _run(
    audit: PublicAudit,
    log: LogFolder,
    checkpoint: Checkpoint,
    earlier: Checkpoint | None,
    progress: Progress | None,
) -> None:
    frontier = Frontier()
    for batch in split_batches(log.iterate_leaves(checkpoint.size)):
        audit.add_batch(batch)
        before, frontier = frontier, frontier.append(compute_leaf_hash(leaf) for leaf in batch)
        _check_continues(earlier, before, frontier)
        if progress is not None:
            progress(frontier.size, checkpoint.size)
    if frontier.compute_root() != checkpoint.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the folder was changed while it was read")


def _load_earlier(path: Path, trust: ReceiptTrust, checkpoint: Checkpoint) -> Checkpoint:
    text = load_note(path)
    with naming(path.name):
        earlier = verify_log_line(text, trust.get_log_key())
        if earlier.size > checkpoint.size:
            raise SpecieError(ErrorCode.LOG_INVALID, "the log has become shorter than it was")
    return earlier


def _check_continues(earlier: Checkpoint | None, before: Frontier, after: Frontier) -> None:
    """Both are signed by the log's key: whoever has them can show that it has two histories.

    Checkpoints stand at ends of batches only, so none lies inside of one.
    """
    if earlier is None or not before.size <= earlier.size <= after.size:
        return
    if (earlier.size, earlier.root) not in (
        (one.size, one.compute_root()) for one in (before, after)
    ):
        raise SpecieError(ErrorCode.LOG_INVALID, "another history than your earlier checkpoint's")


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
