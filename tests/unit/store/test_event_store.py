"""Events are written with what they tell of, numbered by client, never in the clear (T18).

On both engines; secrets and texts of webhooks are sealed at rest.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from specie.bank.events import ClientEvents
from specie.crypto.addresses import Address
from specie.crypto.secrets import SealingKey
from specie.ports.clients import Movement, WatchedToken
from specie.ports.events import DeliveryState, EventKind, Webhook
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.event_store import SqliteEventStore
from specie.store.paid_store import SqlitePaidStore
from specie.tokens.holdings import Memo
from specie.tokens.memo_notes import RefundReference
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, TransactionId
from specie.values.limits import EVENTS_KEPT_MAX
from specie.values.times import Timestamp
from specie.wallet.refunds import compute_refund_proof
from tests.clocks import ManualClock
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import NETWORK, Samples

ANNA, BORIS, VAULT = ClientId("anna"), ClientId("boris"), ClientId("vault")
NOW = Timestamp(1_000)
KEY = SealingKey.generate()
HOOK = Webhook(ANNA, "https://shop.example/in?till=7", b"s" * 32)


def open_events(engine: Engine) -> SqliteEventStore:
    return SqliteEventStore(engine.open(), KEY)


def add(store: SqliteEventStore, client: ClientId = ANNA, data: str = "{}") -> int:
    return store.add(client, EventKind.SETTLED, NOW, data)


def move(txid: TransactionId, client: ClientId, *, is_incoming: bool) -> Movement:
    return Movement(txid, client, Minor(5), NOW, is_incoming=is_incoming, is_final=False)


def test_each_client_has_its_own_numbers(engine: Engine) -> None:
    store = open_events(engine)
    assert [add(store), add(store), add(store, BORIS), add(store)] == [1, 2, 1, 3]
    store = open_events(engine)
    assert [one.number for one in store.load(ANNA, 1, 10)] == [2, 3]
    assert [one.number for one in store.load(ANNA, 0, 2)] == [1, 2]
    assert store.load(ANNA, 3, 10) == store.load(ClientId("nobody"), 0, 10) == []
    assert store.load_heads([ANNA, BORIS, VAULT]) == {ANNA: 3, BORIS: 1}


def test_the_oldest_make_room(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert EVENTS_KEPT_MAX > 3
    monkeypatch.setattr("specie.store.event_store.EVENTS_KEPT_MAX", 3)
    store = open_events(engine)
    store.set_webhook(HOOK)
    for _ in range(5):
        add(store)
    assert [one.number for one in store.load(ANNA, 0, 10)] == [3, 4, 5]
    assert store.list_due(NOW, 10)[0].event.number == 3


def test_nothing_is_in_the_clear(engine: Engine) -> None:
    database = engine.open()
    store = SqliteEventStore(database, KEY)
    store.set_webhook(HOOK)
    add(store, data='{"minor": 74219}')
    held = list(database.iterate_values())
    for secret in (b"74219", b"shop.example", b"s" * 32):
        assert not [one for one in held if secret in one]
    assert store.load_webhooks() == [HOOK]
    with refused(ErrorCode.SEALED_INVALID):
        SqliteEventStore(engine.open(), SealingKey.generate()).load(ANNA, 0, 1)


def make_payment(database: Database, samples: Samples, clients: SqliteClientStore) -> TransactionId:
    """Anna pays Boris 5 and has change; all are of one bank."""
    txid, coin, paid, change = samples.txid(), *(samples.token() for _ in range(3))
    clients.add_found([(ANNA, coin)])
    movements = [move(txid, BORIS, is_incoming=True), move(txid, ANNA, is_incoming=False)]
    clients.record_attested(txid, [coin.ref], [(BORIS, paid), (ANNA, change)], movements)
    return txid


def test_what_becomes_final_is_told_once(engine: Engine, samples: Samples) -> None:
    database = engine.open()
    store = SqliteEventStore(database, KEY)
    telling = ClientEvents(store, ManualClock(), VAULT, NETWORK, SqlitePaidStore(database, KEY))
    clients = SqliteClientStore(database, KEY, telling.tell_final)
    txid = make_payment(database, samples, clients)
    assert store.load_heads([ANNA, BORIS]) == {}, "attested is not final"
    for _ in range(2):
        clients.finalise(txid)
    [settled], [arrived] = store.load(ANNA, 0, 9), store.load(BORIS, 0, 9)
    assert (settled.kind, arrived.kind) == (EventKind.SETTLED, EventKind.ARRIVED)
    assert txid.hex() in settled.data and txid.hex() in arrived.data
    telling.tell_refused(ANNA, txid, ErrorCode.CLIENT_BLOCKED)
    assert '"code": "client_blocked"' in store.load(ANNA, 1, 9)[0].data


def test_an_event_and_its_effect_are_one(engine: Engine, samples: Samples) -> None:
    """What cannot be told of has not happened; what is undone is not told of."""
    database = engine.open()
    store = SqliteEventStore(database, KEY)
    store.set_webhook(HOOK)
    telling = ClientEvents(store, ManualClock(), VAULT, NETWORK, SqlitePaidStore(database, KEY))

    def stop(movements: Sequence[Movement], tokens: Sequence[WatchedToken]) -> None:
        telling.tell_final(movements, tokens)
        raise KeyboardInterrupt

    txid = make_payment(database, samples, SqliteClientStore(database, KEY))
    with pytest.raises(KeyboardInterrupt):
        SqliteClientStore(database, KEY, stop).finalise(txid)
    clients = SqliteClientStore(database, KEY, telling.tell_final)
    assert not any(one.is_final for one in clients.find_movements(txid))
    assert store.load_heads([ANNA, BORIS]) == {} and store.list_due(NOW, 9) == []
    clients.finalise(txid)
    assert len(store.load(ANNA, 0, 9)) == len(store.load(BORIS, 0, 9)) == 1


@pytest.mark.parametrize("lie", ["", "proof", "amount", "client", "unknown"])
def test_a_refund_says_which_payment_if_it_can_prove_it(
    engine: Engine, samples: Samples, lie: str
) -> None:
    database = engine.open()
    store, paid = SqliteEventStore(database, KEY), SqlitePaidStore(database, KEY)
    telling = ClientEvents(store, ManualClock(), VAULT, NETWORK, paid)
    original, sold, back = samples.txid(), samples.token(9), samples.token(4)
    if lie != "unknown":
        paid.record(BORIS if lie == "client" else ANNA, original, [sold])
    opening = back.opening
    payee = Address(opening.bank, opening.view, opening.spend)
    anchor = bytes(16) if lie == "proof" else sold.opening.anchor
    amount = Minor(5 if lie == "amount" else 4)
    proof = compute_refund_proof(NETWORK, (sold.ref, anchor), payee, amount)
    memo = Memo(note=RefundReference(sold.ref, proof)).pack()
    token = replace(back, opening=replace(opening, memo=memo))
    txid = samples.txid()
    held = WatchedToken(ANNA, token, is_final=True, spent_by=None)
    telling.tell_final([move(txid, ANNA, is_incoming=True)], [held])
    [event] = store.load(ANNA, 0, 9)
    data = json.loads(event.data)
    kind = EventKind.ARRIVED if lie else EventKind.REFUNDED
    assert event.kind is kind and data["minor"] == 4
    assert data.get("refund_of") == (None if lie else original.hex())


def test_a_vault_is_told_nothing(engine: Engine, samples: Samples) -> None:
    database = engine.open()
    store = SqliteEventStore(database, KEY)
    telling = ClientEvents(store, ManualClock(), VAULT, NETWORK, SqlitePaidStore(database, KEY))
    telling.tell_refused(VAULT, samples.txid(), ErrorCode.CLIENT_BLOCKED)
    assert store.load_heads([VAULT]) == {}


def test_deliveries_wait_in_order_and_end(engine: Engine) -> None:
    store = open_events(engine)
    add(store)
    assert store.list_due(NOW, 9) == [], "before there was a webhook"
    store.set_webhook(HOOK)
    add(store)
    add(store)
    [first] = store.list_due(NOW, 9)
    assert (first.event.number, first.attempts, first.webhook) == (2, 0, HOOK)
    later = Timestamp(NOW + 5)
    store.record_attempt(first.event, DeliveryState.WAITING, later, "status 500")
    assert store.list_due(NOW, 9) == [], "the second does not overtake it"
    [again] = store.list_due(later, 9)
    assert (again.event.number, again.attempts, again.said) == (2, 1, "status 500")
    store.record_attempt(again.event, DeliveryState.DEAD, later, "no answer")
    [second] = store.list_due(later, 9)
    store.record_attempt(second.event, DeliveryState.DELIVERED, later, "")
    assert store.list_due(later, 9) == []
    assert [(one.event.number, one.attempts) for one in store.list_dead()] == [(2, 2)]
    assert store.replay(BORIS, later) == 0 and store.replay(ANNA, later) == 1
    [replayed] = store.list_due(later, 9)
    assert (replayed.event, replayed.attempts) == (first.event, 0)
    store.remove_webhook(ANNA)
    assert not (store.list_due(later, 9) or store.list_dead() or store.load_webhooks())
    with refused(ErrorCode.WEBHOOK_UNKNOWN):
        store.remove_webhook(ANNA)
