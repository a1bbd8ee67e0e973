"""Travel-rule data at rest: found by client and payment, unreadable without the key (T20, X5)."""

from dataclasses import replace

import pytest

from specie.crypto.secrets import SealingKey
from specie.ports.travel import Identity, TravelRecord
from specie.store.travel_store import SqliteTravelStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber, Signature
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples

ANNA, BORIS = ClientId("anna"), ClientId("boris")
KEY = SealingKey.generate()


def make(samples: Samples, client: ClientId = ANNA) -> TravelRecord:
    return TravelRecord(
        txid=samples.txid(),
        client=client,
        is_originating=False,
        bank=ParticipantNumber(2),
        time=Timestamp(9),
        data='{"who": "Quettalova"}',
        signature=Signature(bytes(64)),
    )


def test_it_is_found_by_client_and_payment(engine: Engine, samples: Samples) -> None:
    store = SqliteTravelStore(engine.open(), KEY)
    first, second = make(samples), make(samples)
    own = replace(make(samples, BORIS), txid=first.txid, is_originating=True)
    for one in (first, second, own, replace(first, data="{}")):
        store.add(one)
    store = SqliteTravelStore(engine.open(), KEY)
    assert store.load(ANNA, None, 9) == [second, first], "the first word counts"
    assert store.load(None, first.txid, 9) == [own, first]
    assert store.load(None, None, 2) == [own, second] and store.load(BORIS, second.txid, 9) == []
    assert store.has(first.txid, ANNA) and not store.has(second.txid, BORIS)
    assert not store.has(own.txid, BORIS), "what we have told is not what we were told"


def test_what_is_told_of_each_payee_is_kept_once(engine: Engine, samples: Samples) -> None:
    """T20: two payees, at one bank and at another, of one payment."""
    store = SqliteTravelStore(engine.open(), KEY)
    first = replace(make(samples), is_originating=True)
    beside = replace(first, data='{"who": "another payee"}')
    elsewhere = replace(first, bank=ParticipantNumber(3))
    for one in 2 * (first, beside, elsewhere):
        store.add(one)
    assert store.load(ANNA, first.txid, 9) == [elsewhere, beside, first]


def test_records_of_the_version_before_stay(engine: Engine, samples: Samples) -> None:
    kept = make(samples)
    SqliteTravelStore(engine.open(), KEY).add(kept)
    for text in (
        "ALTER TABLE travel_record RENAME TO travel_data",
        "DROP INDEX ix_travel_record_txid",
        "DROP INDEX ix_travel_record_client",
        "UPDATE schema SET version = 1 WHERE name = 'travel data'",
    ):
        engine.run(text)
    with pytest.raises(SpecieError, match="specie migrate"):
        SqliteTravelStore(engine.open(), KEY)
    SqliteTravelStore(engine.open(is_migrating=True), KEY)
    store = SqliteTravelStore(engine.open(), KEY)
    assert store.load(None, None, 9) == [kept]
    store.add(kept)
    assert store.load(None, None, 9) == [kept]


def test_what_is_known_of_a_client(engine: Engine) -> None:
    store = SqliteTravelStore(engine.open(), KEY)
    assert store.find_identity(ANNA) is None
    known = Identity("Quettalova", "Anna", birth_date="1990-12-31", birth_place="Алматы")
    store.put_identity(ANNA, Identity("Other"))
    store.put_identity(ANNA, known)
    assert SqliteTravelStore(engine.open(), KEY).find_identity(ANNA) == known


def test_nothing_is_in_the_clear(engine: Engine, samples: Samples) -> None:
    database = engine.open()
    store = SqliteTravelStore(database, KEY)
    store.add(make(samples))
    store.put_identity(ANNA, Identity("Quettalova"))
    assert not [one for one in database.iterate_values() if b"Quettalova" in one]
    with refused(ErrorCode.SEALED_INVALID):
        SqliteTravelStore(engine.open(), SealingKey.generate()).load(ANNA, None, 9)
