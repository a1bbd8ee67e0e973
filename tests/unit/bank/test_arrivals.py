"""Nobody is credited with the vault's own change, or pays unjudged (rows T6, T19, P14, X9)."""

from collections.abc import Iterator

import pytest

from specie.bank.deposits import name_issue
from specie.flows.distribution import deposit, withdraw
from specie.flows.payment import complete_payment
from specie.tokens.building import PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ZERO16, OrderId
from tests.country import Country, Person, build_country, refused

ZEROS = OrderId(ZERO16)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """With a whole audit of its money at the end."""
    made = build_country(tmp_path_factory.mktemp("country"))
    yield made
    made.check_money()


def pay_vault(country: Country, payer: Person, order: OrderId, bank: str = "") -> None:
    """All that the payer has, into the vault of its bank or of the one of this name."""
    banks = {one.number: one for one in country.network.banks.values()}
    receiver = next((one for one in banks.values() if one.number != payer.bank.number), None)
    target = receiver if bank and receiver is not None else payer.bank
    [token] = payer.wallet.load_tokens()
    request = PaymentOrder(target.vault_address, token.amount, Memo(order_id=order))
    context = country.network.surroundings.build_context()
    built = build_payment([request], [token], payer.wallet.keys, context)
    complete_payment(built, payer.bank, country.network, country.network.notary)


def test_an_order_of_zeros_is_none(country: Country) -> None:
    """The memo of change, of filler and of a split names no order: sixteen zeros."""
    north = country.north
    mallory = country.open_person(north)
    with refused(ErrorCode.ORDER_CONFLICT):
        north.expect_deposit(ZEROS, mallory.id)
    with refused(ErrorCode.ORDER_CONFLICT):
        north.expect_transfer(ZEROS, country.south.number)


def test_change_of_the_vault_is_nobodys(country: Country) -> None:
    """Not even by rows that an older version has taken."""
    north = country.north
    mallory = country.open_person(north)
    country.lend_deposit(mallory, 2)
    arrival = type(north.clients).expect
    from_before = country.draw_order()
    north.expect_deposit(from_before, mallory.id)
    expected = north.clients.find_expected(from_before)
    assert expected is not None
    arrival(north.clients, type(expected)(ZEROS, client=mallory.id))
    vault = north.books.get_vault()
    country.withdraw(mallory, 1)
    mallory.collect()
    assert north.books.get_deposit(mallory.id) + mallory.wallet.get_balance() == 2
    assert north.books.get_vault() == vault - 1 == north.vault.get_balance()


def test_change_is_no_issue(country: Country) -> None:
    """The id under which issues are expected is no secret: whoever knows a transaction has it."""
    north, network = country.north, country.network
    person = country.open_person(north)
    country.lend_deposit(person, 5)
    order, asked = country.draw_order(), [(person.id, country.order(person, 1))]
    promise = withdraw(order, asked, north, network, network.notary)
    before = north.books.get_vault(), north.books.get_reserves()
    north.expect_deposit(name_issue(promise.txid), person.id)
    assert withdraw(order, asked, north, network, network.notary) == promise
    assert (north.books.get_vault(), north.books.get_reserves()) == before


def test_a_deposit_is_ones_own(country: Country) -> None:
    """No limit or rule is asked for a deposit, so it may not reach anybody else."""
    anna, boris = country.open_person(country.north, 90), country.open_person(country.north)
    order = country.draw_order()
    country.north.expect_deposit(order, boris.id)
    for other in (order, country.draw_order(), ZEROS):
        with refused(ErrorCode.NOT_SERVED_HERE):
            pay_vault(country, anna, other)
    assert country.north.books.get_deposit(boris.id) == 0
    own, network = country.draw_order(), country.network
    deposit(own, anna.id, anna.wallet, Minor(90), country.north, network, network.notary)
    assert country.north.books.get_deposit(anna.id) == 90


def test_another_banks_client_pays_no_vault(country: Country) -> None:
    """Into a deposit that is frozen, say; of other banks' clients nobody here knows anything."""
    boris = country.open_person(country.north)
    stranger = country.open_person(country.south, 40)
    order = country.draw_order()
    country.north.expect_deposit(order, boris.id)
    for one in (order, country.draw_order()):
        with refused(ErrorCode.NOT_SERVED_HERE):
            pay_vault(country, stranger, one, "the other")
    assert country.north.books.get_deposit(boris.id) == 0
    assert stranger.wallet.load_tokens()[0].amount == Minor(40)


def test_what_our_own_bank_refuses_keeps_no_tokens_waiting(country: Country) -> None:
    """So one client, however often it asks, shuts the vault for nobody else (T6)."""
    north, network = country.north, country.network
    anna = country.open_person(north)
    country.lend_deposit(anna, 50)
    free, asked = north.vault.get_balance(), [(anna.id, country.order(anna, 50))]
    orders = [country.draw_order() for _ in range(2)]
    north.block(anna.id)
    for order in orders:
        with refused(ErrorCode.CLIENT_BLOCKED):
            withdraw(order, asked, north, network, network.notary)
        assert (north.vault.get_balance(), north.books.get_deposit(anna.id)) == (free, 50)
        assert north.books.get_in_transit() == 0
    north.unblock(anna.id)
    with refused(ErrorCode.ORDER_CONFLICT):
        withdraw(orders[0], asked, north, network, network.notary)
    withdraw(country.draw_order(), asked, north, network, network.notary)
