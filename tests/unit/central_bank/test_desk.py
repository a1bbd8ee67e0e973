"""The central bank's desk: four eyes, one order one content, nothing signed unseen (P2, P8, P9)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specie.central_bank.desk import CentralBankDesk
from specie.central_bank.officers import OfficerDesk, compute_approval_message
from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree, SealingKey
from specie.crypto.signatures import verify_institution_signature
from specie.identity.participants import Role, Status
from specie.ledger.messages import compute_supply_message
from specie.ledger.records import Attestation, AttestationRole, Claim, ReserveReference
from specie.ledger.state import SupplyState
from specie.ports.issuance import Application, ApplicationState, Direction
from specie.ports.journal import FlowKind, FlowState
from specie.store.application_store import SqliteApplicationStore
from specie.store.database import Database
from specie.store.journal_store import SqliteJournal
from specie.tokens.building import BuiltTransaction, build_issue, build_redemption
from specie.tokens.disclosures import Disclosure
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    EntryId,
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    ParticipantNumber,
    Signature,
)
from specie.values.limits import APPLICATIONS_OPEN_MAX, SUPPLY_CHANGE_MAX
from specie.values.times import Timestamp
from tests.country import NORTH, SOUTH, Country, build_country, refused
from tests.stateful.reopening import take

CENTRAL_BANK = ParticipantNumber(1)
AMOUNT = Minor(500)
NO_ATTESTATION = Attestation(
    AttestationRole.PAYEE, NORTH, 0, 3, Claim.VAULT, 1, Signature(bytes(64))
)


def apply(
    country: Country,
    direction: Direction = Direction.ISSUE,
    order: OrderId | None = None,
    **changes: Any,
) -> Application:
    """An application of bank 2 for its own vault, or with changes."""
    asked = {
        "participant": NORTH,
        "vault": country.north.vault_address,
        "amount": AMOUNT,
        **changes,
    }
    return country.network.desk.apply(order or country.draw_order(), direction, **asked)


def get_state(country: Country, asked: Application) -> ApplicationState:
    """How far it has come: the same application again says it."""
    return apply(country, asked.direction, asked.order, amount=asked.amount).state


def build_desk(
    country: Country, path: Path, officers: int
) -> tuple[CentralBankDesk, list[OfficerDesk], HolderKeys]:
    """A desk of our own, with so many of the network's officers."""
    people = list(take(country.network.desk, "_officers"))[:officers]
    keys = derive_keys(KeyTree.generate(), 0, CENTRAL_BANK)
    database, key = Database(path / "applications.db"), SealingKey.generate()
    store, journal = SqliteApplicationStore(database, key), SqliteJournal(database, key)
    desk = CentralBankDesk(keys, people, store, country.network.surroundings, journal)
    return desk, people, keys


# --- applying -----------------------------------------------------------------------------------


def test_an_order_has_one_content(country: Country) -> None:
    asked = apply(country)
    assert asked.state is ApplicationState.APPLIED
    assert apply(country, order=asked.order) == asked
    for changes in ({"amount": Minor(501)}, {"vault": replace_view(country)}):
        with refused(ErrorCode.ORDER_CONFLICT):
            apply(country, order=asked.order, **changes)
    with refused(ErrorCode.ORDER_CONFLICT):
        apply(country, Direction.REDEEM, asked.order)
    with refused(ErrorCode.ORDER_CONFLICT):
        south = country.south.vault_address
        apply(country, order=asked.order, participant=SOUTH, vault=south)


def test_one_participant_has_so_many_open(country: Country, tmp_path: Path) -> None:
    desk, _, _ = build_desk(country, tmp_path, 2)
    north, south = country.north, country.south
    orders = [country.draw_order() for _ in range(APPLICATIONS_OPEN_MAX)]
    for order in orders:
        desk.apply(order, Direction.ISSUE, NORTH, north.vault_address, AMOUNT)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        desk.apply(country.draw_order(), Direction.REDEEM, NORTH, north.vault_address, AMOUNT)
    desk.apply(orders[0], Direction.ISSUE, NORTH, north.vault_address, AMOUNT)
    desk.apply(country.draw_order(), Direction.ISSUE, SOUTH, south.vault_address, AMOUNT)
    desk.refuse(orders[0])
    desk.apply(country.draw_order(), Direction.ISSUE, NORTH, north.vault_address, AMOUNT)


def test_officers_refuse_what_nobody_has_approved(country: Country, tmp_path: Path) -> None:
    desk, _, _ = build_desk(country, tmp_path, 2)
    vault = country.north.vault_address
    first, second = country.draw_order(), country.draw_order()
    for order in (first, second):
        desk.apply(order, Direction.ISSUE, NORTH, vault, AMOUNT)
        desk.journal.begin(FlowKind.ISSUE, order, b"")
    desk.approve(second)
    desk.refuse(first)
    desk.refuse(first)
    assert desk.get_application(first)[0].state is ApplicationState.ENDED
    assert desk.journal.find_state(first) is FlowState.ENDED
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.refuse(second)
    assert desk.get_application(second)[0].state is ApplicationState.APPROVED


def replace_view(country: Country) -> Address:
    """An address of bank 2 that is not its vault's."""
    return replace(country.north.vault_address, view=country.south.vault_address.view)


def test_amounts_that_cannot_be_issued_are_not_applied_for(country: Country) -> None:
    for amount in (0, -1, SUPPLY_CHANGE_MAX + 1, 2**64):
        with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
            apply(country, amount=Minor(amount))
    assert apply(country, amount=Minor(SUPPLY_CHANGE_MAX)).amount == SUPPLY_CHANGE_MAX


def test_only_institutions_apply_and_for_themselves(country: Country) -> None:  # T4
    with refused(ErrorCode.SUPPLY_NOT_INSTITUTION):
        apply(country, vault=country.south.vault_address)
    with refused(ErrorCode.PARTICIPANT_UNKNOWN):
        stranger = ParticipantNumber(44)
        apply(
            country,
            participant=stranger,
            vault=replace(country.north.vault_address, bank=stranger),
        )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": Status.SUSPENDED}, ErrorCode.PARTICIPANT_INACTIVE),
        ({"status": Status.REVOKED}, ErrorCode.PARTICIPANT_INACTIVE),
        ({"role": Role.EXTERNAL}, ErrorCode.SUPPLY_NOT_INSTITUTION),
        ({"role": Role.AUDITOR}, ErrorCode.SUPPLY_NOT_INSTITUTION),
    ],
)
def test_the_participant_list_decides_who_applies(
    tmp_path: Path, changes: dict[str, Any], code: ErrorCode
) -> None:  # T2
    country = build_country(tmp_path, is_funded=False)
    apply(country)
    current = country.network.roster.current
    changed = replace(current.participants[NORTH], **changes)
    members = replace(current, version=2, participants={**current.participants, NORTH: changed})
    country.network.replace_participants(members)
    with refused(code):
        apply(country)


# --- approving ----------------------------------------------------------------------------------


def test_two_officers_look_at_it(country: Country, tmp_path: Path) -> None:  # P2, P8
    desk, officers, _ = build_desk(country, tmp_path, 2)
    order = country.draw_order()
    vault = country.north.vault_address
    asked = desk.apply(order, Direction.ISSUE, NORTH, vault, AMOUNT)
    with refused(ErrorCode.APPROVALS_MISSING):
        desk.produce(order, country.network.notary)
    for _ in range(2):
        desk.approve(order)
    assert desk.apply(order, Direction.ISSUE, NORTH, vault, AMOUNT).state is (
        ApplicationState.APPROVED
    )
    message = compute_approval_message(asked, country.network.genesis.network)
    for officer in officers:
        signature = officer.approve(asked, country.network.roster)
        public = InstitutionPublicKey(officer.key.public)
        verify_institution_signature(public, message, signature)


@pytest.mark.parametrize("officers", [0, 1])
def test_one_pair_of_eyes_is_not_enough(country: Country, tmp_path: Path, officers: int) -> None:
    desk, _, _ = build_desk(country, tmp_path, officers)
    order = country.draw_order()
    asked = desk.apply(order, Direction.ISSUE, NORTH, country.north.vault_address, AMOUNT)
    for _ in range(3):  # not even by looking three times
        with refused(ErrorCode.APPROVALS_MISSING):
            desk.approve(order)
    with refused(ErrorCode.APPROVALS_MISSING):
        desk.produce(order, country.network.notary)
    again = desk.apply(order, Direction.ISSUE, NORTH, country.north.vault_address, AMOUNT)
    assert again == asked


def test_approvals_count_once_they_are_verified(country: Country) -> None:  # B16
    """A signature in the store is nobody's yes before it holds for an active officer."""
    desk, store = country.network.desk, take(country.network.desk, "_store")
    asked = apply(country)
    officers = take(desk, "_officers")
    good = {one.number: one.approve(asked, country.network.roster) for one in officers}
    first, second = good
    forged: list[dict[int, Signature]] = [
        {first: good[first], second: Signature(bytes(64))},
        {first: good[first], second: good[first]},
        {first: good[first], 31: good[second]},
    ]
    for approvals in forged:
        for number, signature in approvals.items():
            store.record_approval(asked.order, number, signature)
        store.advance(asked.order, ApplicationState.APPROVED)
        with refused(ErrorCode.APPROVALS_MISSING):
            desk.produce(asked.order, country.network.notary)
    store.record_approval(asked.order, second, good[second])
    desk.produce(asked.order, country.network.notary)


def test_an_officer_who_left_approves_nothing(tmp_path: Path) -> None:  # B16
    country = build_country(tmp_path, is_funded=False)
    desk, asked = country.network.desk, apply(country)
    desk.approve(asked.order)
    current = country.network.roster.current
    left = replace(current.officers[1], status=Status.REVOKED)
    members = replace(current, version=2, officers={**current.officers, 1: left})
    country.network.replace_participants(members)
    for call in (
        lambda: desk.produce(asked.order, country.network.notary),
        lambda: desk.approve(asked.order),
    ):
        with refused(ErrorCode.APPROVALS_MISSING):
            call()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": Minor(0)}, ErrorCode.AMOUNT_OUT_OF_RANGE),
        ({"amount": Minor(10**17 + 1)}, ErrorCode.SUPPLY_CAP_EXCEEDED),
        ({"amount": Minor(SUPPLY_CHANGE_MAX + 1)}, ErrorCode.AMOUNT_OUT_OF_RANGE),
        ({"participant": ParticipantNumber(44)}, ErrorCode.PARTICIPANT_UNKNOWN),
        ({"participant": SOUTH}, ErrorCode.SUPPLY_NOT_INSTITUTION),
    ],
)
def test_an_officer_looks_before_approving(
    country: Country, changes: dict[str, Any], code: ErrorCode
) -> None:  # B16
    officer = take(country.network.desk, "_officers")[0]
    asked = apply(country)
    with refused(code):
        officer.approve(replace(asked, **changes), country.network.roster)


def test_what_an_approval_signs_is_the_whole_application(country: Country) -> None:
    asked = apply(country)
    network = country.network.genesis.network
    others = [
        replace(asked, order=country.draw_order()),
        replace(asked, direction=Direction.REDEEM),
        replace(asked, participant=SOUTH),
        replace(asked, amount=Minor(501)),
        replace(asked, vault=replace_view(country)),
        replace(asked, vault=country.south.vault_address),
    ]
    messages = {compute_approval_message(one, network) for one in (asked, *others)}
    messages.add(compute_approval_message(asked, NetworkId(bytes(16))))
    assert len(messages) == len(others) + 2


# --- producing and voiding ----------------------------------------------------------------------


def test_an_order_is_produced_once(country: Country) -> None:  # P8
    desk, asked = country.network.desk, apply(country)
    desk.approve(asked.order)
    built = desk.produce(asked.order, country.network.notary)
    assert desk.produce(asked.order, country.network.notary) == built
    assert get_state(country, asked) is ApplicationState.PRODUCED
    assert built.signed.body.supply_change == AMOUNT
    assert built.signed.body.inputs == ()
    assert sorted(one.amount for one in built.disclosure.openings) == [0, AMOUNT]
    vault = country.north.vault_address
    assert {(one.view, one.spend) for one in built.disclosure.openings} == {
        (vault.view, vault.spend)
    }


def test_one_transaction_voids_for_one_order(country: Country) -> None:  # C1
    country.issue(country.north, AMOUNT)
    desk = country.network.desk
    first, second = (apply(country, Direction.REDEEM) for _ in range(2))
    prepared = country.north.vault.prepare_redemption(AMOUNT, first.order)
    for asked in (first, second):
        desk.approve(asked.order)
    desk.accept_void(first.order, prepared.built)
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.accept_void(second.order, prepared.built)
    assert desk.accept_void(first.order, prepared.built) == prepared.built


def test_what_was_not_ordered_is_unknown(country: Country) -> None:
    desk, order = country.network.desk, country.draw_order()
    calls: list[Callable[[], object]] = [
        lambda: desk.approve(order),
        lambda: desk.produce(order, country.network.notary),
        lambda: desk.authorise(order, NO_ATTESTATION, None, SupplyState()),
    ]
    for call in calls:
        with refused(ErrorCode.APPLICATION_UNKNOWN):
            call()
    with refused(ErrorCode.PROMISE_INVALID):
        desk.complete(order, country.issue(country.south, 5))


def test_an_issue_is_not_a_redemption(country: Country) -> None:
    country.issue(country.north, AMOUNT)
    desk = country.network.desk
    issue, redemption = apply(country), apply(country, Direction.REDEEM)
    for asked in (issue, redemption):
        desk.approve(asked.order)
    prepared = country.north.vault.prepare_redemption(AMOUNT, redemption.order)
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.produce(redemption.order, country.network.notary)
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.accept_void(issue.order, prepared.built)
    with refused(ErrorCode.APPLICATION_UNKNOWN):
        desk.authorise(redemption.order, NO_ATTESTATION, None, SupplyState())
    desk.accept_void(redemption.order, prepared.built)


def redeem(country: Country, amount: int, keys: HolderKeys | None = None) -> BuiltTransaction:
    """A voiding transaction that no vault remembers; `keys` say where the rest goes."""
    vault = country.south.vault
    mixed = replace(vault.keys, address=keys.address) if keys else vault.keys
    context = country.network.surroundings.build_context()
    largest = max(vault.load_tokens(), key=lambda token: token.amount)
    return build_redemption(Minor(amount), [largest], mixed, context)


def test_voiding_must_be_what_was_applied_for(country: Country) -> None:  # P9
    desk, south = country.network.desk, country.south
    vault = south.vault_address
    asked = apply(country, Direction.REDEEM, participant=SOUTH, vault=vault)
    desk.approve(asked.order)
    good = redeem(country, AMOUNT)
    outside = country.open_person(south).wallet.keys
    openings = good.disclosure.openings
    body = good.signed.body
    wrong = [
        redeem(country, AMOUNT + 1),
        redeem(country, AMOUNT - 1),
        redeem(country, AMOUNT, outside),  # the rest goes to somebody else
        replace(good, disclosure=Disclosure(openings[:1])),
        replace(good, disclosure=Disclosure(openings[::-1])),
        replace(good, signed=replace(good.signed, body=replace(body, supply_change=AMOUNT))),
        replace(
            good, signed=replace(good.signed, body=replace(body, network=NetworkId(bytes(16))))
        ),
    ]
    for built in wrong:
        with refused(ErrorCode.DISCLOSURE_MISMATCH):
            desk.accept_void(asked.order, built)
    assert desk.accept_void(asked.order, good) == good
    assert desk.accept_void(asked.order, good) == good
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.accept_void(asked.order, redeem(country, AMOUNT))


# --- authorising --------------------------------------------------------------------------------


def test_officers_sign_what_they_have_recomputed(country: Country) -> None:  # P2
    desk, asked = country.network.desk, apply(country)
    desk.approve(asked.order)
    built = desk.produce(asked.order, country.network.notary)
    supply, reserve = SupplyState(serial=7, total=1_000), debit(country, asked)
    authorised = desk.authorise(asked.order, NO_ATTESTATION, reserve, supply)
    section = authorised.signed.supply
    assert section is not None
    assert (section.serial, section.total_after, section.reserve) == (8, 1_500, reserve)
    assert authorised.attestations == (NO_ATTESTATION,)
    message = compute_supply_message(
        country.network.genesis.network, 8, built.signed.txid, AMOUNT, 1_500
    )
    officers = country.network.roster.current.officers
    assert {one.officer for one in section.authorisations} == set(officers)
    for one in section.authorisations:
        verify_institution_signature(officers[one.officer].key, message, one.signature)


@pytest.mark.parametrize("what", ["amount", "vault", "vault's bank", "shown", "hidden"])
def test_an_officer_refuses_what_was_not_applied_for(
    country: Country, tmp_path: Path, what: str
) -> None:  # design §5, 7: nobody issues alone, not even who builds the transaction
    desk, (officer, _), keys = build_desk(country, tmp_path, 2)
    vault, order = country.north.vault_address, country.draw_order()
    asked = desk.apply(order, Direction.ISSUE, NORTH, vault, AMOUNT)
    context = country.network.surroundings.build_context()
    good = build_issue(vault, AMOUNT, keys, context)
    other = country.open_person(country.north).wallet.keys.address
    openings = good.disclosure.openings
    bad = {
        "amount": build_issue(vault, Minor(AMOUNT + 1), keys, context),
        "vault": build_issue(other, AMOUNT, keys, context),
        "vault's bank": build_issue(country.south.vault_address, AMOUNT, keys, context),
        "shown": replace(good, disclosure=Disclosure(openings[::-1])),
        "hidden": replace(good, disclosure=Disclosure(openings[1:])),
    }[what]
    roster = country.network.roster
    reserve = debit(country, asked)
    with refused(ErrorCode.DISCLOSURE_MISMATCH):
        officer.authorise(asked, bad, roster, 1, AMOUNT, reserve)
    officer.authorise(asked, good, roster, 1, AMOUNT, reserve)


def debit(country: Country, asked: Application) -> ReserveReference:
    """What the accounting signs for it."""
    entry = EntryId(asked.order)
    return country.network.accounting.debit_for_issue(entry, asked.participant, asked.amount)


@pytest.mark.parametrize("what", ["missing", "amount", "bank", "entry", "time", "signature"])
def test_no_officer_signs_without_the_reserve_debit(country: Country, what: str) -> None:  # B16
    desk, asked = country.network.desk, apply(country)
    desk.approve(asked.order)
    desk.produce(asked.order, country.network.notary)
    good = debit(country, asked)
    bad = {
        "missing": None,
        "amount": replace(good, amount=Minor(AMOUNT + 1)),
        "bank": replace(good, participant=SOUTH),
        "entry": debit(country, replace(asked, order=country.draw_order())),
        "time": replace(good, time=Timestamp(good.time + 1)),
        "signature": replace(good, signature=Signature(bytes(64))),
    }[what]
    with refused(ErrorCode.RESERVE_REFERENCE_INVALID):
        desk.authorise(asked.order, NO_ATTESTATION, bad, SupplyState())
    desk.authorise(asked.order, NO_ATTESTATION, good, SupplyState())


def test_a_redemption_names_no_debit(country: Country) -> None:
    country.issue(country.north, AMOUNT)
    desk, asked = country.network.desk, apply(country, Direction.REDEEM)
    desk.approve(asked.order)
    desk.accept_void(asked.order, country.north.vault.prepare_redemption(AMOUNT, asked.order).built)
    with refused(ErrorCode.RESERVE_REFERENCE_INVALID):
        desk.authorise(asked.order, NO_ATTESTATION, debit(country, asked), SupplyState())


def test_completing_needs_the_notarys_promise_for_it(country: Country) -> None:
    desk, asked = country.network.desk, apply(country)
    desk.approve(asked.order)
    built = desk.produce(asked.order, country.network.notary)
    real = country.issue(country.south, 5)
    for promise in (real, replace(real, txid=built.signed.txid)):
        with refused(ErrorCode.PROMISE_INVALID):
            desk.complete(asked.order, promise)
    assert get_state(country, asked) is ApplicationState.PRODUCED
