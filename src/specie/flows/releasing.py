"""Tokens of payments that came to nothing are free again (T19, ADR 0010). Owner: the payer.

the registration proves the log's time → it signs which inputs are spent → the payer verifies both
→ tokens whose payments can no longer become final are free
"""

from collections.abc import Sequence
from typing import Protocol

from specie.ledger.receipts import ReceiptTrust
from specie.ledger.states import StateStatement
from specie.values.identifiers import OutputRef
from specie.wallet.releasing import LogView, verify_log_view


class Releasing(Protocol):
    """Whoever waits for an answer: a wallet or a vault."""

    def list_waiting(self) -> Sequence[OutputRef]:
        """Inputs of payments whose answer was not heard."""
        ...

    def release_expired(self, view: LogView) -> int:
        """Free what can be freed by what the log says; gives how many payments."""
        ...


class LogWitness(Protocol):
    """The registration."""

    def prove_time(self) -> str:
        """Receipt of the newest header."""
        ...

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """Signed: which of these are spent."""
        ...


def release_expired(payer: Releasing, registration: LogWitness, trust: ReceiptTrust) -> int:
    """May be repeated at any time; gives how many payments were given up.

    The statement is asked for last, so that it is not older than the time it is judged by.
    """
    refs = payer.list_waiting()
    if not refs:
        return 0
    receipt = registration.prove_time()
    statement = registration.state_outputs(refs)
    return payer.release_expired(verify_log_view(receipt, statement, refs, trust))
