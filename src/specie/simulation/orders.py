"""What people and banks ask for: a flow with an id, asked again with that id until it ends.

An order ends when it is acknowledged, or when it is refused with a code after which nothing of it
can happen any more. Everything else, silence above all, means: ask again later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from specie.flows.cancelling import cancel
from specie.flows.distribution import deposit, end_withdrawal, transfer_vault_money, withdraw
from specie.flows.issuance import issue
from specie.flows.payment import pay
from specie.flows.redemption import redeem
from specie.flows.resuming import resume_bank, resume_central_bank
from specie.ports.journal import FlowState
from specie.simulation.country import HOMES, Country, Directory, name_bank
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OrderId, ParticipantNumber
from specie.wallet.vault import Vault

_UNPAID = frozenset(
    {ErrorCode.FUNDS_INSUFFICIENT, ErrorCode.TOKENS_TOO_MANY, ErrorCode.ORDER_CONFLICT}
)
"""Nothing was signed, or what was signed has been given up."""
_UNFUNDED = frozenset({ErrorCode.FUNDS_INSUFFICIENT, ErrorCode.TOKENS_TOO_MANY})


class State(Enum):
    """How far an order has come, as far as whoever asked was told."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    ABANDONED = "abandoned"  # the device that ran it is lost; what was heard of it counts


@dataclass(slots=True, eq=False)
class Order:
    """One of them; `owner` is the machine that runs the flow."""

    name: str
    kind: str
    owner: str
    id: OrderId
    amount: int
    flow: Callable[[], object]
    moves: tuple[tuple[str, int], ...]  # what it changes in the model, by account
    refusals: frozenset[ErrorCode] = _UNPAID
    state: State = State.OPEN
    is_running: bool = False
    is_tainted: bool = False  # a copy of the wallet may have spent its tokens
    is_single: bool = False  # whoever tries it does not try again


def make_payment(
    country: Country, name: str, device: str, paid: Sequence[tuple[str, int]]
) -> Order:
    """From a device to one or two people (T8)."""
    order, total = _draw(country), sum(amount for _, amount in paid)
    payer = device.removesuffix("-copy")

    def flow() -> object:
        wallet, banks, notary = _get_sides(country, device)
        orders = [_order(country, payee, amount) for payee, amount in paid]
        bank = banks.get_bank(HOMES[payer])
        return pay(wallet, orders, order, bank, banks, notary)

    moves = ((payer, -total), *paid)
    return Order(name, "payment", device, order, total, flow, moves)


def make_deposit(country: Country, name: str, person: str, amount: int) -> Order:
    """From a device into the bank (T19)."""
    order, home = _draw(country), HOMES[person]

    def flow() -> object:
        wallet, banks, notary = _get_sides(country, person)
        bank = banks.get_bank(home)
        return deposit(order, ClientId(person), wallet, Minor(amount), bank, banks, notary)

    moves = ((person, -amount), (f"deposit {person}", amount), (name_bank(home), amount))
    return Order(name, "deposit", person, order, amount, flow, moves)


def make_withdrawal(
    country: Country, name: str, bank: ParticipantNumber, paid: Sequence[tuple[str, int]]
) -> Order:
    """From deposits onto devices (T6)."""
    order, owner = _draw(country), name_bank(bank)

    def flow() -> object:
        _, banks, notary = _get_sides(country, owner)
        requests = [(ClientId(one), _order(country, one, amount)) for one, amount in paid]
        return withdraw(order, requests, country.machine(owner).get(), banks, notary)

    total = sum(amount for _, amount in paid)
    moves = (
        (owner, -total),
        *((f"deposit {one}", -amount) for one, amount in paid),
        *paid,
    )
    refusals = frozenset({ErrorCode.ACCOUNT_OVERDRAWN, ErrorCode.ORDER_CONFLICT})
    return Order(name, "withdrawal", owner, order, total, flow, moves, refusals)


def make_transfer(
    country: Country, name: str, sender: ParticipantNumber, receiver: ParticipantNumber, amount: int
) -> Order:
    """From vault to vault (P14)."""
    order, owner = _draw(country), name_bank(sender)

    def flow() -> object:
        _, banks, notary = _get_sides(country, owner)
        bank, other = country.machine(owner).get(), banks.get_bank(receiver)
        return transfer_vault_money(order, Minor(amount), bank, other, banks, notary)

    moves = ((owner, -amount), (name_bank(receiver), amount))
    return Order(name, "transfer", owner, order, amount, flow, moves)


def make_issue(country: Country, name: str, number: ParticipantNumber, amount: int) -> Order:
    """Reserves become tokens of the vault (P8)."""
    order, bank = _draw(country), name_bank(number)

    def flow() -> object:
        desk = country.machine("central_bank").get()
        accounting = country.reach("central_bank", "accounting")
        notary, port = country.reach("central_bank", "notary"), country.reach("central_bank", bank)
        return issue(order, Minor(amount), port, desk, accounting, notary)

    moves = ((bank, amount), (f"reserves {bank}", -amount), ("supply", amount))
    return Order(name, "issue", "central_bank", order, amount, flow, moves, frozenset())


def make_redemption(country: Country, name: str, number: ParticipantNumber, amount: int) -> Order:
    """Tokens of the vault become reserves (P9)."""
    order, owner = _draw(country), name_bank(number)

    def flow() -> None:
        bank, notary = country.machine(owner).get(), country.reach(owner, "notary")
        desk, accounting = reach_desk(country, owner), country.reach(owner, "accounting")
        try:
            redeem(order, Minor(amount), bank.vault, bank, desk, accounting, notary)
        except SpecieError as error:
            is_begun = bank.journal.find_state(order) is FlowState.OPEN
            if is_begun and error.code in _UNFUNDED:
                raise SpecieError(
                    ErrorCode.UNREACHABLE, "begun: the bank goes on with it"
                ) from None
            raise

    moves = ((owner, -amount), (f"reserves {owner}", amount), ("supply", -amount))
    return Order(name, "redemption", owner, order, amount, flow, moves)


def reach_desk(country: Country, caller: str) -> Any:
    """The central bank's desk, as another machine sees it."""
    return _Desk(country, country.reach(caller, "central_bank"))


def go_on(country: Country, owner: str) -> None:
    """An institution that has started looks into its journal."""
    service, notary = country.machine(owner).get(), country.reach(owner, "notary")
    banks, accounting = Directory(country, owner), country.reach(owner, "accounting")
    if owner == "central_bank":
        resume_central_bank(service, banks, accounting, notary)
    elif owner.startswith("bank-"):
        resume_bank(service, banks, reach_desk(country, owner), accounting, notary)


class _Desk:
    """The central bank's desk seen from a bank; it asks the notary on its own line."""

    def __init__(self, country: Country, port: object) -> None:
        self._country, self._port = country, port

    def find_promise(self, order: OrderId, _notary: object) -> object:
        return getattr(self._port, "find_promise")(  # noqa: B009  # a port of any method
            order, self._country.reach("central_bank", "notary")
        )

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)


def end_order(country: Country, order: Order) -> None:
    """Give back what was held for a withdrawal whose payment was given up."""
    bank = country.machine(order.owner).get()
    end_withdrawal(order.id, bank, country.reach(order.owner, "notary"))


def cancel_order(country: Country, order: Order) -> None:
    """The payer takes it back."""
    vault, notary = country.get_vault(order.owner), country.reach(order.owner, "notary")
    cancel(vault, order.id, notary)


def _get_sides(country: Country, owner: str) -> tuple[Vault, Directory, Any]:
    return country.get_vault(owner), Directory(country, owner), country.reach(owner, "notary")


def _order(country: Country, payee: str, amount: int) -> PaymentOrder:
    return PaymentOrder(country.addresses[payee], Minor(amount), Memo())


def _draw(country: Country) -> OrderId:
    return OrderId(country.identifiers.draw())
