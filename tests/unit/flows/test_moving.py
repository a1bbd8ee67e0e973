"""A wallet moves with more than it may hold or pay at once; cut off anywhere (T3, T6, T19)."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from specie.crypto.secrets import SealingKey
from specie.flows.moving import Limits, move_money
from specie.flows.payment import complete_payment
from specie.ledger.transactions import Promise
from specie.ports.top_ups import TopUps
from specie.store.top_up_store import SqliteTopUps
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OrderId
from specie.wallet.vault import Vault
from tests.country import SOUTH, Country, Person, build_country, refused
from tests.unit.bank.test_supervision import set_policy
from tests.unit.flows.pouring import Cut, Device


@dataclass
class Paying:
    """The bank, as a device pays through it."""

    device: "Moving"
    paid: list[int] = field(default_factory=list)

    def pay(self, built: BuiltTransaction) -> Promise:
        one, network = self.device, self.device.country.network
        promises: list[Promise] = []

        def deed() -> None:
            promises.append(complete_payment(built, one.person.bank, network, network.notary))

        one._step(deed)  # noqa: SLF001  # a step of the same device
        return promises[0]


@dataclass
class Moving(Device):
    """`MovingDevice`."""

    limits: Limits = Limits()
    records: TopUps | None = None

    @property
    def vault(self) -> Vault:
        return self.person.wallet

    @property
    def top_ups(self) -> TopUps:
        assert self.records is not None
        return self.records

    @property
    def bank(self) -> Paying:
        return Paying(self)

    def deposit(self, order: OrderId, amount: Minor) -> None:
        """Recorded on the device, and then sent, as a wallet does it; it may go out between."""
        bank = self.person.bank
        bank.expect_deposit(order, self.person.id)
        request = PaymentOrder(bank.vault_address, amount, Memo(order_id=order))
        self._step(lambda: self.vault.prepare_payment([request], order))
        super().deposit(order, amount)

    def get_deposit(self) -> Minor:
        return self.person.bank.teller.get_balance(self.person.id)

    def get_limits(self) -> Limits:
        return self.limits


USUAL = {1, 4, 8, 11, 14}  # 8 is within the new wallet's deposit


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """One for all."""
    return build_country(tmp_path_factory.mktemp("moving"))


@pytest.fixture
def records(tmp_path: Path) -> SqliteTopUps:
    """The device's store."""
    return SqliteTopUps(tmp_path / "device.db", "anna", SealingKey.generate())


def count(person: Person) -> tuple[int, int]:
    """On the device, and in the deposit."""
    person.collect()
    return person.wallet.get_balance(), person.bank.teller.get_balance(person.id)


def limit(holding: int | None = None, payment: int | None = None) -> Limits:
    return Limits(*(None if one is None else Minor(one) for one in (holding, payment)))


@pytest.mark.parametrize(
    ("old_limits", "new_limits", "payments", "after"),
    [
        (limit(), limit(), 2, (260, 0)),
        (limit(100), limit(), 3, (260, 0)),
        (limit(payment=100), limit(), 3, (260, 0)),
        (limit(100), limit(100), 5, (60, 200)),
        (limit(), limit(260), 2, (260, 0)),
        (limit(100, 50), limit(70), 8, (50, 210)),
    ],
)
def test_all_of_it_goes_along_whatever_the_limits(
    country: Country,
    records: SqliteTopUps,
    old_limits: Limits,
    new_limits: Limits,
    payments: int,
    after: tuple[int, int],
) -> None:
    """More in the deposit than either device may hold: in parts, and nothing stays behind."""
    anna, there = country.open_person(country.north, 40, 20), country.open_person(country.south)
    country.lend_deposit(anna, 200)
    old = Moving(country, anna, limits=old_limits, records=records)
    new = Moving(country, there, limits=new_limits)
    assert move_money(old, new) == payments
    assert (count(anna), count(there)) == ((0, 0), after)
    assert move_money(old, new) == 0
    country.check_money()


def test_a_new_wallet_that_may_hold_nothing_is_refused_before_anything_moves(
    country: Country, records: SqliteTopUps
) -> None:
    anna, there = country.open_person(country.north, 40), country.open_person(country.south)
    old = Moving(country, anna, records=records)
    with refused(ErrorCode.HOLDING_LIMIT_EXCEEDED):
        move_money(old, Moving(country, there, limits=limit(0)))
    assert (count(anna), count(there)) == ((40, 0), (0, 0))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "cut_at",
    [one if one in USUAL else pytest.param(one, marks=pytest.mark.soak) for one in range(1, 15)],
)
def test_cut_off_at_any_step_it_goes_on(
    country: Country, records: SqliteTopUps, side: int, cut_at: int
) -> None:
    """Either wallet's device is gone after a step, or before one: nothing is lost or doubled."""
    anna, there = country.open_person(country.north, 40), country.open_person(country.south)
    country.lend_deposit(anna, 100)
    set_policy(country, "holding = 60", bank=SOUTH)
    cuts = [cut_at if side == place else -1 for place in range(2)]

    def build(cut_old: int, cut_new: int) -> tuple[Moving, Moving]:
        return (
            Moving(country, anna, cut_old, limits=limit(60, 50), records=records),
            Moving(country, there, cut_new, limits=limit(60)),
        )

    with pytest.raises(Cut):
        move_money(*build(*cuts))
    move_money(*build(-1, -1))
    device, deposit = count(there)
    assert (device + deposit, count(anna)) == (140, (0, 0))
    assert device <= 60
    set_policy(country, bank=SOUTH)
    country.check_money()
