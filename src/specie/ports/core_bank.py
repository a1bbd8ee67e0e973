"""A bank's core system, where its clients' deposits are (P13), and what the bank keeps about it.

hold     the amount is the client's still, and nobody else can have it
settle   it is gone: the client has tokens for it
release  it is free again; of a hold that was never heard of: it will never be
credit   the client's tokens are in the bank's vault, or the bank lends

Every call has one effect however often it is sent, by the id in it: ISO 20022's end-to-end id. A
refusal changes nothing. `core_bank_unreachable` says nothing of what has happened.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId


@dataclass(frozen=True, slots=True)
class Position:
    """All that went through this gateway since it is there, in minor units.

    Bank and core system each count for themselves; `specie bank reconcile` compares.
    """

    held: Minor  # neither settled nor released
    settled: Minor
    credited: Minor


class CoreBank(Protocol):
    """What a bank's core system has to offer."""

    @property
    def is_ours(self) -> bool:
        """Whether deposits are in the bank's own books: then a call joins its transaction."""
        ...

    def find_account(self, client: ClientId) -> CoreAccount | None:
        """The client's account if the core system knows of one, and of one only."""
        ...

    def check_account(self, client: ClientId, account: CoreAccount) -> None:
        """`account_unknown`; `core_bank_refused` if it is not this client's, or closed."""
        ...

    def get_balance(self, account: CoreAccount) -> Minor:
        """What the client can use: held amounts are not in it. `account_unknown`."""
        ...

    def hold(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        """`funds_insufficient` (in own books: `account_overdrawn`), `account_unknown`.

        `core_bank_refused` if it was released before.
        """
        ...

    def settle(self, reference: EndToEndId) -> None:
        """`core_bank_refused` if nothing is held, or it was released."""
        ...

    def release(self, reference: EndToEndId) -> None:
        """From now on this id holds nothing; `core_bank_refused` if it was settled."""
        ...

    def credit(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        """`account_unknown`, `core_bank_refused`."""
        ...

    def count_position(self) -> Position:
        """As the core system counts it."""
        ...


class CreditReason(StrEnum):
    """What a credit is for."""

    DEPOSIT = "deposit"
    LOAN = "loan"


@dataclass(frozen=True, slots=True, repr=False)
class DueCredit:
    """What the core system has to credit and has not confirmed."""

    reference: EndToEndId
    client: ClientId
    amount: Minor
    reason: CreditReason


class CoreLinks(Protocol):
    """Which account a client has at the core system, and what that still has to be told."""

    def transaction(self) -> AbstractContextManager[object]:
        """What the bank's stores write within is one transaction."""
        ...

    def link(self, client: ClientId, account: CoreAccount) -> None:
        """Idempotent; `order_conflict` if the client has another."""
        ...

    def replace(self, client: ClientId, account: CoreAccount) -> None:
        """Another account, whatever it was: what is due is credited there."""
        ...

    def unlink(self, client: ClientId) -> None:
        """`core_bank_refused` while credits are due; idempotent."""
        ...

    def find_account(self, client: ClientId) -> CoreAccount | None:
        """None if it was never linked."""
        ...

    def add_due(self, credit: DueCredit) -> bool:
        """Durable; whether it is new. `entry_conflict` if the id has another content."""
        ...

    def list_due(self) -> Sequence[DueCredit]:
        """Oldest first."""
        ...

    def mark_credited(self, reference: EndToEndId) -> None:
        """The core system has confirmed it; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Switches:
    """What a client has its device do by itself."""

    waterfall: bool = False  # over the holding limit → the deposit
    reverse: bool = False  # missing at a payment ← the deposit


class SwitchStore(Protocol):
    """Of all clients of a bank."""

    def set_switches(self, client: ClientId, switches: Switches) -> None:
        """Durable."""
        ...

    def get_switches(self, client: ClientId) -> Switches:
        """Off, if the client has never said."""
        ...
