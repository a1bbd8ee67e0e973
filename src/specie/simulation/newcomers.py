"""Who comes by itself, and what it does next: drawn from the seed, never from bytes.

A person has one thing at a time to do with its bank (becoming a client, moving, a loss, having
it back) and pays, is paid and withdraws meanwhile, as far as it has a device in its hands.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from specie.crypto.secrets import SealingKey
from specie.ports.core_bank import Switches
from specie.simulation import lives, orders
from specie.simulation.auditor import Auditor
from specie.simulation.census import Census, Life
from specie.simulation.country import BANKS, HOMES, Country, add_handset, name_bank
from specie.simulation.handset import Handset
from specie.simulation.house import HOLDING
from specie.simulation.orders import Order, State
from specie.values.phones import PhoneNumber

NAMES: Final = ("eda", "fay", "gus", "hal")
LOAN: Final = 90_000
PAYMENT: Final = 15_000
Attempt = Callable[[Order], None]


class Newcomers:
    """All of them, with the auditor's census."""

    def __init__(self, country: Country, auditor: Auditor, count: int) -> None:
        self.country = country
        self.lives = [_draw_life(country, number) for number in range(count)]
        self.census = Census(country, auditor, self.lives)
        self._number = 0
        self._recoveries: list[Life] = []

    # --- orders ----------------------------------------------------------------------------------

    def apply(self) -> list[Order]:
        """Everybody's first."""
        return [
            lives.make_application(self.country, self.census, life, LOAN // 3 + self._draw(LOAN))
            for life in self.lives
        ]

    def draw_order(self, known: list[Order]) -> Order | None:
        """What somebody wants next; nothing if there is nobody who can."""
        world = self.country.world
        life = world.random.choice(self.lives)
        draw = world.random.random()
        if life.stolen and not life.is_reported and draw < 0.5:
            return self._make_report(life)
        if life.stolen and draw < 0.7:
            return self._make_theft(life)
        if not life.is_ready:
            return self._make_recovery(life, known)
        if draw < 0.15:
            return lives.make_listing(
                self.country, life, self._name("listing", life), is_named=world.happens(0.5)
            )
        if draw < 0.23:
            told = self._name("withdrawal", life), self._draw(3 * PAYMENT)
            return lives.make_withdrawal(self.country, life, told)
        if draw < 0.3 and not life.stolen and not life.has_moved:
            return self._make_move(life)
        if draw < 0.42 and not life.stolen:
            return self._lose(life, known)
        return self._make_payment(life)

    def _make_payment(self, payer: Life) -> Order | None:
        world, country = self.country.world, self.country
        told = self._name("payment", payer), self._draw(PAYMENT)
        payees = [one for one in self.lives if one is not payer and one.version]
        if not payees or world.happens(0.15):
            payee = world.random.choice(list(HOMES))
            return lives.make_gift(country, self.census, payer, payee, told)
        return lives.make_payment(country, self.census, payer, world.random.choice(payees), told)

    def _make_move(self, life: Life) -> Order:
        bank = BANKS[1] if life.home == BANKS[0] else BANKS[0]
        life.is_ready = False
        return lives.make_move(self.country, life, self._name("move", life), bank)

    def _lose(self, life: Life, known: list[Order]) -> Order:
        """From now on somebody else has the device; its owner says so, sooner or later."""
        life.stolen, life.device, life.is_ready = life.device, "", False
        for order in known:
            if order.owner == life.stolen and order.state is State.OPEN:
                order.state = State.ABANDONED
        self.country.world.count("lost device")
        return self._make_theft(life)

    def _make_theft(self, life: Life) -> Order:
        payee = self.country.world.random.choice(list(HOMES))
        told = self._name("theft", life), self._draw(PAYMENT)
        order = lives.make_gift(self.country, self.census, life, payee, told, life.stolen)
        order.is_single = True
        return order

    def _make_report(self, life: Life) -> Order:
        reporter = self.country.world.random.choice(list(HOMES))
        return lives.make_report(self.country, life, self._name("report", life), reporter)

    def _make_recovery(self, life: Life, known: list[Order]) -> Order | None:
        """Once, when the bank has heard of the loss."""
        del known
        if not life.is_reported or life in self._recoveries:
            return None
        self._recoveries.append(life)
        life.device = f"{life.name}-2"
        add_handset(self.country, life.device, life.name, SealingKey.generate())
        return lives.make_recovery(self.country, life, self._name("recovery", life))

    # --- chores ------------------------------------------------------------------------------

    def draw_chore(self) -> tuple[str, Callable[[], object]]:
        """Something that devices and institutions do by themselves."""
        world = self.country.world
        life = world.random.choice(self.lives)
        draw = world.random.random()
        if draw < 0.45 and life.device and life.clients:
            return f"{life.name} online", lambda: self.go_online(life)
        if draw < 0.6 and life.device and life.clients:
            return f"{life.name} watches", lambda: self.watch(life)
        if draw < 0.85:
            return (
                "directory works",
                lambda: self.country.machine("central_bank").get("directory").work(),
            )
        bank = name_bank(world.random.choice(BANKS))
        return f"{bank} works", lambda: self.work(bank)

    def go_online(self, life: Life) -> None:
        """The sub-wallet in use."""
        handset: Handset = self.country.machine(life.device).get()
        if handset.is_open(handset.place) and handset.come_online(handset.place):
            self.country.world.count("waterfall")

    def watch(self, life: Life) -> None:
        """The log that everybody sees."""
        if (self.country.public / "checkpoint").exists():
            handset: Handset = self.country.machine(life.device).get()
            self.census.check_watched(life, handset.watch())

    def work(self, bank: str) -> None:
        """What its journal has begun; entries under older keys."""
        orders.go_on(self.country, bank)
        self.country.machine(bank).get("process").directory.work()

    # --- healing -----------------------------------------------------------------------------

    def come_to_rest(self, known: list[Order]) -> list[Order]:
        """Who has lost a device says so, and has everything back."""
        added = [self._make_report(one) for one in self.lives if one.stolen and not one.is_reported]
        recoveries = [self._make_recovery(one, known) for one in self.lives if one.stolen]
        return [*added, *(one for one in recoveries if one is not None)]

    def serve(self, survive: Callable[[Callable[[], object]], None]) -> None:
        """Everybody online, everybody watches, every institution works."""
        desk: Any = self.country.machine("central_bank").get("directory")
        survive(desk.work)
        for number in BANKS:
            survive(partial(self.work, name_bank(number)))
        for life in self.lives:
            if life.device and life.is_ready:
                survive(partial(self._take_latecomers, life))
                survive(partial(self.go_online, life))
                survive(partial(self.watch, life))

    def _take_latecomers(self, life: Life) -> None:
        """What was on its way to the wallet that was lost: `recover` once more."""
        if life.stolen:
            handset: Handset = self.country.machine(life.device).get()
            lives.take_back(life, handset)

    def _name(self, what: str, life: Life) -> str:
        self._number += 1
        return f"{what} {self._number} of {life.name}"

    def _draw(self, maximum: int) -> int:
        return self.country.world.random.randrange(1, maximum)


def _draw_life(country: Country, number: int) -> Life:
    world, name = country.world, NAMES[number]
    home = world.random.choice(BANKS)
    tier = world.random.choice(list(HOLDING))
    mishaps = ("incomplete", "refused") if tier == "full" else ("refused",)
    switches = Switches(waterfall=world.happens(0.7), reverse=world.happens(0.85))
    life = Life(
        name=name,
        home=home,
        phone=PhoneNumber(f"+7701555010{number}"),
        tier=tier,
        code=country.identifiers.draw(),
        switches=switches,
        device=name,
        is_willing=world.happens(0.8),
        mishaps=tuple(one for one in mishaps if world.happens(0.4)),
    )
    add_handset(country, name, name, SealingKey.generate())
    return life
