"""What frees the tokens of a payment that can no longer become final (ADR 0010; spec page 07).

    receipt of a header leaf   the log's time: what was final by then is in the log
    signed statement           which of our inputs are spent, as of that checkpoint or a later one

Both are verified here; a `LogView` is what they say. Nobody's clock counts, and nobody's bare word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.ledger.receipts import ReceiptTrust, VerifiedReceipt, verify_receipt
from specie.ledger.states import OutputState, StateStatement, verify_states
from specie.log.leaves import HeaderLeaf
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class LogView:
    """The log as of a header: its time, and which of the outputs asked for are spent."""

    time: Timestamp
    spent: frozenset[OutputRef]


def verify_log_view(
    receipt: str, statement: StateStatement, refs: Sequence[OutputRef], trust: ReceiptTrust
) -> LogView:
    """Refuses a receipt of no header, and a statement that is older, another's or lacks an output.

    `receipt_invalid`, `statement_invalid`, and whatever else is wrong with either.
    """
    verified = verify_receipt(receipt, trust)
    if not isinstance(verified.leaf, HeaderLeaf):
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "not a header: it says nothing of the time")
    key = trust.participants.get_central_bank().institution_key
    states = verify_states(statement, trust.genesis.network, key)
    _check_not_older(statement, verified)
    for ref in refs:
        if states.get(ref, OutputState.UNKNOWN) is OutputState.UNKNOWN:
            raise SpecieError(ErrorCode.STATEMENT_INVALID, "it does not tell of every token")
    spent = frozenset(ref for ref in refs if states[ref] is OutputState.SPENT)
    return LogView(verified.leaf.time, spent)


def _check_not_older(statement: StateStatement, receipt: VerifiedReceipt) -> None:
    """An older one would call unspent what was spent by the time of the header."""
    stated, proven = statement.checkpoint, receipt.checkpoint.checkpoint
    if stated.size < proven.size or (stated.size == proven.size and stated.root != proven.root):
        raise SpecieError(ErrorCode.STATEMENT_INVALID, "a statement of another or an older log")
