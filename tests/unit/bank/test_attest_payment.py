"""The payer's bank: it signs what it has recomputed, and nothing else (T8, T16, T20)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from specie.bank.service import VAULT_CLIENT, Bank
from specie.crypto.signatures import verify_signature
from specie.ledger.messages import compute_attestation_message
from specie.ledger.records import Attestation, AttestationRole, Claim
from specie.ports.issuance import Direction
from specie.tokens.building import BuiltTransaction, build_payment
from specie.tokens.disclosures import Disclosure
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, OutputRef, ParticipantNumber
from tests.country import NORTH, Country, Person, refused


def verify(country: Country, built: BuiltTransaction, one: Attestation) -> None:
    """The signature is the bank's, over this very payment."""
    body = built.signed.body
    message = compute_attestation_message(
        body.network, body.txid, one.role, one.inputs, one.outputs, one.claim, one.policy
    )
    key = country.network.roster.current.get(one.bank).attestation_key
    verify_signature(key, message, one.signature)


def find_outputs(built: BuiltTransaction, bank: Bank) -> int:
    """Bits of the outputs that this bank serves."""
    openings = enumerate(built.disclosure.openings)
    return sum(1 << index for index, one in openings if one.bank == bank.number)


def claim_more(person: Person, amount: int) -> Token:
    """The person's token, as if it were worth more."""
    (token,) = person.wallet.load_tokens()
    return Token(token.output, replace(token.opening, amount=Minor(amount)))


def with_inputs(built: BuiltTransaction, *tokens: Token) -> BuiltTransaction:
    """The same outputs from other inputs."""
    body = replace(built.signed.body, inputs=tuple(token.ref for token in tokens))
    return replace(built, signed=replace(built.signed, body=body))


def check_refused(country: Country, built: BuiltTransaction, code: ErrorCode) -> None:
    """Bank 2 refuses it and has nothing of it on record."""
    north = country.north
    clients = [person.id for person in country.people if person.bank is north]
    before = [north.load_movements(client) for client in (*clients, VAULT_CLIENT)]
    with refused(code):
        north.attest_payment(built)
    assert [north.load_movements(client) for client in (*clients, VAULT_CLIENT)] == before


def test_both_sides_here(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60, 40), country.open_person(country.north)
    built = country.build(anna, boris, 70)
    one = country.north.attest_payment(built)
    assert (one.role, one.bank, one.claim) == (AttestationRole.BOTH, NORTH, Claim.CLIENT)
    assert (one.inputs, one.outputs) == (0b11, 0b11)
    verify(country, built, one)


def test_the_payee_is_served_elsewhere(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60), country.open_person(country.south)
    built = country.build(anna, boris, 50)
    one = country.north.attest_payment(built)
    assert (one.role, one.inputs) == (AttestationRole.PAYER, 0b1)
    assert one.outputs == find_outputs(built, country.north) in (0b01, 0b10)
    verify(country, built, one)


def test_vault_money_is_told_apart(country: Country) -> None:  # P3
    vault, surroundings = country.north.vault, country.network.surroundings
    anna = country.open_person(country.south)
    for creditor, claim in (
        (country.south.vault_address, Claim.VAULT),
        (anna.wallet.keys.address, Claim.VAULT),  # nothing but our vault on our side
        (country.open_person(country.north).wallet.keys.address, Claim.CLIENT),
    ):
        order = replace(country.order(anna, 5), creditor=creditor)
        context = surroundings.build_context()
        largest = max(vault.load_tokens(), key=lambda token: token.amount)
        built = build_payment([order], [largest], vault.keys, context)
        assert country.north.attest_payment(built).claim is claim


def test_attesting_again_is_the_same(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60), country.open_person(country.north)
    built = country.build(anna, boris, 50)
    first = country.north.attest_payment(built)
    for _ in range(3):
        again = country.north.attest_payment(built)
        assert replace(again, signature=first.signature) == first
    assert len(country.north.load_movements(boris.id)) == 1


def test_inputs_must_be_of_our_clients(country: Country) -> None:
    boris, anna = country.open_person(country.south, 60), country.open_person(country.north, 50)
    check_refused(country, country.build(boris, anna, 50), ErrorCode.NOT_SERVED_HERE)
    built = country.build(anna, boris, 50)
    (token,) = boris.wallet.load_tokens()
    check_refused(country, with_inputs(built, token), ErrorCode.NOT_SERVED_HERE)
    invented = replace(
        built.signed, body=replace(built.signed.body, inputs=(OutputRef(bytes(32)),))
    )
    check_refused(country, replace(built, signed=invented), ErrorCode.NOT_SERVED_HERE)


def test_inputs_must_be_final(country: Country) -> None:
    """What another payment will only perhaps bring is not there to be spent."""
    anna, boris = country.open_person(country.north, 60), country.open_person(country.north)
    built = country.build(anna, boris, 60)
    country.north.attest_payment(built)
    pairs = zip(built.signed.body.outputs, built.disclosure.openings, strict=True)
    paid = [Token(output, opening) for output, opening in pairs if opening.amount == 60]
    check_refused(country, country.build(boris, anna, 60, *paid), ErrorCode.NOT_SERVED_HERE)


def test_inputs_must_be_unspent(country: Country) -> None:  # T15
    anna, boris = country.open_person(country.north, 60), country.open_person(country.south)
    second = country.build(anna, boris, 10)
    country.pay(anna, boris, 60)
    check_refused(country, second, ErrorCode.INPUT_SPENT)


def test_inputs_must_be_of_one_client(country: Country) -> None:
    anna, boris = country.open_person(country.north, 30), country.open_person(country.north, 20)
    context = country.network.surroundings.build_context()
    all_of_it = build_payment(
        [country.order(boris, 50)], [claim_more(anna, 50)], anna.wallet.keys, context
    )
    both = (*anna.wallet.load_tokens(), *boris.wallet.load_tokens())
    check_refused(country, with_inputs(all_of_it, *both), ErrorCode.DISCLOSURE_MISMATCH)


def test_there_must_be_inputs(country: Country) -> None:
    """An issue is no payment, whatever it says of its sums."""
    order = country.draw_order()
    network, vault = country.network, country.north.vault_address
    network.desk.apply(order, Direction.ISSUE, country.north.number, vault, Minor(5))
    network.desk.approve(order)
    built = network.desk.produce(order, network.notary)
    check_refused(country, built, ErrorCode.DISCLOSURE_MISMATCH)


def test_amounts_must_add_up(country: Country) -> None:
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    context = country.network.surroundings.build_context()
    for amount in (31, 29, 2**64 - 1):
        orders = [country.order(boris, 29)]
        built = build_payment(orders, [claim_more(anna, amount)], anna.wallet.keys, context)
        check_refused(country, built, ErrorCode.DISCLOSURE_MISMATCH)


def change_amount(built: BuiltTransaction) -> Disclosure:
    """One unit from one output to the other: the sum is right, the outputs are not."""
    first, second = built.disclosure.openings
    return Disclosure(
        (
            replace(first, amount=Minor(first.amount + 1)),
            replace(second, amount=Minor(second.amount - 1)),
        )
    )


def change_memo(built: BuiltTransaction) -> Disclosure:
    """Another order id than the payee will see."""
    first, second = built.disclosure.openings
    return Disclosure((replace(first, memo=b"\1" + first.memo[1:]), second))


def change_payee(built: BuiltTransaction) -> Disclosure:
    """Somebody else is said to be paid."""
    first, second = built.disclosure.openings
    return Disclosure((replace(first, spend=second.spend, view=second.view), second))


BREAKS: dict[str, Callable[[BuiltTransaction], Disclosure]] = {
    "amount": change_amount,
    "memo": change_memo,
    "payee": change_payee,
    "order": lambda built: Disclosure(built.disclosure.openings[::-1]),
    "one hidden": lambda built: Disclosure(built.disclosure.openings[:1]),
    "all hidden": lambda built: Disclosure(()),
    "one too many": lambda built: Disclosure(
        (*built.disclosure.openings, built.disclosure.openings[0])
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_every_output_must_be_shown_as_it_is(country: Country, name: str) -> None:
    anna, boris = country.open_person(country.north, 60), country.open_person(country.north)
    built = country.build(anna, boris, 40)
    shown = replace(built, disclosure=BREAKS[name](built))
    check_refused(country, shown, ErrorCode.DISCLOSURE_MISMATCH)
    country.north.attest_payment(built)


def test_payees_here_must_be_clients(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60), country.open_person(country.south)
    unknown = replace(boris.wallet.keys.address, bank=NORTH)
    order = replace(country.order(boris, 50), creditor=unknown)
    context = country.network.surroundings.build_context()
    built = build_payment([order], anna.wallet.load_tokens(), anna.wallet.keys, context)
    check_refused(country, built, ErrorCode.CLIENT_UNKNOWN)


def test_banks_of_payees_must_take_part(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60), country.open_person(country.south)
    built = country.build(anna, boris, 50)
    nowhere = tuple(replace(one, bank=ParticipantNumber(77)) for one in built.disclosure.openings)
    shown = replace(built, disclosure=Disclosure(nowhere))
    check_refused(country, shown, ErrorCode.PARTICIPANT_UNKNOWN)


@pytest.mark.parametrize("who", ["payer", "payee"])
def test_clients_must_be_in_good_standing(country: Country, who: str) -> None:  # T20
    anna, boris = country.open_person(country.north, 60), country.open_person(country.north)
    blocked = anna if who == "payer" else boris
    built = country.build(anna, boris, 50)
    country.north.block(blocked.id)
    check_refused(country, built, ErrorCode.CLIENT_BLOCKED)
    country.north.unblock(blocked.id)
    country.north.attest_payment(built)


def test_the_network_must_be_ours(country: Country) -> None:
    anna, boris = country.open_person(country.north, 60), country.open_person(country.north)
    built = country.build(anna, boris, 50)
    body = replace(built.signed.body, network=NetworkId(bytes(16)))
    foreign = replace(built, signed=replace(built.signed, body=body))
    check_refused(country, foreign, ErrorCode.NETWORK_MISMATCH)


def test_no_more_parts_than_an_attestation_has_bits(country: Country) -> None:  # L4
    """Python objects may hold more than the wire form does: refused before anything is kept."""
    anna, boris = country.open_person(country.north, 60), country.open_person(country.north)
    built = country.build(anna, boris, 40)
    body = built.signed.body
    many_inputs = replace(body, inputs=body.inputs * 17)
    many_outputs = replace(body, outputs=body.outputs * 9, terms=body.terms * 9)
    openings = built.disclosure.openings
    for changed, shown in ((many_inputs, openings), (many_outputs, openings * 9)):
        signed = replace(built.signed, body=changed)
        wrong = BuiltTransaction(signed, Disclosure(shown))
        check_refused(country, wrong, ErrorCode.LIMIT_EXCEEDED)
    outline = replace(body.outline, slots=body.outline.slots * 9)
    view = replace(built.build_payee_view(NORTH), outline=outline)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        country.north.attest_receipt(view)
