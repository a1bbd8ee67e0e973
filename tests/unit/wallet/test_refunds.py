"""Money goes back to its payer: no more than came, and only believed with a proof (T8, T9, T19)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.bank.returns import (
    register_return_address,
    sign_return_address,
    verify_return_address,
)
from specie.crypto.addresses import Address
from specie.flows.payment import pay
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.memo_notes import RefundReference
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, NetworkId, OrderId, OutputRef, ParticipantNumber
from specie.values.limits import LOST_SUBWALLETS_MAX, RETURN_ADDRESSES_MAX
from specie.wallet.history import IncomingToken, OutgoingPayment, list_refunds
from specie.wallet.refunds import (
    MadeRefund,
    Original,
    PaidOutput,
    RefundJudge,
    add_return_address,
    choose_creditor,
    compute_left,
    compute_refund_proof,
    plan_refund,
)
from tests.country import SOUTH, Country, Person, refused
from tests.unit.store.samples import Samples

NETWORK = NetworkId(bytes(16))
SAMPLES = Samples()
HERE, THERE = SAMPLES.address(), SAMPLES.address()
SOLD = Original(OutputRef(b"r" * 32), Minor(100), b"a" * 16, Memo(OrderId(b"o" * 16), b"e" * 16))


def give(person: Person, place: int = 0) -> Address:
    """A return address that the person's bank knows."""
    keys, bank, roster = person.wallet.keys, person.bank, person.wallet.surroundings.roster
    assert keys.returns is not None
    given = keys.returns.get(place)
    client = bank.get_client(person.id)
    network = roster.genesis.network
    proof = sign_return_address(network, client.address, given.address, given.spend)
    verify_return_address(network, client.address, given.address, proof)
    register_return_address(bank.clients, client, given.address, (bank.number, roster))
    return given.address


def send(country: Country, payer: Person, order: PaymentOrder, payment_id: bytes = b"") -> None:
    network = country.network
    number = payment_id or country.draw_order()
    pay(payer.wallet, [order], number, payer.bank, network, network.notary)


def buy(country: Country, anna: Person, boris: Person, amount: int = 60) -> None:
    """Anna pays and says nothing of herself but where to return it."""
    memo = add_return_address(Memo(order_id=OrderId(b"o" * 16)), give(anna))
    send(country, anna, PaymentOrder(boris.wallet.keys.address, Minor(amount), memo))
    boris.collect()


def get_original(person: Person, place: int = -1) -> Original:
    one = person.wallet.load_history().received[place]
    return Original(one.ref, one.amount, one.anchor, one.memo)


def refund(country: Country, boris: Person, amount: int | None = None) -> None:
    original = get_original(boris)
    made = list_refunds(boris.wallet.load_history(), original.ref)
    creditor = choose_creditor(original, None)
    wanted = None if amount is None else Minor(amount)
    chosen = plan_refund(original, made, creditor, wanted, country.network.genesis.network)
    send(country, boris, chosen.order, chosen.payment_id)


def get_back(person: Person) -> tuple[OutgoingPayment, IncomingToken]:
    person.collect()
    found = person.wallet.load_history()
    return found.paid[-1], found.received[-1]


def test_money_comes_back_and_says_for_what(country: Country) -> None:
    """The payer shows no name; what came back is spent like any other money."""
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    buy(country, anna, boris)
    refund(country, boris, 20)
    paid, back = get_back(anna)
    assert back.amount == 20 and back.refund_of == paid.payment_id and paid.refunded == 20
    assert back.memo.order_id == b"o" * 16, "the payee's order is the reference that both know"
    refund(country, boris)
    paid, back = get_back(anna)
    assert (back.amount, paid.refunded, anna.wallet.get_balance()) == (40, 60, 100)
    with refused(ErrorCode.REFUND_EXCEEDED):
        refund(country, boris)
    country.pay(anna, boris, 100)
    assert anna.wallet.get_balance() == 0, "with what lies at the return address"
    shown = boris.wallet.load_history().paid
    assert [one.pays_back for one in shown] == [get_original(boris, 0).ref] * 2


def test_the_bank_knows_whose_a_return_address_is(country: Country) -> None:  # T20
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    buy(country, anna, boris)
    refund(country, boris)
    [_, back] = country.north.load_movements(anna.id)[-2:]
    assert (back.client, back.is_incoming, back.amount) == (anna.id, True, 60)
    given = get_original(boris).memo.note
    assert given is not None
    country.north.block(anna.id)
    with refused(ErrorCode.CLIENT_BLOCKED):
        give(anna, 1)


def test_addresses_are_ones_own(country: Country) -> None:
    anna, vera = country.open_person(country.north), country.open_person(country.north)
    keys, network = anna.wallet.keys, country.network.genesis.network
    roster, clients = country.network.roster, country.north.clients
    given = give(anna)
    assert give(anna) == given, "again is the same"
    assert clients.list_return_addresses(anna.id) == [given]
    other = country.north.get_client(vera.id)
    with refused(ErrorCode.CLIENT_EXISTS):
        register_return_address(clients, other, given, (country.north.number, roster))
    with refused(ErrorCode.CLIENT_EXISTS):
        register_return_address(clients, other, keys.address, (country.north.number, roster))
    with refused(ErrorCode.NOT_SERVED_HERE):
        elsewhere = replace(given, bank=SOUTH)
        register_return_address(clients, other, elsewhere, (country.north.number, roster))
    proof = sign_return_address(network, keys.address, given, keys.spend)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_return_address(network, keys.address, given, proof)
    assert keys.returns is not None
    proof = sign_return_address(network, other.address, given, keys.returns.get(0).spend)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_return_address(network, keys.address, given, proof)


def test_there_are_so_many(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LOST_SUBWALLETS_MAX * RETURN_ADDRESSES_MAX > 2
    monkeypatch.setattr("specie.store.return_addresses._MOST", 2)
    anna = country.open_person(country.north)
    given = [give(anna, place) for place in (0, 1)]
    with refused(ErrorCode.LIMIT_EXCEEDED):
        give(anna, 2)
    assert give(anna, 1) == given[1]


def test_who_only_knows_the_reference_is_not_believed(country: Country) -> None:
    """References stand in the public log: a stranger's money is not the shop's refund."""
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    vera = country.open_person(country.south, 60)
    buy(country, anna, boris)
    ref = anna.wallet.load_history().paid[-1].outputs[0].ref
    note = RefundReference(ref, Digest(b"p" * 32))
    send(country, vera, PaymentOrder(anna.wallet.keys.address, Minor(60), Memo(note=note)))
    paid, back = get_back(anna)
    assert (back.amount, back.refund_of, paid.refunded) == (60, None, 0)


def test_a_payer_without_an_address_is_asked_for_one() -> None:
    with refused(ErrorCode.RETURN_ADDRESS_MISSING):
        choose_creditor(SOLD, None)
    assert choose_creditor(SOLD, THERE) == THERE
    given = replace(SOLD, memo=add_return_address(SOLD.memo, HERE))
    assert (choose_creditor(given, None), choose_creditor(given, THERE)) == (HERE, THERE)
    with refused(ErrorCode.REQUEST_INVALID):
        add_return_address(Memo(name="Anna"), HERE)


@pytest.mark.parametrize("amount", [101, 100, 41, 0])
def test_no_more_goes_back_than_came(amount: int) -> None:
    made = [MadeRefund(Minor(60), is_dead=False), MadeRefund(Minor(99), is_dead=True)]
    assert compute_left(SOLD, made) == 40
    code = ErrorCode.REFUND_EXCEEDED if amount else ErrorCode.AMOUNT_OUT_OF_RANGE
    with refused(code):
        plan_refund(SOLD, made, HERE, Minor(amount), NETWORK)
    chosen = plan_refund(SOLD, made, HERE, None, NETWORK)
    assert chosen.order.amount == 40 and chosen.order.memo.end_to_end_id == b"e" * 16
    again = plan_refund(SOLD, made, HERE, Minor(1), NETWORK)
    assert again.payment_id == chosen.payment_id, "two at once are one, or one is refused"
    assert plan_refund(SOLD, made[:1], HERE, None, NETWORK).payment_id != chosen.payment_id


PAID = PaidOutput(SOLD.ref, Minor(100), SOLD.anchor, ParticipantNumber(3))


def prove(amount: int, creditor: Address = HERE, anchor: bytes = SOLD.anchor) -> RefundReference:
    proof = compute_refund_proof(NETWORK, (SOLD.ref, anchor), creditor, Minor(amount))
    return RefundReference(SOLD.ref, proof)


@settings(max_examples=60)
@given(amounts=st.lists(st.integers(1, 120), max_size=6))
def test_what_is_believed_never_exceeds_what_was_paid(amounts: list[int]) -> None:
    judge = RefundJudge(NETWORK, {b"id": [PAID]})
    left, believed = 100, 0
    for amount in amounts:
        is_fine = amount <= left
        assert judge.judge(prove(amount), HERE, Minor(amount)) == (b"id" if is_fine else None)
        believed += amount if is_fine else 0
        left = 100 - believed
    assert judge.sum_back(b"id") == believed <= 100


def test_a_proof_is_for_one_amount_at_one_address_on_one_network() -> None:
    judge = RefundJudge(NETWORK, {b"id": [PAID]})
    assert judge.judge(prove(5), HERE, Minor(6)) is None
    assert judge.judge(prove(5), THERE, Minor(5)) is None
    assert judge.judge(prove(5, anchor=bytes(16)), HERE, Minor(5)) is None
    other = RefundJudge(NetworkId(b"n" * 16), {b"id": [PAID]})
    assert other.judge(prove(5), HERE, Minor(5)) is None
    assert judge.judge(replace(prove(5), ref=OutputRef(bytes(32))), HERE, Minor(5)) is None
    assert judge.judge(None, HERE, Minor(5)) is None and judge.sum_back(b"id") == 0
