"""The accounting as the central bank sees it."""

from typing import Protocol

from specie.ledger.records import ReserveReference
from specie.ledger.transactions import Promise
from specie.values.amounts import Minor
from specie.values.identifiers import EntryId, ParticipantNumber


class AccountingPort(Protocol):
    """Reserves and the issuance fund."""

    def debit_for_issue(
        self, entry: EntryId, participant: ParticipantNumber, amount: Minor
    ) -> ReserveReference:
        """Debit the participant's reserves, credit the issuance fund; signed reference (P8)."""
        ...

    def credit_for_redemption(
        self, participant: ParticipantNumber, amount: Minor, promise: Promise
    ) -> None:
        """Credit reserves, debit the fund (P9), once for the transaction that is promised."""
        ...
