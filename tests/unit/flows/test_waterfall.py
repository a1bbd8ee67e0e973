"""Waterfall and reverse waterfall: kept up, cut off, at their edges (T6, T19)."""

from pathlib import Path

import pytest

from specie.crypto.secrets import SealingKey
from specie.flows.waterfall import (
    EMPTYING,
    compute_excess,
    empty_deposit,
    pour_excess,
    top_up,
)
from specie.ports.top_ups import TopUp
from specie.store.top_up_store import SqliteTopUps
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId
from tests.country import Country, Person, build_country, refused
from tests.unit.flows.pouring import Cut, Device


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """One for all."""
    return build_country(tmp_path_factory.mktemp("country"))


@pytest.fixture
def records(tmp_path: Path) -> SqliteTopUps:
    """A device's store."""
    return SqliteTopUps(tmp_path / "device.db", "anna", SealingKey.generate())


def count(person: Person) -> tuple[int, int]:
    """On the device, and in the deposit."""
    person.collect()
    return person.wallet.get_balance(), person.bank.teller.get_balance(person.id)


@pytest.mark.parametrize(
    ("balance", "limit", "excess"),
    [(10, None, 0), (10, 10, 0), (10, 9, 1), (9, 10, 0), (10, 0, 10), (0, 0, 0)],
)
def test_the_excess_is_what_is_over_the_limit(balance: int, limit: int | None, excess: int) -> None:
    found = compute_excess(Minor(balance), None if limit is None else Minor(limit))
    assert found == excess


def test_what_is_over_the_limit_goes_into_the_deposit(country: Country) -> None:
    anna = country.open_person(country.north, 60, 40)
    device = Device(country, anna)
    assert pour_excess(device, None) == pour_excess(device, Minor(100)) == 0
    assert pour_excess(device, Minor(70)) == 30
    assert count(anna) == (70, 30)
    assert pour_excess(device, Minor(70)) == 0
    country.check_money()


def test_what_a_payment_is_short_of_is_withdrawn_in_one_go(
    country: Country, records: SqliteTopUps
) -> None:
    anna = country.open_person(country.north, 10)
    country.lend_deposit(anna, 100)
    device = Device(country, anna)
    assert top_up(device, records, b"p" * 16, Minor(10)) == 0
    assert top_up(device, records, b"p" * 16, Minor(35)) == 25
    assert count(anna) == (35, 75)
    assert records.find(b"p" * 16) is None
    country.check_money()


@pytest.mark.parametrize("cut_at", range(1, 5))
def test_a_top_up_that_is_cut_off_is_neither_lost_nor_doubled(
    country: Country, records: SqliteTopUps, cut_at: int
) -> None:
    """Before the bank hears of it, after it has paid, before it is collected, after that."""
    anna, payment = country.open_person(country.north, 10), country.draw_order()
    country.lend_deposit(anna, 100)
    with pytest.raises(Cut):
        top_up(Device(country, anna, cut_at), records, payment, Minor(35))
    assert records.find(payment) is not None, "durable before the bank hears of it"
    top_up(Device(country, anna), records, payment, Minor(35))
    assert count(anna) == (35, 75)
    assert top_up(Device(country, anna), records, payment, Minor(35)) == 0
    assert count(anna) == (35, 75)


def test_money_that_came_meanwhile_does_not_change_what_was_begun(
    country: Country, records: SqliteTopUps
) -> None:
    anna, payment = country.open_person(country.north, 10), country.draw_order()
    boris = country.open_person(country.north, 50)
    country.lend_deposit(anna, 100)
    with pytest.raises(Cut):
        top_up(Device(country, anna, 2), records, payment, Minor(35))
    country.pay(boris, anna, 50)
    anna.collect()
    assert top_up(Device(country, anna), records, payment, Minor(35)) == 25
    assert count(anna) == (85, 75)


def test_a_deposit_that_is_too_small_is_not_touched(
    country: Country, records: SqliteTopUps
) -> None:
    anna, payment = country.open_person(country.north, 10), country.draw_order()
    country.lend_deposit(anna, 24)
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        top_up(Device(country, anna), records, payment, Minor(35))
    assert count(anna) == (10, 24)
    country.lend_deposit(anna, 1)
    assert top_up(Device(country, anna), records, payment, Minor(35)) == 25
    assert count(anna) == (35, 0)


def test_a_withdrawal_that_was_ended_gives_way_to_another(
    country: Country, records: SqliteTopUps
) -> None:
    anna, payment = country.open_person(country.north, 10), country.draw_order()
    country.lend_deposit(anna, 100)
    device, ended = Device(country, anna), country.draw_order()
    device.withdraw(ended, Minor(7))  # an id that stands for something else
    records.begin(payment, TopUp(ended, Minor(8)))
    anna.collect()
    assert top_up(device, records, payment, Minor(35)) == 18
    assert count(anna) == (35, 75)


def test_a_record_is_sealed_and_one_holders(tmp_path: Path) -> None:
    place, key = tmp_path / "device.db", SealingKey.generate()
    records, other = SqliteTopUps(place, "anna", key), SqliteTopUps(place, "boris", key)
    begun = TopUp(OrderId(b"o" * 16), Minor(0x1234567812345678))
    records.begin(b"p" * 16, begun)
    assert records.find(b"p" * 16) == begun
    assert other.find(b"p" * 16) is None
    with pytest.raises(SpecieError):
        records.begin(b"p" * 16, begun)
    with refused(ErrorCode.SEALED_INVALID):
        SqliteTopUps(place, "anna", SealingKey.generate()).find(b"p" * 16)
    for _ in range(2):
        records.end(b"p" * 16)
        assert records.find(b"p" * 16) is None


@pytest.mark.parametrize("cut_at", range(1, 5))
def test_a_wallet_that_moves_withdraws_everything_once(
    country: Country, records: SqliteTopUps, cut_at: int
) -> None:
    """Cut off anywhere, with more in the deposit the second time: the same order goes on."""
    anna = country.open_person(country.north, 10)
    country.lend_deposit(anna, 100)

    def get_deposit() -> Minor:
        return anna.bank.teller.get_balance(anna.id)

    with pytest.raises(Cut):
        empty_deposit(Device(country, anna, cut_at), records, get_deposit)
    begun = records.find(EMPTYING)
    assert begun is not None and begun.amount == 100
    country.lend_deposit(anna, 5)
    assert empty_deposit(Device(country, anna), records, get_deposit) == 105
    assert (count(anna), records.find(EMPTYING)) == ((115, 0), None)
    assert empty_deposit(Device(country, anna), records, get_deposit) == 0


def test_a_withdrawal_of_everything_that_was_ended_gives_way_to_another(
    country: Country, records: SqliteTopUps
) -> None:
    """The bank gave it up: the deposit is there again, and the wallet moves nevertheless."""
    anna = country.open_person(country.north, 10)
    country.lend_deposit(anna, 100)
    device, ended = Device(country, anna), country.draw_order()
    device.withdraw(ended, Minor(7))  # an id that stands for something else
    records.begin(EMPTYING, TopUp(ended, Minor(100)))
    balance = anna.bank.teller.get_balance
    assert empty_deposit(device, records, lambda: balance(anna.id)) == 93
    assert count(anna) == (110, 0)
