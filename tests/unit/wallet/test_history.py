"""What a holder sees of its past, and what it does not believe (T19)."""

from dataclasses import replace

from specie.flows.payment import complete_payment
from specie.ports.vault import PaymentState
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Signature
from specie.wallet.history import History
from specie.wallet.releasing import LogView
from tests.country import Country, Person, refused


def summarise(history: History) -> tuple[list[tuple[int, str]], list[int]]:
    """Amounts and states paid, amounts received."""
    paid = [(int(one.amount), one.state.value) for one in history.paid]
    return paid, [one.amount for one in history.received]


def merge(country: Country, person: Person) -> None:
    """Pay oneself."""
    prepared = person.wallet.prepare_merge(country.draw_order())
    network = country.network
    promise = complete_payment(prepared.built, person.bank, network, network.notary)
    person.wallet.settle(prepared.payment_id, promise)


def test_a_history_has_both_ways_in_order(country: Country) -> None:  # T19
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    begin = country.clock.now()
    for amount in (30, 20):
        country.clock.advance(1_000)
        country.pay(anna, boris, amount)
        boris.collect()
    country.clock.advance(1_000)
    country.pay(boris, anna, 5)
    anna.collect()
    merge(country, anna)
    assert summarise(anna.wallet.load_history()) == (
        [(30, "settled"), (20, "settled"), (0, "settled")],
        [100, 5],  # and no change
    )
    assert summarise(boris.wallet.load_history()) == ([(5, "settled")], [30, 20])
    times = [one.time for one in anna.wallet.load_history().paid]
    assert times == [begin + 1_000, begin + 2_000, begin + 3_000]
    assert [one.time for one in boris.wallet.load_history().received] == times[:2]
    held = {token.ref for token in anna.wallet.load_tokens()}
    assert held.isdisjoint(one.ref for one in anna.wallet.load_history().received)


def test_change_that_came_by_the_bank_is_no_income(country: Country) -> None:
    """The notary's answer was lost: the change arrives before the payment is settled."""
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    prepared = anna.wallet.prepare_payment([country.order(boris, 30)], country.draw_order())
    network = country.network
    promise = complete_payment(prepared.built, anna.bank, network, network.notary)
    assert anna.collect() == 1
    assert summarise(anna.wallet.load_history()) == ([(30, "prepared")], [100])
    anna.wallet.settle(prepared.payment_id, promise)
    assert summarise(anna.wallet.load_history()) == ([(30, "settled")], [100])
    assert anna.wallet.load_history().paid[0].txid == promise.txid


def test_nothing_is_settled_without_the_notarys_signature(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    promise = country.pay(anna, boris, 1)
    prepared = anna.wallet.prepare_payment([country.order(boris, 2)], country.draw_order())
    forged = replace(promise, txid=prepared.built.signed.txid)
    for wrong in (promise, forged, replace(forged, signature=Signature(bytes(64)))):
        with refused(ErrorCode.PROMISE_INVALID):
            anna.wallet.settle(prepared.payment_id, wrong)
    assert summarise(anna.wallet.load_history())[0] == [(1, "settled"), (2, "prepared")]
    country.forget_payments(anna)
    assert summarise(anna.wallet.load_history())[0] == [(1, "settled"), (2, "refused")]


def test_a_promise_that_comes_late_is_believed(country: Country) -> None:
    """The log lagged behind and the tokens were freed; what the notary promised is final."""
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    prepared = anna.wallet.prepare_payment([country.order(boris, 30)], country.draw_order())
    network = country.network
    promise = complete_payment(prepared.built, anna.bank, network, network.notary)
    country.forget_payments(anna)
    assert anna.wallet.get_balance() == 100
    again = anna.wallet.prepare_payment([country.order(boris, 50)], country.draw_order())
    anna.wallet.settle(prepared.payment_id, promise)
    assert anna.wallet.get_balance() == 70
    assert summarise(anna.wallet.load_history())[0] == [(30, "settled"), (50, "prepared")]
    spent = set(again.built.signed.body.inputs)
    assert anna.wallet.release_expired(LogView(country.clock.now(), frozenset(spent))) == 0
    assert anna.wallet.get_balance() == 70


def test_a_redemption_counts_what_was_redeemed(country: Country) -> None:
    vault = country.south.vault
    prepared = vault.prepare_redemption(Minor(123), country.draw_order())
    last = vault.load_history().paid[-1]
    assert (last.amount, last.state) == (123, PaymentState.PREPARED)
    assert last.payment_id == prepared.payment_id
