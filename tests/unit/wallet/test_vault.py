"""A vault: what it holds, what it asks for, and what it does not believe."""

from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from specie.crypto.outputs import derive_output
from specie.flows.payment import complete_payment
from specie.ledger.records import Output
from specie.ledger.transactions import Promise
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo, Token, unpack_memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ParticipantNumber, Signature
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.values.times import Timestamp
from specie.wallet.releasing import LogView
from specie.wallet.vault import Vault
from tests.country import Country, Person, refused


def complete(country: Country, person: Person, built: BuiltTransaction) -> Promise:
    """Attest, notarise, deliver."""
    return complete_payment(built, person.bank, country.network, country.network.notary)


def test_paying_moves_exactly_the_amount(country: Country) -> None:  # T8, T10, P1
    anna, boris = country.open_person(country.north, 100, 7), country.open_person(country.south)
    country.pay(anna, boris, 30)
    assert anna.wallet.get_balance() == 77
    assert boris.wallet.get_balance() == 0  # his device is off (T11)
    assert boris.collect() == 1
    assert boris.wallet.get_balance() == 30
    assert boris.collect() == 0


def test_the_memo_arrives(country: Country) -> None:
    anna, boris = country.open_person(country.north, 9), country.open_person(country.north)
    memo = Memo(order_id=country.draw_order(), end_to_end_id=bytes(range(16)), name="Анна Ö")
    order = PaymentOrder(boris.wallet.keys.address, Minor(9), memo)
    prepared = anna.wallet.prepare_payment([order], country.identifiers.draw())
    anna.wallet.settle(prepared.payment_id, complete(country, anna, prepared.built))
    boris.collect()
    (token,) = boris.wallet.load_tokens()
    assert unpack_memo(token.opening.memo) == memo


def test_the_same_id_gives_the_same_bytes_and_promise(country: Country) -> None:  # T15
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    payment_id = country.identifiers.draw()
    orders = [country.order(boris, 30)]
    first = anna.wallet.prepare_payment(orders, payment_id)
    assert anna.wallet.prepare_payment(orders, payment_id).built == first.built
    promise = complete(country, anna, first.built)
    country.clock.advance(1_000)
    assert complete(country, anna, first.built) == promise
    anna.wallet.settle(payment_id, promise)
    country.clock.advance(2 * WINDOW_MS_DEFAULT)  # even once the window is over
    assert country.pay(anna, boris, 30, payment_id) == promise
    boris.collect()
    assert (anna.wallet.get_balance(), boris.wallet.get_balance()) == (70, 30)


def test_an_id_is_for_one_payment_only(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100, 50), country.open_person(country.south)
    payment_id = country.identifiers.draw()
    order = country.order(boris, 30)
    anna.wallet.prepare_payment([order], payment_id)
    others = [
        [replace(order, amount=Minor(31))],
        [replace(order, creditor=anna.wallet.keys.address)],
        [replace(order, memo=Memo(name="somebody"))],
        [order, order],
    ]
    for orders in others:
        with refused(ErrorCode.ORDER_CONFLICT):
            anna.wallet.prepare_payment(orders, payment_id)
    with refused(ErrorCode.ORDER_CONFLICT):
        anna.wallet.prepare_redemption(Minor(30), payment_id)
    with refused(ErrorCode.ORDER_CONFLICT):
        anna.wallet.prepare_merge(payment_id)
    assert anna.wallet.get_balance() == 0  # both tokens are reserved, once


def test_a_payment_that_cannot_be_built_reserves_nothing(country: Country) -> None:
    """Design §5, 6: bad input changes nothing."""
    anna, boris = country.open_person(country.north, 100, 5), country.open_person(country.south)
    order = country.order(boris, 1)
    nowhere = replace(boris.wallet.keys.address, bank=ParticipantNumber(99))
    cases = [
        (ErrorCode.FUNDS_INSUFFICIENT, [country.order(boris, 106)]),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, []),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, [country.order(boris, 0)]),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, [order, country.order(boris, 0)]),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, [country.order(boris, 2**64)]),
        (ErrorCode.AMOUNT_OUT_OF_RANGE, [country.order(boris, 2**64 - 1), order]),
        (ErrorCode.PARTICIPANT_UNKNOWN, [replace(order, creditor=nowhere)]),
        (ErrorCode.TEXT_INVALID, [replace(order, memo=Memo(name="x" * 49))]),
        (ErrorCode.LIMIT_EXCEEDED, list(repeat(order, 16))),
    ]
    for code, orders in cases:
        with refused(code):
            anna.wallet.prepare_payment(orders, country.identifiers.draw())
        assert anna.wallet.get_balance() == 105
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        anna.wallet.prepare_redemption(Minor(106), country.identifiers.draw())
    assert anna.wallet.load_prepared() == []


def test_merging_more_tokens_than_a_transaction_holds(country: Country) -> None:
    anna = country.open_person(country.north, *range(1, 21))
    with refused(ErrorCode.TOKENS_TOO_MANY):
        anna.wallet.prepare_payment([country.order(anna, 210)], country.identifiers.draw())
    assert not anna.wallet.can_pay(Minor(210)) and anna.wallet.can_pay(Minor(200))
    payment_id = country.identifiers.draw()
    merged = anna.wallet.prepare_merge(payment_id)
    assert len(merged.built.signed.body.inputs) == 16
    assert anna.wallet.prepare_merge(payment_id).built == merged.built
    assert anna.wallet.get_balance() == 1 + 2 + 3 + 4
    anna.wallet.settle(payment_id, complete(country, anna, merged.built))
    assert anna.wallet.get_balance() == 210
    assert anna.wallet.can_pay(Minor(210))
    assert len(anna.wallet.load_tokens()) == 4 + 2


def test_there_must_be_something_to_merge(country: Country) -> None:
    anna = country.open_person(country.north)
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        anna.wallet.prepare_merge(country.identifiers.draw())


def test_free_dust_does_not_freeze_a_wallet(country: Country) -> None:
    """Outputs of nothing are not taken, and the smallest money does not keep ours from merging."""
    anna = country.open_person(country.north, *[10] * 20, *[1] * 30)
    bank = country.network.roster.current.get(country.north.number)
    address = anna.wallet.keys.address
    (token, *_) = anna.wallet.load_tokens()
    nothing = replace(token.opening, amount=Minor(0))
    dust = [
        Output(derive_output(replace(nothing, anchor=bytes([place] * 16)), bank.scan_key).data)
        for place in range(30)
    ]
    assert {one.opening.spend for one in anna.wallet.load_tokens()} == {address.spend}
    assert anna.wallet.receive(dust).fresh == 0
    merges = 0
    while not anna.wallet.can_pay(Minor(230)):
        prepared = anna.wallet.prepare_merge(country.draw_order())
        anna.wallet.settle(prepared.payment_id, complete(country, anna, prepared.built))
        merges += 1
    assert merges <= 4 and anna.wallet.get_balance() == 230
    country.pay(anna, country.open_person(country.south), 230)


def test_only_what_is_ours_is_received(country: Country) -> None:  # T9, T11
    anna, boris = country.open_person(country.north, 5), country.open_person(country.north, 8)
    theirs = [token.output for token in boris.wallet.load_tokens()]
    ours = [token.output for token in anna.wallet.load_tokens()]
    assert anna.wallet.receive(theirs).fresh == 0
    assert anna.wallet.receive([*theirs, *ours, *ours]).fresh == 0  # known already
    assert anna.wallet.receive([]).fresh == 0
    assert anna.wallet.get_balance() == 5


@pytest.mark.parametrize("place", [0, 40, 64, 70, 100, 110, 150, 169, 413])
def test_a_forged_output_is_not_money(country: Country, place: int) -> None:
    """Any changed byte: key, ephemeral, tag, commitment, hint, audit field, terms, sealed."""
    anna = country.open_person(country.north)
    boris = country.open_person(country.north, 8)
    built = country.build(boris, anna, 8)
    mine = [
        output
        for output, opening in zip(
            built.signed.body.outputs, built.disclosure.openings, strict=True
        )
        if opening.spend == anna.wallet.keys.address.spend
    ]
    data = bytearray(mine[0].data)
    data[place] ^= 1
    assert anna.wallet.receive([Output(bytes(data))]).fresh == 0
    assert anna.wallet.get_balance() == 0


def test_an_output_with_somebody_elses_amount_is_not_money(country: Country) -> None:
    """The seal opens, the tag fits, yet the commitment is to another amount than it says."""
    anna = country.open_person(country.north, 5)
    (token,) = anna.wallet.load_tokens()
    larger = replace(token.opening, amount=Minor(5_000))
    scan_key = country.network.roster.current.get(country.north.number).scan_key
    honest, forged = token.output.data, derive_output(larger, scan_key).data
    for mixed in (honest[:65] + forged[65:97] + honest[97:], forged[:65] + honest[65:97]):
        assert anna.wallet.receive([Output(mixed.ljust(414, b"\0"))]).fresh == 0
    assert anna.wallet.get_balance() == 5


def test_a_promise_must_be_the_notarys_and_for_this_payment(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    promise = country.pay(anna, boris, 1)
    payment_id = country.identifiers.draw()
    prepared = anna.wallet.prepare_payment([country.order(boris, 30)], payment_id)
    with refused(ErrorCode.PROMISE_INVALID):
        anna.wallet.settle(payment_id, promise)
    forged = replace(promise, txid=prepared.built.signed.txid)
    for wrong in (forged, replace(promise, signature=Signature(bytes(64)))):
        with refused(ErrorCode.PROMISE_INVALID):
            anna.wallet.settle(payment_id, wrong)
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        anna.wallet.settle(country.identifiers.draw(), promise)
    assert [one.payment_id for one in anna.wallet.load_prepared()] == [payment_id]
    anna.wallet.settle(payment_id, complete(country, anna, prepared.built))
    assert anna.wallet.get_balance() == 69


def test_tokens_of_a_lost_payment_are_free_once_its_window_is_over(country: Country) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    payment_id = country.identifiers.draw()
    prepared = anna.wallet.prepare_payment([country.order(boris, 30)], payment_id)
    end = prepared.built.signed.body.not_after
    assert anna.wallet.release_expired(LogView(end, frozenset())) == 0
    assert anna.wallet.get_balance() == 0
    country.clock.advance(WINDOW_MS_DEFAULT + 1)
    later = Timestamp(end + 1)
    assert anna.wallet.release_expired(LogView(later, frozenset())) == 1
    assert anna.wallet.get_balance() == 100
    with refused(ErrorCode.ORDER_CONFLICT):
        country.pay(anna, boris, 30, payment_id)
    with refused(ErrorCode.EXPIRED):
        complete(country, anna, prepared.built)
    country.pay(anna, boris, 100)


def test_tokens_that_the_log_shows_spent_stay_reserved(country: Country) -> None:
    """The answer was not heard, but the payment went through."""
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    payment_id = country.identifiers.draw()
    prepared = anna.wallet.prepare_payment([country.order(boris, 30)], payment_id)
    promise = complete(country, anna, prepared.built)
    spent = set(prepared.built.signed.body.inputs)
    later = Timestamp(prepared.built.signed.body.not_after + 1)
    assert anna.wallet.release_expired(LogView(later, frozenset(spent))) == 0
    assert anna.wallet.get_balance() == 0
    anna.wallet.settle(payment_id, promise)
    assert anna.wallet.get_balance() == 70


def test_what_another_device_spent_does_not_lock_the_rest(country: Country, tmp_path: Path) -> None:
    """Half of the payment's tokens are spent elsewhere: it can never be final (T15)."""
    anna, boris = country.open_person(country.north, 100, 90), country.open_person(country.south)
    copy = country.copy_wallet(anna, tmp_path / "copy.db")
    prepared = copy.prepare_payment([country.order(boris, 150)], country.identifiers.draw())
    first = anna.wallet.load_tokens()
    spent = {token.ref for token in first if token.amount == 100}
    later = Timestamp(prepared.built.signed.body.not_after + 1)
    assert copy.release_expired(LogView(Timestamp(later - 1), frozenset(spent))) == 0
    assert copy.get_balance() == 0
    assert copy.release_expired(LogView(later, frozenset(spent))) == 1
    assert (copy.get_balance(), copy.load_prepared()) == (90, [])
    assert copy.release_expired(LogView(later, frozenset(spent))) == 0
    assert copy.receive([token.output for token in first]).fresh == 0  # spent is spent
    assert copy.get_balance() == 90


def test_a_new_start_frees_what_was_never_signed(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = country.open_person(country.north, 60, 40)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("specie.wallet.vault.build_payment", fail)
    with pytest.raises(KeyboardInterrupt):
        anna.wallet.prepare_payment([country.order(anna, 70)], country.identifiers.draw())
    monkeypatch.undo()
    assert anna.wallet.get_balance() == 0
    restarted = restart(country, anna)
    assert restarted.get_balance() == 100 and restarted.load_prepared() == []


def restart(country: Country, person: Person) -> Vault:
    """The device's process comes up again over the same store."""
    store = person.wallet._store  # noqa: SLF001  # what a restarted process would open again
    return Vault(person.wallet.keys, store, country.network.surroundings)


def test_the_money_of_this_module_adds_up(country: Country) -> None:
    for person in country.people:
        wallet = restart(country, person)
        wallet.release_expired(LogView(Timestamp(2**62), frozenset()))
    country.check_money()


def test_a_token_shows_nothing_when_printed(country: Country) -> None:  # X5
    (token,) = country.open_person(country.north, 123_456_789).wallet.load_tokens()
    assert isinstance(token, Token)
    for told in (repr(token), repr(token.opening), repr(country.people[-1])):
        assert "123456789" not in told and token.opening.spend.hex() not in told
