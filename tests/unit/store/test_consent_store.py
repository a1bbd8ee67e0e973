"""Where a bank keeps who may read and who has: durable, once, sealed, on both engines (T3)."""

from dataclasses import replace
from typing import Final

from specie.crypto.secrets import SealingKey
from specie.identity.consents import Consent, ConsentStatus, Permission
from specie.ports.consents import ConsentEnd, EndedBy, KeptConsent, Reading
from specie.store.consent_store import SqliteConsentStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey, Signature
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples

KEY = SealingKey.generate()
ANNA, BORIS = ClientId("anna"), ClientId("boris")
END: Final = Timestamp(9_000)


def open_store(engine: Engine) -> SqliteConsentStore:
    return SqliteConsentStore(engine.open(), KEY)


def make(samples: Samples, client: ClientId = ANNA, number: int = 1) -> KeptConsent:
    consent = Consent(
        account=samples.address(),
        number=number,
        nonce=samples.draw(16),
        reader=InstitutionPublicKey(samples.draw(32)),
        reader_name="Счетовод SECRET",
        permissions=Permission.READ_BALANCES | Permission.READ_TRANSACTIONS_BASIC,
        transactions_from=Timestamp(5),
        creation=Timestamp(7),
        expiration=END,
    )
    return KeptConsent(Digest(samples.draw(32)), client, consent, Signature(samples.draw(64)))


def describe(kept: KeptConsent | None) -> tuple[object, ...]:
    assert kept is not None
    return kept.id, kept.client, kept.consent, kept.signature, kept.end, kept.asked


def test_what_was_given_is_there_after_a_stop(engine: Engine, samples: Samples) -> None:
    second, first = make(samples, number=2), make(samples, number=1)
    other = make(samples, BORIS)
    for one in (second, first, other):
        open_store(engine).add(one)
    store = open_store(engine)
    assert describe(store.find(first.id)) == describe(first)
    assert [one.id for one in store.load(ANNA)] == [first.id, second.id]
    assert store.find(Digest(bytes(32))) is None
    assert store.has_reader(other.consent.reader)
    assert not store.has_reader(InstitutionPublicKey(bytes(32)))


def test_a_number_is_one_consents(engine: Engine, samples: Samples) -> None:
    """One reader may be named by many."""
    store, first = open_store(engine), make(samples)
    store.add(first)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.add(make(samples))
    again = make(samples, BORIS)
    store.add(replace(again, consent=replace(again.consent, reader=first.consent.reader)))
    assert len(store.load(ANNA)) == len(store.load(BORIS)) == 1


def test_the_first_end_counts(engine: Engine, samples: Samples) -> None:
    """With the client's statement, or without one."""
    store, signature = open_store(engine), Signature(samples.draw(64))
    told, lost = make(samples, number=1), make(samples, number=2)
    ends = ConsentEnd(Timestamp(20), EndedBy.CLIENT, signature), ConsentEnd(END, EndedBy.LOSS)
    for one, end in zip((told, lost), ends, strict=True):
        store.add(one)
        store.revoke(one.id, end)
        store.revoke(one.id, ConsentEnd(Timestamp(99), EndedBy.CLOSING))
    assert [one.end for one in open_store(engine).load(ANNA)] == list(ends)
    [kept, _] = store.load(ANNA)
    assert kept.get_status(END) is ConsentStatus.REVOKED and kept.get_status_time(END) == 20
    assert told.get_status(Timestamp(END - 1)) is ConsentStatus.AUTHORISED
    assert told.get_status_time(Timestamp(END - 1)) == 7


def test_readings_come_in_pages_the_newest_first(engine: Engine, samples: Samples) -> None:
    store, mine, other = open_store(engine), make(samples), make(samples, BORIS)
    for one in (mine, other):
        store.add(one)
    readings = [Reading(mine.id, ANNA, Timestamp(time), f"what {time}") for time in (10, 20, 30)]
    for entry, reading in enumerate(readings, 4):
        store.record_reading(reading, 100 + entry, entry)
    store.record_reading(Reading(other.id, BORIS, Timestamp(15), "other"), 1, 99)
    store = open_store(engine)
    assert store.load_readings(ANNA, 0, 10) == readings[::-1]
    assert store.load_readings(ANNA, 1, 1) == [readings[1]]
    assert [store.count_readings(mine.id, Timestamp(time)) for time in (9, 10, 30)] == [3, 2, 0]
    found = store.find(mine.id)
    assert found is not None and found.asked == 106


def test_nothing_of_it_stands_in_the_clear(engine: Engine, samples: Samples) -> None:
    """But ids, clients and times, and readers' keys beside nobody."""
    store, one = open_store(engine), make(samples)
    store.add(one)
    signature = Signature(samples.draw(64))
    store.revoke(one.id, ConsentEnd(Timestamp(20), EndedBy.CLIENT, signature))
    store.record_reading(Reading(one.id, ANNA, Timestamp(10), "SECRET"), 1, 1)
    values = list(engine.open().iterate_values())
    hidden = (b"SECRET", one.consent.nonce, bytes(one.signature), bytes(signature))
    assert not any(secret in value for secret in hidden for value in values)
    assert bytes(one.id) in values
