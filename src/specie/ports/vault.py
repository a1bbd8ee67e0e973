"""Where a holder's tokens and payments are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.tokens.holdings import Token
from specie.values.identifiers import OutputRef, TransactionId

Selection = Callable[[Sequence[Token]], Sequence[Token]]


class PaymentState(StrEnum):
    """Life of an outgoing payment."""

    PREPARED = "prepared"  # tokens reserved, transaction signed and stored, answer not heard
    SETTLED = "settled"  # final
    REFUSED = "refused"  # refused for good; tokens free again


@dataclass(frozen=True, slots=True)
class StoredPayment:
    """An outgoing payment as recorded before it leaves the device."""

    payment_id: bytes  # 16, drawn by the holder
    txid: TransactionId
    data: bytes  # encoded signed transaction
    openings: tuple[bytes, ...]  # packed, in output order
    state: PaymentState


class VaultStore(Protocol):
    """Tokens and payments of one holder; openings are sealed at rest."""

    def add_tokens(self, tokens: Sequence[Token]) -> int:
        """New tokens become available; known ones are left alone. Gives how many were new."""
        ...

    def load_available(self) -> list[Token]:
        """Neither reserved nor spent."""
        ...

    def load_spent(self) -> list[OutputRef]:
        """Spent by settled payments."""
        ...

    def reserve(self, payment_id: bytes, select: Selection) -> tuple[Token, ...]:
        """Select and reserve at once: no two payments ever get one token.

        What the same id reserved before, without signing, is free again first; `order_conflict`
        if this payment is recorded already.
        """
        ...

    def record_payment(self, payment: StoredPayment, inputs: Sequence[OutputRef]) -> None:
        """Durable before the transaction leaves.

        `token_unavailable` unless its inputs are exactly what is reserved for it now;
        `order_conflict` if this payment is recorded already.
        """
        ...

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """By the holder's own id."""
        ...

    def load_prepared(self) -> list[StoredPayment]:
        """Payments whose answer was not heard."""
        ...

    def settle(self, payment_id: bytes, change: Sequence[Token]) -> None:
        """Inputs spent, change available; in one database transaction."""
        ...

    def release(self, payment_id: bytes) -> None:
        """Refused for good: tokens free again. `payment_unknown` if it is not recorded."""
        ...

    def release_unsigned(self, payment_id: bytes | None = None) -> int:
        """Reservations without a recorded transaction are free again: of one id, or all."""
        ...
