"""Whose token was spent twice (T15): what the notary shows, what was cancelled, whose it is."""

from collections.abc import Sequence

from specie.identity.roster import Roster
from specie.ledger.evidence import verify_evidence
from specie.ledger.promises import verify_void_promise
from specie.ledger.transactions import VoidPromise
from specie.ports.notary import NotaryPort
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef


def trace_double_spend(
    evidence: bytes, notary: NotaryPort, defence: Sequence[VoidPromise], roster: Roster
) -> OutputRef:
    """The output of which two signed transactions are shown.

    Two signatures of which one is for a cancelled transaction prove nothing: the notary is asked,
    and so is the client, whose promises of it count as well (`evidence_invalid`).
    """
    shown = verify_evidence(evidence, roster.genesis.network)
    for promise in defence:
        verify_void_promise(promise, roster)
    cancelled = {promise.txid for promise in defence}
    for spend in (shown.first, shown.second):
        if spend.txid in cancelled or notary.find_void(spend.txid) is not None:
            raise SpecieError(ErrorCode.EVIDENCE_INVALID, "one of the two was cancelled")
    return shown.output.ref
