"""Where a holder's tokens, payments and contacts are kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.ledger.transactions import VoidPromise
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.identifiers import OutputRef, TransactionId
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class HeldToken:
    """A token as its holder keeps it."""

    token: Token
    received: Timestamp  # when it was recorded here
    signed_until: Timestamp | None  # the last not_after that was ever signed for it and not voided

    @property
    def ref(self) -> OutputRef:
        """The output's reference."""
        return self.token.ref

    @property
    def amount(self) -> Minor:
        """Its amount."""
        return self.token.amount


Selection = Callable[[Sequence[HeldToken]], Sequence[HeldToken]]


class PaymentState(StrEnum):
    """Life of an outgoing payment."""

    PREPARED = "prepared"  # tokens reserved, transaction signed and stored, answer not heard
    SETTLED = "settled"  # final: the notary has promised
    REFUSED = "refused"  # its window is over and it is not in the log; tokens free again
    CANCELLED = "cancelled"  # void at the notary; tokens free again


@dataclass(frozen=True, slots=True, repr=False)
class StoredPayment:
    """An outgoing payment as recorded before it leaves the device."""

    payment_id: bytes  # 16, drawn by the holder
    txid: TransactionId
    data: bytes  # encoded signed transaction
    openings: tuple[bytes, ...]  # packed, in output order
    state: PaymentState
    not_after: Timestamp  # end of the window that was signed
    time: Timestamp  # when it was recorded
    voided: VoidPromise | None = None  # of one that was cancelled: the notary's word for it


@dataclass(frozen=True, slots=True)
class Received:
    """What a holder has of outputs that were brought to it."""

    refs: tuple[OutputRef, ...]  # recorded now, new or known
    fresh: int  # how many of them were new


class VaultStore(Protocol):
    """Tokens and payments of one holder; openings are sealed at rest."""

    def add_tokens(
        self, tokens: Sequence[Token], time: Timestamp, signed_until: Timestamp | None = None
    ) -> int:
        """New tokens become available; known ones are left alone. Gives how many were new.

        `signed_until` for tokens that somebody with our keys may have signed for: new ones, and
        known ones that were not signed for until later.
        """
        ...

    def mark_spent(self, refs: Sequence[OutputRef]) -> None:
        """Spent elsewhere, by the log: never available again."""
        ...

    def load_available(self) -> list[HeldToken]:
        """Neither reserved nor spent."""
        ...

    def load_tokens(self) -> list[HeldToken]:
        """All that were ever received, the oldest first; spent ones too."""
        ...

    def find_token(self, ref: OutputRef) -> Token | None:
        """Reserved and spent ones too."""
        ...

    def load_spent(self) -> list[OutputRef]:
        """Spent by settled payments, or elsewhere."""
        ...

    def reserve(self, payment_id: bytes, select: Selection) -> tuple[HeldToken, ...]:
        """Select and reserve at once: no two payments ever get one token.

        What the same id reserved before, without signing, is free again first; `order_conflict`
        if this payment is recorded already.
        """
        ...

    def record_payment(self, payment: StoredPayment, inputs: Sequence[OutputRef]) -> None:
        """Durable before the transaction leaves; its tokens count as signed until `not_after`.

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

    def load_payments(self, since: Timestamp | None = None) -> list[StoredPayment]:
        """All that were recorded later than that, the oldest first."""
        ...

    def settle(
        self,
        payment_id: bytes,
        inputs: Sequence[OutputRef],
        change: Sequence[Token],
        time: Timestamp,
    ) -> None:
        """Inputs spent, change available; in one database transaction. Whatever was thought before.

        What is final is final: also a payment whose tokens were freed meanwhile.
        """
        ...

    def release(self, payment_id: bytes, spent: Sequence[OutputRef] = ()) -> None:
        """Refused for good: `spent` were spent elsewhere, its other tokens are free again.

        `payment_unknown` if it is not recorded.
        """
        ...

    def release_void(
        self, payment_id: bytes, signed_until: Timestamp, promise: VoidPromise
    ) -> None:
        """Cancelled for good: its tokens are free, and count as signed until then at most.

        The notary's promise is kept with the payment.
        """
        ...

    def release_unsigned(self, payment_id: bytes | None = None) -> int:
        """Reservations without a recorded transaction are free again: of one id, or all."""
        ...


class ContactStore(Protocol):
    """The address book of one holder; sealed at rest."""

    def add(self, name: str, address: str) -> None:
        """`text_invalid` if the name is no name; the address must be one of this network.

        A name that is there gets the new address.
        """
        ...

    def remove(self, name: str) -> None:
        """`contact_unknown` if it is not there."""
        ...

    def get(self, name: str) -> str:
        """The address as text; `contact_unknown` if it is not there."""
        ...

    def load(self) -> Mapping[str, str]:
        """Name → address, by name."""
        ...
