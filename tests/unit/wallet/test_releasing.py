"""Tokens come free on proof only, and a restored wallet signs over nothing (T19, X7, ADR 0010)."""

from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.flows.cancelling import cancel
from specie.flows.payment import complete_payment
from specie.flows.releasing import release_expired
from specie.ledger.receipts import ReceiptTrust
from specie.ledger.states import StateStatement, sign_states
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.registration.service import Registration
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.store.vault_store import VaultDatabase
from specie.tokens.building import BuiltTransaction
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, NetworkId, OutputRef
from specie.values.limits import ATTEST_EARLY_MS_MAX, WINDOW_MS_DEFAULT, WINDOW_STEP_MS
from specie.values.times import Timestamp
from specie.wallet.releasing import LogView, verify_log_view
from specie.wallet.vault import PreparedPayment, Vault
from tests.clocks import ManualClock
from tests.country import Country, Person, build_country, refused
from tests.refusing import refuse


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return build_country(tmp_path / "network")


@pytest.fixture
def registration(country: Country, tmp_path: Path) -> Registration:
    network = country.network
    log, index = LogFolder(network.public), SqliteLogIndex(tmp_path / "index.db")
    return Registration(network.roster, network.registration_key, log, index)


@pytest.fixture
def anna(country: Country) -> Person:
    return country.open_person(country.north, 100)


@pytest.fixture
def waiting(country: Country, anna: Person) -> PreparedPayment:
    """Signed, recorded, and never sent."""
    order = country.order(country.open_person(country.south), 30)
    return anna.wallet.prepare_payment([order], country.identifiers.draw())


HELD_MS = ATTEST_EARLY_MS_MAX + 2 * WINDOW_MS_DEFAULT + 2 * WINDOW_STEP_MS


def complete(country: Country, person: Person, built: BuiltTransaction) -> Promise:
    """Attest, notarise, deliver."""
    return complete_payment(built, person.bank, country.network, country.network.notary)


def get_trust(country: Country) -> ReceiptTrust:
    return ReceiptTrust(country.network.genesis, country.network.roster.current)


def test_nobodys_clock_counts_but_the_logs(  # T19
    country: Country, registration: Registration, anna: Person, waiting: PreparedPayment
) -> None:
    """Free once a header is later than the window, however late it is by the device's clock."""
    trust = get_trust(country)
    country.network.notary.publish(is_forced=True)
    country.clock.advance(2 * WINDOW_MS_DEFAULT)
    assert release_expired(anna.wallet, registration, trust) == 0  # the log says nothing new
    assert anna.wallet.get_balance() == 0
    country.issue(country.north, 1)
    country.network.notary.publish(is_forced=True)
    assert release_expired(anna.wallet, registration, trust) == 1
    assert anna.wallet.get_balance() == 100
    assert release_expired(anna.wallet, registration, trust) == 0
    with refused(ErrorCode.EXPIRED):
        complete(country, anna, waiting.built)


def test_what_went_through_stays_reserved(
    country: Country, registration: Registration, anna: Person, waiting: PreparedPayment
) -> None:
    promise = complete(country, anna, waiting.built)
    country.clock.advance(2 * WINDOW_MS_DEFAULT)
    country.issue(country.north, 1)
    country.network.notary.publish(is_forced=True)
    assert release_expired(anna.wallet, registration, get_trust(country)) == 0
    anna.wallet.settle(waiting.payment_id, promise)
    assert anna.wallet.get_balance() == 70
    assert release_expired(anna.wallet, registration, get_trust(country)) == 0  # nothing waits


class Shown:
    """A receipt and a statement that hold, to be broken one at a time."""

    def __init__(self, country: Country, registration: Registration, refs: list[OutputRef]) -> None:
        self.country, self.registration, self.refs = country, registration, refs
        country.network.notary.publish(is_forced=True)
        self.old = registration.state_outputs(refs)
        country.issue(country.north, 1)
        country.network.notary.publish(is_forced=True)
        self.receipt = registration.prove_time()
        self.statement = registration.state_outputs(refs)

    def find_code(
        self,
        receipt: str | None = None,
        statement: StateStatement | None = None,
        trust: ReceiptTrust | None = None,
    ) -> ErrorCode:
        return refuse(
            verify_log_view,
            receipt or self.receipt,
            statement or self.statement,
            self.refs,
            trust or get_trust(self.country),
        )

    def sign_again(self, key: InstitutionKey, **changes: object) -> StateStatement:
        one = replace(self.statement, **changes)  # type: ignore[arg-type]  # names are its own
        return sign_states(one.network, one.checkpoint, one.states, key)


def test_every_part_of_the_proof_is_checked(  # T19, X2
    country: Country, registration: Registration, anna: Person, waiting: PreparedPayment
) -> None:
    shown = Shown(country, registration, anna.wallet.list_waiting())
    key, trust = country.network.registration_key, get_trust(country)
    view = verify_log_view(shown.receipt, shown.statement, shown.refs, trust)
    assert view == LogView(country.clock.now(), frozenset())
    checkpoint = shown.statement.checkpoint
    forked = replace(checkpoint, root=Digest(bytes(32)))
    assert shown.find_code(receipt=registration.prove_leaf(1)) is ErrorCode.RECEIPT_INVALID
    assert shown.find_code(receipt=shown.receipt[:-9]) is ErrorCode.CHECKPOINT_INVALID
    statements = {
        "an older log": shown.old,
        "another log": shown.sign_again(key, checkpoint=forked),
        "signed by another": shown.sign_again(InstitutionKey.generate()),
        "a token left out": shown.sign_again(key, states=()),
        "changed": replace(shown.statement, states=shown.statement.states * 2),
    }
    for what, statement in statements.items():
        assert shown.find_code(statement=statement) is ErrorCode.STATEMENT_INVALID, what
    other = replace(shown.statement, network=NetworkId(bytes(16)))
    assert shown.find_code(statement=other) is ErrorCode.NETWORK_MISMATCH
    unknown = [*shown.refs, OutputRef(bytes(32))]
    told = registration.state_outputs(unknown)
    code = refuse(verify_log_view, shown.receipt, told, unknown, trust)
    assert code is ErrorCode.STATEMENT_INVALID


def test_before_anything_is_published(country: Country, registration: Registration) -> None:
    with refused(ErrorCode.LOG_INVALID):
        registration.prove_time()


def test_a_restored_wallet_waits_for_what_the_lost_one_signed(  # T19, X7, T15
    country: Country, anna: Person, tmp_path: Path
) -> None:
    """The lost device's payment is still on its way; the new one must not become a double spend."""
    store = VaultDatabase(tmp_path / "new.db").open_holder("anna", SealingKey.generate())
    restored = Vault(anna.wallet.keys, store, country.network.surroundings)
    tokens = anna.wallet.load_tokens()
    lost = country.order(country.open_person(country.south), 30)
    waiting = anna.wallet.prepare_payment([lost], country.identifiers.draw())
    assert restored.take_restored(tokens) == 1
    assert restored.get_balance() == 100  # to see at once
    order = country.order(anna, 100)
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        restored.prepare_payment([order], country.identifiers.draw())
    complete(country, anna, waiting.built)  # the lost phone was found, and sends what it had signed
    country.clock.advance(HELD_MS)
    second = restored.prepare_payment([order], country.identifiers.draw())
    with refused(ErrorCode.INPUT_SPENT):
        complete(country, anna, second.built)
    windows = [one.built.signed.body for one in (waiting, second)]
    assert windows[0].not_after < windows[1].not_before  # no evidence against an honest holder


def test_what_is_known_is_not_signed_for_earlier(country: Country, anna: Person) -> None:
    """Restoring into a device that has the tokens only makes it wait longer."""
    tokens = anna.wallet.load_tokens()
    assert anna.wallet.take_restored(tokens) == 0
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        anna.wallet.prepare_payment([country.order(anna, 1)], country.identifiers.draw())
    country.clock.advance(HELD_MS)
    country.pay(anna, anna, 1)


def test_a_lost_clock_may_be_as_wrong_as_banks_put_up_with(  # T15, T19
    country: Country, anna: Person, tmp_path: Path
) -> None:
    """Twelve minutes ahead, and both banks attest: the restored wallet waits that out as well."""
    ahead = ManualClock(Timestamp(country.clock.now() + 12 * 60_000 - 1))
    surroundings = replace(country.network.surroundings, clock=ahead)
    store = VaultDatabase(tmp_path / "lost.db").open_holder("anna", SealingKey.generate())
    lost = Vault(anna.wallet.keys, store, surroundings)
    tokens = anna.wallet.load_tokens()
    lost.receive([token.output for token in tokens])
    order = country.order(country.open_person(country.south), 30)
    sent = lost.prepare_payment([order], country.identifiers.draw())
    attested = country.attest(sent.built, anna.bank)
    assert anna.wallet.take_restored(tokens) == 0
    country.clock.advance(HELD_MS)
    own = anna.wallet.prepare_payment([country.order(anna, 100)], country.identifiers.draw())
    assert sent.built.signed.body.not_after < own.built.signed.body.not_before
    with refused(ErrorCode.EXPIRED):
        country.network.notary.notarise(encode_attested(attested))


def test_cancelling_does_not_shorten_the_wait(country: Country, anna: Person) -> None:  # T15
    """The device has a payment under way when it is told that its twin may have signed."""
    order = country.order(country.open_person(country.south), 30)
    tokens = anna.wallet.load_tokens()
    prepared = anna.wallet.prepare_payment([order], country.identifiers.draw())
    anna.wallet.take_restored(tokens)
    cancel(anna.wallet, prepared.payment_id, country.network.notary)
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        anna.wallet.prepare_payment([order], country.identifiers.draw())
    country.clock.advance(HELD_MS)
    anna.wallet.prepare_payment([order], country.identifiers.draw())


def test_restoring_again_takes_away_what_is_spent(country: Country, anna: Person) -> None:  # T19
    """From an old folder, then from the newest: what the log shows spent is no money."""
    token = anna.wallet.load_tokens()[0]
    assert anna.wallet.take_restored([], [token.ref]) == 0
    assert anna.wallet.get_balance() == 0
    assert anna.wallet.take_restored([token]) == 0 and anna.wallet.get_balance() == 0
