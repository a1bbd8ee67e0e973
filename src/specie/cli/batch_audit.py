"""`specie audit DIR --batches DIR`: the full private batches against the log, for auditors (X3).

The second folder holds `batches/N`, one private batch each, and `lists/V`, every participant
list that was in force. It shows the graph of payments, so it is for auditors only.
"""

from pathlib import Path
from typing import Final

from specie.assembly.overseers import read_lists
from specie.cli.audit import Progress
from specie.cli.trust import naming
from specie.ledger.audit import split_batches
from specie.ledger.receipts import ReceiptTrust
from specie.log.checkpoint import Checkpoint
from specie.oversight.auditor import AuditedTotals, BatchAudit
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

BATCH_CLAIMS: Final = (
    ("every payment kept the contract, balances and ranges included", "judged again here"),
    ("every input and output was attested by its bank", "verified here; who is a client: its word"),
    ("when each payment was judged, and by which list", "the notary's word"),
    ("that an issue is backed by reserves", "the accounting's signature, verified here"),
)


def audit_batches(
    public: Path,
    private: Path,
    trust: ReceiptTrust,
    checkpoint: Checkpoint,
    progress: Progress | None = None,
) -> AuditedTotals:
    """Judge every batch again; raises with the code of the first wrong thing."""
    for name in ("batches", "lists"):
        if not (private / name).is_dir():
            raise SpecieError(ErrorCode.SETTING_INVALID, f"--batches {private}: no {name}/ in it")
    lists = read_lists(private / "lists", trust.genesis)
    if lists.get(trust.participants.version) != trust.participants:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "lists/: not those of the public folder")
    batches = BatchFolder(private / "batches")
    audit = BatchAudit(trust.genesis, lists)
    done = 0
    leaves = LogFolder(public).iterate_leaves(checkpoint.size)
    for number, batch in enumerate(split_batches(leaves), start=1):
        with naming("batches"):
            data = batches.read(number)
        audit.add_batch(data, batch)
        done += len(batch)
        if progress is not None:
            progress(done, checkpoint.size)
    audit.check_covers(checkpoint)
    batches.check_complete(audit.totals.batches)
    return audit.totals
