"""Stock-taking: produced, in the issuance vault, in banking vaults, in circulation (P3, P5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from specie.books.stock import Stock, check_stock
from specie.flows.stocktaking import take_stock
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.limits import STOCK_READINGS_MAX
from tests.country import NORTH, SOUTH, Country, refused


def count(country: Country, notary: Any = None) -> Stock:
    """At the central bank."""
    network = country.network
    desk, accounting = network.desk, network.accounting
    return take_stock([NORTH, SOUTH], desk, accounting, notary or network.notary, network)


def test_all_money_is_somewhere(country: Country) -> None:
    before = count(country)
    country.issue(country.north, 900)
    person = country.open_person(country.north, 300, 40)
    country.open_person(country.south, 5)
    stock = count(country)
    assert stock.outstanding == stock.produced == stock.backing == before.outstanding + 900
    assert stock.vaults[NORTH] == before.vaults[NORTH] + 900 - 340
    assert stock.vaults[SOUTH] == before.vaults[SOUTH] - 5
    assert stock.circulation == before.circulation + 345
    assert (stock.issuance_vault, stock.in_transit) == (0, 0)
    assert stock.serial == before.serial + 1
    assert person.wallet.get_balance() == 340


@dataclass(slots=True)
class Restless:
    """A notary whose supply changes between any two readings."""

    country: Country
    readings: int = 0
    still_after: int = 10**6

    def get_supply(self) -> Any:
        """Another serial each time."""
        self.readings += 1
        supply = self.country.network.notary.get_supply()
        serial = supply.serial + min(self.readings, self.still_after)
        return replace(supply, serial=serial)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.country.network.notary, name)


def test_what_changes_meanwhile_is_counted_again(country: Country) -> None:
    restless = Restless(country, still_after=5)
    assert count(country, restless).outstanding == count(country).outstanding
    assert restless.readings == 6
    restless = Restless(country)
    with refused(ErrorCode.STOCK_UNSETTLED):
        count(country, restless)
    assert restless.readings == 2 * STOCK_READINGS_MAX


GOOD = Stock(7, Minor(10), Minor(100), {NORTH: Minor(30), SOUTH: Minor(20)}, Minor(115), Minor(20))
BREAKS: dict[str, Callable[[Stock], Stock]] = {
    "more outstanding than backed": lambda stock: replace(stock, backing=Minor(99)),
    "more backed than outstanding and in transit": lambda one: replace(one, backing=Minor(121)),
    "more produced than debited": lambda stock: replace(stock, issuance_vault=Minor(21)),
}


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_what_cannot_be_true_is_found(name: str) -> None:
    check_stock(GOOD)
    assert (GOOD.produced, GOOD.circulation) == (110, 50)
    with refused(ErrorCode.STOCK_MISMATCH):
        check_stock(BREAKS[name](GOOD))
