"""Where a bank keeps which outputs its clients' payments have made for others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, OutputRef, ParticipantNumber, TransactionId


@dataclass(frozen=True, slots=True, repr=False)
class PaidByClient:
    """One output that a client has paid: what the bank was shown of it."""

    client: ClientId
    txid: TransactionId
    bank: ParticipantNumber  # of the payee
    amount: Minor
    anchor: bytes  # 16


class PaidOutputs(Protocol):
    """By reference; without the bank's storage key nobody reads which they are."""

    def record(self, client: ClientId, txid: TransactionId, outputs: Sequence[Token]) -> None:
        """Within the transaction that records the attestation; again is the same."""
        ...

    def find(self, ref: OutputRef) -> PaidByClient | None:
        """Attested; whether it is final, the client's movement of this transaction says."""
        ...
