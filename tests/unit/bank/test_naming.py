"""A name is shown by its payer only, and vouched for by its bank for one payment (T9)."""

from dataclasses import replace

import pytest

from specie.bank.naming import NamedPayment, NameSigner
from specie.crypto.secrets import InstitutionKey
from specie.flows.payment import complete_payment
from specie.identity.participants import Status
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.name_claims import NameClaim, ShownName, cut_name, judge_name, verify_claim
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, OrderId, ParticipantNumber
from tests.country import NORTH, SOUTH, Country, Person, refused

ORDER, END = OrderId(b"o" * 16), b"e" * 16


@pytest.fixture(scope="module")
def key() -> InstitutionKey:
    return InstitutionKey.generate()


@pytest.fixture
def signer(country: Country, key: InstitutionKey) -> NameSigner:
    """Of the north, with a key that the list names."""
    members = country.network.roster.current
    north = replace(members.get(NORTH), institution_key=InstitutionPublicKey(key.public))
    if members.get(NORTH) != north:
        people = {**members.participants, NORTH: north}
        newer = replace(members, version=members.version + 1, participants=people)
        country.network.replace_participants(newer)
    return NameSigner(NORTH, country.network.genesis.network, key)


def vouch(signer: NameSigner, anna: Person, boris: Person, amount: int = 30) -> Memo:
    payment = NamedPayment(boris.wallet.keys.address, Minor(amount), ORDER, END)
    name, signature = signer.vouch(anna.bank.get_client(anna.id), payment)
    return Memo(order_id=ORDER, end_to_end_id=END, name=name, name_signature=signature)


def judge(country: Country, memo: Memo, payee: Person, amount: int = 30) -> ShownName | None:
    members, network = country.network.roster.current, country.network.genesis.network
    return judge_name(memo, (payee.wallet.keys.address, Minor(amount)), network, members, ())


def test_a_payee_reads_the_name_that_the_bank_knows(country: Country, signer: NameSigner) -> None:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    memo = vouch(signer, anna, boris)
    order = PaymentOrder(boris.wallet.keys.address, Minor(30), memo)
    prepared = anna.wallet.prepare_payment([order], country.draw_order())
    complete_payment(prepared.built, anna.bank, country.network, country.network.notary)
    boris.collect()
    [arrived] = boris.wallet.load_history().received
    assert judge(country, arrived.memo, boris) == ShownName(f"Name of {anna.id}", NORTH)


def test_a_claim_holds_for_its_own_payment_only(country: Country, signer: NameSigner) -> None:
    anna, boris = country.open_person(country.north), country.open_person(country.south)
    other = country.open_person(country.south)
    memo = vouch(signer, anna, boris)
    name, members = memo.name, country.network.roster.current
    assert judge(country, memo, boris) == ShownName(name, NORTH)
    moved = (
        (memo, other, 30),
        (memo, boris, 31),
        (replace(memo, order_id=OrderId(b"p" * 16)), boris, 30),
        (replace(memo, end_to_end_id=b"f" * 16), boris, 30),
        (replace(memo, end_to_end_id=bytes(16)), boris, 30),
        (Memo(ORDER, END, name=name), boris, 30),
    )
    for changed, payee, amount in moved:
        assert judge(country, changed, payee, amount) == ShownName(name, None)
    forged = replace(memo, name="Somebody Else")
    assert judge(country, forged, boris) == ShownName("Somebody Else", None)
    paid = (boris.wallet.keys.address, Minor(30))
    network = country.network.genesis.network
    again = judge_name(memo, paid, network, members, {memo.name_signature})
    assert again == ShownName(name, None), "what an earlier payment has brought is stale"
    assert judge(country, Memo(ORDER, END), boris) is None
    claim = NameClaim(network, boris.wallet.keys.address, Minor(30), ORDER, END, "Somebody Else")
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_claim(claim, memo.name_signature, members)


def test_no_bank_vouches_that_is_not_active(country: Country, signer: NameSigner) -> None:
    anna, boris = country.open_person(country.north), country.open_person(country.south)
    memo = vouch(signer, anna, boris)
    members = country.network.roster.current
    paid = (boris.wallet.keys.address, Minor(30))
    network = country.network.genesis.network
    for north in (
        replace(members.get(NORTH), status=Status.SUSPENDED),
        replace(members.get(NORTH), institution_key=members.get(SOUTH).institution_key),
    ):
        changed = replace(members, participants={**members.participants, NORTH: north})
        assert judge_name(memo, paid, network, changed, ()) == ShownName(memo.name, None)
    foreign = replace(signer, number=ParticipantNumber(9))
    shown = judge(country, vouch(foreign, anna, boris), boris)
    assert shown == ShownName(memo.name, None), "signed under a number that is not its own"


def test_a_bank_vouches_for_what_it_would_attest(country: Country, signer: NameSigner) -> None:
    anna, boris = country.open_person(country.north), country.open_person(country.south)
    client, payee = anna.bank.get_client(anna.id), boris.wallet.keys.address
    with refused(ErrorCode.REQUEST_INVALID):
        signer.vouch(client, NamedPayment(payee, Minor(30), ORDER, bytes(16)))
    with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
        signer.vouch(client, NamedPayment(payee, Minor(0), ORDER, END))
    anna.bank.block(anna.id)
    with refused(ErrorCode.CLIENT_BLOCKED):
        vouch(signer, anna, boris)


def test_a_long_name_is_cut_between_two_letters() -> None:
    assert cut_name("Anna") == "Anna"
    assert cut_name("ж" * 40) == "ж" * 24 and cut_name("a" + "ж" * 40) == "a" + "ж" * 23
