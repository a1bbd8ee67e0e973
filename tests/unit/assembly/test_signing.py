"""m of n signatories: each rule broken, and nobody gets around them (T1, T8)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from specie.assembly.signing import open_rule, seal_rule
from specie.bank.approvals import (
    Outcome,
    compute_enrolment_message,
    compute_withdrawal_digest,
    sign_vote,
)
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.crypto.signatures import sign_as_institution
from specie.flows.payment import complete_payment
from specie.identity.codes import hash_code
from specie.ledger.transactions import Promise
from specie.ports.approvals import Subject, SubjectKind
from specie.ports.clients import Client
from specie.store.device_store import name_device
from specie.tokens.building import BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    ParticipantNumber,
    Signature,
)
from specie.values.limits import (
    APPROVAL_MS_MAX,
    APPROVALS_OPEN_MAX,
    ATTEST_AHEAD_MS_MAX,
    WINDOW_MS_DEFAULT,
)
from specie.values.times import Timestamp
from tests.country import Person, build_country, find_code, refused
from tests.unit.assembly.office import Office, make_office

NAMES = ("Aru", "Bek", "Cem")


@dataclass(slots=True, repr=False)
class Company:
    """A legal entity with its wallet, and its signatories' devices by name."""

    office: Office
    person: Person
    payee: Person
    devices: dict[str, InstitutionKey]

    @property
    def id(self) -> ClientId:
        return self.person.id

    def build(self, amount: int) -> BuiltTransaction:
        order = self.office.country.order(self.payee, amount)
        draw = self.office.country.identifiers.draw()
        return self.person.wallet.prepare_payment([order], draw).built

    def pay(self, built: BuiltTransaction) -> Promise:
        """As `BankProcess.pay` does it."""
        country, bank = self.office.country, self.office.bank
        bank.check_payer(self.id, built)
        self.office.people.signing.ask_payment(self.id, built)
        return complete_payment(built, bank, country.network, country.network.notary)

    def vote(self, name: str, digest: bytes, is_yes: bool = True, **changes: Any) -> Outcome:
        key = self.devices[name]
        kind = changes.get("kind", SubjectKind.PAYMENT)
        subject = Subject(changes.get("client", self.id), kind, Digest(digest))
        network = changes.get("network", self.office.network)
        bank = changes.get("bank", self.office.bank.number)
        signature = sign_vote(network, bank, subject, key, is_yes=is_yes)
        said = (bool(changes.get("says", is_yes)), signature)
        speaker = name_device(
            InstitutionPublicKey(self.devices[str(changes.get("by", name))].public)
        )
        return self.office.people.signing.vote(speaker, Digest(digest), said)


def enrol(office: Office, code: bytes, key: InstitutionKey) -> str:
    public = InstitutionPublicKey(key.public)
    message = compute_enrolment_message(office.network, office.bank.number, hash_code(code), public)
    client, _, _ = office.people.signing.enrol(code, public, sign_as_institution(key, message))
    return client


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    country = build_country(tmp_path_factory.mktemp("signing"))
    return make_office(country, country.north)


def found_company(office: Office, need: int = 2, names: Sequence[str] = NAMES) -> Company:
    country = office.country
    person = country.open_person(office.bank, 100, 90, 80, 70)
    payee = country.open_person(country.south)
    devices = {name: InstitutionKey.generate() for name in names}
    proposed = office.people.signing.propose(person.id, need, names)
    assert proposed.is_in_force
    for name, code in proposed.codes.items():
        for _ in range(2):
            assert enrol(office, code, devices[name]) == person.id
    return Company(office, person, payee, devices)


@pytest.fixture
def company(office: Office) -> Company:
    return found_company(office)


def test_a_payment_waits_for_m_of_n(company: Company) -> None:
    """One is not enough, the second is; after a stop in between too; then nothing waits."""
    built = company.build(30)
    txid = built.signed.txid
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    assert company.vote("Aru", txid) is Outcome.OPEN
    assert company.vote("Aru", txid) is Outcome.OPEN, "again is the same"
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    company.office = company.office.reopen()
    assert company.vote("Cem", txid) is Outcome.APPROVED
    promise = company.pay(built)
    company.office.people.signing.end_payment(company.id, built)
    assert company.pay(built) == promise
    company.payee.collect()
    assert company.payee.wallet.get_balance() == 30
    speaker = name_device(InstitutionPublicKey(company.devices["Bek"].public))
    assert company.office.people.signing.list_open(speaker) == []


def test_whoever_asks_for_an_attestation_comes_through_it(company: Company) -> None:
    """Not by the bank's own method, not by the flow, not past the desk that keeps what waits."""
    built = company.build(30)
    country, bank = company.office.country, company.office.bank
    for way in (
        lambda: bank.attest_payment(built),
        lambda: complete_payment(built, bank, country.network, country.network.notary),
    ):
        with refused(ErrorCode.SIGNATURES_MISSING):
            way()
    deposit = country.draw_order()
    bank.expect_deposit(deposit, company.id)
    vault = PaymentOrder(bank.vault_address, Minor(30), Memo(order_id=deposit))
    into_vault = company.person.wallet.prepare_payment([vault], country.draw_order()).built
    with refused(ErrorCode.SIGNATURES_MISSING):
        bank.attest_payment(into_vault)


def test_what_stays_in_the_wallet_needs_nobody(company: Company) -> None:
    merge = company.person.wallet.prepare_merge(company.office.country.draw_order())
    company.pay(merge.built)


def test_a_withdrawal_needs_them_too(company: Company) -> None:
    signing, order = company.office.people.signing, company.office.country.draw_order()
    with refused(ErrorCode.SIGNATURES_MISSING):
        signing.ask_order(company.id, order, Minor(9))
    speaker = name_device(InstitutionPublicKey(company.devices["Aru"].public))
    [waiting] = signing.list_open(speaker)
    digest = waiting.stored.subject.digest
    for name in ("Aru", "Bek"):
        company.vote(name, digest, kind=SubjectKind.WITHDRAWAL)
    signing.ask_order(company.id, order, Minor(9))
    with refused(ErrorCode.SIGNATURES_MISSING):
        signing.ask_order(company.id, order, Minor(10))
    signing.end_order(company.id, order, Minor(9))


@pytest.mark.parametrize(
    "changes",
    [
        {"client": ClientId("another")},
        {"kind": SubjectKind.WITHDRAWAL},
        {"network": bytes(16)},
        {"bank": ParticipantNumber(3)},
        {"says": False},
        {"by": "Bek"},
    ],
)
def test_a_signature_is_for_one_thing(company: Company, changes: dict[str, Any]) -> None:
    """Another client, kind, network or bank; a yes told as a no; in another's name."""
    built = company.build(30)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    with refused(ErrorCode.SIGNATURE_INVALID):
        company.vote("Aru", built.signed.txid, **changes)
    company.vote("Cem", built.signed.txid)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)


def test_an_approval_is_of_one_payment(company: Company) -> None:
    """Not of another one, though it pays the same."""
    first, second = company.build(30), company.build(30)
    for built in (first, second):
        with refused(ErrorCode.SIGNATURES_MISSING):
            company.pay(built)
    for name in ("Aru", "Bek"):
        company.vote(name, first.signed.txid)
    company.pay(first)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(second)


def test_what_is_shown_is_what_is_signed(company: Company) -> None:
    """Openings that do not rebuild the outputs are not even shown to anybody."""
    built = company.build(30)
    openings = tuple(replace(one, amount=Minor(1)) for one in built.disclosure.openings)
    lie = replace(built, disclosure=replace(built.disclosure, openings=openings))
    with refused(ErrorCode.DISCLOSURE_MISMATCH):
        company.pay(lie)


def test_a_no_is_for_good(company: Company) -> None:
    """Two of three are needed: one no leaves two, the second none; nobody takes a word back."""
    built = company.build(30)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    txid = built.signed.txid
    assert company.vote("Aru", txid, is_yes=False) is Outcome.OPEN
    with refused(ErrorCode.ORDER_CONFLICT):
        company.vote("Aru", txid)
    assert company.vote("Bek", txid, is_yes=False) is Outcome.REJECTED
    company.vote("Cem", txid)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)


def test_time_runs_out(company: Company) -> None:
    """With the payment's own window; what has none, after two days."""
    built = company.build(30)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    company.office.country.clock.advance(2 * WINDOW_MS_DEFAULT)
    with refused(ErrorCode.EXPIRED):
        company.vote("Aru", built.signed.txid)
    signing, order = company.office.people.signing, company.office.country.draw_order()
    assert find_code(lambda: signing.ask_order(company.id, order, Minor(1)))
    speaker = name_device(InstitutionPublicKey(company.devices["Aru"].public))
    assert len(signing.list_open(speaker)) == 1
    company.office.country.clock.advance(APPROVAL_MS_MAX)
    assert signing.list_open(speaker) == []


def test_what_nobody_would_attest_does_not_wait(company: Company) -> None:
    """A window that is over or far away is no way to fill the bank's record."""
    country, signing = company.office.country, company.office.people.signing
    now = country.clock.now()
    near = replace(country.network.surroundings.build_context(), not_before=Timestamp(now - 9))
    far = Timestamp(now + ATTEST_AHEAD_MS_MAX + 1)
    for end, code in ((now, ErrorCode.EXPIRED), (far, ErrorCode.WINDOW_INVALID)):
        context = replace(near, not_after=end)
        tokens = company.person.wallet.load_tokens()[:1]
        order = country.order(company.payee, 1)
        built = build_payment([order], tokens, company.person.wallet.keys, context)
        with refused(code):
            signing.ask_payment(company.id, built)
    assert signing.store.count_open(company.id) == 0


def test_what_waits_is_limited_and_forgotten_when_it_is_over(company: Company) -> None:
    """Also what was said of it; what is open already may be asked for again."""
    country, signing = company.office.country, company.office.people.signing
    orders = [country.draw_order() for _ in range(APPROVALS_OPEN_MAX)]
    ask = signing.ask_order
    for order in (*orders, orders[0]):
        with refused(ErrorCode.SIGNATURES_MISSING):
            ask(company.id, order, Minor(1))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        ask(company.id, country.draw_order(), Minor(1))
    digest = compute_withdrawal_digest(orders[0], Minor(1))
    company.vote("Aru", digest, kind=SubjectKind.WITHDRAWAL)
    country.clock.advance(APPROVAL_MS_MAX)
    with refused(ErrorCode.SIGNATURES_MISSING):
        ask(company.id, orders[0], Minor(1))
    assert signing.store.count_open(company.id) == 1
    assert signing.store.load_votes(company.id, digest) == {}


def test_a_change_needs_those_of_before(company: Company) -> None:
    """The bank proposes, m of the old ones approve; who stays keeps the device, who goes is out."""
    signing = company.office.people.signing
    proposed = signing.propose(company.id, 1, ("Aru", "Dim"))
    assert not proposed.is_in_force and set(proposed.codes) == {"Dim"}
    newcomer = InstitutionKey.generate()
    with refused(ErrorCode.CALLER_UNKNOWN):
        enrol(company.office, proposed.codes["Dim"], newcomer)
    built = company.build(30)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    company.vote("Bek", built.signed.txid)
    for name in ("Bek", "Cem"):
        company.vote(name, proposed.digest, kind=SubjectKind.SIGNATORIES)
    enrol(company.office, proposed.codes["Dim"], newcomer)
    rule = signing.find_rule(company.id)
    assert rule is not None and rule.keys == (company.devices["Aru"].public, newcomer.public)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)  # Bek's yes no longer counts
    with refused(ErrorCode.CALLER_UNKNOWN):
        company.vote("Bek", built.signed.txid)
    company.vote("Aru", built.signed.txid)
    company.pay(built)


def test_of_two_changes_one_is_made(company: Company) -> None:
    signing = company.office.people.signing
    first, second = (signing.propose(company.id, 1, (name,)) for name in ("Dim", "Eva"))
    company.vote("Aru", first.digest, kind=SubjectKind.SIGNATORIES)
    company.vote("Aru", second.digest, kind=SubjectKind.SIGNATORIES)
    assert company.vote("Bek", first.digest, kind=SubjectKind.SIGNATORIES) is Outcome.APPROVED
    rule = signing.find_rule(company.id)
    assert rule is not None and [one.name for one in rule.seats] == ["Dim"]
    with refused(ErrorCode.CALLER_UNKNOWN):
        company.vote("Bek", second.digest, kind=SubjectKind.SIGNATORIES)


def test_an_end_needs_them_as_well(company: Company) -> None:
    """0 of nobody: afterwards the wallet pays alone; before, it does not."""
    signing = company.office.people.signing
    ended = signing.propose(company.id, 0, ())
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(company.build(1))
    for name in ("Aru", "Bek"):
        company.vote(name, ended.digest, kind=SubjectKind.SIGNATORIES)
    company.pay(company.build(1))
    assert signing.propose(company.id, 1, ("Aru",)).is_in_force


def test_until_enough_have_come_the_bank_may_mend_it(office: Office) -> None:
    """Nobody could approve anything; and nothing is paid meanwhile."""
    country, signing = office.country, office.people.signing
    person, payee = country.open_person(office.bank, 10), country.open_person(office.bank)
    proposed = signing.propose(person.id, 2, NAMES)
    enrol(office, proposed.codes["Aru"], InstitutionKey.generate())
    with refused(ErrorCode.SIGNATURES_MISSING):
        country.pay(person, payee, 5)
    again = signing.propose(person.id, 2, ("Aru", "Bek"))
    assert again.is_in_force and set(again.codes) == {"Bek"}, "who has come stays"
    with refused(ErrorCode.CALLER_UNKNOWN):
        enrol(office, proposed.codes["Cem"], InstitutionKey.generate())


@pytest.mark.parametrize(
    ("need", "names", "code"),
    [
        (3, ("Aru", "Bek"), ErrorCode.SETTING_INVALID),
        (0, ("Aru",), ErrorCode.SETTING_INVALID),
        (1, (), ErrorCode.SETTING_INVALID),
        (1, ("Aru", "Aru"), ErrorCode.SETTING_INVALID),
        (1, (" ",), ErrorCode.TEXT_INVALID),
        (1, tuple(str(one) for one in range(17)), ErrorCode.LIMIT_EXCEEDED),
    ],
)
def test_m_of_n_is_possible(
    office: Office, need: int, names: tuple[str, ...], code: ErrorCode
) -> None:
    with refused(code):
        office.people.signing.propose(ClientId("nobody"), need, names)


def test_a_code_is_one_devices_and_a_device_has_one_place(company: Company) -> None:
    office, thief = company.office, InstitutionKey.generate()
    person = office.country.open_person(office.bank)
    proposed = office.people.signing.propose(person.id, 1, ("Aru",))
    code = proposed.codes["Aru"]
    with refused(ErrorCode.CLIENT_EXISTS):
        enrol(office, code, company.devices["Aru"])
    enrol(office, code, InstitutionKey.generate())
    with refused(ErrorCode.CLIENT_EXISTS):
        enrol(office, code, thief)
    public = InstitutionPublicKey(thief.public)
    message = compute_enrolment_message(office.network, office.bank.number, hash_code(code), public)
    with refused(ErrorCode.SIGNATURE_INVALID):
        office.people.signing.enrol(
            code, public, sign_as_institution(company.devices["Aru"], message)
        )


def test_votes_in_the_store_are_not_believed(company: Company) -> None:
    """Whoever writes into the bank's database approves nothing: signatures are verified again."""
    built = company.build(30)
    with refused(ErrorCode.SIGNATURES_MISSING):
        company.pay(built)
    store = company.office.people.signing.store
    subject = Subject(company.id, SubjectKind.PAYMENT, Digest(built.signed.txid))
    for name in ("Aru", "Bek"):
        key = InstitutionPublicKey(company.devices[name].public)
        store.add_vote(subject, key, (True, Signature(bytes(64))))
    with refused(ErrorCode.SIGNATURE_INVALID):
        company.pay(built)


def test_a_successor_goes_on_with_the_rule(company: Company) -> None:
    key, signing = SealingKey.generate(), company.office.people.signing
    rule = signing.find_rule(company.id)
    sealed = seal_rule(rule, key)
    assert open_rule(sealed, key) == rule and b"Aru" not in sealed
    assert seal_rule(None, key) == b""
    other = make_office(company.office.country, company.office.country.south)
    assert rule is not None
    taken = ClientId(f"2.{company.id}")
    other.people.signing.adopt(taken, rule)
    changed = replace(rule, need=1)
    other.people.signing.adopt(taken, changed)
    assert other.people.signing.find_rule(taken) == rule, "what is in force stays"
    other.bank.checks.clear()


def test_clients_without_a_rule_pay_as_before(office: Office) -> None:
    country = office.country
    person, payee = country.open_person(office.bank, 10), country.open_person(country.south)
    country.pay(person, payee, 5)
    known: Client = office.bank.get_client(person.id)
    assert office.people.signing.find_rule(known.id) is None
