"""A payment is taken back: at once, for good, and never after it is final (T15, ADR 0010)."""

from dataclasses import replace

import pytest

from specie.flows.cancelling import cancel
from specie.flows.payment import complete_payment, resume
from specie.ledger.transactions import VoidPromise
from specie.ledger.wire import encode_attested
from specie.ports.vault import PaymentState
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Signature, TransactionId
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.values.times import Timestamp
from specie.wallet.releasing import LogView
from specie.wallet.vault import PreparedPayment
from tests.country import Country, Person, refused


def prepare(country: Country, payer: Person, payee: Person, amount: int) -> PreparedPayment:
    """Signed and recorded; sent to nobody."""
    return payer.wallet.prepare_payment([country.order(payee, amount)], country.draw_order())


def test_a_cancelled_payment_gives_its_tokens_back_at_once(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60, 40), country.open_person(country.south)
    prepared = prepare(country, anna, boris, 70)
    attested = country.attest(prepared.built, anna.bank)
    for _ in range(2):  # after a stop, again
        cancel(anna.wallet, prepared.payment_id, country.network.notary)
        assert anna.wallet.get_balance() == 100
        assert anna.wallet.load_prepared() == []
    with refused(ErrorCode.TRANSACTION_VOID):
        country.network.notary.notarise(encode_attested(attested))
    with refused(ErrorCode.ORDER_CONFLICT):
        country.pay(anna, boris, 70, prepared.payment_id)


def test_what_is_signed_next_may_overlap_what_was_cancelled(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    first = prepare(country, anna, boris, 70)
    attested = country.attest(first.built, anna.bank)
    cancel(anna.wallet, first.payment_id, country.network.notary)
    second = prepare(country, anna, boris, 30)
    one, other = first.built.signed.body, second.built.signed.body
    assert (one.not_before, one.not_after) == (other.not_before, other.not_after)
    network = country.network
    assert resume(anna.wallet, anna.bank, network, network.notary) == []
    boris.collect()
    assert (anna.wallet.get_balance(), boris.wallet.get_balance()) == (70, 30)
    with refused(ErrorCode.TRANSACTION_VOID):  # and nothing about a double spend
        network.notary.notarise(encode_attested(attested))


def test_an_earlier_window_is_not_forgotten_with_a_cancelled_one(country: Country) -> None:
    """Expired, then signed again and cancelled: the third must not overlap the first."""
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    first = prepare(country, anna, boris, 10)
    country.clock.advance(WINDOW_MS_DEFAULT)
    assert anna.wallet.release_expired(LogView(country.clock.now(), frozenset())) == 1
    second = prepare(country, anna, boris, 20)
    cancel(anna.wallet, second.payment_id, country.network.notary)
    third = prepare(country, anna, boris, 30)
    assert third.built.signed.body.not_before > first.built.signed.body.not_after
    cancel(anna.wallet, third.payment_id, country.network.notary)


def test_what_is_final_is_completed_instead(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    prepared = prepare(country, anna, boris, 30)
    attested = country.attest(prepared.built, anna.bank)
    promise = country.network.notary.notarise(encode_attested(attested))  # the answer is lost
    with refused(ErrorCode.TRANSACTION_FINAL):
        cancel(anna.wallet, prepared.payment_id, country.network.notary)
    assert anna.wallet.get_balance() == 0
    assert country.pay(anna, boris, 30, prepared.payment_id) == promise
    with refused(ErrorCode.TRANSACTION_FINAL):
        cancel(anna.wallet, prepared.payment_id, country.network.notary)
    boris.collect()
    assert (anna.wallet.get_balance(), boris.wallet.get_balance()) == (70, 30)


def test_only_what_was_signed_and_waits_can_be_cancelled(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        anna.wallet.sign_void(country.draw_order())
    nobody = VoidPromise(TransactionId(bytes(32)), country.clock.now(), Signature(bytes(64)))
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        anna.wallet.release_void(country.draw_order(), nobody)
    prepared = prepare(country, anna, boris, 30)
    country.forget_payments(anna)
    with refused(ErrorCode.ORDER_CONFLICT):
        anna.wallet.sign_void(prepared.payment_id)
    assert anna.wallet.get_balance() == 100


def test_tokens_are_free_on_the_notarys_word_only(country: Country) -> None:
    """Signed by it, for this payment; the word is kept, to be shown later."""
    anna, boris = country.open_person(country.north, *[25] * 4), country.open_person(country.south)
    first, second = prepare(country, anna, boris, 50), prepare(country, anna, boris, 50)
    notary = country.network.notary
    promise = notary.void(*anna.wallet.sign_void(first.payment_id))
    later = replace(promise, publish_by=Timestamp(promise.publish_by + 1))
    for wrong in (replace(promise, signature=Signature(bytes(64))), later):
        with refused(ErrorCode.PROMISE_INVALID):
            anna.wallet.release_void(first.payment_id, wrong)
    with refused(ErrorCode.PROMISE_INVALID):
        anna.wallet.release_void(second.payment_id, promise)
    assert anna.wallet.get_balance() == 0
    anna.wallet.release_void(first.payment_id, promise)
    kept = anna.wallet.find_payment(first.payment_id)
    assert kept is not None and kept.voided == promise
    cancel(anna.wallet, second.payment_id, notary)
    assert anna.wallet.get_balance() == 100


def test_nobody_else_cancels_it(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south, 5)
    prepared, other = prepare(country, anna, boris, 30), prepare(country, boris, anna, 5)
    data, _ = anna.wallet.sign_void(prepared.payment_id)
    _, signature = boris.wallet.sign_void(other.payment_id)
    with refused(ErrorCode.OWNER_SIGNATURE_INVALID):
        country.network.notary.void(data, signature)
    for person, one in ((anna, prepared), (boris, other)):
        cancel(person.wallet, one.payment_id, country.network.notary)


def test_a_redemption_is_cancelled_like_a_payment(country: Country) -> None:
    vault = country.north.vault
    before = vault.get_balance()
    prepared = vault.prepare_redemption(Minor(10), country.draw_order())
    cancel(vault, prepared.payment_id, country.network.notary)
    assert vault.get_balance() == before
    assert vault.load_history().paid[-1].state is PaymentState.CANCELLED


@pytest.mark.parametrize("answer", ["heard", "lost"])
def test_a_stop_in_the_middle_of_cancelling(country: Country, answer: str) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    prepared, network = prepare(country, anna, boris, 30), country.network
    network.notary.void(*anna.wallet.sign_void(prepared.payment_id))
    if answer == "lost":
        with refused(ErrorCode.TRANSACTION_VOID):
            complete_payment(prepared.built, anna.bank, network, network.notary)
    cancel(anna.wallet, prepared.payment_id, network.notary)
    assert anna.wallet.get_balance() == 100


def test_the_money_of_this_module_adds_up(country: Country) -> None:
    country.check_money()
