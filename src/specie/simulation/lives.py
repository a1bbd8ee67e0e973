"""What people do with their devices, from an application to a wallet that was lost and is back.

Each is an order as those of `orders.py`: asked again until it ends, stopped anywhere. What people
say to each other at a bank's counter (a decision, a code for a new device) is no message.
"""

from collections.abc import Callable
from typing import Any, Final

from specie.directory.entries import EntryState
from specie.ports.core_bank import Switches
from specie.ports.onboarding import AccountState, Person
from specie.simulation.census import Census, Life, Moves
from specie.simulation.country import Country, name_bank
from specie.simulation.handset import Handset
from specie.simulation.orders import Order
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, InstitutionPublicKey, OrderId, ParticipantNumber
from specie.wallet.phone import Wish

_FULL: Final = {"birth-date": "1990-01-02", "document": "N1234567"}
_OFFICER: Final = "Dana"
_UNPAID: Final = frozenset(
    {
        ErrorCode.FUNDS_INSUFFICIENT,
        ErrorCode.TOKENS_TOO_MANY,
        ErrorCode.ORDER_CONFLICT,
        ErrorCode.PHONE_UNKNOWN,
        ErrorCode.ACCOUNT_OVERDRAWN,
    }
)
"""Nothing was signed, or what was signed has been given up."""
_REPORTED: Final = frozenset({ErrorCode.CALLER_UNKNOWN})  # the code has done its work
_UNDRAWN: Final = frozenset(
    {
        ErrorCode.ACCOUNT_OVERDRAWN,
        ErrorCode.ORDER_CONFLICT,
        ErrorCode.HOLDING_LIMIT_EXCEEDED,
    }
)


def make_application(country: Country, census: Census, life: Life, loan: int) -> Order:
    """From a stranger's device to a client with money in both places and a loss code (T3)."""
    order, first = OrderId(country.identifiers.draw()), OrderId(country.identifiers.draw())

    def flow() -> None:
        handset = _get(country, life)
        client = _become_client(country, life, handset, 0, life.home)
        handset.set_loss_code(life.code)
        handset.switch(0, life.switches)
        _lend(country, census, life, (order, client, loan))
        handset.withdraw(first, Minor(loan // 4))
        if life.is_willing and not life.is_listed:
            _list_phone(life, handset, 0, Wish(EntryState.ACTIVE, is_named=True))
        life.is_ready = True

    return Order(f"application of {life.name}", "application", life.device, order, 0, flow, ())


def make_listing(country: Country, life: Life, name: str, *, is_named: bool) -> Order:
    """The number is to be found, by the newest address (T8)."""

    def flow() -> None:
        handset = _get(country, life)
        _list_phone(life, handset, handset.place, Wish(EntryState.ACTIVE, is_named))

    return _make(country, life, (name, "listing"), flow)


def make_payment(
    country: Country, census: Census, payer: Life, payee: Life, told: tuple[str, int]
) -> Order:
    """To a phone number (T8), out of the deposit if the device is short (T6)."""
    name, amount = told
    order = OrderId(country.identifiers.draw())

    def flow() -> None:
        handset, least = _get(country, payer), payee.version
        place = handset.find_prepared(order)
        if place is not None:
            handset.pay_again(place, order)
            return
        entry = handset.open_phone(handset.place).find(payee.phone)
        census.check_found(payee, entry, least)
        if handset.withdraw_missing(order, Minor(amount)):
            country.world.count("reverse waterfall")
        request = PaymentOrder(entry.address, Minor(amount), Memo(order_id=order))
        handset.pay(handset.place, request, order)
        country.world.count("payment by number")

    census.payments[order] = _move(payer.account, payee.account, amount)
    return Order(name, "phone payment", payer.device, order, amount, flow, (), _UNPAID)


def make_gift(
    country: Country,
    census: Census,
    payer: Life,
    payee: str,
    told: tuple[str, int],
    stolen: str = "",
) -> Order:
    """To the address of one of those who were always there; also by whoever stole the device."""
    name, amount = told
    order, device = OrderId(country.identifiers.draw()), stolen or payer.device

    def flow() -> None:
        handset: Handset = country.machine(device).get()
        place = handset.find_prepared(order)
        if place is not None:
            handset.pay_again(place, order)
            return
        request = PaymentOrder(country.addresses[payee], Minor(amount), Memo(order_id=order))
        handset.pay(handset.place, request, order)

    census.payments[order] = _move(payer.account, payee, amount)
    return Order(name, "phone payment", device, order, amount, flow, (), _UNPAID)


def make_withdrawal(country: Country, life: Life, told: tuple[str, int]) -> Order:
    """Out of the deposit onto the device (T6)."""
    name, amount = told
    order = OrderId(country.identifiers.draw())

    def flow() -> None:
        _get(country, life).withdraw(order, Minor(amount))

    return Order(name, "withdrawal", life.device, order, amount, flow, (), _UNDRAWN)


def make_move(country: Country, life: Life, name: str, bank: ParticipantNumber) -> Order:
    """To another bank, with everything and the number (T3, T19)."""
    is_listed = life.is_listed
    life.has_moved = True

    def flow() -> None:
        handset = _get(country, life)
        if handset.get_account(handset.place).bank != bank:
            _carry_over(country, life, handset, bank)
        handset.come_online(handset.place)
        handset.set_loss_code(life.code)
        if is_listed:
            _list_phone(life, handset, handset.place, Wish(EntryState.ACTIVE))
        life.is_ready = True
        country.world.count("moved wallet")

    return _make(country, life, (name, "move"), flow)


def make_report(country: Country, life: Life, name: str, reporter: str) -> Order:
    """From somebody else's device, with the code that the wallet's holder had set (X7)."""
    bank = name_bank(life.clients[-1][0])

    def flow() -> None:
        country.reach(reporter, bank, "losses").report_by_code(life.code)

    order = OrderId(country.identifiers.draw())
    return Order(name, "loss", reporter, order, 0, flow, (), _REPORTED)


def make_recovery(country: Country, life: Life, name: str) -> Order:
    """A new phrase on a new device, and everything of the old one comes to it (T19, X7)."""
    number, client = life.clients[-1]
    codes: list[bytes] = []  # on the paper that the bank gave out
    is_listed = life.is_listed

    def flow() -> None:
        handset = _get(country, life)
        if not handset.is_open(0):
            if not codes:
                codes.append(_reopen(country, number, client))
            handset.open_with_code(number, codes[-1])
        _note_wallet(life, handset, 0)
        held = take_back(life, handset)
        handset.come_online(0)
        if is_listed:
            _list_phone(life, handset, 0, Wish(EntryState.ACTIVE))
        if held:
            raise SpecieError(ErrorCode.TOKEN_UNAVAILABLE, "the bank has signed for some of it")
        life.is_ready = True
        country.world.count("recovered wallet")

    return _make(country, life, (name, "recovery"), flow)


def take_back(life: Life, handset: Handset) -> int:
    """What is in the wallet that was lost, by its phrase; gives what has to wait."""
    assert life.tree is not None, "the phrase is on paper"
    number = life.clients[-1][0]
    return handset.take_back(life.tree, [(number, place) for place in range(len(life.clients))])


# --- steps ------------------------------------------------------------------------------------


def _carry_over(country: Country, life: Life, handset: Handset, bank: ParticipantNumber) -> None:
    """The number is let go, all money goes over, the old account is closed."""
    old = handset.place
    counter = handset.at_counter(old)
    is_open = counter.port.get_standing(counter.device)[1] == "good"
    poured = Switches(waterfall=True, reverse=life.switches.reverse)
    if is_open:
        handset.switch(old, poured)
        if life.is_listed:
            _list_phone(life, handset, old, Wish(EntryState.CLOSED))
    _become_client(country, life, handset, old + 1, bank)
    handset.switch(old + 1, poured)
    life.switches = poured
    handset.empty(old, handset.open_vault(old + 1).keys.address)
    handset.use(old + 1)


def _become_client(
    country: Country, life: Life, handset: Handset, place: int, bank: ParticipantNumber
) -> ClientId:
    """Applied for until somebody at the bank says yes; what was refused is another application."""
    kind = f"application {place}"
    while not handset.is_open(place):
        note = handset.notes.find(kind)
        if note is None:
            note = {"id": country.identifiers.draw().hex(), "try": 0}
            handset.notes.put(kind, note)
        told = _tell(life, note["try"])
        try:
            found = handset.apply(place, bank, bytes.fromhex(note["id"]), told)
        except SpecieError as error:
            if error.code is not ErrorCode.DATA_MISSING:
                raise
            country.world.count("application without what it needs")
            _apply_anew(country, handset, kind, note["try"])
            continue
        if found.state is AccountState.WAITING:
            _decide(country, life, bank, (found.number, note["try"]))
            found = country.reach(life.device, name_bank(bank), "onboarding").ask(
                bytes.fromhex(note["id"])
            )
        if found.state is AccountState.APPROVED:
            assert found.client is not None, "approved for a client"
            handset.record_client(place, found.client)
        else:
            _apply_anew(country, handset, kind, note["try"])
    _note_wallet(life, handset, place)
    return handset.get_account(place).client


def _apply_anew(country: Country, handset: Handset, kind: str, tried: int) -> None:
    handset.notes.put(kind, {"id": country.identifiers.draw().hex(), "try": tried + 1})


def _tell(life: Life, tried: int) -> tuple[Person, str]:
    """What a person says of itself; a tier that asks for more may not get it the first time."""
    mishap = life.mishaps[tried] if tried < len(life.mishaps) else ""
    data = _FULL if life.tier == "full" and mishap != "incomplete" else {}
    return Person(life.name, life.phone, data), life.tier


def _decide(country: Country, life: Life, bank: ParticipantNumber, which: tuple[str, int]) -> None:
    """One of the bank's people, at the bank."""
    number, tried = which
    desk: Any = country.machine(name_bank(bank)).get("onboarding")
    if tried < len(life.mishaps) and life.mishaps[tried] == "refused":
        desk.refuse(number, "the document has expired", _OFFICER)
        country.world.count("application refused")
        return
    client = ClientId(f"{life.name}-{bank}")
    if (bank, client) not in life.clients:
        life.clients.append((bank, client))
    desk.approve(number, client, None, _OFFICER)


def _lend(
    country: Country, census: Census, life: Life, loan: tuple[OrderId, ClientId, int]
) -> None:
    """At the counter; the model hears of it once, whatever stops."""
    order, client, amount = loan
    house: Any = country.machine(name_bank(life.home)).get("process")
    house.lend(order, client, Minor(amount))
    if not life.lent[life.home]:
        life.lent[life.home] = amount
        census.auditor.accounts[life.account] += amount


def _reopen(country: Country, bank: ParticipantNumber, client: ClientId) -> bytes:
    desk: Any = country.machine(name_bank(bank)).get("losses")
    code: bytes = desk.reopen(client)
    return code


def _list_phone(life: Life, handset: Handset, place: int, wish: Wish) -> None:
    recorded = handset.open_phone(place).put(life.phone, wish)
    life.version = max(life.version, recorded.signed.entry.version)
    life.is_listed = wish.state is EntryState.ACTIVE


def _note_wallet(life: Life, handset: Handset, place: int) -> None:
    """Its address and its device's key are this person's from now on."""
    address, account = handset.open_vault(place).keys.address, handset.get_account(place)
    key = InstitutionPublicKey(account.key.public)
    if address not in life.addresses:
        life.addresses.append(address)
        life.device_keys.append(key)
    if life.tree is None:
        life.tree = handset.opened.tree


def _get(country: Country, life: Life) -> Handset:
    handset: Handset = country.machine(life.device).get()
    return handset


def _make(country: Country, life: Life, told: tuple[str, str], flow: Callable[[], None]) -> Order:
    name, kind = told
    return Order(name, kind, life.device, OrderId(country.identifiers.draw()), 0, flow, ())


def _move(payer: str, payee: str, amount: int) -> Moves:
    return ((payer, -amount), (payee, amount))
