"""A payee's bank: it signs for outputs of its clients, and learns of nothing else (T8, T9, T16)."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from specie.bank.service import Bank
from specie.flows.payment import complete_payment
from specie.ledger.outline import compute_inputs_hash, compute_slot, compute_slot_salt
from specie.ledger.records import AttestationRole, Claim
from specie.tokens.building import BuiltTransaction, build_payment
from specie.tokens.disclosures import PayeeView
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, NetworkId, Scalar
from tests.country import SOUTH, Country, Person, refused


def show(built: BuiltTransaction, bank: Bank) -> PayeeView:
    """What the payee's bank is shown."""
    return built.build_payee_view(bank.number)


def make(country: Country, *amounts: int) -> tuple[BuiltTransaction, list[Person]]:
    """A client of bank 2 pays clients of bank 3 these amounts."""
    payer = country.open_person(country.north, sum(amounts) + 1)
    payees = [country.open_person(country.south) for _ in amounts]
    orders = [country.order(one, amount) for one, amount in zip(payees, amounts, strict=True)]
    context = country.network.surroundings.build_context()
    built = build_payment(orders, payer.wallet.load_tokens(), payer.wallet.keys, context)
    return built, payees


def check_refused(bank: Bank, view: PayeeView, payees: list[Person], code: ErrorCode) -> None:
    """Refused, and nothing of it on record."""
    with refused(code):
        bank.attest_receipt(view)
    assert all(bank.load_movements(person.id) == [] for person in payees)


def test_it_signs_for_its_own_outputs(country: Country) -> None:
    built, payees = make(country, 30, 40)
    view = show(built, country.south)
    one = country.south.attest_receipt(view)
    bits = sum(
        1 << index
        for index, opening in enumerate(built.disclosure.openings)
        if opening.bank == SOUTH
    )
    assert (one.role, one.bank, one.claim) == (AttestationRole.PAYEE, SOUTH, Claim.CLIENT)
    assert (one.inputs, one.outputs) == (0, bits)
    again = country.south.attest_receipt(view)
    assert replace(again, signature=one.signature) == one
    for person, amount in zip(payees, (30, 40), strict=True):
        (movement,) = country.south.load_movements(person.id)
        assert (movement.amount, movement.is_incoming, movement.is_final) == (amount, True, False)


def test_it_is_final_only_when_promised(country: Country) -> None:
    built, (boris,) = make(country, 30)
    network = country.network
    country.south.attest_receipt(show(built, country.south))
    assert country.south.fetch_outputs(boris.id) == []
    complete_payment(built, country.north, network, network.notary)
    assert boris.collect() == 1


def of_first(view: PayeeView, **changes: Any) -> PayeeView:
    """The first output shown in another way."""
    first = replace(view.outputs[0], **changes)
    return replace(view, outputs=(first, *view.outputs[1:]))


def with_opening(view: PayeeView, **changes: Any) -> PayeeView:
    """The first opening changed."""
    opening = replace(view.outputs[0].opening, **changes)
    return of_first(view, opening=opening)


BREAKS: dict[str, Callable[[PayeeView], PayeeView]] = {
    "another amount": lambda view: with_opening(view, amount=Minor(31)),
    "another anchor": lambda view: with_opening(view, anchor=bytes(16)),
    "another memo": lambda view: with_opening(view, memo=b"\1" * 160),
    "another salt": lambda view: of_first(view, salt=Digest(bytes(32))),
    "the other place": lambda view: of_first(view, index=1 - view.outputs[0].index),
    "a place behind the end": lambda view: of_first(view, index=2),
    "a place far behind": lambda view: of_first(view, index=200),
    "a negative place": lambda view: of_first(view, index=view.outputs[0].index - 2),
    "another slot": lambda view: replace(
        view, outline=replace(view.outline, slots=view.outline.slots[::-1])
    ),
    "nothing": lambda view: replace(view, outputs=()),
    "one thing twice": lambda view: replace(view, outputs=view.outputs * 2),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_shown_must_be_in_the_payment(country: Country, name: str) -> None:
    built, payees = make(country, 30)
    view = show(built, country.south)
    check_refused(country.south, BREAKS[name](view), payees, ErrorCode.DISCLOSURE_MISMATCH)
    country.south.attest_receipt(view)


def test_the_network_must_be_ours(country: Country) -> None:
    built, payees = make(country, 30)
    view = show(built, country.south)
    foreign = replace(view, outline=replace(view.outline, network=NetworkId(bytes(16))))
    check_refused(country.south, foreign, payees, ErrorCode.NETWORK_MISMATCH)


def test_an_output_of_another_bank_is_not_ours(country: Country) -> None:
    built, payees = make(country, 30)
    view = show(built, country.south)
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.north.attest_receipt(view)
    change = show(built, country.north)
    check_refused(country.south, change, payees, ErrorCode.NOT_SERVED_HERE)


def test_the_payee_must_be_a_client(country: Country) -> None:
    payer, stranger = country.open_person(country.north, 30), country.open_person(country.north)
    address = replace(stranger.wallet.keys.address, bank=SOUTH)
    order = replace(country.order(stranger, 20), creditor=address)
    context = country.network.surroundings.build_context()
    built = build_payment([order], payer.wallet.load_tokens(), payer.wallet.keys, context)
    check_refused(country.south, show(built, country.south), [], ErrorCode.CLIENT_UNKNOWN)


def test_the_payee_must_be_in_good_standing(country: Country) -> None:  # T20
    built, payees = make(country, 30, 40)
    country.south.block(payees[1].id)
    view = show(built, country.south)
    check_refused(country.south, view, payees, ErrorCode.CLIENT_BLOCKED)
    country.south.unblock(payees[1].id)
    country.south.attest_receipt(view)


def test_a_second_view_of_one_payment_is_refused(country: Country) -> None:
    """Or the bank would sign for outputs that it has not on record, nor ever finds final."""
    built, payees = make(country, 30, 40)
    view = show(built, country.south)
    country.south.attest_receipt(replace(view, outputs=view.outputs[:1]))
    for shown in (view.outputs, view.outputs[1:]):
        with refused(ErrorCode.ORDER_CONFLICT):
            country.south.attest_receipt(replace(view, outputs=shown))
    assert sum(len(country.south.load_movements(person.id)) for person in payees) == 1


def test_a_payer_cannot_hide_its_payment_behind_a_receipt(country: Country) -> None:  # T20
    """Its own bank is asked as the payee's first: what it pays must still come on record."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    built = country.build(anna, boris, 20)
    country.north.attest_receipt(show(built, country.north))
    with refused(ErrorCode.ORDER_CONFLICT):
        country.north.attest_payment(built)


def collect_bytes(value: object) -> list[bytes]:
    """All byte strings inside a value."""
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, tuple):
        return [one for part in value for one in collect_bytes(part)]
    if is_dataclass(value):
        return collect_bytes(tuple(getattr(value, one.name) for one in fields(value)))
    return []


def test_nothing_of_the_payers_side_is_shown(country: Country) -> None:  # T9, X5
    """Neither inputs nor change nor what would open their salted hashes."""
    built, _ = make(country, 30)
    body = built.signed.body
    (change,) = (index for index, one in enumerate(built.disclosure.openings) if one.bank != SOUTH)
    view = show(built, country.south)
    shown = b"|".join(collect_bytes(view))
    secrets = (
        *body.inputs,
        body.offset,
        body.outputs[change].ref,
        body.outputs[change].data,
        compute_slot_salt(body.offset, change),
        built.disclosure.openings[change].pack(),
        built.disclosure.openings[change].spend,
        built.disclosure.openings[change].anchor,
        *(proof.data for proof in body.proofs),
    )
    assert [secret for secret in secrets if secret in shown] == []
    salt = view.outputs[0].salt
    assert compute_slot(salt, change, body.outputs[change].ref) != view.outline.slots[change]
    guess = compute_inputs_hash(Scalar(salt), body.inputs)  # knowing even the inputs themselves
    assert guess != view.outline.inputs_hash
