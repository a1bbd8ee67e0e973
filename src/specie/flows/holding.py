"""Deposits of a withdrawal: held before the vault pays, settled or released after it (T6, P13).

Each client of an order has an end-to-end id of its own, so any core system can be asked for it. All
of them are held, or none: what was held before one is refused is released, and the order has ended.
A hold that was refused is released as well: if its message comes again, late, it holds nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol

from specie.crypto.hashing import tagged_hash
from specie.flows.requests import pack_withdrawals
from specie.ports.journal import FlowKind, FlowState, Journal
from specie.tokens.building import PaymentOrder
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, EndToEndId, OrderId

Requests = Sequence[tuple[ClientId, PaymentOrder]]
_UNDECIDED: Final = (ErrorCode.CORE_BANK_UNREACHABLE, ErrorCode.STORE_UNUSABLE)


class HoldingTeller(Protocol):
    """Clients' deposits, wherever they are; each call has one effect by its reference."""

    @property
    def is_ours(self) -> bool:
        """Whether a call joins the transaction of the bank's own database."""
        ...

    def hold(self, reference: EndToEndId, client: ClientId, amount: Minor) -> None:
        """Refused if the client has not so much."""
        ...

    def settle(self, reference: EndToEndId) -> None:
        """The client has its tokens."""
        ...

    def note_settled(self, reference: EndToEndId, amount: Minor) -> None:
        """In the bank's own books."""
        ...

    def release(self, reference: EndToEndId) -> None:
        """The client will never have them."""
        ...

    def note_released(self, reference: EndToEndId, amount: Minor) -> None:
        """In the bank's own books."""
        ...

    def is_later(self, error: SpecieError) -> bool:
        """Whether a client that is paid need not wait for it."""
        ...


class HoldingBank(Protocol):
    """A bank, to itself."""

    @property
    def teller(self) -> HoldingTeller:
        """Its clients' deposits."""
        ...

    @property
    def journal(self) -> Journal:
        """Of its flows."""
        ...


def hold_deposits(
    order: OrderId, requests: Requests, bank: HoldingBank, *, may_release: bool = True
) -> None:
    """All of them or none; `order_conflict` if the order is at its end.

    Who may release has the vault to itself and knows that it has not begun to pay this order.
    """
    with _together(bank):
        state = bank.journal.begin(FlowKind.WITHDRAW, order, pack_withdrawals(requests))
        if state is FlowState.ENDED:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the withdrawal was ended; order it anew")
        if state is FlowState.COMPLETED and not bank.teller.is_ours:
            return
        try:
            for reference, client, amount in _list_holds(order, requests):
                bank.teller.hold(reference, client, amount)
        except SpecieError as refused:
            if may_release and not bank.teller.is_ours and is_decided(refused):
                release_deposits(order, requests, bank)
            raise


def settle_deposits(order: OrderId, requests: Requests, bank: HoldingBank) -> None:
    """The vault has paid all of them. What the core system does not answer is asked again later."""
    is_over = bank.journal.find_state(order) is FlowState.COMPLETED
    if is_over and not bank.teller.is_ours:  # a core system is not asked again
        return
    try:
        _settle_all(order, requests, bank)
    except SpecieError as error:
        if not bank.teller.is_later(error):
            raise


def release_deposits(order: OrderId, requests: Requests, bank: HoldingBank) -> None:
    """The vault will never pay: the clients have their deposits again, and the order has ended.

    In our books first: a stop after the core system has released finds that here, and what it has
    released is never taken for held.
    """
    with _together(bank):
        if not bank.teller.is_ours:
            _note_released(order, requests, bank)
        for reference, _, _ in _list_holds(order, requests):
            bank.teller.release(reference)
        with bank.journal.transaction():
            _note_released(order, requests, bank)
            bank.journal.end(order, FlowState.ENDED)


def is_decided(error: SpecieError) -> bool:
    """Whether the core system has said no, and not nothing."""
    return error.code not in _UNDECIDED


def _note_released(order: OrderId, requests: Requests, bank: HoldingBank) -> None:
    with bank.journal.transaction():
        for reference, _, amount in _list_holds(order, requests):
            bank.teller.note_released(reference, amount)


def _settle_all(order: OrderId, requests: Requests, bank: HoldingBank) -> None:
    with _together(bank):
        for reference, _, _ in _list_holds(order, requests):
            bank.teller.settle(reference)
        with bank.journal.transaction():
            for reference, _, amount in _list_holds(order, requests):
                bank.teller.note_settled(reference, amount)
            bank.journal.end(order, FlowState.COMPLETED)


def _together(bank: HoldingBank) -> AbstractContextManager[object]:
    """Own books: one transaction with the journal. A core system is asked outside of any."""
    return bank.journal.transaction() if bank.teller.is_ours else nullcontext()


def _list_holds(order: OrderId, requests: Requests) -> Iterator[tuple[EndToEndId, ClientId, Minor]]:
    """The first has the order's own id: most orders have one client."""
    for place, (client, request) in enumerate(requests):
        later = tagged_hash("entry", b"hold", order, u8(place))[:16]
        yield EndToEndId(later if place else order), client, request.amount
