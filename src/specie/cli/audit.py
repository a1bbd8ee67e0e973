"""`specie audit DIR`: from the public folder alone (X1).

Reads `genesis`, `participants`, `checkpoint` and `tile/entries/`, nothing else.
"""

from pathlib import Path

from specie.identity.genesis import Genesis, compute_origin, verify_genesis
from specie.identity.participants import verify_participants
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.log.checkpoint import Checkpoint, verify_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.log_files import LogFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId


def audit_folder(folder: Path, expected: NetworkId | None = None) -> tuple[Genesis, Totals]:
    """Verify everything; raises with the code of the first wrong thing."""
    genesis = verify_genesis(_read(folder, "genesis"))
    if expected is not None and genesis.network != expected:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "this is another network's data")
    members = verify_participants(_read(folder, "participants"), genesis)
    log = LogFolder(folder)
    checkpoint = verify_checkpoint(
        log.read_checkpoint(), compute_origin(genesis), members.notary_key
    )
    audit = PublicAudit(genesis, members)
    frontier = Frontier()
    for batch in split_batches(log.iterate_leaves(checkpoint.size)):
        frontier = frontier.append(compute_leaf_hash(leaf) for leaf in batch)
        audit.add_batch(batch)
    _check_root(frontier, checkpoint)
    return genesis, audit.finish()


def describe_totals(genesis: Genesis, totals: Totals) -> dict[str, int | str]:
    """What was verified, for people and for machines."""
    return {
        "network": genesis.network.hex(),
        "batches": totals.batches,
        "outputs created": totals.created,
        "outputs spent": totals.spent,
        "kernels": totals.kernels,
        "range proofs": totals.range_proofs,
        "authorisations": totals.authorisations,
        "serial": totals.serial,
        "supply": genesis.currency.format(totals.supply),
        "supply minor": totals.supply,
    }


def _check_root(frontier: Frontier, checkpoint: Checkpoint) -> None:
    if frontier.compute_root() != checkpoint.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the leaves are not those of the checkpoint")


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise SpecieError(ErrorCode.LOG_INVALID, f"{name}: {error.strerror}") from None
