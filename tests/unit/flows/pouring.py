"""A device between its wallet and its deposit, on a real bank; it may go out at any step."""

from collections.abc import Callable
from dataclasses import dataclass

from specie.flows.distribution import deposit, withdraw
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId
from tests.country import Country, Person


class Cut(Exception):
    """The device is gone."""


@dataclass
class Device:
    """`PouringDevice` of a person of a country; goes out at a chosen step."""

    country: Country
    person: Person
    cut_at: int = -1
    steps: int = 0

    def get_balance(self) -> Minor:
        return self.person.wallet.get_balance()

    def collect(self) -> int:
        return self._step(self.person.collect)

    def draw_order(self) -> OrderId:
        return self.country.draw_order()

    def withdraw(self, order: OrderId, amount: Minor) -> None:
        network, one = self.country.network, self.person
        asked = [(one.id, self.country.order(one, amount))]
        self._step(lambda: withdraw(order, asked, one.bank, network, network.notary))

    def deposit(self, order: OrderId, amount: Minor) -> None:
        network, one = self.country.network, self.person
        args = (one.wallet, amount, one.bank, network, network.notary)
        self._step(lambda: deposit(order, one.id, *args))

    def _step(self, deed: Callable[[], object]) -> int:
        """Cut before it, or after it and before anything else."""
        self.steps += 2
        if self.steps - 1 == self.cut_at:
            raise Cut
        done = deed()
        if self.steps == self.cut_at:
            raise Cut
        return done if isinstance(done, int) else 0
