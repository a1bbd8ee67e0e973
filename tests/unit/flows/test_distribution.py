"""Between deposits, vaults and wallets: books and tokens move together (T6, T19, P1, P14)."""

from dataclasses import replace
from pathlib import Path

import pytest

from specie.bank.deposits import IN_TRANSIT
from specie.bank.service import Bank
from specie.crypto.secrets import SigningKey
from specie.flows.distribution import deposit, end_withdrawal, transfer_vault_money, withdraw
from specie.identity.participants import Status
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.store.books_store import SqliteBooksStore
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import AccountName, ClientId, OrderId, PublicKey
from specie.values.limits import EXPECTED_DEPOSIT_MS_MAX
from specie.values.times import DAY_MS
from specie.wallet.releasing import LogView
from tests.country import Country, Person, build_country, refused
from tests.faults import Deed, kill_everywhere, stop
from tests.unit.flows.liars import Lying, LyingBank


def open_books(country: Country, bank: Bank) -> SqliteBooksStore:
    """The bank's books, as an auditor reads them."""
    return SqliteBooksStore(country.network.settings.data / f"bank-{bank.number}" / "bank.db")


def read_transit(country: Country, bank: Bank) -> int:
    """Deposits that were taken and are not paid out yet."""
    return open_books(country, bank).get_balance(IN_TRANSIT)


def request(country: Country, *pairs: tuple[Person, int]) -> list[tuple[ClientId, PaymentOrder]]:
    """What clients ask their bank for."""
    return [(person.id, country.order(person, amount)) for person, amount in pairs]


def run_withdrawal(
    country: Country, order: OrderId, requests: list[tuple[ClientId, PaymentOrder]]
) -> Promise:
    """At bank 2."""
    network = country.network
    return withdraw(order, requests, country.north, network, network.notary)


def run_deposit(country: Country, order: OrderId, person: Person, amount: int) -> Promise:
    """A client brings tokens to its bank."""
    network, bank = country.network, person.bank
    return deposit(order, person.id, person.wallet, Minor(amount), bank, network, network.notary)


def run_transfer(country: Country, order: OrderId, amount: int) -> Promise:
    """From bank 2 to bank 3."""
    network = country.network
    return transfer_vault_money(
        order, Minor(amount), country.north, country.south, network, network.notary
    )


def with_deposit(country: Country, bank: Bank, amount: int) -> Person:
    """A client with deposit money and an empty wallet."""
    person = country.open_person(bank)
    country.lend_deposit(person, amount)
    return person


# --- withdrawal ---------------------------------------------------------------------------------


def test_several_clients_withdraw_at_once(country: Country) -> None:  # T6
    people = [with_deposit(country, country.north, 100) for _ in range(3)]
    vault = country.north.books.get_vault()
    pairs = [(person, 10 * place + 10) for place, person in enumerate(people)]
    promise = run_withdrawal(country, country.draw_order(), request(country, *pairs))
    for person, amount in pairs:
        assert person.bank.books.get_deposit(person.id) == 100 - amount
        assert person.collect() == 1
        (token,) = person.wallet.load_tokens()
        assert token.amount == amount
        assert person.bank.load_movements(person.id)[0].txid == promise.txid
    assert country.north.books.get_vault() == vault - 60
    assert read_transit(country, country.north) == 0
    country.check_money()


def test_fifteen_at_once_and_not_sixteen(country: Country) -> None:
    person = with_deposit(country, country.north, 100)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        run_withdrawal(country, country.draw_order(), request(country, *[(person, 1)] * 16))
    assert person.bank.books.get_deposit(person.id) == 100
    run_withdrawal(country, country.draw_order(), request(country, *[(person, 1)] * 15))
    assert person.bank.books.get_deposit(person.id) == 85
    assert person.collect() == 15


def test_a_withdrawal_twice_is_once(country: Country) -> None:
    anna = with_deposit(country, country.north, 100)
    order, asked = country.draw_order(), request(country, (anna, 30))
    promise = run_withdrawal(country, order, asked)
    assert run_withdrawal(country, order, asked) == promise
    anna.collect()
    assert (anna.bank.books.get_deposit(anna.id), anna.wallet.get_balance()) == (70, 30)
    run_withdrawal(country, country.draw_order(), asked)
    assert anna.bank.books.get_deposit(anna.id) == 40


def test_orders_that_look_alike_are_different(country: Country) -> None:
    """Two orders that differ in their last byte take the deposit twice."""
    anna = with_deposit(country, country.north, 100)
    for place in range(3):
        order = OrderId(country.draw_order()[:15] + bytes([place]))
        twin = OrderId(order[:15] + bytes([place + 1]))
        before = anna.bank.books.get_deposit(anna.id)
        for one in (order, twin):
            run_withdrawal(country, one, request(country, (anna, 5)))
        assert anna.bank.books.get_deposit(anna.id) == before - 10


def test_an_order_has_one_content(country: Country) -> None:
    anna, boris = (with_deposit(country, country.north, 100) for _ in range(2))
    order = country.draw_order()
    run_withdrawal(country, order, request(country, (anna, 30)))
    others = [[(anna, 31)], [(boris, 30)], [(anna, 30), (boris, 30)], [(anna, 15), (anna, 15)]]
    for pairs in others:
        with refused(ErrorCode.ORDER_CONFLICT):
            run_withdrawal(country, order, request(country, *pairs))
    stolen = [(anna.id, country.order(boris, 30))]
    with refused(ErrorCode.ORDER_CONFLICT):
        run_withdrawal(country, order, stolen)
    deposits = [one.bank.books.get_deposit(one.id) for one in (anna, boris)]
    assert deposits == [70, 100]


def test_one_who_cannot_pay_stops_the_whole_order(country: Country) -> None:
    """Nobody's deposit is taken: bad input changes nothing (design §5, 6)."""
    anna, boris = (with_deposit(country, country.north, 100) for _ in range(2))
    stranger = with_deposit(country, country.south, 100)
    cases = [
        (ErrorCode.ACCOUNT_OVERDRAWN, [(anna, 30), (boris, 101)]),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, [(anna, 30), (boris, 0)]),
        (ErrorCode.ACCOUNT_UNKNOWN, [(anna, 30), (stranger, 5)]),
    ]
    for code, pairs in cases:
        with refused(code):
            run_withdrawal(country, country.draw_order(), request(country, *pairs))
        deposits = [one.bank.books.get_deposit(one.id) for one in (anna, boris, stranger)]
        assert deposits == [100, 100, 100]
    assert read_transit(country, country.north) == 0


def test_a_vault_that_is_empty_pays_later(country: Country) -> None:
    """The deposit stays in transit until the same order finds money in the vault."""
    south = country.south
    everything = south.vault.get_balance()
    anna = with_deposit(country, south, everything + 5)
    order, network = country.draw_order(), country.network
    asked = request(country, (anna, everything + 5))
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        withdraw(order, asked, south, network, network.notary)
    assert read_transit(country, south) == everything + 5
    assert south.vault.get_balance() == everything
    country.issue(south, 50)
    withdraw(order, asked, south, network, network.notary)
    assert read_transit(country, south) == 0
    anna.collect()
    assert anna.wallet.get_balance() == everything + 5
    run_deposit(country, country.draw_order(), anna, everything)
    country.check_money()


# --- deposit ------------------------------------------------------------------------------------


def test_tokens_become_deposit_money(country: Country) -> None:  # T19
    anna = country.open_person(country.north, 60, 40)
    vault = country.north.books.get_vault()
    order = country.draw_order()
    promise = run_deposit(country, order, anna, 70)
    assert run_deposit(country, order, anna, 70) == promise
    assert anna.bank.books.get_deposit(anna.id) == 70
    assert anna.wallet.get_balance() == 30
    assert country.north.books.get_vault() == vault + 70
    country.check_money()


def test_a_deposit_credits_what_was_paid(country: Country) -> None:
    """Stopped before the credit, then told again with a larger amount: refused."""
    anna = country.open_person(country.north, 60)
    order = country.draw_order()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specie.bank.deposits.DepositBooks.credit_deposit", stop)
        with pytest.raises(KeyboardInterrupt):
            run_deposit(country, order, anna, 10)
    for amount in (11, 50, 9):
        with refused(ErrorCode.ORDER_CONFLICT):
            run_deposit(country, order, anna, amount)
    assert anna.bank.books.get_deposit(anna.id) == 0
    run_deposit(country, order, anna, 10)
    assert anna.bank.books.get_deposit(anna.id) == 10
    country.check_money()


def test_more_than_there_is_is_not_deposited(country: Country) -> None:
    anna = country.open_person(country.north, 60)
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        run_deposit(country, country.draw_order(), anna, 61)
    assert anna.bank.books.get_deposit(anna.id) == 0
    assert anna.wallet.get_balance() == 60


def test_only_the_serving_bank_takes_a_deposit(country: Country) -> None:
    anna = country.open_person(country.north, 60)
    visitor = replace(anna, bank=country.south)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        run_deposit(country, country.draw_order(), visitor, 10)
    assert anna.wallet.get_balance() == 60


def test_only_what_arrives_is_credited(country: Country) -> None:  # C2
    """The payer pays itself and shows the promise for that."""
    anna = country.open_person(country.north, 60)
    network, liar = country.network, Lying(anna.wallet)
    for amount in (5_000_000, 60):
        order = country.draw_order()
        deposit(order, anna.id, liar, Minor(amount), country.north, network, network.notary)
        assert anna.bank.books.get_deposit(anna.id) == 0
    country.check_money()


def test_a_deposit_from_two_devices_is_credited_as_often_as_paid(tmp_path: Path) -> None:  # C2
    """A restored device does not know of the payment and pays again: both arrive, both count."""
    country = build_country(tmp_path)
    anna, order = country.open_person(country.south, 50, 50), country.draw_order()
    run_deposit(country, order, anna, 50)
    restored = country.copy_wallet(anna, tmp_path / "copy.db")
    for _ in range(2):
        run_deposit(country, order, replace(anna, wallet=restored), 50)
        run_deposit(country, order, anna, 50)
        assert anna.bank.books.get_deposit(anna.id) == 100
    assert country.south.books.get_vault() == country.south.vault.get_balance()


def test_a_deposit_order_is_one_clients(country: Country) -> None:
    anna, boris = (country.open_person(country.north, 60) for _ in range(2))
    order = country.draw_order()
    run_deposit(country, order, anna, 10)
    with refused(ErrorCode.ORDER_CONFLICT):
        run_deposit(country, order, boris, 10)
    with refused(ErrorCode.ORDER_CONFLICT):
        country.north.expect_transfer(order, country.south.number)
    assert boris.wallet.get_balance() == 60


def test_the_bank_credits_a_deposit_without_being_asked_again(country: Country) -> None:
    """The promise is enough: nobody repeats the flow, the client's device is gone."""
    anna, order = country.open_person(country.north, 60), country.draw_order()
    country.north.expect_deposit(order, anna.id)
    paid = PaymentOrder(country.north.vault_address, Minor(25), Memo(order_id=order))
    prepared = anna.wallet.prepare_payment([paid], order)
    attested = country.attest(prepared.built, country.north)
    promise = country.network.notary.notarise(encode_attested(attested))
    for _ in range(2):
        country.north.deliver(promise)
        assert anna.bank.books.get_deposit(anna.id) == 25
    anna.wallet.settle(order, promise)


def test_money_for_a_forgotten_order_waits_until_it_is_expected_again(tmp_path: Path) -> None:
    """Nobody signs for it until then; after that it is booked once."""
    country = build_country(tmp_path)
    anna = country.open_person(country.north, 60)
    order, foreign = country.draw_order(), country.draw_order()
    country.north.expect_deposit(order, anna.id)
    country.clock.advance(EXPECTED_DEPOSIT_MS_MAX)
    country.north.expect_deposit(foreign, anna.id)
    assert country.north.clients.find_expected(order) is None
    paid = PaymentOrder(country.north.vault_address, Minor(25), Memo(order_id=order))
    prepared = anna.wallet.prepare_payment([paid], order)
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.attest(prepared.built, country.north)
    for _ in range(2):
        run_deposit(country, order, anna, 25)
        assert anna.bank.books.get_deposit(anna.id) == 25


@pytest.mark.parametrize("change", ["suspended", "attestation key"])
def test_a_final_deposit_is_credited_whatever_the_list_says_by_now(
    tmp_path: Path, change: str
) -> None:  # M1
    country = build_country(tmp_path)
    anna, order = country.open_person(country.north, 100), country.draw_order()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bank, "deliver", stop)
        with pytest.raises(KeyboardInterrupt):
            run_deposit(country, order, anna, 70)
    current = country.network.roster.current
    member = current.participants[country.north.number]
    changed = {
        "suspended": replace(member, status=Status.SUSPENDED),
        "attestation key": replace(member, attestation_key=PublicKey(SigningKey.generate().public)),
    }[change]
    members = {**current.participants, member.number: changed}
    country.network.replace_participants(replace(current, version=2, participants=members))
    country.clock.advance(DAY_MS)
    run_deposit(country, order, anna, 70)
    assert anna.bank.books.get_deposit(anna.id) == 70
    assert anna.wallet.get_balance() == 30


# --- between vaults -----------------------------------------------------------------------------


def test_vault_money_goes_to_another_bank(country: Country) -> None:  # P14
    north, south = country.north, country.south
    before = north.books.get_vault(), south.books.get_vault()
    order = country.draw_order()
    promise = run_transfer(country, order, 1_000)
    assert run_transfer(country, order, 1_000) == promise
    assert (north.books.get_vault(), south.books.get_vault()) == (
        before[0] - 1_000,
        before[1] + 1_000,
    )
    due_from = open_books(country, north).get_balance(AccountName(f"due from {south.number}"))
    due_to = open_books(country, south).get_balance(AccountName(f"due to {north.number}"))
    assert due_from == due_to >= 1_000
    with refused(ErrorCode.ORDER_CONFLICT):
        run_transfer(country, order, 2_000)
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        run_transfer(country, country.draw_order(), north.books.get_vault() + 1)
    reserves = [country.network.accounting.get_reserves(one.number) for one in (north, south)]
    run_transfer(country, country.draw_order(), 5)
    assert reserves == [
        country.network.accounting.get_reserves(one.number) for one in (north, south)
    ]


def test_banks_book_what_moved_between_vaults(country: Country) -> None:  # C2
    north, south, network = country.north, country.south, country.network
    before = north.books.get_vault(), south.books.get_vault()
    liar = LyingBank(north, Lying(north.vault))
    order = country.draw_order()
    transfer_vault_money(order, Minor(10**9), liar, south, network, network.notary)
    assert (north.books.get_vault(), south.books.get_vault()) == before
    country.check_money()


# --- withdrawals that come to nothing -----------------------------------------------------------


def start_withdrawal(country: Country, person: Person, amount: int) -> tuple[OrderId, Deed]:
    """Held, signed by the vault and attested; then it is stopped."""
    order, asked = country.draw_order(), request(country, (person, amount))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(country.network.notary, "notarise", stop)
        with pytest.raises(KeyboardInterrupt):
            run_withdrawal(country, order, asked)
    return order, lambda: run_withdrawal(country, order, asked)


def test_a_withdrawal_given_up_gives_the_deposit_back(country: Country) -> None:  # H4
    anna, network = with_deposit(country, country.north, 500), country.network
    country.issue(country.north, 500)
    order, again = start_withdrawal(country, anna, 500)
    assert anna.bank.books.get_deposit(anna.id) == 0
    with refused(ErrorCode.ORDER_CONFLICT):  # its window is not over
        end_withdrawal(order, country.north, network.notary)
    country.clock.advance(2 * DAY_MS)
    with refused(ErrorCode.EXPIRED):
        again()
    assert anna.bank.books.get_deposit(anna.id) == 0
    country.north.vault.release_expired(LogView(country.clock.now(), frozenset()))
    for _ in range(2):
        with refused(ErrorCode.ORDER_CONFLICT):
            again()
        end_withdrawal(order, country.north, network.notary)
        assert anna.bank.books.get_deposit(anna.id) == 500
        assert read_transit(country, country.north) == country.north.books.get_in_transit() == 0
    run_withdrawal(country, country.draw_order(), request(country, (anna, 500)))
    anna.collect()
    assert (anna.bank.books.get_deposit(anna.id), anna.wallet.get_balance()) == (0, 500)
    country.check_money()


def test_a_withdrawal_that_was_voided_gives_the_deposit_back(country: Country) -> None:  # H4
    anna, network = with_deposit(country, country.north, 70), country.network
    country.issue(country.north, 70)
    order, asked = country.draw_order(), request(country, (anna, 70))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.notary, "notarise", stop)
        with pytest.raises(KeyboardInterrupt):
            run_withdrawal(country, order, asked)
    prepared = country.north.vault.prepare_payment([one for _, one in asked], order)
    _, signature = country.north.vault.sign_void(order)
    attested = country.attest(prepared.built, country.north)
    promise = network.notary.void(encode_attested(attested), signature)
    country.north.vault.release_void(order, promise)
    end_withdrawal(order, country.north, network.notary)
    assert anna.bank.books.get_deposit(anna.id) == 70
    assert read_transit(country, country.north) == 0
    country.check_money()


def test_what_was_paid_is_not_given_back(country: Country) -> None:  # H4
    anna, order = with_deposit(country, country.north, 70), country.draw_order()
    network = country.network
    for unpaid in (order, country.draw_order()):
        with refused(ErrorCode.ORDER_CONFLICT):
            end_withdrawal(unpaid, country.north, network.notary)
    run_withdrawal(country, order, request(country, (anna, 70)))
    with refused(ErrorCode.ORDER_CONFLICT):
        end_withdrawal(order, country.north, network.notary)
    assert anna.bank.books.get_deposit(anna.id) == 0


# --- killed at every step -----------------------------------------------------------------------


def test_a_withdrawal_survives_being_killed(country: Country) -> None:
    anna, boris = (with_deposit(country, country.north, 10_000) for _ in range(2))
    done = 0

    def make_deed() -> Deed:
        order, asked = country.draw_order(), request(country, (anna, 5), (boris, 7))
        return lambda: run_withdrawal(country, order, asked)

    def check() -> None:
        nonlocal done
        done += 1
        for person, amount in ((anna, 5), (boris, 7)):
            person.collect()
            assert person.wallet.get_balance() == amount * done
            assert person.bank.books.get_deposit(person.id) == 10_000 - amount * done
        assert country.north.books.get_vault() == country.north.vault.get_balance()
        assert read_transit(country, country.north) == 0

    killed_at = kill_everywhere(make_deed, lambda: None, check)
    assert {"before SqliteBooksStore.post", "before SqliteVaultStore.settle"} <= set(killed_at)
    country.check_money()


def test_a_deposit_survives_being_killed(country: Country) -> None:
    anna = country.open_person(country.north, 10_000)
    done = 0

    def make_deed() -> Deed:
        order = country.draw_order()
        return lambda: run_deposit(country, order, anna, 5)

    def check() -> None:
        nonlocal done
        done += 1
        assert anna.bank.books.get_deposit(anna.id) == 5 * done
        assert anna.wallet.get_balance() == 10_000 - 5 * done
        assert country.north.books.get_vault() == country.north.vault.get_balance()

    assert len(kill_everywhere(make_deed, lambda: None, check)) > 10
    country.check_money()


def test_a_vault_transfer_survives_being_killed(country: Country) -> None:  # P14
    banks = (country.north, country.south)
    start = [bank.books.get_vault() for bank in banks]
    done = 0

    def make_deed() -> Deed:
        order = country.draw_order()
        return lambda: run_transfer(country, order, 5)

    def check() -> None:
        nonlocal done
        done += 1
        expected = [start[0] - 5 * done, start[1] + 5 * done]
        assert [bank.books.get_vault() for bank in banks] == expected
        assert [bank.vault.get_balance() for bank in banks] == expected

    assert len(kill_everywhere(make_deed, lambda: None, check)) > 10
    country.check_money()
