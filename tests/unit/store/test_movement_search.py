"""A bank keeps its clients' payments and finds them again, page by page (T20)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.clients import Movement, MovementQuery
from specie.store import kept_amounts
from specie.store.client_store import SqliteClientStore
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId
from specie.values.times import Timestamp
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples

ANNA, BORIS = ClientId("anna"), ClientId("boris")


def record(store: SqliteClientStore, samples: Samples, count: int) -> list[Movement]:
    """Of two clients in turn, in and out in turn by two, amounts and times growing."""
    shop = samples.address()
    made = [
        Movement(
            txid=samples.txid(),
            client=(ANNA, BORIS)[number % 2],
            amount=Minor(10 * number),
            time=Timestamp(100 + number),
            is_incoming=number % 4 > 1,
            is_final=False,
            until=Timestamp(1_000 + number),
            parties=(shop,) if number % 3 == 0 else (samples.address(),),
        )
        for number in range(count)
    ]
    for one in made:
        store.record_attested(one.txid, [samples.token().ref], [], [one])
    return made


def test_by_each_criterion_and_by_all_together(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    made = record(store, samples, 12)
    shop = made[0].parties[0]
    queries: dict[MovementQuery, Callable[[Movement], bool]] = {
        MovementQuery(): lambda one: True,
        MovementQuery(client=ANNA): lambda one: one.client == ANNA,
        MovementQuery(since=Timestamp(103)): lambda one: one.time >= 103,
        MovementQuery(until=Timestamp(103)): lambda one: one.time < 103,
        MovementQuery(least=Minor(50)): lambda one: one.amount >= 50,
        MovementQuery(most=Minor(50)): lambda one: one.amount <= 50,
        MovementQuery(is_incoming=True): lambda one: one.is_incoming,
        MovementQuery(is_incoming=False): lambda one: not one.is_incoming,
        MovementQuery(party=shop): lambda one: one.parties == (shop,),
        MovementQuery(client=ANNA, least=Minor(20), party=shop): (
            lambda one: one.client == ANNA and one.amount >= 20 and one.parties == (shop,)
        ),
        MovementQuery(party=samples.address()): lambda one: False,
    }
    for query, is_wanted in queries.items():
        page = store.search(query, 0, 100)
        assert list(page.movements) == [one for one in reversed(made) if is_wanted(one)]
        assert page.after == 0


def test_page_by_page_nothing_is_left_out_or_twice(
    engine: Engine, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is full, or so many rows were looked at; both say where it goes on."""
    store = engine.open_clients()
    made = record(store, samples, 12)
    monkeypatch.setattr("specie.store.movement_search.SEARCHED_ROWS_MAX", 3)
    for limit in (1, 2, 3, 5):
        found: list[Movement] = []
        place, pages = 0, 0
        while pages == 0 or place:
            page = store.search(MovementQuery(is_incoming=True), place, limit)
            assert len(page.movements) <= min(limit, 3)
            found += page.movements
            place, pages = page.after, pages + 1
        assert found == [one for one in reversed(made) if one.is_incoming]


def test_what_limits_look_at(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    made = record(store, samples, 12)
    out = [one for one in made if one.client == ANNA and not one.is_incoming]
    assert store.load_recent(ANNA, Timestamp(0), is_incoming=False) == out
    assert store.load_recent(ANNA, out[0].time, is_incoming=False) == out[1:]
    arriving = [one for one in made if one.client == ANNA and one.is_incoming]
    assert store.load_pending(ANNA, arriving[0].until) == arriving
    assert store.load_pending(ANNA, Timestamp(arriving[0].until + 1)) == arriving[1:]
    store.finalise(arriving[1].txid)
    assert store.load_pending(ANNA, Timestamp(0)) == [arriving[0], *arriving[2:]]
    assert store.load_all(0, 5) + store.load_all(5, 100) == [
        replace(one, is_final=one == arriving[1]) for one in made
    ]


def test_what_a_client_holds(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    coins = [samples.token(amount) for amount in (5, 7, 11)]
    store.add_found([(ANNA, coin) for coin in coins])
    store.record_attested(samples.txid(), [coins[0].ref], [(ANNA, samples.token(100))], [])
    assert store.count_holding(ANNA) == 23
    txid = samples.txid()
    store.record_attested(txid, [coins[1].ref], [(ANNA, samples.token(3)), (BORIS, coins[0])], [])
    store.finalise(txid)
    assert store.count_holding(ANNA) == 5 + 11 + 3
    assert store.count_holding(BORIS) == 0


def test_what_is_held_is_opened_once(
    engine: Engine, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the bank's transaction; after a start it is opened again, and what is undone is not
    counted.
    """
    store = engine.open_clients()
    opened: list[bytes] = []
    monkeypatch.setattr(kept_amounts, "AMOUNTS_KEPT_MAX", 3)

    def open_counted(key: SealingKey, sealed: bytes, ref: bytes) -> bytes:
        opened.append(ref)
        return open_sealed(key, sealed, ref)

    monkeypatch.setattr(kept_amounts, "open_sealed", open_counted)
    coins = [samples.token(amount) for amount in (5, 7)]
    store.add_found([(ANNA, coin) for coin in coins])
    for _ in range(3):
        assert store.count_holding(ANNA) == 12
    assert len(opened) == 2
    assert engine.open_clients().count_holding(ANNA) == 12 and len(opened) == 4

    def stop() -> None:
        with store.recording():
            store.add_found([(ANNA, samples.token(11))])
            assert store.count_holding(ANNA) == 23
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert store.count_holding(ANNA) == 12
    store.add_found([(ANNA, samples.token(amount)) for amount in (1, 2)])
    for _ in range(2):
        assert store.count_holding(ANNA) == 15, "with more of them than are kept"
