"""Consents at a bank with real clients and payments: what is shown, and what ends them (T3)."""

from dataclasses import dataclass, replace

import pytest

from specie.assembly.consents import build_consents
from specie.assembly.people import PeoplePlace
from specie.bank.consents import ConsentDesk, ReadPayment, ask_balances, ask_payments
from specie.crypto.secrets import InstitutionKey
from specie.flows.payment import pay
from specie.identity.consents import TRANSACTIONS, Consent, ConsentPlace, Permission, sign_consent
from specie.ports.clients import MovementQuery
from specie.ports.consents import EndedBy, KeptConsent
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, OrderId
from specie.values.times import DAY_MS, Timestamp
from tests.country import NORTH, Country, Person, build_country, refused
from tests.unit.assembly.office import Office, make_office

ORDER, END = OrderId(b"o" * 16), b"e" * 16


@dataclass
class Counter:
    """The north's desk for readers, beside its others."""

    office: Office
    desk: ConsentDesk
    reader: InstitutionPublicKey
    number: int = 0

    @property
    def country(self) -> Country:
        return self.office.country

    def draw(self) -> int:
        self.number += 1
        return self.number

    def give(self, person: Person) -> KeptConsent:
        now, keys = self.country.clock.now(), person.wallet.keys
        consent = Consent(
            account=keys.address,
            number=self.draw(),
            nonce=b"n" * 16,
            reader=self.reader,
            reader_name="Ledger Ltd",
            permissions=TRANSACTIONS | Permission.READ_BALANCES,
            transactions_from=Timestamp(0),
            creation=now,
            expiration=Timestamp(now + DAY_MS),
        )
        place = ConsentPlace(self.office.network, NORTH)
        client = self.office.bank.get_client(person.id)
        return self.desk.give(client, consent, sign_consent(consent, place, keys.spend))

    def read(self, kept: KeptConsent) -> list[ReadPayment]:
        which = (kept.id, kept.consent.account)
        asked = ask_payments(self.reader, which, self.draw(), None)
        return list(self.desk.read_payments(asked, 0, 100).payments)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    country = build_country(tmp_path_factory.mktemp("consents"))
    office = make_office(country, country.north)
    place = PeoplePlace(
        office.network, office.database, office.storage, country.network.notary, country.clock, None
    )
    access = country.network.compliance[NORTH].access
    desk = build_consents(office.people.losses, access, place)
    return Counter(office, desk, InstitutionPublicKey(InstitutionKey.generate().public))


def pay_with(counter: Counter, payer: Person, payee: Person, memo: Memo) -> None:
    network = counter.country.network
    order = PaymentOrder(payee.wallet.keys.address, Minor(5), memo)
    identifier = counter.country.draw_order()
    pay(payer.wallet, [order], identifier, payer.bank, network, network.notary)
    payee.collect()


def test_a_reader_sees_the_clients_own_history(counter: Counter) -> None:
    """Amounts, states and memos are those of the device; times are when the bank attested."""
    country = counter.country
    anna, boris = country.open_person(country.north, 40), country.open_person(country.south, 9)
    pay_with(counter, anna, boris, Memo(order_id=ORDER, end_to_end_id=END, name="Anna A."))
    pay_with(counter, boris, anna, Memo(end_to_end_id=END, name="Boris B."))
    shown, own = counter.read(counter.give(anna)), anna.wallet.load_history()
    received = [(one.amount, one.memo.order_id, one.memo.name) for one in own.received]
    assert [(one.amount, one.order, one.name) for one in shown if one.is_incoming] == received
    [sent], [paid] = [one for one in shown if not one.is_incoming], own.paid
    assert (sent.txid, sent.amount, sent.is_final) == (paid.txid, paid.amount, True)
    [memo] = paid.memos
    assert (sent.order, sent.end_to_end) == (memo.order_id, memo.end_to_end_id) == (ORDER, END)
    assert shown[-1].end_to_end == END and shown[-1].name == "Boris B."


def test_whom_the_bank_knows_is_not_shown(counter: Counter) -> None:
    """Who pays without a name stays without one, though its bank is the reader's client's too."""
    country = counter.country
    anna, clara = country.open_person(country.north), country.open_person(country.north, 9)
    pay_with(counter, clara, anna, Memo())
    [movement] = counter.office.bank.clients.search(MovementQuery(client=anna.id), 0, 9).movements
    assert movement.names == (f"Name of {clara.id}",), "the bank does know"
    [shown] = counter.read(counter.give(anna))
    assert shown == ReadPayment(
        movement.txid, movement.amount, movement.time, is_incoming=True, is_final=True
    )


def test_balances_are_the_banks(counter: Counter) -> None:
    country = counter.country
    anna = country.open_person(country.north, 40)
    country.lend_deposit(anna, 6)
    kept = counter.give(anna)
    which = (kept.id, kept.consent.account)
    found = counter.desk.read_balances(ask_balances(counter.reader, which, counter.draw()))
    assert (found.deposit, found.wallet) == (6, 40)


def test_a_loss_ends_them(counter: Counter) -> None:
    """At once; what the new wallet gives is its own."""
    person = counter.country.open_person(counter.office.bank)
    kept = counter.give(person)
    counter.read(kept)
    counter.office.people.losses.report(person.id)
    with refused(ErrorCode.CONSENT_REVOKED):
        counter.read(kept)
    [ended] = counter.desk.load(person.id)
    assert ended.end is not None and ended.end.by is EndedBy.LOSS
    with refused(ErrorCode.CLIENT_BLOCKED):
        counter.give(person)


def test_a_closing_ends_them_and_a_refused_one_does_not(counter: Counter) -> None:
    """Nor does what comes to nothing, as a whole, end a part."""
    country = counter.country
    person = country.open_person(counter.office.bank, 5)
    kept = counter.give(person)
    with refused(ErrorCode.ACCOUNT_NOT_EMPTY):
        counter.office.people.losses.close(person.id)
    assert counter.read(kept)
    country.pay(person, country.open_person(country.south), 5)
    counter.office.people.losses.close(person.id)
    with refused(ErrorCode.CONSENT_REVOKED):
        counter.read(kept)
    [ended] = counter.desk.load(person.id)
    assert replace(ended, end=None, asked=0) == replace(kept, asked=0)
    assert ended.end is not None and ended.end.by is EndedBy.CLOSING
