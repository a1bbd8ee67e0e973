"""Policies, tiers, freezes, cases: kept, sealed, one after the other (T20, X9)."""

import threading
from dataclasses import replace

from specie.crypto.secrets import SealingKey
from specie.policy.cases import Case, CaseKind, CaseState, Decision, Verdict
from specie.policy.policies import Direction
from specie.ports.supervision import CaseNote, Freeze, Judged, PolicyVersion
from specie.store.case_store import SqliteCaseStore
from specie.store.policy_store import SqlitePolicyStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, Digest, OrderId, TransactionId
from specie.values.limits import AMOUNT_MAX, CASE_NOTES_MAX
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine

KEY = SealingKey.generate()
ANNA = ClientId("anna")


def make_policy(version: int) -> PolicyVersion:
    return PolicyVersion(version, f"text {version}", Timestamp(version), "Ada", "why not")


def make_case(likeness: bytes = b"l", txid: bytes = b"t") -> Case:
    return Case(
        number=0,
        kind=CaseKind.PAYMENT,
        client=ANNA,
        opened=Timestamp(5),
        rules=("large", "often"),
        amount=Minor(AMOUNT_MAX),
        likeness=Digest(likeness * 32),
        txid=TransactionId(txid * 32),
        order=OrderId(b"o" * 16),
        text="Ж",
        people_needed=2,
    )


def test_policies_by_version(engine: Engine) -> None:
    store = SqlitePolicyStore(engine.open(), KEY)
    assert store.find_policy() is None and store.find_version() is None
    for version in (2, 3):
        store.add_policy(make_policy(version))
    store = SqlitePolicyStore(engine.open(), KEY)
    assert store.find_policy() == make_policy(3) and store.find_version() == 3
    assert store.load_policies() == [make_policy(2), make_policy(3)]
    with refused(ErrorCode.STORE_UNUSABLE):
        store.add_policy(make_policy(3))


def test_tiers_freezes_and_what_was_judged(engine: Engine) -> None:
    store = SqlitePolicyStore(engine.open(), KEY)
    assert store.find_tier(ANNA) is None
    store.set_tier(ANNA, "basic")
    store.set_tier(ANNA, "person")
    assert store.find_tier(ANNA) == "person" and store.load_tiers() == {ANNA: "person"}
    first = Freeze(ANNA, "court 1", Timestamp(1), Timestamp(9), "Ada")
    store.set_freeze(first)
    store.set_freeze(replace(first, reference="court 2"))
    assert store.find_freeze(ANNA) == replace(first, reference="court 2")
    store.lift_freeze(ANNA)
    store.lift_freeze(ANNA)
    assert store.find_freeze(ANNA) is None
    txid = TransactionId(b"t" * 32)
    assert store.find_judged(txid) is None
    for noted in ((), ("large", "often")):
        store.add_judged(txid, Judged(7, noted))
        assert store.find_judged(txid) == Judged(7, noted)
        txid = TransactionId(b"u" * 32)


def test_cases_are_numbered_and_found(engine: Engine) -> None:
    store = SqliteCaseStore(engine.open(), KEY)
    first = store.add(make_case())
    second = store.add(make_case(b"m", b"u"))
    assert (first.number, second.number) == (1, 2)
    decision = Decision("Ada", Verdict.RELEASE, Timestamp(6), "known to us: Ж")
    decided = replace(
        first,
        state=CaseState.RELEASED,
        decisions=(decision,),
        released_until=Timestamp(2**62),
        used_by=TransactionId(b"v" * 32),
        direction=Direction.IN,
        parties=(b"one", b"two"),
        names=("Ж",),
    )
    store.replace(decided)
    store = SqliteCaseStore(engine.open(), KEY)
    assert (store.find(1), store.find(2), store.find(3)) == (decided, second, None)
    assert store.load_alike(first.likeness, second.txid) == [second, decided]
    assert store.load_alike(Digest(bytes(32)), first.txid) == [decided]
    assert store.load(is_open=True, before=0, limit=9) == [second]
    assert store.load(is_open=False, before=0, limit=1) == [second]
    assert store.load(is_open=False, before=2, limit=9) == [decided]


def test_a_suspicion_is_no_case_of_a_payment(engine: Engine) -> None:
    store = SqliteCaseStore(engine.open(), KEY)
    kept = store.add(replace(make_case(), kind=CaseKind.SUSPICION))
    assert store.load_alike(kept.likeness, kept.txid) == []


def test_notes_are_kept_in_order(engine: Engine) -> None:
    store = SqliteCaseStore(engine.open(), KEY)
    store.add(make_case())
    notes = [CaseNote("Ada", Timestamp(n), f"note {n}") for n in range(3)]
    for note in notes:
        store.add_note(1, note)
    assert SqliteCaseStore(engine.open(), KEY).load_notes(1) == notes
    assert store.load_notes(2) == []


def test_a_case_has_so_many_notes(engine: Engine) -> None:
    store = SqliteCaseStore(engine.open(), KEY)
    store.add(make_case())
    database = engine.open()
    with database.transaction():
        inner = SqliteCaseStore(database, KEY)
        for number in range(CASE_NOTES_MAX):
            inner.add_note(1, CaseNote("Ada", Timestamp(number), "x"))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        store.add_note(1, CaseNote("Ada", Timestamp(1), "one more"))


def test_cases_opened_at_once_have_numbers_of_their_own(engine: Engine) -> None:
    stores = [SqliteCaseStore(engine.open(), KEY) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda store=store: [store.add(make_case()) for _ in range(5)])
        for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = stores[0].load(is_open=True, before=0, limit=100)
    assert [one.number for one in found] == list(range(20, 0, -1))


def test_nothing_that_people_wrote_stands_in_the_clear(engine: Engine) -> None:
    database = engine.open()
    policies, cases = SqlitePolicyStore(database, KEY), SqliteCaseStore(database, KEY)
    policies.add_policy(replace(make_policy(2), text="SECRET", reason="SECRET"))
    policies.set_freeze(Freeze(ANNA, "SECRET", Timestamp(1), Timestamp(9), "Ada"))
    decision = Decision("Ada", Verdict.REFUSE, Timestamp(1), "SECRET")
    cases.add(replace(make_case(), text="SECRET", decisions=(decision,)))
    cases.add_note(1, CaseNote("Ada", Timestamp(1), "SECRET"))
    values = list(database.iterate_values())
    assert b"anna" in values
    assert not any(b"SECRET" in value for value in values)
    assert not any(str(AMOUNT_MAX).encode() in value for value in values)
