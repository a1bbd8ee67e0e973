"""Many at once: a token goes into one payment, whoever asks and from wherever (T15, P1)."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from specie.flows.payment import complete_payment, pay
from specie.ledger.evidence import verify_evidence
from specie.ledger.transactions import Promise
from specie.notary.service import Notary
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.values.times import Timestamp
from specie.wallet.releasing import LogView
from specie.wallet.vault import Vault
from tests.country import Country, Person, refused


@contextmanager
def meeting(parties: int) -> Iterator[None]:
    """Within: all callers arrive before the notary is asked, so that all are attested by then."""
    barrier, notarise = threading.Barrier(parties, timeout=30), Notary.notarise

    def notarise_together(notary: Notary, data: bytes) -> Promise:
        barrier.wait()
        return notarise(notary, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Notary, "notarise", notarise_together)
        yield


def run_at_once(acts: Sequence[Callable[[], Promise]]) -> list[Promise | SpecieError]:
    """Each in a thread of its own; what each gave or raised."""
    outcomes: dict[int, Promise | SpecieError] = {}
    start = threading.Barrier(len(acts), timeout=30)

    def run(place: int, act: Callable[[], Promise]) -> None:
        start.wait()
        try:
            outcomes[place] = act()
        except SpecieError as error:
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[place] for place in range(len(acts))]


@pytest.mark.parametrize("workers", [2, 8])
def test_selection_never_gives_a_token_to_two_payments(country: Country, workers: int) -> None:
    anna = country.open_person(country.north, *[10] * (3 * workers))
    boris = country.open_person(country.south)
    start = threading.Barrier(workers, timeout=30)
    outcomes: list[list[Promise]] = []

    def spend() -> None:
        start.wait()
        outcomes.append([country.pay(anna, boris, 10) for _ in range(2)])

    threads = [threading.Thread(target=spend) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    promises = [promise for done in outcomes for promise in done]
    assert len(promises) == len({promise.txid for promise in promises}) == 2 * workers
    boris.collect()
    assert boris.wallet.get_balance() == 20 * workers
    assert anna.wallet.get_balance() == 10 * workers
    assert anna.wallet.load_prepared() == []


def test_more_payments_than_money(country: Country) -> None:
    """Those that find nothing left are told so; what was promised is paid, no more and no less."""
    anna = country.open_person(country.north, 10, 10, 10)
    boris = country.open_person(country.north)
    outcomes = run_at_once([lambda: country.pay(anna, boris, 10)] * 8)
    failed = [one for one in outcomes if isinstance(one, SpecieError)]
    assert {error.code for error in failed} == {ErrorCode.FUNDS_INSUFFICIENT}
    boris.collect()
    assert boris.wallet.get_balance() == 10 * (8 - len(failed))
    assert anna.wallet.get_balance() == 30 - 10 * (8 - len(failed))


def test_one_id_in_eight_threads_is_one_payment(country: Country) -> None:
    anna = country.open_person(country.north, 40, 30, 20, 10)
    boris = country.open_person(country.south)
    payment_id = country.identifiers.draw()
    outcomes = run_at_once([lambda: country.pay(anna, boris, 25, payment_id)] * 8)
    assert len(set(outcomes)) == 1 and isinstance(outcomes[0], Promise)
    boris.collect()
    assert (boris.wallet.get_balance(), anna.wallet.get_balance()) == (25, 75)


def test_one_token_in_two_wallets_is_spent_once(country: Country, tmp_path: Path) -> None:  # T15
    anna = country.open_person(country.north, 100)
    payees = [country.open_person(bank) for bank in (country.north, country.south)]
    copies = [country.copy_wallet(anna, tmp_path / f"{name}.db") for name in ("one", "two")]
    (token,) = copies[0].load_tokens()
    with meeting(2):
        outcomes = run_at_once(
            [
                lambda: pay_from(country, copies[0], anna, payees[0]),
                lambda: pay_from(country, copies[1], anna, payees[1]),
            ]
        )
    (promise,) = [one for one in outcomes if isinstance(one, Promise)]
    (error,) = [one for one in outcomes if isinstance(one, SpecieError)]
    assert isinstance(error, SpentError) and error.code is ErrorCode.INPUT_SPENT
    found = verify_evidence(error.evidence, country.network.genesis.network)
    assert found.output == token.output
    loser = copies[outcomes.index(error)]
    (prepared,) = loser.load_prepared()
    assert (found.first.txid, found.second.txid) == (promise.txid, prepared.built.signed.txid)
    for person in payees:
        person.collect()
    assert sorted(person.wallet.get_balance() for person in payees) == [0, 100]
    check_loser_keeps_waiting(country, loser)
    country.people.remove(anna)  # her first device does not know that a copy has paid


def check_loser_keeps_waiting(country: Country, loser: Vault) -> None:
    """Its token is spent: the log shows that, so it never comes back as money."""
    (prepared,) = loser.load_prepared()
    spent = set(prepared.built.signed.body.inputs)
    later = Timestamp(country.clock.now() + 2 * WINDOW_MS_DEFAULT)
    assert loser.release_expired(LogView(later, frozenset(spent))) == 0
    assert loser.get_balance() == 0


def pay_from(country: Country, wallet: Vault, payer: Person, payee: Person) -> Promise:
    """The whole payment from one copy of a wallet."""
    order, network = country.order(payee, 100), country.network
    return pay(wallet, [order], country.draw_order(), payer.bank, network, network.notary)


def test_once_final_the_bank_itself_refuses_the_copy(country: Country, tmp_path: Path) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    copy = country.copy_wallet(anna, tmp_path / "copy.db")
    country.pay(anna, boris, 100)
    with refused(ErrorCode.INPUT_SPENT):
        pay_from(country, copy, anna, boris)
    assert copy.get_balance() == 0


def test_the_same_bytes_from_eight_threads_get_one_promise(country: Country) -> None:
    anna, boris = country.open_person(country.north, 9), country.open_person(country.south)
    prepared = anna.wallet.prepare_payment([country.order(boris, 9)], country.draw_order())
    network = country.network
    outcomes = run_at_once(
        [lambda: complete_payment(prepared.built, anna.bank, network, network.notary)] * 8
    )
    assert len(set(outcomes)) == 1
    anna.wallet.settle(prepared.payment_id, one_promise(outcomes))
    boris.collect()
    assert boris.wallet.get_balance() == 9
    assert len(country.south.load_movements(boris.id)) == 1


def one_promise(outcomes: Sequence[Promise | SpecieError]) -> Promise:
    """The promise that all got."""
    assert isinstance(outcomes[0], Promise)
    return outcomes[0]


def test_receiving_and_paying_at_once_loses_nothing(country: Country) -> None:
    anna = country.open_person(country.north, *[10] * 8)
    boris = country.open_person(country.south, *[10] * 8)

    def send(payer: Person, payee: Person) -> Promise:
        payee.collect()
        return country.pay(payer, payee, Minor(10))

    acts = [lambda: send(anna, boris), lambda: send(boris, anna)] * 4
    outcomes = run_at_once(acts)
    assert all(isinstance(one, Promise) for one in outcomes)
    anna.collect()
    boris.collect()
    assert (anna.wallet.get_balance(), boris.wallet.get_balance()) == (80, 80)


def test_the_money_of_this_module_adds_up(country: Country) -> None:
    country.check_money()
