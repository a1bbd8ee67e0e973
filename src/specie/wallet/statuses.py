"""How far a payment has come, as its payer is told (T19): one function of what is known for sure.

    settled   the notary has promised, or the log shows it           nothing takes it back
    refused   it can never be final, and a rule or its payer said no
    expired   it can never be final, and nobody said anything
    pending   all else: whoever has seen it may still bring it to the notary

A no of a bank does not end a payment that is signed: its window does (ADR 0010), or a void at the
notary. Until then it is pending, with what was last heard beside it; so a status never says what
the ledger may contradict.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specie.ports.vault import PaymentState
from specie.values.catalogue import ErrorCode


class PaymentStatus(StrEnum):
    """What a person is told."""

    PENDING = "pending"
    SETTLED = "settled"
    REFUSED = "refused"
    EXPIRED = "expired"


SILENCES: Final = frozenset(
    {
        ErrorCode.UNREACHABLE,
        ErrorCode.RATE_EXCEEDED,
        ErrorCode.DRAINING,
        ErrorCode.INTERNAL,
        ErrorCode.STORE_UNUSABLE,
        ErrorCode.STORE_OUTDATED,
        ErrorCode.MESSAGE_OUT_OF_TIME,
    }
)
"""With these nobody has said no."""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """What is known of one outgoing payment, each fact by who can know it."""

    state: PaymentState  # settled by a verified promise; refused by a verified view of the log
    heard: ErrorCode | None = None  # the last no of an institution
    is_in_log: bool = False  # by a verified receipt


def compute_status(facts: PaymentFacts) -> PaymentStatus:
    """In the order of what counts more: finality, then that it can never be, then hope."""
    if facts.is_in_log or facts.state is PaymentState.SETTLED:
        return PaymentStatus.SETTLED
    if facts.state is PaymentState.CANCELLED:
        return PaymentStatus.REFUSED
    if facts.state is PaymentState.REFUSED:
        return PaymentStatus.EXPIRED if facts.heard is None else PaymentStatus.REFUSED
    return PaymentStatus.PENDING


def find_reason(facts: PaymentFacts) -> ErrorCode | None:
    """The code beside a status: why it was refused, or what was last heard while it is pending."""
    status = compute_status(facts)
    if status in (PaymentStatus.SETTLED, PaymentStatus.EXPIRED):
        return None
    is_void = facts.state is PaymentState.CANCELLED
    return ErrorCode.TRANSACTION_VOID if is_void else facts.heard
