"""What everybody must have, kept by plain integers from requests and answers alone.

Nothing here calls the system: a request that was answered with a promise moves amounts, a refused
one moves nothing but what the flow says it keeps (a deposit held for a withdrawal).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

Paid = Sequence[tuple[str, int]]
"""(person, amount) each."""


@dataclass(slots=True)
class Model:
    """Balances of persons by name, of banks by number."""

    held: dict[str, int] = field(default_factory=dict)  # on the device, reserved or not
    waiting: dict[str, int] = field(default_factory=dict)  # at the bank, until the device asks
    unseen: dict[str, int] = field(default_factory=dict)  # final, but the bank has not been told
    deposits: dict[str, int] = field(default_factory=dict)
    vaults: dict[int, int] = field(default_factory=dict)
    in_transit: dict[int, int] = field(default_factory=dict)  # deposits held for withdrawals
    reserves: dict[int, int] = field(default_factory=dict)
    lent: int = 0  # all reserves that ever came into being
    produced: int = 0
    redeemed: int = 0
    serial: int = 0
    published: tuple[int, int] = (0, 0)  # supply and serial when the log was last written
    blocked: set[str] = field(default_factory=set)
    suspended: int | None = None

    @property
    def supply(self) -> int:
        """Issued and not redeemed; what the issuance fund must hold."""
        return self.produced - self.redeemed

    def add_bank(self, bank: int) -> None:
        """A bank with nothing."""
        for balances in (self.vaults, self.in_transit, self.reserves):
            balances[bank] = 0

    def add_person(self, name: str) -> None:
        """A person with nothing."""
        for balances in (self.held, self.waiting, self.unseen, self.deposits):
            balances[name] = 0

    def lend(self, bank: int, amount: int) -> None:
        """The only way central bank money comes into being (P10)."""
        self.reserves[bank] += amount
        self.lent += amount

    def issue(self, bank: int, amount: int) -> None:
        """Reserves become tokens of the vault."""
        self.reserves[bank] -= amount
        self.vaults[bank] += amount
        self.produced += amount
        self.serial += 1

    def redeem(self, bank: int, amount: int) -> None:
        """Tokens of the vault become reserves."""
        self.vaults[bank] -= amount
        self.reserves[bank] += amount
        self.redeemed += amount
        self.serial += 1

    def hold(self, bank: int, paid: Paid) -> None:
        """Deposits are taken before the tokens leave."""
        for name, amount in paid:
            self.deposits[name] -= amount
            self.in_transit[bank] += amount

    def give_back(self, bank: int, paid: Paid) -> None:
        """The tokens never left: the deposits are there again."""
        for name, amount in paid:
            self.deposits[name] += amount
            self.in_transit[bank] -= amount

    def withdraw(self, bank: int, paid: Paid) -> None:
        """What was held leaves the vault."""
        for name, amount in paid:
            self.in_transit[bank] -= amount
            self.vaults[bank] -= amount
            self.waiting[name] += amount

    def deposit(self, bank: int, name: str, amount: int) -> None:
        """Tokens go to the vault, the deposit grows."""
        self.held[name] -= amount
        self.vaults[bank] += amount
        self.deposits[name] += amount

    def transfer(self, sender: int, receiver: int, amount: int) -> None:
        """From vault to vault."""
        self.vaults[sender] -= amount
        self.vaults[receiver] += amount

    def pay(self, payer: str, paid: Paid, unseen: Sequence[str] = ()) -> None:
        """From device to devices; the banks of those in `unseen` learn of it from the log only."""
        for name, amount in paid:
            self.held[payer] -= amount
            target = self.waiting if name not in unseen else self.unseen
            if name == payer:
                target = self.held
            target[name] += amount

    def collect(self, name: str) -> None:
        """The device has asked its bank."""
        self.held[name] += self.waiting[name]
        self.waiting[name] = 0

    def publish(self) -> None:
        """Everything that was final is in the log; every bank has looked for its clients there."""
        self.published = (self.supply, self.serial)
        for name, amount in self.unseen.items():
            self.waiting[name] += amount
            self.unseen[name] = 0

    def count(self) -> int:
        """All money in anybody's hands."""
        persons = (self.held, self.waiting, self.unseen)
        return sum(sum(one.values()) for one in persons) + sum(self.vaults.values())
