"""A lost device, and the money back by new keys; closing (T19, X7, T3, T15)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from specie.assembly.losses import LostPage
from specie.bank.events import ClientEvents
from specie.bank.losses import compute_settled_at, get_heir, name_retired
from specie.bank.service import VAULT_CLIENT
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.flows.payment import complete_payment
from specie.flows.sweeping import sweep
from specie.identity.codes import hash_code
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.ports.clients import ClientStatus
from specie.ports.events import EventKind
from specie.store.device_store import name_device
from specie.store.event_store import SqliteEventStore
from specie.store.paid_store import SqlitePaidStore
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.scanning import scan
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, InstitutionPublicKey, OrderId
from specie.wallet.vault import Vault
from tests.country import Person, build_country, refused
from tests.unit.assembly.office import Office, make_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    country = build_country(tmp_path_factory.mktemp("losses"))
    return make_office(country, country.north)


class Victim:
    """A person whose device is lost: the thief has the device, the person has the phrase."""

    def __init__(self, office: Office, *tokens: int) -> None:
        self.office = office
        self.key = SealingKey.generate()
        country = office.country
        self.old = country.open_person(office.bank, *tokens)
        self.device = InstitutionPublicKey(InstitutionKey.generate().public)
        code = hash_code(bytes(self.id.encode()))
        office.devices.invite(code, self.id, "Lena")
        office.devices.record_key(code, self.device)

    @property
    def id(self) -> ClientId:
        return self.old.id

    def open_new(self) -> Person:
        """By the bank's code, as `BankProcess.open_wallet` does it."""
        country, people = self.office.country, self.office.people
        code = people.losses.reopen(self.id)
        wallet = country.network.make_wallet(f"new {self.id} {code.hex()}", self.office.bank.number)
        self.open_with(code, wallet)
        return Person(self.id, wallet, self.office.bank)

    def open_with(self, code: bytes, wallet: Vault) -> None:
        office, keys = self.office, wallet.keys
        with office.database.transaction():
            key = InstitutionPublicKey(InstitutionKey.generate().public)
            office.devices.record_key(hash_code(code), key)
            status = office.people.losses.make_room(self.id, keys.address)
            name = f"Name of {self.id}"
            office.bank.open_wallet(self.id, name, keys.address, keys.view, status)

    def list_lost(self, person: Person | None = None) -> LostPage:
        address = (person or self.old).wallet.keys.address
        return self.office.people.losses.list_outputs(self.id, address, 0)

    def restore(self, device: str = "lost") -> Vault:
        """The old phrase on the new device, with what the bank says is in the old wallet."""
        old, page = self.old.wallet, self.list_lost()
        store = self.office.country.network.devices
        rows = store.open_holder(f"{device} {self.id}", self.key)
        vault = Vault(old.keys, rows, old.surroundings)
        member = old.surroundings.roster.current.get(old.keys.address.bank)
        tokens = scan(page.outputs, old.keys.view, old.keys.address.spend, member)
        vault.take_rescued(tokens, dict(page.held))
        return vault


class Counter:
    """The bank as the new device pays through it."""

    def __init__(self, victim: Victim) -> None:
        self.victim = victim

    def pay(self, built: BuiltTransaction) -> Promise:
        office = self.victim.office
        office.bank.check_payer(self.victim.id, built)
        network = office.country.network
        return complete_payment(built, office.bank, network, network.notary)


def draw(office: Office) -> Callable[[], OrderId]:
    return office.country.draw_order


def build(office: Office, wallet: Vault, to: Person, amount: int) -> BuiltTransaction:
    order = PaymentOrder(to.wallet.keys.address, Minor(amount), Memo())
    return wallet.prepare_payment([order], office.country.draw_order()).built


def test_the_money_is_back_at_once_by_new_keys(office: Office) -> None:
    """Without any wait: nothing that the lost device has signed can be final any more."""
    victim = Victim(office, 30, 20, 10)
    thief, clock = victim.old.wallet, office.country.clock
    friend = office.country.open_person(office.country.south)
    stolen = build(office, thief, friend, 25)  # signed on the old device, not shown to the bank yet
    started = clock.now()
    for _ in range(2):
        office.people.losses.report(victim.id)
    new = victim.open_new()
    old = victim.restore()
    assert sweep(old, new.wallet.keys.address, Counter(victim), draw(office)) == 1
    assert new.collect() == 1 and new.wallet.get_balance() == 60
    assert clock.now() == started
    with refused(ErrorCode.INPUT_SPENT):
        office.bank.attest_payment(stolen)
    assert sweep(victim.restore(), new.wallet.keys.address, Counter(victim), draw(office)) == 0
    assert victim.list_lost().outputs == []
    country = office.country
    country.pay(new, friend, 60)


def test_nothing_is_attested_from_the_report_on(office: Office) -> None:
    """Neither before there is a new wallet nor after it, to anybody but it; its key is refused."""
    victim = Victim(office, 30, 20)
    friend = office.country.open_person(office.bank)
    built = build(office, victim.old.wallet, friend, 5)
    office.people.losses.report(victim.id)
    with refused(ErrorCode.CALLER_UNKNOWN):
        office.devices.find_by_name(name_device(victim.device))
    with refused(ErrorCode.CLIENT_BLOCKED):
        office.bank.attest_payment(built)
    with refused(ErrorCode.CLIENT_BLOCKED):
        office.country.pay(friend_with(office, 9), victim.old, 5)
    new = victim.open_new()
    with refused(ErrorCode.CLIENT_BLOCKED):
        office.bank.attest_payment(built)
    home = build(office, victim.restore(), new, 1)
    office.bank.attest_payment(home)
    with refused(ErrorCode.CALLER_UNKNOWN):
        office.devices.find_by_name(name_device(victim.device))


def friend_with(office: Office, amount: int) -> Person:
    return office.country.open_person(office.bank, amount)


def test_what_was_attested_before_waits(office: Office) -> None:
    """A payment that the bank has signed may still be final: its tokens wait, the others do not."""
    victim = Victim(office, 30, 20)
    friend = office.country.open_person(office.bank)
    big = [one for one in victim.old.wallet.load_tokens() if one.amount == 30]
    attested = office.country.build(victim.old, friend, 30, *big)
    office.bank.attest_payment(attested)
    time = office.country.clock.now()
    office.people.losses.report(victim.id)
    new = victim.open_new()
    [(ref, until)] = victim.list_lost().held
    assert ref == attested.signed.body.inputs[0] and until == compute_settled_at(time)
    old = victim.restore()
    sweep(old, new.wallet.keys.address, Counter(victim), draw(office))
    new.collect()
    assert new.wallet.get_balance() == 20
    office.country.clock.advance(until - time + 60_000)
    sweep(old, new.wallet.keys.address, Counter(victim), draw(office))
    new.collect()
    assert new.wallet.get_balance() == 50


def test_what_became_final_is_not_held(office: Office) -> None:
    """The notary had promised, the bank had not heard: it asks, and the payment stands."""
    victim = Victim(office, 30)
    country, friend = office.country, office.country.open_person(office.bank)
    built = country.build(victim.old, friend, 30)
    attested = country.attest(built, office.bank)
    country.network.notary.notarise(encode_attested(attested))
    office.people.losses.report(victim.id)
    victim.open_new()
    page = victim.list_lost()
    assert (list(page.outputs), list(page.held)) == ([], [])
    friend.collect()
    assert friend.wallet.get_balance() == 30


def test_lost_keys_do_not_come_back(office: Office) -> None:
    """A new wallet by the old phrase would be the thief's as well."""
    victim = Victim(office, 30)
    office.people.losses.report(victim.id)
    code = office.people.losses.reopen(victim.id)
    with refused(ErrorCode.CLIENT_BLOCKED):
        victim.open_with(code, victim.old.wallet)
    with refused(ErrorCode.CLIENT_BLOCKED):
        office.devices.record_key(hash_code(code), victim.device)
    assert office.bank.get_client(victim.id).status is ClientStatus.LOST
    first = victim.open_new()
    office.people.losses.report(victim.id)
    code = office.people.losses.reopen(victim.id)
    for before in (victim.old.wallet, first.wallet):
        with refused(ErrorCode.CLIENT_BLOCKED):
            victim.open_with(code, before)


def test_two_losses_pay_the_newest(office: Office) -> None:
    victim = Victim(office, 30)
    office.people.losses.report(victim.id)
    first = victim.open_new()
    office.people.losses.report(victim.id)
    newest = victim.open_new()
    built = build(office, victim.restore(), first, 10)
    with refused(ErrorCode.CLIENT_BLOCKED):
        office.bank.attest_payment(built)
    sweep(
        victim.restore("another device"), newest.wallet.keys.address, Counter(victim), draw(office)
    )
    newest.collect()
    assert get_heir(ClientId(f"{victim.id}~2")) == victim.id
    assert [one.id for one in office.people.losses.store.load_retired(victim.id)] == [
        name_retired(victim.id, place) for place in (1, 2)
    ]


def test_a_stop_while_a_new_wallet_is_opened_leaves_the_old_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = Victim(office, 30)
    office.people.losses.report(victim.id)
    before = office.bank.get_client(victim.id).address

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(office.bank, "open_wallet", stop)
    with pytest.raises(KeyboardInterrupt):
        victim.open_new()
    monkeypatch.undo()
    known = office.bank.get_client(victim.id)
    assert (known.address, known.status) == (before, ClientStatus.LOST)
    assert office.people.losses.store.load_retired(victim.id) == []
    new = victim.open_new()
    sweep(victim.restore(), new.wallet.keys.address, Counter(victim), draw(office))
    new.collect()
    assert new.wallet.get_balance() == 30


def test_a_sweep_that_is_stopped_goes_on(office: Office) -> None:
    """After one that was sent and not heard of, twice: nothing is paid twice, nothing is lost."""
    victim = Victim(office, *range(10, 50))
    office.people.losses.report(victim.id)
    new = victim.open_new()
    old, counter = victim.restore(), Counter(victim)

    class Cut:
        """Carries out one payment; its answer is lost."""

        def pay(self, built: BuiltTransaction) -> Promise:
            counter.pay(built)
            raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            sweep(old, new.wallet.keys.address, Cut(), draw(office))
    sweep(old, new.wallet.keys.address, counter, draw(office))
    new.collect()
    assert new.wallet.get_balance() == sum(range(10, 50))
    assert victim.list_lost().outputs == []


def test_only_the_owner_is_told_what_was_lost(office: Office) -> None:
    victim, other = Victim(office, 30), office.country.open_person(office.bank, 5)
    losses, address = office.people.losses, victim.old.wallet.keys.address
    with refused(ErrorCode.CLIENT_UNKNOWN):
        losses.list_outputs(victim.id, address, 0)
    losses.report(victim.id)
    victim.open_new()
    with refused(ErrorCode.CLIENT_UNKNOWN):
        losses.list_outputs(other.id, address, 0)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        losses.list_outputs(other.id, other.wallet.keys.address, 0)


def test_a_loss_code_stops_one_wallet_and_ends_with_it(office: Office) -> None:
    victim, losses, code = Victim(office, 30), office.people.losses, bytes(range(16))
    with refused(ErrorCode.CALLER_UNKNOWN):
        losses.report_by_code(code)
    losses.set_code(victim.id, hash_code(b"another code of "))
    losses.set_code(victim.id, hash_code(code))
    with refused(ErrorCode.CALLER_UNKNOWN):
        losses.report_by_code(b"another code of ")
    for _ in range(2):
        losses.report_by_code(code)
    assert office.bank.get_client(victim.id).status is ClientStatus.LOST
    victim.open_new()
    with refused(ErrorCode.CALLER_UNKNOWN):
        losses.report_by_code(code)
    assert office.bank.get_client(victim.id).status is ClientStatus.GOOD


def test_an_operator_does_not_undo_a_loss(office: Office) -> None:
    """Nor is a block in its way lifted to pay."""
    victim, bank = Victim(office, 30), office.bank
    with refused(ErrorCode.ORDER_CONFLICT):
        office.people.losses.reopen(victim.id)
    bank.block(victim.id)
    office.people.losses.report(victim.id)
    for act in (bank.block, bank.unblock):
        act(victim.id)
        assert bank.get_client(victim.id).status.is_lost
    victim.open_new()
    retired = ClientId(f"{victim.id}~1")
    bank.unblock(retired)
    assert bank.get_client(retired).status is ClientStatus.LOST
    for name in ("vault", f"{victim.id}~1", "nobody"):
        with refused(ErrorCode.CLIENT_UNKNOWN):
            office.people.losses.report(ClientId(name))


def test_a_block_of_the_new_wallet_holds_the_old_money_too(office: Office) -> None:
    victim = Victim(office, 30)
    office.people.losses.report(victim.id)
    new = victim.open_new()
    office.bank.block(victim.id)
    with refused(ErrorCode.CLIENT_BLOCKED):
        sweep(victim.restore(), new.wallet.keys.address, Counter(victim), draw(office))


def test_a_share_is_kept_sealed(office: Office) -> None:
    victim, losses = Victim(office), office.people.losses
    with refused(ErrorCode.NOT_FOUND):
        losses.get_share(victim.id)
    losses.keep_share(victim.id, "academic acid of a share")
    losses.keep_share(victim.id, "another share of words")
    assert losses.get_share(victim.id) == "another share of words"
    folder = office.country.network.settings.data
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(b"share of words" in one for one in files)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        losses.keep_share(ClientId("nobody"), "x")


# --- closing -------------------------------------------------------------------------------------


def test_an_account_is_closed_with_nothing_left(office: Office) -> None:
    """A deposit, a token, a payment under way: each keeps it open, and is named."""
    country, losses = office.country, office.people.losses
    person, friend = country.open_person(office.bank, 7), country.open_person(office.bank)
    country.lend_deposit(person, 3)

    def get_reason() -> str:
        try:
            losses.close(person.id)
        except Exception as error:  # noqa: BLE001  # its text is looked at
            return str(error)
        return ""

    assert get_reason() == "account_not_empty: left are: a deposit, 1 tokens"
    country.withdraw(person, 3)
    person.collect()
    assert get_reason() == "account_not_empty: left are: 2 tokens"
    built = country.build(person, friend, 10)
    office.bank.attest_payment(built)
    assert "1 payments under way" in get_reason()
    network = country.network
    complete_payment(built, office.bank, network, network.notary)
    for _ in range(2):
        losses.close(person.id)
    assert office.bank.load_movements(person.id), "what is on record stays"
    friend.collect()
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.pay(friend, person, 1)
    for act in (office.bank.block, office.bank.unblock, losses.report):
        with refused(ErrorCode.CLIENT_BLOCKED):
            act(person.id)


def test_what_is_lost_or_blocked_is_not_closed(office: Office) -> None:
    victim, person = Victim(office), office.country.open_person(office.bank)
    office.people.losses.report(victim.id)
    office.bank.block(person.id)
    for client in (victim.id, person.id):
        with refused(ErrorCode.CLIENT_BLOCKED):
            office.people.losses.close(client)


def test_the_country_still_has_all_its_money(office: Office) -> None:
    """After all of these: as much as was issued, by the public log."""
    totals = office.country.audit()
    assert totals.supply == office.country.network.accounting.get_fund()


def test_a_client_hears_who_has_reported_its_wallet_lost(office: Office, tmp_path: Path) -> None:
    """Once each, in its own events: its new device reads them, a webhook at once."""
    events = SqliteEventStore(office.database, office.storage)
    network = office.country.network.genesis.network
    paid = SqlitePaidStore(tmp_path / "paid.db", office.storage)
    telling = ClientEvents(events, office.country.clock, VAULT_CLIENT, network, paid)
    losses = office.people.losses
    losses.tell = telling.tell_act
    counter, phone = Victim(office), Victim(office)
    losses.set_code(phone.id, hash_code(b"c" * 16))
    try:
        for _ in range(2):
            losses.report(counter.id)
            losses.report_by_code(b"c" * 16)
        losses.reopen(counter.id)
    finally:
        losses.tell = lambda _client, _kind, _about: None
    told = [
        [(one.kind, json.loads(one.data)) for one in events.load(victim.id, 0, 10)]
        for victim in (counter, phone)
    ]
    lost = EventKind.WALLET_LOST
    assert told == [
        [(lost, {"by": "bank"}), (EventKind.WALLET_REOPENED, {"by": "bank"})],
        [(lost, {"by": "code"})],
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_block_outlives_a_loss(office: Office, *, is_first: bool) -> None:  # T3, X7
    """Before the loss or after it: whoever is blocked is so by new keys, too, until unblocked."""
    victim, bank = Victim(office, 5), office.bank
    acts: list[Callable[[ClientId], None]] = [bank.block, office.people.losses.report]
    for act in acts if is_first else acts[::-1]:
        act(victim.id)
        act(victim.id)
    assert bank.get_client(victim.id).status is ClientStatus.LOST_BLOCKED
    new = victim.open_new()
    assert bank.get_client(victim.id).status is ClientStatus.BLOCKED
    old = victim.restore()
    with refused(ErrorCode.CLIENT_BLOCKED):
        sweep(old, new.wallet.keys.address, Counter(victim), draw(office))
    bank.unblock(victim.id)
    assert bank.get_client(victim.id).status is ClientStatus.GOOD


def test_a_block_of_a_lost_wallet_can_be_lifted(office: Office) -> None:
    victim, bank = Victim(office), office.bank
    office.people.losses.report(victim.id)
    for act in (bank.block, bank.unblock, bank.unblock):
        act(victim.id)
    assert bank.get_client(victim.id).status is ClientStatus.LOST
    victim.open_new()
    assert bank.get_client(victim.id).status is ClientStatus.GOOD
