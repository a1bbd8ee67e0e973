"""Core banks for tests: a sample bank's service behind the port, in this process, with faults.

What it counts as money is counted here, from its own books and those of the bank beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specie.assembly.alarms import Alarms
from specie.assembly.money import MoneyDesk
from specie.bank.control_books import ControlBooks
from specie.bank.service import Bank
from specie.bank.teller import CoreSystem, Teller
from specie.core_bank.service import SampleCoreBank
from specie.crypto.secrets import SealingKey
from specie.ports.core_bank import Position
from specie.store.books_store import SqliteBooksStore
from specie.store.core_account_store import SqliteCoreAccounts
from specie.store.core_link_store import SqliteCoreLinks
from specie.store.database import Database
from specie.store.switch_store import SqliteSwitchStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId
from tests.country import Country, Person

Fault = Callable[[str, Callable[[], Any]], Any]
"""Name of a call, and what performs it; gives the answer, or raises as a network would."""


def answer(_name: str, perform: Callable[[], Any]) -> Any:
    """No fault."""
    return perform()


def lose_request(_name: str, _perform: Callable[[], Any]) -> Any:
    """It never arrives."""
    raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, "lost on its way")


def lose_answer(_name: str, perform: Callable[[], Any]) -> Any:
    """It is carried out, and nobody hears of it."""
    perform()
    raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, "lost on its way back")


@dataclass(slots=True)
class NearCoreBank:
    """`CoreBank` over a sample bank's service, as the gateway's client is over HTTP."""

    service: SampleCoreBank
    fault: Fault = answer
    calls: list[str] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        return False

    def find_account(self, client: ClientId) -> CoreAccount | None:
        found = self._call("find", lambda: self.service.list_accounts(client))
        known = [one.account.number for one in found if one.account.is_open]
        return known[0] if len(known) == 1 else None

    def check_account(self, client: ClientId, account: CoreAccount) -> None:
        found = self._call("check", lambda: self.service.describe(account)).account
        if found.customer != client or not found.is_open:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "another's, or closed")

    def get_balance(self, account: CoreAccount) -> Minor:
        available: Minor = self._call("balance", lambda: self.service.describe(account)).available
        return available

    def hold(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        self._call("hold", lambda: self.service.hold(reference, account, amount))

    def settle(self, reference: EndToEndId) -> None:
        self._call("settle", lambda: self.service.settle(reference))

    def release(self, reference: EndToEndId) -> None:
        self._call("release", lambda: self.service.release(reference))

    def credit(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        self._call("credit", lambda: self.service.credit(reference, account, amount))

    def count_position(self) -> Position:
        position: Position = self._call("position", self.service.count_position)
        return position

    def _call(self, name: str, perform: Callable[[], Any]) -> Any:
        self.calls.append(name)
        return self.fault(name, perform)


@dataclass(slots=True)
class CoredBank:
    """A bank of a country whose clients' deposits are at a core bank."""

    country: Country
    bank: Bank
    core: NearCoreBank
    control: ControlBooks
    links: SqliteCoreLinks
    desk: MoneyDesk
    database: Database  # the core bank's
    accounts: dict[ClientId, CoreAccount] = field(default_factory=dict)
    paid_in: int = 0

    @property
    def service(self) -> SampleCoreBank:
        return self.core.service

    def open_person(self, amount: int = 0) -> Person:
        """A client with an account there, linked, and so much on it."""
        person = self.country.open_person(self.bank)
        account = self.service.open_account(person.id)
        self.accounts[person.id] = account
        self.bank.teller.link(person.id)
        if amount:
            self.pay_in(person, amount)
        return person

    def pay_in(self, person: Person, amount: int) -> None:
        """Cash, at the core bank's counter."""
        reference = EndToEndId(self.country.draw_order())
        self.service.pay_in(reference, self.accounts[person.id], Minor(amount))
        self.paid_in += amount

    def get_available(self, person: Person) -> int:
        return self.service.describe(self.accounts[person.id]).available

    def count_booked(self) -> int:
        """On all accounts, with what is held."""
        return sum(self.service.describe(one).booked for one in self.accounts.values())

    def check_settled(self) -> None:
        """Nothing is in transit, both sides say the same, and money is where people are."""
        ours, theirs = self.control.count_position(), self.service.count_position()
        assert ours == theirs
        assert (ours.held, self.control.get_due(), self.bank.books.get_in_transit()) == (0, 0, 0)
        assert self.bank.journal.list_open() == []
        assert self.count_booked() == self.paid_in + theirs.credited - theirs.settled
        self.country.check_money()


def build_core_service(database: Database, country: Country) -> SampleCoreBank:
    """On its own database."""
    books, accounts = SqliteBooksStore(database), SqliteCoreAccounts(database)
    return SampleCoreBank(2, books, accounts, country.clock)


def connect_core_bank(country: Country, bank: Bank, folder: Path) -> CoredBank:
    """The bank's deposits are at a core bank from now on."""
    database = Database(folder / "core.db")
    core = NearCoreBank(build_core_service(database, country))
    own = country.network.databases.open(f"bank-{bank.number}")
    control = ControlBooks(SqliteBooksStore(own), country.clock)
    links = SqliteCoreLinks(own, SealingKey.generate())
    bank.teller = Teller(bank.books, CoreSystem(core, links, control))
    desk = MoneyDesk(bank, SqliteSwitchStore(own), Alarms())
    return CoredBank(country, bank, core, control, links, desk, database)
