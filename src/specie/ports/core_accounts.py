"""Where a core bank keeps its customers' accounts and holds, beside its books."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId


class HoldState(StrEnum):
    """Held until one of the two ends, which is for ever."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, repr=False)
class CustomerAccount:
    """An account, and whose it is."""

    number: CoreAccount
    customer: ClientId  # the bank's own id for its customer
    is_open: bool


@dataclass(frozen=True, slots=True, repr=False)
class Hold:
    """An amount of an account that waits; released before it was ever held: nobody's, 0."""

    reference: EndToEndId
    account: CoreAccount
    amount: Minor
    state: HoldState


class CoreAccountStore(Protocol):
    """Of one core bank."""

    def transaction(self) -> AbstractContextManager[object]:
        """Books and accounts are written together."""
        ...

    def count_accounts(self) -> int:
        """All there ever were: none is removed."""
        ...

    def add_account(self, account: CustomerAccount) -> None:
        """A new one."""
        ...

    def close_account(self, number: CoreAccount) -> None:
        """It takes part in nothing any more, but keeps what is on it."""
        ...

    def find_account(self, number: CoreAccount) -> CustomerAccount | None:
        """By its number."""
        ...

    def list_accounts(self, customer: ClientId) -> Sequence[CustomerAccount]:
        """Of one customer, oldest first."""
        ...

    def find_hold(self, reference: EndToEndId) -> Hold | None:
        """By its end-to-end id."""
        ...

    def put_hold(self, hold: Hold) -> None:
        """A new one, or its new state."""
        ...

    def count_held(self, account: CoreAccount | None = None) -> Minor:
        """What is held of one account, or of all."""
        ...
