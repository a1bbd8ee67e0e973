"""One seed from the first issue to rest: a calm morning, a day of trouble, and healing.

morning   reserves, issues, deposits, the first withdrawals, without any fault
day       orders, publication, devices online, copies of wallets; stops, lost messages, partitions
healing   no more faults; time passes until every order has ended and all money is free
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from specie.flows.receiving import collect
from specie.flows.releasing import release_expired
from specie.ledger.receipts import ReceiptTrust
from specie.simulation import orders
from specie.simulation.auditor import Auditor, Violation
from specie.simulation.country import BANKS, HOMES, Country, build_country, name_bank
from specie.simulation.newcomers import NAMES, Newcomers
from specie.simulation.orders import Order, State
from specie.simulation.world import CALM, Crashed, Faults, World
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, EntryId

MINUTE_MS: Final = 60_000
ROUND_MS: Final = 45 * MINUTE_MS  # longer than a window and the worst clock together
ROUNDS_MAX: Final = 6
RESERVES: Final = 10**9
DEPOSIT: Final = 10**6
_SPENT: Final = frozenset({ErrorCode.INPUT_SPENT, ErrorCode.NOT_SERVED_HERE})


@dataclass(frozen=True, slots=True)
class Report:
    """What one seed came to; `finding` is empty if everything held."""

    seed: int
    minutes: int  # simulated, healing included
    steps: int
    trace: str
    done: int
    refused: int
    counts: dict[str, int]
    finding: str = ""
    tail: tuple[str, ...] = ()


@dataclass(slots=True)
class _Day:
    """Everything that is going on."""

    world: World
    country: Country
    auditor: Auditor
    newcomers: Newcomers | None = None
    orders: list[Order] = field(default_factory=list)
    next_order: int = 0
    next_wish: int = 0


def simulate(
    seed: int,
    minutes: int = 20,
    prepare: Callable[[Country], None] | None = None,
    faults: Faults | None = None,
    newcomers: int = len(NAMES),
) -> Report:
    """Run one seed; `prepare` may replace what starts on a machine.

    Beside those who were always there come `newcomers`, who apply for a wallet by themselves.
    """
    world = World(seed)
    country = build_country(world, has_houses=bool(newcomers))
    day = _Day(world, country, Auditor(country))
    if newcomers:
        day.newcomers = Newcomers(country, day.auditor, newcomers)
    finding = ""
    begin = world.time
    try:
        _begin(day)
        if prepare is not None:
            prepare(country)
            for machine in list(world.machines.values()):
                machine.start()
        world.faults = faults or Faults()
        _trouble(day, world.time + minutes * MINUTE_MS)
        _heal(day)
        day.auditor.check_rest(day.orders)
        if day.newcomers is not None:
            day.newcomers.census.check_rest(day.orders)
    except Violation as violation:
        finding = str(violation)
    finally:
        country.close()
    states = [order.state for order in day.orders]
    return Report(
        seed,
        (world.time - begin) // MINUTE_MS,
        world.steps,
        world.trace,
        states.count(State.DONE),
        states.count(State.REFUSED),
        dict(sorted(world.counts.items())),
        finding,
        tuple(world.tail) if finding else (),
    )


# --- morning ----------------------------------------------------------------------------------


def _begin(day: _Day) -> None:
    country = day.country
    accounting = country.machine("accounting").get()
    for number in BANKS:
        name = name_bank(number)
        bank = country.machine(name).get()
        entry = EntryId(country.identifiers.draw())
        accounting.lend(entry, number, Minor(RESERVES))
        bank.books.borrow_reserves(entry, Minor(RESERVES))
        day.auditor.accounts[f"reserves {name}"] = RESERVES
        clients = [person for person, home in HOMES.items() if home == number]
        for person in clients:
            loan = EntryId(country.identifiers.draw())
            bank.books.lend_to_client(loan, ClientId(person), Minor(DEPOSIT))
            day.auditor.accounts[f"deposit {person}"] = DEPOSIT
        for _ in range(2):
            _attempt(
                day, orders.make_issue(country, "issue", number, 10**6 + _draw_amount(day, 10**6))
            )
        paid = [(person, _draw_amount(day, 90_000)) for person in clients for _ in range(2)]
        _attempt(day, orders.make_withdrawal(country, "withdrawal", number, paid))
    applications = [] if day.newcomers is None else day.newcomers.apply()
    for order in applications[::2]:
        _attempt(day, order)
    _serve_everybody(day)
    assert all(order.state is State.DONE for order in day.orders), "nothing goes wrong yet"
    day.orders += applications[1::2]  # the others come when things go wrong


# --- day --------------------------------------------------------------------------------------


def _trouble(day: _Day, end: int) -> None:
    world = day.world
    while world.time < end:
        world.steps += 1
        _pass_time(day)
        _have_accidents(day)
        runnable = world.scheduler.activities
        if runnable and world.random.random() < 0.85:
            world.scheduler.run(world.random.choice(runnable))
        else:
            _begin_something(day)


def _pass_time(day: _Day) -> None:
    world, draw = day.world, day.world.random.random()
    span = 400 if draw < 0.8 else 4_000 if draw < 0.985 else 90_000
    world.time += world.random.randrange(1, span)
    for machine in list(world.machines.values()):
        if machine.service is None and machine.down_until <= world.time:
            machine.start()
            _go_on(day, machine.name)


def _go_on(day: _Day, name: str) -> None:
    """What starts again looks for what it has begun, before anybody asks."""
    if name == "central_bank" or name.startswith("bank-"):
        work = lambda: orders.go_on(day.country, name)  # noqa: E731  # of this machine
        day.world.scheduler.spawn(f"{name} goes on", lambda: _survive(day, work))


def _have_accidents(day: _Day) -> None:
    world = day.world
    if world.happens(world.faults.stop):
        world.random.choice(list(world.machines.values())).stop()
    if world.happens(world.faults.partition):
        pair = frozenset(world.random.sample(sorted(world.machines), 2))
        world.partitions[pair] = world.time + world.random.randrange(90_000)
        world.note(f"partition of {sorted(pair)}")


def _begin_something(day: _Day) -> None:
    world = day.world
    if world.time >= day.next_order:
        day.next_order = world.time + world.random.randrange(2 * MINUTE_MS)
        day.orders.append(_draw_order(day))
        return
    if day.newcomers is not None and world.happens(0.4):
        _begin_at_newcomers(day, day.newcomers)
        return
    waiting = [one for one in day.orders if one.state is State.OPEN and not one.is_running]
    draw = world.random.random()
    if waiting and draw < 0.4:
        order = world.random.choice(waiting)
        world.scheduler.spawn(order.name, lambda: _attempt(day, order))
    elif world.late and draw < 0.5:
        name, perform = world.late.pop(world.random.randrange(len(world.late)))
        world.scheduler.spawn(name, lambda: _survive(day, perform))
    elif draw < 0.6:
        world.scheduler.spawn("publication", lambda: _survive(day, lambda: _publish(day)))
    elif draw < 0.75:
        person = world.random.choice(list(HOMES))
        world.scheduler.spawn(f"{person} online", lambda: _survive(day, lambda: _go(day, person)))
    elif draw < 0.85:
        name = world.random.choice(_list_holders(day))
        work = lambda: _release(day, name)  # noqa: E731  # bound to this name
        world.scheduler.spawn(f"release of {name}", lambda: _survive(day, work))
    elif draw < 0.87:
        _cancel_one(day)
    else:
        day.auditor.check_supply(day.orders)


def _begin_at_newcomers(day: _Day, newcomers: Newcomers) -> None:
    """An order of theirs now and then; something that devices do by themselves otherwise."""
    world = day.world
    if world.time >= day.next_wish:
        day.next_wish = world.time + world.random.randrange(MINUTE_MS // 2)
        order = newcomers.draw_order(day.orders)
        if order is not None:
            day.orders.append(order)
        return
    name, chore = newcomers.draw_chore()
    world.scheduler.spawn(name, lambda: _survive(day, chore))


def _draw_order(day: _Day) -> Order:
    world, country, number = day.world, day.country, len(day.orders)
    person, bank = world.random.choice(list(HOMES)), world.random.choice(BANKS)
    draw = world.random.random()
    if draw < 0.5:
        return _draw_payment(day, person)
    amount = _draw_amount(day, 40_000)
    if draw < 0.6:
        return orders.make_deposit(country, f"deposit {number}", person, amount)
    if draw < 0.72:
        clients = [one for one, home in HOMES.items() if home == bank]
        paid = [(one, _draw_amount(day, 40_000)) for one in clients]
        return orders.make_withdrawal(country, f"withdrawal {number}", bank, paid)
    if draw < 0.82:
        other = BANKS[1] if bank == BANKS[0] else BANKS[0]
        return orders.make_transfer(country, f"transfer {number}", bank, other, amount)
    if draw < 0.92:
        return orders.make_issue(country, f"issue {number}", bank, amount)
    return orders.make_redemption(country, f"redemption {number}", bank, amount)


def _draw_payment(day: _Day, person: str) -> Order:
    world, device = day.world, person
    copied = f"{person}-copy"
    if copied not in world.machines and world.happens(0.06):
        day.country.copy_device(person)
        day.auditor.copied.add(person)
        world.count("copied wallet")
    if person in day.auditor.copied and world.happens(0.5):
        device = copied
    payees = world.random.sample([one for one in HOMES if one != person], 1 + world.happens(0.3))
    paid = [(payee, _draw_amount(day, 30_000)) for payee in payees]
    name = f"payment {len(day.orders)} of {device}"
    return orders.make_payment(day.country, name, device, paid)


def _draw_amount(day: _Day, maximum: int) -> int:
    return day.world.random.randrange(1, maximum)


def _cancel_one(day: _Day) -> None:
    waiting = [one for one in day.orders if one.kind == "payment" and one.state is State.OPEN]
    if waiting:
        order = day.world.random.choice(waiting)
        work = lambda: orders.cancel_order(day.country, order)  # noqa: E731  # of this order
        day.world.scheduler.spawn(f"cancel {order.name}", lambda: _survive(day, work))


def _attempt(day: _Day, order: Order) -> None:
    if order not in day.orders:
        day.orders.append(order)
    if order.state is not State.OPEN or order.is_running:
        return
    order.is_running = True
    try:
        order.flow()
    except Crashed as crashed:
        day.world.note(f"{order.name}: {crashed} has stopped")
    except SpecieError as error:
        day.world.note(f"{order.name}: {error.code}")
        if order.is_single:
            order.state = State.ABANDONED
        is_copied = order.owner.removesuffix("-copy") in day.auditor.copied
        if error.code in order.refusals or (is_copied and error.code in _SPENT):
            order.state = State.REFUSED
    else:
        order.state = State.DONE
        day.world.note(f"{order.name}: done")
        day.auditor.acknowledge(order)
    finally:
        order.is_running = False


def _survive(day: _Day, work: Callable[[], object]) -> None:
    try:
        work()
    except Crashed as crashed:
        day.world.note(f"{crashed} has stopped")
    except SpecieError as error:
        day.world.note(f"refused: {error.code}")


def _publish(day: _Day, *, is_forced: bool = False) -> None:
    written = day.country.machine("notary").get().publish(is_forced=is_forced)
    day.world.note(f"published: {written > 0}")


def _go(day: _Day, person: str) -> None:
    """A device, or its copy, comes online."""
    home = name_bank(HOMES[person.removesuffix("-copy")])
    client = ClientId(person.removesuffix("-copy"))
    collect(client, day.country.get_vault(person), day.country.reach(person, home))


def _release(day: _Day, name: str) -> None:
    country = day.country
    trust = ReceiptTrust(country.genesis, country.members)
    vault = country.get_vault(name)
    freed = release_expired(vault, country.reach(name, "registration"), trust)
    day.world.note(f"{name} freed {freed}")


def _list_holders(day: _Day) -> list[str]:
    names = [name for name in day.world.machines if name.removesuffix("-copy") in HOMES]
    return [*names, *map(name_bank, BANKS)]


# --- healing ----------------------------------------------------------------------------------


def _heal(day: _Day) -> None:
    world = day.world
    world.faults = CALM
    world.partitions.clear()
    for machine in world.machines.values():
        if machine.service is None:
            machine.start()
    while world.scheduler.activities:
        for activity in list(world.scheduler.activities):  # in turn: one may wait for another
            world.scheduler.run(activity)
    for _, perform in world.late:
        _survive(day, perform)
    for _ in range(ROUNDS_MAX):
        if day.newcomers is not None:
            day.orders += day.newcomers.come_to_rest(day.orders)
        _pass_round(day)
        if all(order.state is not State.OPEN for order in day.orders):
            break
    _pass_round(day)


def _pass_round(day: _Day) -> None:
    """Time passes, every bank gets money, everything is asked again, published, and fetched."""
    day.world.time += ROUND_MS
    for number in BANKS:
        _attempt(day, orders.make_issue(day.country, "late issue", number, 10**6))
    for order in list(day.orders):
        _attempt(day, order)
    _serve_everybody(day)
    day.auditor.check_supply(day.orders)


def _serve_everybody(day: _Day) -> None:
    _publish(day, is_forced=True)
    for name in _list_holders(day):
        _survive(day, partial(_release, day, name))
    for person in HOMES:
        _go(day, person)
    if day.newcomers is not None:
        day.newcomers.serve(partial(_survive, day))
