"""The kinds of payments: in the words of the statistics, and in ours."""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Action(StrEnum):
    """A kind of payment as the statistics call it."""

    CASH_IN = "CASH_IN"
    CASH_OUT = "CASH_OUT"
    DEBIT = "DEBIT"
    PAYMENT = "PAYMENT"
    TRANSFER = "TRANSFER"


@unique
class OrderKind(StrEnum):
    """A kind of order as `specie` calls it."""

    WITHDRAW = "withdraw"  # deposit money → tokens
    DEPOSIT = "deposit"  # tokens → deposit money
    PURCHASE = "purchase"  # client → shop
    TRANSFER = "transfer"  # client → client


KIND_OF_ACTION: Final[Mapping[Action, OrderKind]] = MappingProxyType(
    {
        Action.CASH_IN: OrderKind.WITHDRAW,
        Action.CASH_OUT: OrderKind.DEPOSIT,
        Action.DEBIT: OrderKind.DEPOSIT,
        Action.PAYMENT: OrderKind.PURCHASE,
        Action.TRANSFER: OrderKind.TRANSFER,
    }
)

ACTIONS_NOT_PLAYED: Final = frozenset({"CASH_OUT_ATM", "DEPOSIT", "PICKUP", "TRANSFER_TO_VOUCHER"})
"""Kinds the operator has too, of which the statistics give no hours: checked, then left out."""
