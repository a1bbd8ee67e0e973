"""What a bank keeps of people: applications, signatories, losses, certificates, on both engines.

Rows T1, T3, T19, T25, X7."""

from dataclasses import replace

import pytest

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey
from specie.ports.approvals import Seat, SigningRule, StoredSubject, Subject, SubjectKind
from specie.ports.clients import Client, ClientStatus, Left
from specie.ports.onboarding import AccountApplication, AccountState, Person
from specie.store.device_certificate_store import DeviceCertificate, SqliteDeviceCertificateStore
from specie.store.device_notes import SqliteDeviceNotes, get_current, set_current
from specie.store.device_store import SqliteDeviceStore, name_device
from specie.store.loss_store import RetiredWallet, SqliteLossStore
from specie.store.onboarding_store import SqliteOnboardingStore
from specie.store.signatory_store import SqliteSignatoryStore
from specie.tokens.holdings import derive_keys
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    ParticipantNumber,
    Signature,
    TransactionId,
)
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples
from tests.unit.store.test_client_store import make_client, move

ANNA, BORIS = ClientId("anna"), ClientId("boris")
CODES = [Digest(tagged_hash("code", bytes([one]))) for one in range(5)]
YES = (True, Signature(bytes(range(64))))


def draw() -> InstitutionPublicKey:
    return InstitutionPublicKey(InstitutionKey.generate().public)


def make_application(code_hash: Digest, time: int = 5) -> AccountApplication:
    keys = derive_keys(KeyTree.generate(), 0, ParticipantNumber(2))
    return AccountApplication(
        code_hash=code_hash,
        address=keys.address,
        device=draw(),
        tier="basic",
        time=Timestamp(time),
        expires=Timestamp(time + 100),
        state=AccountState.WAITING,
        person=Person("Anna", PhoneNumber("+77015550102"), {"document": "N1"}),
        view_key=keys.view,
    )


def test_an_application_is_decided_once(engine: Engine) -> None:
    key, one, other = (
        SealingKey.generate(),
        make_application(CODES[0]),
        make_application(CODES[1], 4),
    )
    store = SqliteOnboardingStore(engine.open(), key)
    for application in (one, other, one):
        store.add(application, "here" if application is one else "there", "net")
    assert [store.count_waiting(place, "net") for place in ("here", "there", "")] == [
        (1, 2),
        (1, 2),
        (0, 2),
    ]
    again = SqliteOnboardingStore(engine.open(), key)
    assert again.transit.public == store.transit.public, "drawn once"
    assert [one.code_hash for one in again.load(AccountState.WAITING, 9)] == [CODES[1], CODES[0]]
    found = again.find(CODES[0])
    assert found is not None and found.person == one.person and found.view_key is not None
    assert one.view_key is not None and found.view_key.public == one.view_key.public
    again.approve(CODES[0], ANNA, "Dana")
    again.refuse(CODES[1], "why not", "Erik")
    for code_hash in CODES[:2]:
        with refused(ErrorCode.ORDER_CONFLICT):
            store.approve(code_hash, BORIS, "Dana")
        with refused(ErrorCode.ORDER_CONFLICT):
            store.refuse(code_hash, "again", "Dana")
    assert store.get(one.number).client == ANNA and store.get(other.number).reason == "why not"
    assert store.count_waiting("here", "net") == (0, 0) and not store.count_all()
    with refused(ErrorCode.ORDER_CONFLICT):
        store.add(replace(one, device=draw()), "here", "net")


def test_the_fullest_network_loses_its_oldest(engine: Engine) -> None:
    """For who has less; among equals nobody displaces anybody."""
    store = SqliteOnboardingStore(engine.open(), SealingKey.generate())
    for place, (code_hash, network) in enumerate(
        zip(CODES[:3], ("wide", "wide", "else"), strict=True)
    ):
        store.add(make_application(code_hash, 4 - place), f"place {place}", network)
    assert not store.displace("wide") and not store.displace("else")
    assert store.displace("new")
    found = store.find(CODES[1])
    assert found is not None and (found.state, found.person) == (AccountState.EXPIRED, None)
    assert store.count_all() == 2 and not store.displace("new")


def test_what_is_late_is_emptied(engine: Engine) -> None:
    store = SqliteOnboardingStore(engine.open(), SealingKey.generate())
    store.add(make_application(CODES[0]), "here", "net")
    assert (store.expire(Timestamp(104)), store.expire(Timestamp(105))) == (0, 1)
    found = store.find(CODES[0])
    assert found is not None and (found.state, found.person, found.view_key) == (
        AccountState.EXPIRED,
        None,
        None,
    )
    assert store.expire(Timestamp(106)) == 0


def test_a_rule_is_replaced_as_a_whole(engine: Engine) -> None:
    key = SealingKey.generate()
    store = SqliteSignatoryStore(engine.open(), key)
    first = SigningRule(2, 1, (Seat(CODES[0], "Aru"), Seat(CODES[1], "Bek", draw())))
    store.put_rule(ANNA, first)
    device = draw()
    for _ in range(2):
        store.record_key(CODES[0], device)
    with refused(ErrorCode.CLIENT_EXISTS):
        store.record_key(CODES[0], draw())
    with refused(ErrorCode.CLIENT_EXISTS):
        store.record_key(CODES[1], device)
    with refused(ErrorCode.CALLER_UNKNOWN):
        store.record_key(CODES[2], draw())
    again = SqliteSignatoryStore(engine.open(), key)
    found = again.find_device(name_device(device))
    assert found is not None and found[0] == ANNA and found[1].name == "Aru"
    again.put_rule(ANNA, SigningRule(1, 2, (Seat(CODES[3], "Cem"),)))
    assert again.find_device(name_device(device)) is None and again.find_seat(CODES[0]) is None
    again.put_rule(ANNA, SigningRule(0, 3, ()))
    assert (again.find_rule(ANNA), again.get_version(ANNA), again.get_version(BORIS)) == (
        None,
        3,
        0,
    )


def test_what_waits_ends_and_words_stay(engine: Engine) -> None:
    key = SealingKey.generate()
    store = SqliteSignatoryStore(engine.open(), key)
    subjects = [
        StoredSubject(Subject(ANNA, SubjectKind.PAYMENT, code), b"shown", Timestamp(9 - place))
        for place, code in enumerate(CODES[:3])
    ]
    for one in (*subjects, subjects[0]):
        store.add_subject(one)
    store = SqliteSignatoryStore(engine.open(), key)
    assert store.load_open(ANNA, Timestamp(7)) == [subjects[1], subjects[0]]
    assert store.load_open(BORIS, Timestamp(0)) == []
    store.end_subject(ANNA, CODES[0])
    assert store.load_open(ANNA, Timestamp(7)) == [subjects[1]]
    voter = draw()
    for _ in range(2):
        store.add_vote(subjects[1].subject, voter, YES)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.add_vote(subjects[1].subject, voter, (False, YES[1]))
    assert store.load_votes(ANNA, CODES[1]) == {voter: YES}
    assert store.load_votes(BORIS, CODES[1]) == {}


def test_a_loss_ends_its_code(engine: Engine) -> None:
    key = SealingKey.generate()
    store = SqliteLossStore(engine.open(), key)
    store.set_code(ANNA, CODES[0])
    store.set_code(ANNA, CODES[1])
    assert (store.find_by_code(CODES[0]), store.find_by_code(CODES[1])) == (None, ANNA)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.set_code(BORIS, CODES[1])
    assert store.find_by_code(CODES[1]) == ANNA, "who had it keeps it"
    store.keep_share(ANNA, "academic acid")
    store.keep_share(ANNA, "acid academic")
    retired = [RetiredWallet(ClientId(f"anna~{one}"), ANNA, Timestamp(one)) for one in (1, 2)]
    for one in retired:
        store.retire(one)
    store = SqliteLossStore(engine.open(), key)
    assert store.find_by_code(CODES[1]) is None
    assert (store.find_share(ANNA), store.find_share(BORIS)) == ("acid academic", None)
    assert (store.load_retired(ANNA), store.load_retired(BORIS)) == (retired, [])


def test_a_certificate_ends_in_two_steps(engine: Engine) -> None:
    store = SqliteDeviceCertificateStore(engine.open())
    first = DeviceCertificate("device-1", ANNA, b"chain", Timestamp(5))
    newer = replace(first, chain=b"newer", ends=Timestamp(6))
    other = DeviceCertificate("device-2", BORIS, b"chain", Timestamp(5))
    for one in (first, other, newer):
        store.put(one, Timestamp(1))
    assert store.find("device-1") == newer
    assert (store.end(ANNA), store.end(ANNA)) == (1, 0)
    store = SqliteDeviceCertificateStore(engine.open())
    assert (store.find("device-1"), store.find("device-2")) == (None, other)
    assert (store.is_ended("device-1"), store.is_ended("device-2")) == (True, False)
    assert store.load_ending(Timestamp(1), 9) == ["device-1"]
    assert store.load_ending(Timestamp(6), 9) == [], "it is over"
    store.note_ended(["device-1"])
    assert (store.load_ending(Timestamp(1), 9), store.find("device-1")) == ([], None)


def test_a_lost_device_never_comes_back(engine: Engine) -> None:
    key, device, later = SealingKey.generate(), draw(), draw()
    store = SqliteDeviceStore(engine.open(), key)
    store.invite(CODES[0], ANNA, "Anna")
    store.record_key(CODES[0], device)
    for _ in range(2):
        store.revoke(ANNA)
    with refused(ErrorCode.CALLER_UNKNOWN):
        store.find_by_name(name_device(device))
    store.invite_again(CODES[1], ANNA, "Anna")
    store.invite_again(CODES[2], ANNA, "Anna")
    assert store.find_invited(CODES[1]) is None, "a code that was not used has ended"
    with refused(ErrorCode.CLIENT_BLOCKED):
        store.record_key(CODES[2], device)
    store.record_key(CODES[2], later)
    with refused(ErrorCode.CLIENT_EXISTS):
        store.invite_again(CODES[3], ANNA, "Anna")
    store.take_over(BORIS, device)
    assert store.load_keys() == {ANNA: later}


def test_a_retired_wallet_takes_its_tokens_along(engine: Engine, samples: Samples) -> None:
    """And leaves id and history to the client; what it holds opens as before."""
    store = engine.open_clients()
    anna = make_client(samples, ANNA)
    store.add_client(anna)
    token, txid = samples.token(), TransactionId(bytes([7] * 32))
    store.add_found([(ANNA, token)])
    store.record_attested(txid, [token.ref], [], [move(txid, ANNA, 5, is_incoming=False)])
    [pending] = store.list_pending(ANNA, Timestamp(8))
    assert (pending.txid, pending.time) == (txid, Timestamp(9))
    assert pending.inputs == frozenset({token.ref})
    assert store.list_pending(ANNA, Timestamp(9)) == [] == store.list_pending(BORIS, Timestamp(0))
    assert store.count_left(ANNA, Timestamp(8)) == Left(int(token.amount > 0), 1)
    name = ClientId("anna~1")
    store.retire(ANNA, name)
    newer = make_client(samples, ANNA)
    store.add_client(newer)
    store = engine.open_clients()
    old = store.find_client(name)
    assert old is not None and (old.address, old.status) == (anna.address, ClientStatus.LOST)
    assert (old.name, old.view_key.public) == (anna.name, anna.view_key.public)
    assert store.find_tokens([token.ref])[token.ref].client == name
    known: Client | None = store.find_client(ANNA)
    assert known is not None and known.address == newer.address
    assert [one.amount for one in store.load_movements(ANNA)] == [5]
    assert store.finalise(txid) == [] == store.list_pending(ANNA, Timestamp(8))
    assert store.count_left(ANNA, Timestamp(8)) == Left(0, 0)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        store.retire(BORIS, name)


def test_a_device_remembers_a_note_of_each_kind(engine: Engine) -> None:
    key = SealingKey.generate()
    notes, other = (SqliteDeviceNotes(engine.open(), holder, key) for holder in ("a", "b"))
    notes.put("move", {"bank": 2})
    notes.put("move", {"bank": 3})
    assert (notes.find("move"), notes.find("other"), other.find("move")) == (
        {"bank": 3},
        None,
        None,
    )
    notes.remove("move")
    notes.remove("move")
    assert notes.find("move") is None
    set_current(notes, 1)
    assert (get_current(notes), get_current(other)) == (1, 0)


@pytest.mark.parametrize("table", ["account_application", "signatory", "approval_subject"])
def test_nothing_personal_stands_in_a_row(engine: Engine, table: str) -> None:
    key = SealingKey.generate()
    onboarding = SqliteOnboardingStore(engine.open(), key)
    onboarding.add(make_application(CODES[0]), "203.0.113.7", "203.0.113.7")
    store = SqliteSignatoryStore(engine.open(), key)
    store.put_rule(ANNA, SigningRule(1, 1, (Seat(CODES[1], "Secretname"),)))
    subject = Subject(ANNA, SubjectKind.PAYMENT, CODES[2])
    store.add_subject(StoredSubject(subject, b"Secretname", Timestamp(9)))
    rows = engine.run(f"SELECT * FROM {table}")  # its own names
    assert rows
    shown = b"".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in rows
        for value in row
    )
    for needle in (b"Secretname", b"Anna", b"+7701", b"203.0.113", b"N1"):
        assert needle not in shown
