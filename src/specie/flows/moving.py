"""All money of a wallet goes to its owner's wallet at another bank (T3, T19). Owner: the device.

    tokens → the new wallet, as many at once as may be paid and as it may hold
    what the new wallet cannot hold beside it → its own deposit, first
    the old deposit → tokens, as many as the old wallet may hold
    and again, until nothing is left

Each bank's limits hold for a move as for anything else. After any stop the same call goes on: each
payment, deposit and withdrawal is recorded on the device before it leaves.
"""

from dataclasses import dataclass
from typing import Protocol

from specie.flows.sweeping import PayingBank, send_begun, sweep
from specie.flows.waterfall import PouringDevice, empty_deposit
from specie.ports.top_ups import TopUps
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.wallet.vault import Vault


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a client at its bank, in minor units; None: as much as it likes."""

    holding: Minor | None = None
    payment: Minor | None = None


class MovingDevice(PouringDevice, Protocol):
    """One of the two wallets, online with its bank."""

    @property
    def vault(self) -> Vault:
        """Its tokens and keys."""
        ...

    @property
    def top_ups(self) -> TopUps:
        """Withdrawals that have begun."""
        ...

    @property
    def bank(self) -> PayingBank:
        """Where it pays."""
        ...

    def get_deposit(self) -> Minor:
        """What the bank owes it beside the tokens."""
        ...

    def get_limits(self) -> Limits:
        """By the bank's policy, as it is now."""
        ...


def move_money(old: MovingDevice, new: MovingDevice) -> int:
    """Gives how many payments it took; `holding_limit_exceeded` if the new wallet may hold nothing.

    What may not be signed for at the moment stays, and is not waited for. What the new wallet was
    cut off from paying into its deposit is paid first: its bank counts it as held until then.
    """
    send_begun(new.vault, new.bank)
    count, limits = 0, old.get_limits()
    creditor = new.vault.keys.address

    def find_room() -> Minor | None:
        rooms = [one for one in (_make_room(new), limits.payment) if one is not None]
        return min(rooms, default=None)

    while True:
        old.collect()
        count += sweep(old.vault, creditor, old.bank, old.draw_order, find_room)
        if not empty_deposit(old, old.top_ups, old.get_deposit, limits.holding):
            return count


def _make_room(new: MovingDevice) -> Minor | None:
    """How much it takes now; a wallet that is full is emptied into its deposit first."""
    new.collect()
    limit = new.get_limits().holding
    if limit is None:
        return None
    if _count_held(new) >= limit > 0 and (free := new.get_balance()):
        new.deposit(new.draw_order(), free)
    if (held := _count_held(new)) >= limit:
        reason = "the new wallet has no room: ask its bank for a higher tier, or collect there"
        raise SpecieError(ErrorCode.HOLDING_LIMIT_EXCEEDED, reason)
    return Minor(limit - held)


def _count_held(new: MovingDevice) -> Minor:
    """As its bank counts: also what a payment waits with."""
    return sum_minor([one.amount for one in new.vault.load_unspent()])
