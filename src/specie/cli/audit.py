"""`specie audit DIR`: the whole currency from the public folder alone (X1, X3).

Reads `genesis`, `participants`, `checkpoint`, `cosigners` and `tile/`, insists that there is
nothing else, and believes nothing but the network id that the caller trusts.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from specie.identity.genesis import Genesis, ProofMode, verify_genesis
from specie.identity.participants import ParticipantList, verify_participants
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.ledger.receipts import ReceiptTrust
from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignedCheckpoint, VerifierKey, parse_verifier_key, verify_note
from specie.log.tiles import CHECKPOINT_PATH, iterate_tile_paths
from specie.log.tree import Frontier
from specie.store.log_files import LogFolder
from specie.store.tally_files import TallyFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId
from specie.values.limits import COSIGNERS_MAX

GENESIS: Final = "genesis"
PARTICIPANTS: Final = "participants"
COSIGNERS: Final = "cosigners"

Progress = Callable[[int, int], None]
"""Called with leaves done and leaves in all."""


def load_trust(folder: Path, expected: NetworkId | None) -> ReceiptTrust:
    """Genesis, participants and cosigners beside the log; `network_mismatch` if not `expected`."""
    genesis = verify_genesis(_read(folder, GENESIS))
    if expected is not None and genesis.network != expected:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "this is another network's data")
    members = verify_participants(_read(folder, PARTICIPANTS), genesis)
    return ReceiptTrust(genesis, members, _read_cosigners(folder))


def audit_folder(
    folder: Path, expected: NetworkId | None = None, progress: Progress | None = None
) -> tuple[ReceiptTrust, SignedCheckpoint, Totals]:
    """Verify everything; raises with the code of the first wrong thing."""
    trust = load_trust(folder, expected)
    log = LogFolder(folder)
    signed = verify_note(log.read_checkpoint(), trust.get_log_key(), trust.cosigners)
    _check_files(log, signed.checkpoint)
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


def describe_claims(genesis: Genesis, members: ParticipantList) -> list[str]:
    """Which claims rest on the data alone, and which on somebody's word."""
    is_published = genesis.proof_mode is ProofMode.PUBLISHED
    ranges = (
        "every amount is in range: proven in the data"
        if is_published
        else "every amount is in range: the word of the auditors who cosigned, not in the data"
    )
    officers = len(members.officers)
    return [
        "unspent = issued - redeemed, nothing spent twice: proven in the data",
        ranges,
        f"each change of the supply: signed by {genesis.officers_required} of {officers} officers",
        "that an issue is backed by reserves: the word of the notary, kept in its private batches",
    ]


def _run(
    audit: PublicAudit, log: LogFolder, checkpoint: Checkpoint, progress: Progress | None
) -> None:
    frontier = Frontier()
    hashes: list[Digest] = []

    def leaves() -> Iterator[bytes]:
        for leaf, one in log.iterate_checked(checkpoint.size):
            hashes.append(one)
            yield leaf

    for batch in split_batches(leaves()):
        audit.add_batch(batch)
        frontier = frontier.append(hashes)
        hashes.clear()
        if progress is not None:
            progress(frontier.size, checkpoint.size)
    if frontier.compute_root() != checkpoint.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the leaves are not those of the checkpoint")


def _check_files(log: LogFolder, checkpoint: Checkpoint) -> None:
    """Exactly the files that a log of this size has."""
    expected = {GENESIS, PARTICIPANTS, COSIGNERS, CHECKPOINT_PATH}
    expected.update(iterate_tile_paths(checkpoint.size))
    found = log.list_files()
    wrong = sorted(found - expected)
    if wrong:
        raise SpecieError(ErrorCode.LOG_INVALID, f"a file that does not belong there: {wrong[0]}")
    missing = sorted(expected - found)
    if missing:
        raise SpecieError(ErrorCode.LOG_INVALID, f"a file is missing: {missing[0]}")


def _read_cosigners(folder: Path) -> tuple[VerifierKey, ...]:
    try:
        lines = _read(folder, COSIGNERS).decode().splitlines()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.TEXT_INVALID, "cosigners is not text") from None
    if len(lines) > COSIGNERS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many cosigners")
    return tuple(parse_verifier_key(line) for line in lines)


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise SpecieError(ErrorCode.LOG_INVALID, f"{name}: {error.strerror}") from None
