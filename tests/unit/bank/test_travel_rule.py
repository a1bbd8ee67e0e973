"""Who pays is told between two banks before a large payment is attested (T9, T20, X9)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from specie.api.bank_face import offer_institutions
from specie.api.gate import Asking
from specie.assembly.travel import TravelDesk, compute_key_message, read_identity
from specie.bank.access import Operator
from specie.bank.service import Bank
from specie.bank.supervision import Neighbours
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.crypto.transit import TransitKey, draw_transit_key, seal_for
from specie.identity.participants import Status
from specie.identity.services import ServiceRole
from specie.ports.onboarding import Person as Applicant
from specie.ports.travel import Identity, TravelRecord
from specie.remote import bank_models, bank_operations
from specie.remote import travel_models as said
from specie.remote import travel_operations as travel
from specie.remote.ivms101 import read_payload
from specie.store.travel_store import SqliteTravelStore
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
    Signature,
    TransactionId,
)
from tests.country import NORTH, SOUTH, Country, Person, refused

RULE = 'name = "x"\ndefault_tier = "one"\n[travel_rule]\nfrom = 50\n[[tier]]\nname = "one"\n'
ADA = Operator("Ada", "asked by the supervisor")


@dataclass
class Desks:
    """Both banks' desks, which speak to each other without a network."""

    country: Country
    folder: Path
    keys: dict[int, InstitutionKey] = field(default_factory=dict)
    open: dict[int, TravelDesk] = field(default_factory=dict)
    forge: Callable[[said.TravelMessage], said.TravelMessage] = lambda one: one

    def make(self, bank: Bank) -> TravelDesk:
        roster, network = self.country.network.roster, self.country.network
        peers = SimpleNamespace(
            roster=roster, get_serving=lambda number: SimpleNamespace(number=number, name=number)
        )
        channel: Any = SimpleNamespace(
            peers=peers,
            call=lambda name, operation, request: self.call(bank, name, operation, request),
        )
        return TravelDesk(
            bank=bank,
            compliance=network.compliance[bank.number],
            store=SqliteTravelStore(self.folder / f"{bank.number}.db", SealingKey.generate()),
            transit=TransitKey(draw_transit_key()),
            key=self.keys[bank.number],
            channel=channel,
        )

    def call(self, caller: Bank, name: int, operation: Any, request: Any) -> Any:
        if operation is travel.GET_TRAVEL_KEY:
            return self.open[name].show_key()
        assert operation is travel.TELL_TRAVEL
        return self.open[name].receive(caller.number, self.forge(request))


@pytest.fixture
def desks(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desks:
    found = Desks(country, tmp_path)
    members = country.network.roster.current
    people = dict(members.participants)
    for number in (NORTH, SOUTH):
        key = found.keys[number] = InstitutionKey.generate()
        named = InstitutionPublicKey(key.public)
        people[number] = replace(people[number], institution_key=named)
    country.network.replace_participants(
        replace(members, version=members.version + 1, participants=people)
    )
    for bank in (country.north, country.south):
        found.open[bank.number] = found.make(bank)
        compliance = country.network.compliance[bank.number]
        compliance.set_policy(ADA, RULE)
        neighbours = Neighbours(has_travel_data=found.open[bank.number].store.has)
        monkeypatch.setattr(compliance.supervision, "_neighbours", neighbours)
    return found


def build(country: Country, payer: Person, payee: Person, amount: int) -> BuiltTransaction:
    order = PaymentOrder(payee.wallet.keys.address, Minor(amount), Memo())
    built = payer.wallet.prepare_payment([order], country.draw_order()).built
    payer.bank.attest_payment(built)
    return built


def people(country: Country, amount: int = 100) -> tuple[Person, Person]:
    return country.open_person(country.north, amount), country.open_person(country.south)


def test_what_is_at_the_amount_needs_to_be_told(country: Country, desks: Desks) -> None:
    anna, boris = people(country)
    built = build(country, anna, boris, 50)
    view = built.build_payee_view(SOUTH)
    with refused(ErrorCode.TRAVEL_DATA_MISSING):
        country.south.attest_receipt(view)
    for _ in range(2):
        desks.open[NORTH].tell(SOUTH, view)
    country.south.attest_receipt(view)
    [record] = desks.open[SOUTH].store.load(boris.id, built.signed.txid, 9)
    payload = read_payload(record.data)
    [payer] = payload.originator.originator_persons
    assert payer.natural_person is not None
    [name] = payer.natural_person.name.name_identifiers
    assert name.primary_identifier == f"Name of {anna.id}"
    assert payload.beneficiary.beneficiary_persons is not None
    [own] = desks.open[NORTH].store.load(anna.id, None, 9)
    assert own.is_originating and read_payload(own.data).beneficiary.beneficiary_persons is None


def test_below_it_and_at_home_nothing_is_told(country: Country, desks: Desks) -> None:
    anna, boris = people(country)
    vera = country.open_person(country.north)
    view = build(country, anna, boris, 49).build_payee_view(SOUTH)
    desks.open[NORTH].tell(SOUTH, view)
    country.south.attest_receipt(view)
    assert desks.open[SOUTH].store.load(boris.id, None, 9) == []
    build(country, country.open_person(country.north, 90), vera, 90)


def test_a_bank_without_the_rule_tells_nothing(country: Country, desks: Desks) -> None:
    """However much the other bank would like to know."""
    anna, boris = people(country)
    plain = RULE.replace("[travel_rule]\nfrom = 50\n", "")
    country.network.compliance[NORTH].set_policy(ADA, plain)
    view = build(country, anna, boris, 90).build_payee_view(SOUTH)
    desks.open[NORTH].tell(SOUTH, view)
    with refused(ErrorCode.TRAVEL_DATA_MISSING):
        country.south.attest_receipt(view)


def test_another_bank_cannot_say_first_who_pays(country: Country, desks: Desks) -> None:
    """Else what the payer's own bank tells would be dropped, and a false name stand there."""
    anna, boris = people(country)
    view = build(country, anna, boris, 50).build_payee_view(SOUTH)
    store, txid = desks.open[SOUTH].store, view.outline.compute_id()
    other = ParticipantNumber(9)
    false = TravelRecord(
        txid=txid,
        client=boris.id,
        is_originating=False,
        bank=other,
        time=country.clock.now(),
        data="a false name",
        signature=Signature(bytes(64)),
    )
    store.add(false)
    with refused(ErrorCode.ORDER_CONFLICT):
        desks.open[NORTH].tell(SOUTH, view)
    assert [one.bank for one in store.load(boris.id, txid, 9)] == [other], "who said it is known"


def test_who_pays_is_said_by_who_asks_for_the_attestation(country: Country, desks: Desks) -> None:
    """A payer with a friend at another bank has no other name told than its own bank's."""
    anna, boris = people(country)
    view = build(country, anna, boris, 90).build_payee_view(SOUTH)
    desk = desks.open[SOUTH]
    desks.open[NORTH].tell(SOUTH, view)
    process: Any = SimpleNamespace(bank=country.south, witness=None, travel=desk)
    attest = dict(offer_institutions(process))[bank_operations.ATTEST_RECEIPT]
    request = bank_models.PayeeMessage.wrap(view)
    with refused(ErrorCode.TRAVEL_DATA_INVALID):
        attest(Asking(ServiceRole.BANK, "bank-9", ParticipantNumber(9)), request)
    assert not country.south.is_attested(view.outline.compute_id())
    attest(Asking(ServiceRole.BANK, "bank", NORTH), request)
    assert country.south.is_attested(view.outline.compute_id())


def test_a_successor_asks_for_what_its_bank_has_told(country: Country, desks: Desks) -> None:
    anna, boris = people(country)
    view = build(country, anna, boris, 90).build_payee_view(SOUTH)
    desks.open[NORTH].tell(SOUTH, view)
    members, heir = country.network.roster.current, ParticipantNumber(9)
    north = members.participants[NORTH]
    changed = {
        **members.participants,
        heir: replace(north, number=heir),
        NORTH: replace(north, status=Status.REVOKED, successor=heir),
    }
    roster = SimpleNamespace(current=replace(members, participants=changed))
    channel: Any = SimpleNamespace(peers=SimpleNamespace(roster=roster))
    desk = replace(desks.open[SOUTH], channel=channel)
    desk.check_teller(heir, view.outline.compute_id())
    with refused(ErrorCode.TRAVEL_DATA_INVALID):
        desk.check_teller(SOUTH, view.outline.compute_id())


FORGERIES = {
    "txid": ErrorCode.SIGNATURE_INVALID,
    "sealed": ErrorCode.SIGNATURE_INVALID,
    "signature": ErrorCode.SIGNATURE_INVALID,
}


@pytest.mark.parametrize("part", FORGERIES)
def test_what_was_altered_is_not_kept(country: Country, desks: Desks, part: str) -> None:
    anna, boris = people(country)
    view = build(country, anna, boris, 60).build_payee_view(SOUTH)

    def forge(one: said.TravelMessage) -> said.TravelMessage:
        flipped = bytearray(getattr(one, part))
        flipped[0] ^= 1
        return one.model_copy(update={part: bytes(flipped)})

    desks.forge = forge
    with refused(FORGERIES[part]):
        desks.open[NORTH].tell(SOUTH, view)
    assert desks.open[SOUTH].store.load(boris.id, None, 9) == []


def test_data_count_for_their_payment_and_payee_alone(country: Country, desks: Desks) -> None:
    """A message that is replayed under another id does not open; another payee's does not count."""
    anna, boris = people(country, 200)
    vera, north = country.open_person(country.south), desks.open[NORTH]
    first = build(country, anna, boris, 60)
    north.tell(SOUTH, first.build_payee_view(SOUTH))
    other = country.open_person(country.north, 60)
    second = build(country, other, vera, 60).build_payee_view(SOUTH)
    with refused(ErrorCode.TRAVEL_DATA_MISSING):
        country.south.attest_receipt(second)
    assert not desks.open[SOUTH].store.has(first.signed.txid, vera.id)


def test_another_banks_key_is_not_taken(country: Country, desks: Desks) -> None:
    """Whoever stands between cannot have data sealed to itself."""
    anna, boris = people(country)
    view = build(country, anna, boris, 60).build_payee_view(SOUTH)
    key = PublicKey(TransitKey(draw_transit_key()).public)
    south = desks.open[SOUTH]
    desks.open[SOUTH] = replace(south, key=InstitutionKey.generate())
    with refused(ErrorCode.SIGNATURE_INVALID):
        desks.open[NORTH].tell(SOUTH, view)
    network = country.network.genesis.network
    assert compute_key_message(network, SOUTH, key) != compute_key_message(network, NORTH, key)


def test_only_what_a_bank_has_sealed_opens(country: Country, desks: Desks) -> None:
    south, txid = desks.open[SOUTH], TransactionId(bytes(32))
    sealed = seal_for(south.transit.public, b"{}", b"something else")
    message = said.TravelMessage(txid=txid, sealed=sealed, signature=Signature(bytes(64)))
    with refused(ErrorCode.SIGNATURE_INVALID):
        south.receive(NORTH, message)


def test_officers_look_and_it_is_written_down(country: Country, desks: Desks) -> None:
    anna, boris = people(country)
    built = build(country, anna, boris, 60)
    north = desks.open[NORTH]
    north.identify(ADA, anna.id, Identity("Quettalova", "Anna"))
    north.tell(SOUTH, built.build_payee_view(SOUTH))
    query = said.TravelQuery(officer="Ada", reason="asked", client=anna.id)
    [found] = north.search(ADA, query)
    assert "Quettalova" in found.data
    entries = north.compliance.access.load(0, 1_000)
    assert [one.action for one in entries][-2:] == ["identity", "travel-data"]
    with refused(ErrorCode.REASON_MISSING):
        north.search(Operator("Ada", ""), query)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        north.identify(ADA, type(anna.id)("nobody"), Identity("x"))


def test_what_an_applicant_has_shown_is_told(country: Country, desks: Desks) -> None:
    anna, boris = people(country)
    shown = {"registration-number": "7001", "country": "KZ"}
    identity = read_identity(Applicant("Anna Ltd", None, shown))
    desks.open[NORTH].identify(ADA, anna.id, identity)
    view = build(country, anna, boris, 60).build_payee_view(SOUTH)
    desks.open[NORTH].tell(SOUTH, view)
    [record] = desks.open[SOUTH].store.load(boris.id, None, 9)
    [payer] = read_payload(record.data).originator.originator_persons
    assert payer.legal_person is not None
    assert payer.legal_person.name.name_identifiers[0].legal_person_name == "Anna Ltd"
