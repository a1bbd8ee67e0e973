"""A payment's status never says what the ledger contradicts, in whatever order things happen (T19).

Also rows T8, T11: a payee's bank that never answers; a device that is off; a promise that comes
when the device has given up.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specie.flows.cancelling import cancel
from specie.flows.payment import complete_payment
from specie.flows.sending import give_up, send, send_again
from specie.ledger.receipts import ReceiptTrust
from specie.ledger.records import Attestation
from specie.ledger.transactions import Promise
from specie.ports.bank import BankDirectory, BankPort
from specie.ports.vault import PaymentState
from specie.registration.service import Registration
from specie.store.database import Database
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.store.refusal_store import SqliteRefusalStore
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import PayeeView
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber
from specie.wallet.statuses import (
    SILENCES,
    PaymentFacts,
    PaymentStatus,
    compute_status,
    find_reason,
)
from specie.wallet.vault import PreparedPayment
from tests.country import Country, Person, find_code, refused


class SilentBank:
    """A payee's bank behind a network that swallows everything."""

    def __init__(self, number: ParticipantNumber) -> None:
        self.number = number

    def attest_receipt(self, view: PayeeView) -> Attestation:
        raise SpecieError(ErrorCode.UNREACHABLE, "no answer in time")

    def deliver(self, promise: Promise) -> None:
        raise SpecieError(ErrorCode.UNREACHABLE, "no answer in time")


class Streets:
    """The way to the banks; one of them may be cut off."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.is_cut = False

    def get_bank(self, number: ParticipantNumber) -> BankPort:
        if self.is_cut and number == self.country.south.number:
            return SilentBank(number)  # type: ignore[return-value]  # nothing else of it is asked
        return self.country.network.get_bank(number)


@dataclass
class Device:
    """Anna's, with a payment that is signed; and all that may happen to it."""

    country: Country
    registration: Registration
    refusals: SqliteRefusalStore
    anna: Person
    prepared: PreparedPayment
    streets: Streets = field(init=False)

    def __post_init__(self) -> None:
        self.streets = Streets(self.country)

    def pay(self, built: BuiltTransaction) -> Promise:
        """As the bank's process does it for a client."""
        streets: BankDirectory = self.streets
        return complete_payment(built, self.anna.bank, streets, self.country.network.notary)

    def send(self) -> None:
        send(self.prepared, self.anna.wallet, self, self.refusals, self.country.clock)

    def send_into_silence(self) -> None:
        self.streets.is_cut = True
        try:
            self.send()
        finally:
            self.streets.is_cut = False

    def send_blocked(self) -> None:
        self.anna.bank.block(self.anna.id)
        try:
            self.send()
        finally:
            self.anna.bank.unblock(self.anna.id)

    def send_and_hear_nothing(self) -> None:
        self.pay(self.prepared.built)

    def cancel(self) -> None:
        cancel(self.anna.wallet, self.prepared.payment_id, self.country.network.notary)

    def wait(self, minutes: int = 4) -> None:
        """Then the log is published."""
        self.country.clock.advance(minutes * 60_000)
        self.country.issue(self.country.north, 1)
        self.country.network.notary.publish(is_forced=True)

    def give_up(self) -> int:
        network = self.country.network
        trust = ReceiptTrust(network.genesis, network.roster.current)
        return give_up(self.anna.wallet, self.registration, trust)

    def hear_late(self) -> None:
        """The notary's promise, from whoever has kept it."""
        promise = self.country.network.notary.find_promise(self.prepared.built.signed.txid)
        if promise is not None:
            self.anna.wallet.settle(self.prepared.payment_id, promise)

    def get_facts(self) -> PaymentFacts:
        payment = self.anna.wallet.find_payment(self.prepared.payment_id)
        assert payment is not None
        return PaymentFacts(payment.state, self.refusals.load().get(payment.payment_id))

    def check(self) -> PaymentStatus:
        """Against the notary, who alone decides."""
        status = compute_status(self.get_facts())
        notary = self.country.network.notary
        promise = notary.find_promise(self.prepared.built.signed.txid)
        if status is PaymentStatus.SETTLED:
            assert promise is not None
        elif status is not PaymentStatus.PENDING:
            assert promise is None
            assert find_code(lambda: self.pay(self.prepared.built)) is not None
            assert notary.find_promise(self.prepared.built.signed.txid) is None
        return status


@pytest.fixture(scope="module")
def draw_device(country: Country, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Device]:
    """A new person with 100, who has signed for 30 to somebody in the south."""
    folder: Path = tmp_path_factory.mktemp("devices")
    log, index = LogFolder(country.network.public), SqliteLogIndex(folder / "index.db")
    key = country.network.registration_key
    registration = Registration(country.network.roster, key, log, index)
    database, numbers = Database(folder / "refusals.db"), itertools.count()

    def draw() -> Device:
        anna = country.open_person(country.north, 100)
        order = country.order(country.open_person(country.south), 30)
        prepared = anna.wallet.prepare_payment([order], country.draw_order())
        refusals = SqliteRefusalStore(database, f"holder {next(numbers)}")
        return Device(country, registration, refusals, anna, prepared)

    return draw


EVENTS: tuple[Callable[[Device], object], ...] = (
    Device.send,
    Device.send_into_silence,
    Device.send_blocked,
    Device.send_and_hear_nothing,
    Device.cancel,
    Device.wait,
    Device.wait,
    Device.give_up,
    Device.hear_late,
)


@example(events=[Device.wait, Device.wait, Device.wait, Device.give_up, Device.send])
@settings(max_examples=8, deadline=None)
@given(events=st.lists(st.sampled_from(EVENTS), max_size=9))
def test_no_order_of_events_makes_a_status_lie(
    draw_device: Callable[[], Device], events: list[Callable[[Device], object]]
) -> None:
    device = draw_device()
    seen = [device.check()]
    for event in events:
        find_code(lambda event=event: event(device))  # type: ignore[misc]  # bound where it is made
        seen.append(device.check())
    device.wait(28)
    device.anna.collect()
    send_again(device.anna.wallet, device, device.refusals, device.country.clock)
    device.give_up()
    seen.append(device.check())
    ended = [one for one in seen if one is not PaymentStatus.PENDING]
    assert ended and set(ended) == {ended[-1]}, "what has come to its end stays there"
    is_paid = ended[-1] is PaymentStatus.SETTLED
    assert device.anna.wallet.get_balance() == (70 if is_paid else 100)


def test_a_bank_that_never_answers_holds_money_until_the_window_is_over(  # T8, T19
    draw_device: Callable[[], Device],
) -> None:
    device = draw_device()
    for _ in range(2):
        with refused(ErrorCode.UNREACHABLE):
            device.send_into_silence()
        device.wait()
        assert device.give_up() == 0 and device.check() is PaymentStatus.PENDING
    assert device.anna.wallet.get_balance() == 0
    while device.give_up() == 0:
        device.wait()
    assert device.check() is PaymentStatus.EXPIRED and find_reason(device.get_facts()) is None
    assert device.anna.wallet.get_balance() == 100
    country, wallet = device.country, device.anna.wallet
    other = country.open_person(country.north)
    again = wallet.prepare_payment([country.order(other, 100)], country.draw_order())
    wallet.settle(again.payment_id, device.pay(again.built))
    assert other.collect() == 1 and other.wallet.get_balance() == 100


def test_a_no_is_told_at_once_and_ends_with_the_window(
    draw_device: Callable[[], Device],
) -> None:
    device = draw_device()
    with refused(ErrorCode.CLIENT_BLOCKED):
        device.send_blocked()
    assert device.check() is PaymentStatus.PENDING
    assert find_reason(device.get_facts()) is ErrorCode.CLIENT_BLOCKED
    device.wait(28)
    assert device.give_up() == 1
    assert device.check() is PaymentStatus.REFUSED
    assert find_reason(device.get_facts()) is ErrorCode.CLIENT_BLOCKED


def test_a_no_may_turn_into_a_yes(draw_device: Callable[[], Device]) -> None:
    """A bank that held it for an officer attests it later (`pending` was right)."""
    device = draw_device()
    with refused(ErrorCode.CLIENT_BLOCKED):
        device.send_blocked()
    device.send()
    assert device.check() is PaymentStatus.SETTLED and find_reason(device.get_facts()) is None


def test_a_payment_that_is_refused_holds_up_no_other(draw_device: Callable[[], Device]) -> None:
    """Two wait; the first is refused for good, the second settles."""
    device = draw_device()
    country, wallet = device.country, device.anna.wallet
    country.lend_deposit(device.anna, 50)
    country.withdraw(device.anna, 50)
    device.anna.collect()
    other = country.open_person(country.north)
    second = wallet.prepare_payment([country.order(other, 50)], country.draw_order())
    device.streets.is_cut = True
    ended = send_again(wallet, device, device.refusals, country.clock)
    assert ended.settled == 1 and [one.code for one in ended.refusals] == [ErrorCode.UNREACHABLE]
    payment = wallet.find_payment(second.payment_id)
    assert payment is not None and payment.state is PaymentState.SETTLED


def test_what_the_log_shows_is_settled_whatever_else_was_thought() -> None:
    for state, heard in itertools.product(PaymentState, (None, ErrorCode.INPUT_SPENT)):
        facts = PaymentFacts(state, heard, is_in_log=True)
        assert compute_status(facts) is PaymentStatus.SETTLED and find_reason(facts) is None
    void = PaymentFacts(PaymentState.CANCELLED)
    assert compute_status(void) is PaymentStatus.REFUSED
    assert find_reason(void) is ErrorCode.TRANSACTION_VOID


def test_a_silence_is_no_refusal(draw_device: Callable[[], Device]) -> None:
    device = draw_device()
    clock = device.country.clock

    class Tired:
        """A bank that is about to stop, and so on."""

        def pay(self, built: BuiltTransaction) -> Promise:
            raise SpecieError(code)

    for code in SILENCES:
        with refused(code):
            send(device.prepared, device.anna.wallet, Tired(), device.refusals, clock)
    assert device.refusals.load() == {}
