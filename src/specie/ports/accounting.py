"""The accounting as those see it who change the supply: one port for each direction."""

from typing import Protocol

from specie.ledger.records import ReserveReference
from specie.ledger.transactions import Promise
from specie.values.amounts import Minor
from specie.values.identifiers import EntryId, ParticipantNumber
from specie.values.times import Timestamp


class IssueAccounting(Protocol):
    """Out of reserves into the issuance fund, as the central bank asks for it."""

    def debit_for_issue(
        self, entry: EntryId, participant: ParticipantNumber, amount: Minor
    ) -> ReserveReference:
        """Debit the participant's reserves: an issue is in transit; signed reference (P8)."""
        ...

    def complete_issue(self, entry: EntryId, promise: Promise) -> None:
        """It is final: out of transit, into the issuance fund."""
        ...

    def is_issue_over(self, entry: EntryId, published: Timestamp) -> bool:
        """Whether the debit backs no issue any more, by the notary's published time."""
        ...

    def release_issue(self, entry: EntryId, published: Timestamp) -> None:
        """It will never be final: back into the participant's reserves."""
        ...


class RedemptionAccounting(Protocol):
    """Out of the issuance fund into reserves, as whoever redeems asks for it."""

    def hold_redemption(self, entry: EntryId, amount: Minor) -> None:
        """Out of the fund: a redemption is in transit (P9)."""
        ...

    def release_redemption(self, entry: EntryId) -> None:
        """It will never be final: back into the fund."""
        ...

    def credit_for_redemption(
        self, participant: ParticipantNumber, amount: Minor, promise: Promise
    ) -> None:
        """Out of transit into reserves (P9), once for the transaction that is promised."""
        ...
