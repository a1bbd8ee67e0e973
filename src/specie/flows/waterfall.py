"""Between a device and its deposit, by itself, as the client has switched it (T6, T19).

    over the holding limit → the excess is paid into the deposit, when the device comes online
    missing at a payment   ← what is missing is withdrawn first, and then the payment is made
    the wallet moves       ← all of the deposit is withdrawn, as much at once as the device may hold

Only the owner moves tokens, so both are its device's doing; the bank keeps what was switched.

A withdrawal for a payment is recorded on the device before the bank hears of it. A payment that is
cut off, between the two or anywhere else, asks for the same withdrawal when it is repeated.
"""

from collections.abc import Callable
from typing import Final, Protocol

from specie.ports.top_ups import TopUp, TopUps
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId

EMPTYING: Final = b"empty the deposit"
"""Under it a device records that it withdraws everything; no payment's id is as long."""


class PouringDevice(Protocol):
    """A device's wallet, online with its bank."""

    def get_balance(self) -> Minor:
        """What can be spent on this device."""
        ...

    def collect(self) -> int:
        """What has arrived."""
        ...

    def draw_order(self) -> OrderId:
        """A fresh order id."""
        ...

    def withdraw(self, order: OrderId, amount: Minor) -> None:
        """Deposit money becomes tokens of this device; idempotent by `order`."""
        ...

    def deposit(self, order: OrderId, amount: Minor) -> None:
        """Tokens of this device become deposit money; idempotent by `order`."""
        ...


def pour_excess(device: PouringDevice, limit: Minor | None) -> Minor:
    """What is over the limit goes into the deposit; gives how much."""
    excess = compute_excess(device.get_balance(), limit)
    if excess:
        device.deposit(device.draw_order(), excess)
    return excess


def top_up(device: PouringDevice, records: TopUps, payment: bytes, amount: Minor) -> Minor:
    """Withdraw what this payment is short of, in one go; gives how much.

    What was begun for it before is brought to its end first. A withdrawal that was ended, so that
    nothing of it can come any more, gives way to a new one.
    """
    withdrawn = 0
    begun = records.find(payment)
    if begun is not None:
        withdrawn += _carry_out(device, records, payment, begun)
    missing = Minor(max(0, amount - device.get_balance()))
    if missing:
        begun = TopUp(device.draw_order(), missing)
        records.begin(payment, begun)
        withdrawn += _carry_out(device, records, payment, begun)
        if withdrawn < missing:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the bank has ended the withdrawal")
    return Minor(withdrawn)


def empty_deposit(
    device: PouringDevice,
    records: TopUps,
    get_deposit: Callable[[], Minor],
    limit: Minor | None = None,
) -> Minor:
    """Withdraw all of it, or up to the limit of what the device may hold; gives how much.

    What was begun before is brought to its end first.

    A withdrawal that the bank has ended gives way to a new one under another order, so nobody who
    guesses an order, and no vault that was short once, holds up a wallet that moves.
    """
    withdrawn = 0
    begun = records.find(EMPTYING)
    if begun is not None:
        withdrawn += _carry_out(device, records, EMPTYING, begun)
    left = get_deposit()
    if limit is not None:
        left = Minor(max(0, min(left, limit - device.get_balance())))
    if left:
        begun = TopUp(device.draw_order(), left)
        records.begin(EMPTYING, begun)
        done = _carry_out(device, records, EMPTYING, begun)
        if done < left:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the bank has ended the withdrawal")
        withdrawn += done
    return Minor(withdrawn)


def compute_excess(balance: Minor, limit: Minor | None) -> Minor:
    """Over the limit; nothing without one."""
    return Minor(0) if limit is None else Minor(max(0, balance - limit))


def _carry_out(device: PouringDevice, records: TopUps, payment: bytes, begun: TopUp) -> int:
    """Forgotten when its money is here, or when it was refused for good."""
    try:
        device.withdraw(begun.order, begun.amount)
    except SpecieError as error:
        if error.code in _OVER:
            records.end(payment)
        if error.code is ErrorCode.ORDER_CONFLICT:
            return 0
        raise
    device.collect()
    records.end(payment)
    return begun.amount


_OVER = frozenset(
    {
        ErrorCode.ORDER_CONFLICT,
        ErrorCode.ACCOUNT_OVERDRAWN,
        ErrorCode.ACCOUNT_UNKNOWN,
        ErrorCode.CORE_BANK_REFUSED,
    }
)
"""The bank holds nothing for it. Not `funds_insufficient`: that may be its vault's, and then it
holds the deposit and pays when the vault has money again."""
