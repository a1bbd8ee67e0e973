"""Others read a client's account with its consent, within its scope, until its end (T3)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specie.bank import consents as rules
from specie.bank.consents import ReadPayment, describe_payment
from specie.crypto.secrets import InstitutionKey
from specie.identity.consents import (
    ConsentPlace,
    ConsentStatus,
    Permission,
    format_permissions,
    parse_permissions,
    sign_consent,
    sign_end,
    unpack_consent,
)
from specie.ports.clients import Client, ClientStatus
from specie.ports.consents import EndedBy, KeptConsent
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, ParticipantNumber
from specie.values.limits import (
    ATTEST_EARLY_MS_MAX,
    CONSENT_MS_MAX,
    CONSENTS_MAX,
    CONSENTS_OPEN_MAX,
)
from specie.values.times import DAY_MS, Timestamp
from tests.consenting import ALL, DEPOSIT, NETWORK, Counter, open_counter
from tests.country import refused


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return open_counter(tmp_path / "bank.db")


@pytest.fixture
def alice(counter: Counter) -> Client:
    return counter.open_client("alice")


def draw_reader() -> InstitutionPublicKey:
    return InstitutionPublicKey(InstitutionKey.generate().public)


def list_log(counter: Counter) -> list[tuple[str, str, str]]:
    return [(one.action, one.client, one.subject) for one in counter.access.load(1, 100)]


# --- giving --------------------------------------------------------------------------------------


def test_a_reader_sees_what_the_client_sees(counter: Counter, alice: Client) -> None:
    """All of it, in pages; neither whom the bank takes the other side to be, nor its address."""
    paid = [counter.pay(alice, amount) for amount in (3, 4, 5)]
    kept = counter.give(alice)
    assert counter.read(kept) == [describe_payment(one, is_detailed=True) for one in paid]
    first = counter.desk.read_payments(counter.ask(kept), 0, 2)
    assert [one.amount for one in first.payments] == [3, 4] and first.following == 2
    last = counter.desk.read_payments(counter.ask(kept), 2, 2)
    assert [one.amount for one in last.payments] == [5] and last.following is None
    [shown, *_] = counter.read(kept)
    assert shown == ReadPayment(
        txid=paid[0].txid,
        amount=paid[0].amount,
        time=paid[0].time,
        is_incoming=True,
        is_final=False,
        order=paid[0].order,
        end_to_end=paid[0].end_to_end,
        name="Dana",
    )


def test_what_stands_in_a_memo_is_shown_only_if_the_consent_says_so(
    counter: Counter, alice: Client
) -> None:
    counter.pay(alice, 3)
    kept = counter.give(alice, permissions=Permission.READ_TRANSACTIONS_BASIC)
    [shown] = counter.read(kept)
    assert (shown.order, shown.end_to_end, shown.name) == (bytes(16), bytes(16), "")
    assert shown.amount == 3


def test_payments_are_read_from_a_time_on(counter: Counter, alice: Client) -> None:
    counter.pay(alice, 3)
    counter.clock.advance(1)
    counter.pay(alice, 4)
    kept = counter.give(alice, transactions_from=counter.clock.now())
    assert [one.amount for one in counter.read(kept)] == [4]
    assert [one.amount for one in counter.read(kept, since=None)] == [4]
    counter.clock.advance(1)
    counter.pay(alice, 5)
    assert [one.amount for one in counter.read(kept, since=counter.clock.now())] == [5]
    with refused(ErrorCode.CONSENT_SCOPE_EXCEEDED):
        counter.read(kept, since=Timestamp(kept.consent.transactions_from - 1))


def test_balances(counter: Counter, alice: Client) -> None:
    kept = counter.give(alice, permissions=Permission.READ_BALANCES)
    found = counter.desk.read_balances(counter.ask_balance(kept))
    assert (found.deposit, found.wallet, found.time) == (DEPOSIT, 0, counter.clock.now())
    with refused(ErrorCode.CONSENT_SCOPE_EXCEEDED):
        counter.read(kept)


def test_the_same_statement_again_is_the_same(counter: Counter, alice: Client) -> None:
    """Also when it has ended: nobody brings it back by sending it once more."""
    consent = counter.make(alice)
    signature = sign_consent(consent, counter.place, counter.people[alice.id].spend)
    first, again = (counter.desk.give(alice, consent, signature) for _ in range(2))
    assert first.id == again.id and len(counter.desk.load(alice.id)) == 1
    counter.revoke(first)
    ended = counter.desk.give(alice, consent, signature)
    assert ended.get_status(counter.clock.now()) is ConsentStatus.REVOKED
    with refused(ErrorCode.ORDER_CONFLICT):
        counter.give(alice, number=consent.number)


def test_only_the_accounts_own_key_consents(counter: Counter, alice: Client) -> None:
    """Nor is a statement good for another bank or another network."""
    bob, consent = counter.open_client("bob"), counter.make(alice)
    for place, key in (
        (counter.place, bob.id),
        (ConsentPlace(NETWORK, ParticipantNumber(3)), alice.id),
        (replace(counter.place, network=type(NETWORK)(b"m" * 16)), alice.id),
    ):
        with refused(ErrorCode.SIGNATURE_INVALID):
            signature = sign_consent(consent, place, counter.people[key].spend)
            counter.desk.give(alice, consent, signature)
    signature = sign_consent(consent, counter.place, counter.people[alice.id].spend)
    for changed in (
        replace(consent, reader=draw_reader()),
        replace(consent, transactions_from=Timestamp(1)),
        replace(consent, permissions=Permission.READ_BALANCES),
        replace(consent, expiration=Timestamp(consent.expiration + 1)),
        replace(consent, reader_name="Ledger Inc"),
    ):
        with refused(ErrorCode.SIGNATURE_INVALID):
            counter.desk.give(alice, changed, signature)
    assert unpack_consent(consent.pack()) == consent


Change = Callable[[Counter], dict[str, Any]]
BAD: dict[str, tuple[ErrorCode, Change]] = {
    "permits nothing": (
        ErrorCode.CONSENT_INVALID,
        lambda _: {"permissions": Permission(0)},
    ),
    "no number": (ErrorCode.CONSENT_INVALID, lambda _: {"number": 0}),
    "a reader without a name": (ErrorCode.CONSENT_INVALID, lambda _: {"reader_name": "  "}),
    "made tomorrow": (
        ErrorCode.CONSENT_INVALID,
        lambda one: {"creation": Timestamp(one.clock.now() + ATTEST_EARLY_MS_MAX + 1)},
    ),
    "over before it begins": (
        ErrorCode.CONSENT_INVALID,
        lambda one: {"transactions_from": Timestamp(one.clock.now() + 91 * DAY_MS)},
    ),
    "over": (ErrorCode.CONSENT_EXPIRED, lambda one: {"expiration": one.clock.now()}),
    "too long": (
        ErrorCode.LIMIT_EXCEEDED,
        lambda one: {"expiration": Timestamp(one.clock.now() + CONSENT_MS_MAX + 1)},
    ),
}


@pytest.mark.parametrize("broken", BAD)
def test_a_consent_that_is_none(counter: Counter, alice: Client, broken: str) -> None:
    code, change = BAD[broken]
    with refused(code):
        counter.give(alice, **change(counter))
    assert counter.desk.load(alice.id) == []


def test_of_another_account_nobody_consents(counter: Counter, alice: Client) -> None:
    """Whoever has both keys: the device speaks for one client."""
    bob = counter.open_client("bob")
    consent = counter.make(bob)
    signature = sign_consent(consent, counter.place, counter.people[bob.id].spend)
    with refused(ErrorCode.CONSENT_ACCOUNT_WRONG):
        counter.desk.give(alice, consent, signature)


def test_who_is_lost_or_closed_gives_none(counter: Counter, alice: Client) -> None:
    for status in (ClientStatus.LOST, ClientStatus.CLOSED):
        with refused(ErrorCode.CLIENT_BLOCKED):
            rules.check_standing(
                replace(alice, status=status), counter.make(alice), counter.clock.now()
            )
    rules.check_standing(
        replace(alice, status=ClientStatus.BLOCKED), counter.make(alice), counter.clock.now()
    )


def test_there_are_only_so_many(counter: Counter, alice: Client) -> None:
    """In force at a time, and in all; another client has its own."""
    given = [counter.give(alice) for _ in range(CONSENTS_OPEN_MAX)]
    with refused(ErrorCode.LIMIT_EXCEEDED):
        counter.give(alice)
    counter.give(counter.open_client("bob"))
    counter.revoke(given[0])
    counter.give(alice)
    ended = [counter.revoke(given[0])] * CONSENTS_MAX
    with refused(ErrorCode.LIMIT_EXCEEDED):
        rules.check_room(ended, counter.clock.now())
    rules.check_room(ended[1:], counter.clock.now())


def test_permissions_have_their_names() -> None:
    names = ["ReadBalances", "ReadTransactionsBasic", "ReadTransactionsDetail"]
    assert format_permissions(ALL) == names and parse_permissions(names) == ALL
    for wrong in ([], names[:1] * 2, ["WritePayments"]):
        with refused(ErrorCode.CONSENT_INVALID):
            parse_permissions(wrong)


# --- reading: a rule, a code, a test -------------------------------------------------------------


def test_another_reader_reads_nothing(counter: Counter, alice: Client) -> None:
    kept = counter.give(alice)
    with refused(ErrorCode.CONSENT_READER_WRONG):
        counter.read(kept, reader=draw_reader())


def test_nobody_reads_another_client_with_it(counter: Counter, alice: Client) -> None:
    """Not even a client that has consented to the same reader."""
    bob, reader = counter.open_client("bob"), draw_reader()
    kept = counter.give(alice, reader=reader)
    counter.give(bob, reader=reader)
    with refused(ErrorCode.CONSENT_ACCOUNT_WRONG):
        counter.read(kept, account=bob.address)


def test_a_revoked_consent_ends_at_once(counter: Counter, alice: Client) -> None:
    """By the client alone, and for good."""
    kept, bob = counter.give(alice), counter.open_client("bob")
    counter.read(kept)
    with refused(ErrorCode.CONSENT_UNKNOWN):
        counter.revoke(kept, bob)
    with refused(ErrorCode.SIGNATURE_INVALID):
        now, key = counter.clock.now(), counter.people[bob.id].spend
        signature = sign_end(kept.id, now, counter.place, key)
        counter.desk.revoke(alice.id, kept.id, now, signature)
    counter.read(kept)
    first = counter.revoke(kept)
    assert first.end is not None and first.end.by is EndedBy.CLIENT
    counter.clock.advance(5)
    assert counter.revoke(kept).end == first.end, "the first statement counts"
    with refused(ErrorCode.CONSENT_REVOKED):
        counter.read(kept)


def test_an_expired_consent_is_over(counter: Counter, alice: Client) -> None:
    kept = counter.give(alice)
    counter.clock.advance(90 * DAY_MS - 1)
    counter.read(kept)
    counter.clock.advance(1)
    with refused(ErrorCode.CONSENT_EXPIRED):
        counter.read(kept)
    assert kept.get_status(counter.clock.now()) is ConsentStatus.EXPIRED
    assert kept.get_status_time(counter.clock.now()) == kept.consent.expiration


def test_what_is_not_in_the_scope_is_refused(counter: Counter, alice: Client) -> None:
    kept = counter.give(alice, permissions=Permission.READ_TRANSACTIONS_DETAIL)
    counter.read(kept)
    with refused(ErrorCode.CONSENT_SCOPE_EXCEEDED):
        counter.desk.read_balances(counter.ask_balance(kept))


def test_a_recorded_request_is_refused(counter: Counter, alice: Client) -> None:
    """The same number, and any below it; of another consent it says nothing."""
    kept, other = counter.give(alice), counter.give(alice)
    asked = counter.ask(kept)
    counter.desk.read_payments(asked, 0, 10)
    for number in (asked.number, asked.number - 1):
        with refused(ErrorCode.READING_REPEATED):
            counter.desk.read_payments(replace(asked, number=number), 0, 10)
    counter.read(other, number=1)


def test_a_consent_that_nobody_gave(counter: Counter, alice: Client) -> None:
    with refused(ErrorCode.CONSENT_UNKNOWN):
        counter.read(counter.give(alice), consent=b"?" * 32)


def test_a_reader_is_known_once_a_client_has_named_it(counter: Counter, alice: Client) -> None:
    """By its own key; other names are nobody's."""
    reader = draw_reader()
    with refused(ErrorCode.CALLER_UNKNOWN):
        counter.desk.find_reader(reader.hex())
    counter.revoke(counter.give(alice, reader=reader))
    assert counter.desk.find_reader(reader.hex()) == (reader.hex(), reader)
    for name in (reader.hex().upper(), reader.hex()[2:], "nobody"):
        with refused(ErrorCode.CALLER_UNKNOWN):
            counter.desk.find_reader(name)


# --- the access log ------------------------------------------------------------------------------


def test_every_reading_is_on_the_log_and_shown_to_the_client(
    counter: Counter, alice: Client
) -> None:
    """Who, by which consent, what and when; what is refused is no reading."""
    bob = counter.open_client("bob")
    counter.pay(alice, 3)
    kept = counter.give(alice)
    counter.read(kept)
    counter.clock.advance(7)
    counter.desk.read_balances(counter.ask_balance(kept))
    counter.revoke(kept)
    with refused(ErrorCode.CONSENT_REVOKED):
        counter.read(kept)
    payments = "payments: 1 since 1970-01-01T00:00:00.000Z, from place 0"
    assert list_log(counter) == [
        ("consented-reading", "alice", payments),
        ("consented-reading", "alice", "balances"),
    ]
    [entry, _] = counter.access.load(1, 10)
    assert entry.officer == f"Ledger Ltd ({kept.consent.reader.hex()[:32]})"
    assert entry.reason == f"consent {kept.consent.number}: {kept.id.hex()}"
    assert counter.access.verify([]) == 2
    newest, oldest = counter.desk.load_readings(alice.id, 0, 10)
    assert (oldest.what, newest.what) == (payments, "balances")
    assert (newest.consent, newest.time) == (kept.id, counter.clock.now())
    assert counter.desk.load_readings(alice.id, 1, 10) == [oldest]
    assert counter.desk.load_readings(bob.id, 0, 10) == []


def test_nothing_is_shown_that_is_not_on_the_log(
    counter: Counter, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that cannot be written to stops readers; the request may then be sent again."""
    kept = counter.give(alice)
    asked = counter.ask(kept)

    def fail(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(counter.access, "write", fail)
        with pytest.raises(KeyboardInterrupt):
            counter.desk.read_payments(asked, 0, 10)
    assert list_log(counter) == []
    counter.desk.read_payments(asked, 0, 10)


def test_a_reader_does_not_fill_the_log(
    counter: Counter, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "READINGS_DAY_MAX", 3)
    kept = counter.give(alice)
    for _ in range(3):
        counter.read(kept)
    with refused(ErrorCode.RATE_EXCEEDED):
        counter.read(kept)
    counter.clock.advance(DAY_MS)
    counter.read(kept)


# --- at rest -------------------------------------------------------------------------------------


def test_consents_are_there_after_a_stop_and_sealed(counter: Counter, alice: Client) -> None:
    """With the statement, so that it can be shown that the client made it."""
    kept = counter.revoke(counter.give(alice, reader_name="Ledger SECRET"))
    counter.read(counter.give(alice, reader_name="Ledger SECRET"))
    [found, _] = counter.desk.load(alice.id)
    assert describe(found) == describe(kept)
    assert found.consent.compute_id(counter.place) == found.id
    for value in counter.database.iterate_values():
        assert b"SECRET" not in value and bytes(kept.signature) not in value


def describe(kept: KeptConsent) -> tuple[object, ...]:
    return (kept.id, kept.client, kept.consent, kept.signature, kept.end)


def test_a_wallet_that_ends_ends_its_consents(counter: Counter, alice: Client) -> None:
    """Those that stand; another client's stay."""
    first, second = counter.give(alice), counter.give(alice)
    other = counter.give(counter.open_client("bob"))
    counter.revoke(first)
    counter.desk.end_all(alice.id, EndedBy.LOSS)
    ends = [one.end.by for one in counter.desk.load(alice.id) if one.end is not None]
    assert ends == [EndedBy.CLIENT, EndedBy.LOSS]
    with refused(ErrorCode.CONSENT_REVOKED):
        counter.read(second)
    counter.read(other)
