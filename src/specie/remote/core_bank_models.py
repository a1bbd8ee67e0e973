"""What a bank's gateway and its core system say to each other, and whoever is at the counter."""

from typing import Annotated, Self

from pydantic import Field

from specie.ports.core_bank import Position
from specie.remote.fields import (
    AmountField,
    ClientField,
    CoreAccountField,
    CountField,
    EndToEndField,
    EntryField,
    Message,
    TextField,
    TimeField,
)
from specie.values.limits import PAGE_ITEMS_MAX


class Customer(Message):
    """A customer, by the bank's own id for it."""

    customer: ClientField


class CoreAccountQuery(Message):
    """About one account."""

    account: CoreAccountField


class CoreAccountRecord(Message):
    """An account, whose it is, and what is on it."""

    account: CoreAccountField
    customer: ClientField
    is_open: bool
    booked: AmountField
    available: AmountField  # booked, without what is held


class CoreAccounts(Message):
    """All accounts of one customer."""

    accounts: list[CoreAccountRecord]


class CoreMovement(Message):
    """An amount on an account, under an end-to-end id: the same again is the same."""

    end_to_end_id: EndToEndField
    account: CoreAccountField
    amount: AmountField


class CoreReference(Message):
    """What was held under an end-to-end id."""

    end_to_end_id: EndToEndField


class CorePosition(Message):
    """All that the gateway has asked for since there is one."""

    held: AmountField
    settled: AmountField
    credited: AmountField

    @classmethod
    def wrap(cls, position: Position) -> Self:
        """To send."""
        return cls(held=position.held, settled=position.settled, credited=position.credited)

    def unwrap(self) -> Position:
        """As it came."""
        return Position(self.held, self.settled, self.credited)


class StatementQuery(Message):
    """A page of an account's entries."""

    account: CoreAccountField
    start: CountField = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = 100


class StatementEntry(Message):
    """One of them."""

    entry: EntryField
    time: TimeField
    text: TextField
    amount: AmountField
    is_credit: bool


class Statement(Message):
    """Oldest first, a page."""

    entries: list[StatementEntry]
