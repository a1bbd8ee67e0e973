"""`ClientStore`: clients, the tokens a bank watches, and what moved."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import inspect

from specie.crypto.secrets import KeyTree, SealingKey, ViewKey
from specie.ports.clients import (
    Client,
    ClientStatus,
    ExpectedArrival,
    Movement,
    MovementQuery,
)
from specie.store import movement_search
from specie.store.client_store import SqliteClientStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    OrderId,
    ParticipantNumber,
    PublicKey,
    TransactionId,
)
from specie.values.limits import EXPECTED_DEPOSIT_MS_MAX, EXPECTED_DEPOSITS_MAX
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples

ANNA, BORIS = ClientId("anna"), ClientId("boris")


def make_client(samples: Samples, client: ClientId, view: ViewKey | None = None) -> Client:
    """A client in good standing."""
    key = view or KeyTree.generate().view_key(0)
    address = replace(samples.address(), view=PublicKey(key.public))
    return Client(client, f"Name of {client}", address, key, ClientStatus.GOOD)


def describe(client: Client | None) -> tuple[object, ...]:
    """All that can be compared of a client."""
    assert client is not None
    return client.id, client.name, client.address, client.view_key.public, client.status


def move(txid: TransactionId, client: ClientId, amount: int, *, is_incoming: bool) -> Movement:
    """A movement that is not final yet."""
    time = Timestamp(9)
    return Movement(txid, client, Minor(amount), time, is_incoming=is_incoming, is_final=False)


def test_clients_are_found_by_id_and_address(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    anna, boris = make_client(samples, ANNA), make_client(samples, BORIS)
    store.add_client(boris)
    store.add_client(anna)
    store = engine.open_clients()
    assert describe(store.find_client(ANNA)) == describe(anna)
    assert describe(store.find_by_address(boris.address)) == describe(boris)
    assert [describe(one) for one in store.load_clients()] == [describe(anna), describe(boris)]
    assert store.find_client(ClientId("nobody")) is None
    assert store.find_by_address(replace(anna.address, view=boris.address.view)) is None


def test_an_id_and_an_address_belong_to_one_client(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    anna = make_client(samples, ANNA)
    store.add_client(anna)
    for other in (make_client(samples, ANNA), replace(anna, id=BORIS)):
        with refused(ErrorCode.CLIENT_EXISTS):
            store.add_client(other)
    assert len(store.load_clients()) == 1


def test_clients_come_page_by_page(engine: Engine, samples: Samples) -> None:  # T20
    """In the order of their ids, each once, and never the one that is left out."""
    store = engine.open_clients()
    names = [ClientId(f"client {one}") for one in (3, 1, 2, 0)]
    for name in names:
        store.add_client(make_client(samples, name))
    seen: list[ClientId] = []
    while page := store.load_client_page(seen[-1] if seen else ClientId(""), 2, but=names[1]):
        seen += [one.id for one in page]
    assert seen == sorted(set(names) - {names[1]})


def test_blocking_is_kept(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    anna = make_client(samples, ANNA)
    store.add_client(anna)
    store.set_status(ANNA, ClientStatus.BLOCKED)
    blocked = replace(anna, status=ClientStatus.BLOCKED)
    assert describe(engine.open_clients().find_client(ANNA)) == describe(blocked)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        store.set_status(BORIS, ClientStatus.BLOCKED)


def test_what_is_attested_becomes_final(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    coin, paid, change = samples.token(9), samples.token(5), samples.token(4)
    assert store.add_found([(ANNA, coin)]) == 1
    txid = samples.txid()
    movements = [move(txid, BORIS, 5, is_incoming=True), move(txid, ANNA, 5, is_incoming=False)]
    assert not store.is_attested(txid)
    store.record_attested(txid, [coin.ref], [(BORIS, paid), (ANNA, change)], movements)
    store = engine.open_clients()
    assert store.is_attested(txid)
    known = store.find_tokens([coin.ref, paid.ref, change.ref, samples.token().ref])
    assert {ref: (one.is_final, one.spent_by) for ref, one in known.items()} == {
        coin.ref: (True, None),
        paid.ref: (False, None),
        change.ref: (False, None),
    }
    assert store.load_undelivered(BORIS) == []
    for _ in range(2):
        final = store.finalise(txid)
        assert {(one.client, one.token.ref) for one in final} == {
            (BORIS, paid.ref),
            (ANNA, change.ref),
        }
    assert store.find_tokens([coin.ref])[coin.ref].spent_by == txid
    assert store.load_undelivered(BORIS) == [paid.output]
    assert store.load_undelivered(ANNA) == [change.output]
    assert store.load_movements(ANNA) == [replace(movements[1], is_final=True)]
    assert store.load_movements(BORIS) == [replace(movements[0], is_final=True)]


def test_attesting_again_is_the_same_or_refused(engine: Engine, samples: Samples) -> None:
    """What a bank signs is what it has on record: a second, different view is no second chance."""
    store = engine.open_clients()
    txid, coin, paid, hidden = samples.txid(), *(samples.token() for _ in range(3))
    movement = move(txid, ANNA, 5, is_incoming=True)
    for _ in range(2):
        store.record_attested(txid, [coin.ref], [(ANNA, paid)], [movement])
    assert store.load_movements(ANNA) == [movement]
    others = [
        ([coin.ref], [(ANNA, paid), (BORIS, hidden)]),
        ([coin.ref], [(BORIS, hidden)]),
        ([], [(ANNA, paid)]),
        ([hidden.ref], [(ANNA, paid)]),
        ([paid.ref], [(ANNA, coin)]),
    ]
    for inputs, tokens in others:
        with refused(ErrorCode.ORDER_CONFLICT):
            store.record_attested(txid, inputs, tokens, [movement])
    assert store.find_tokens([hidden.ref]) == {}
    assert len(store.load_movements(ANNA)) == 1


def test_two_transactions_may_promise_one_output(engine: Engine, samples: Samples) -> None:
    """A payer can put one output into two payments; the one that becomes final makes it final."""
    store = engine.open_clients()
    first, second, paid = samples.txid(), samples.txid(), samples.token()
    for txid in (first, second):
        store.record_attested(txid, [], [(ANNA, paid)], [])
    assert [one.token.ref for one in store.finalise(second)] == [paid.ref]
    assert store.load_undelivered(ANNA) == [paid.output]


def test_found_tokens_are_final_at_once(engine: Engine, samples: Samples) -> None:  # T11
    store = engine.open_clients()
    attested, found = samples.token(), samples.token()
    store.record_attested(samples.txid(), [], [(ANNA, attested)], [])
    assert store.add_found([(ANNA, attested), (ANNA, found)]) == 1
    assert store.add_found([(ANNA, attested), (ANNA, found)]) == 0
    assert set(store.load_undelivered(ANNA)) == {attested.output, found.output}


def test_delivered_and_spent_outputs_are_not_offered(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    tokens = [samples.token() for _ in range(3)]
    store.add_found([(ANNA, token) for token in tokens])
    store.mark_delivered(BORIS, [tokens[0].ref])
    assert len(store.load_undelivered(ANNA)) == 3
    store.mark_delivered(ANNA, [tokens[0].ref])
    txid = samples.txid()
    store.record_attested(txid, [tokens[1].ref], [], [])
    store.finalise(txid)
    assert store.load_undelivered(ANNA) == [tokens[2].output]


def test_finalising_what_nobody_attested_gives_nothing(engine: Engine, samples: Samples) -> None:
    store = engine.open_clients()
    store.add_found([(ANNA, samples.token())])
    assert store.finalise(samples.txid()) == []


def test_movements_are_kept_in_order(engine: Engine, samples: Samples) -> None:  # T20
    store = engine.open_clients()
    movements = [
        move(samples.txid(), ANNA, 2**64 - 1 - amount, is_incoming=bool(amount % 2))
        for amount in range(5)
    ]
    for movement in movements:
        parts = [samples.token().ref]
        store.record_attested(movement.txid, parts, [], [movement])
    assert engine.open_clients().load_movements(ANNA) == movements
    assert store.load_movements(BORIS) == []


def test_a_page_of_movements(engine: Engine, samples: Samples) -> None:  # T20
    """At its edges, too; another client's movements in between are not counted."""
    store, mine = engine.open_clients(), []
    for amount in range(5):
        for client in (ANNA, BORIS):
            movement = move(samples.txid(), client, amount, is_incoming=True)
            store.record_attested(movement.txid, [samples.token().ref], [], [movement])
            mine += [movement] if client == ANNA else []
    for start in range(7):
        for limit in (1, 2, 4, 5, 6):
            assert store.load_movements(ANNA, start, limit) == mine[start : start + limit]
        assert store.load_movements(ANNA, start) == mine[start:]


def test_only_a_page_of_movements_is_opened(
    engine: Engine, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long history costs what is shown of it."""
    store = engine.open_clients()
    for amount in range(5):
        movement = move(samples.txid(), ANNA, amount, is_incoming=True)
        store.record_attested(movement.txid, [samples.token().ref], [], [movement])
    opened, open_movement = list[int](), movement_search.open_movement

    def count(key: SealingKey, row: Any) -> Movement:
        opened.append(row.sequence)
        return open_movement(key, row)

    monkeypatch.setattr(movement_search, "open_movement", count)
    store.load_movements(ANNA, 1, 2)
    assert len(opened) == 2


def test_a_failure_inside_attesting_changes_nothing(
    engine: Engine, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = engine.open_clients()
    txid, coin, paid = samples.txid(), samples.token(), samples.token()
    movement = move(txid, ANNA, 5, is_incoming=True)

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(SqliteClientStore, "_seal_movement", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        store.record_attested(txid, [coin.ref], [(ANNA, paid)], [movement])
    monkeypatch.undo()
    assert not store.is_attested(txid)
    assert store.find_tokens([paid.ref]) == {}
    store.record_attested(txid, [coin.ref], [(ANNA, paid)], [movement])
    assert store.load_movements(ANNA) == [movement]


def test_an_expected_order_is_for_one_thing(engine: Engine) -> None:  # C2
    store, order = engine.open_clients(), OrderId(b"order one".ljust(16))
    assert store.find_expected(order) is None
    wanted = ExpectedArrival(order, client=ClientId("anna"))
    for _ in range(2):
        store.expect(wanted)
    for other in (
        ExpectedArrival(order, client=ClientId("boris")),
        ExpectedArrival(order, sender=ParticipantNumber(3)),
    ):
        with refused(ErrorCode.ORDER_CONFLICT):
            store.expect(other)
    assert engine.open_clients().find_expected(order) == wanted


def test_a_client_expects_a_limited_number_of_deposits(engine: Engine, samples: Samples) -> None:
    """Those that nobody has paid end after a while; what was attested is kept for ever."""
    store, anna = engine.open_clients(), ANNA
    store.add_client(make_client(samples, ANNA))
    orders = [OrderId(number.to_bytes(16, "big")) for number in range(1, 100)]
    first, *others = orders[:EXPECTED_DEPOSITS_MAX]
    for order in (first, *others, first):
        store.expect(ExpectedArrival(order, client=anna), Timestamp(1))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        store.expect(ExpectedArrival(orders[-1], client=anna), Timestamp(1))
    store.expect(ExpectedArrival(orders[-1], client=ClientId("boris")), Timestamp(1))
    paid = samples.token(7)
    movement = move(samples.txid(), anna, 7, is_incoming=True)
    store.record_attested(movement.txid, [], [(anna, paid)], [replace(movement, order=first)])
    store.expect(ExpectedArrival(orders[-2], client=anna), Timestamp(2))
    later = Timestamp(1 + EXPECTED_DEPOSIT_MS_MAX)
    store.expect(ExpectedArrival(orders[-3], client=anna), later)
    known = [store.find_expected(one) is not None for one in (first, *others, *orders[-3:])]
    assert known == [True, *[False] * len(others), True, True, True]


def test_movements_of_one_transaction(engine: Engine, samples: Samples) -> None:
    store, (first, second) = engine.open_clients(), (samples.txid(), samples.txid())
    for txid in (first, second):
        movement = move(txid, ClientId("anna"), 5, is_incoming=False)
        store.record_attested(txid, (samples.token().ref,), (), [movement])
    (found,) = store.find_movements(second)
    assert (found.txid, found.amount, found.is_final) == (second, 5, False)


def make_version_7(engine: Engine) -> None:
    """Version 7 did not keep what stood in a payment's memo."""
    engine.run("ALTER TABLE movement DROP COLUMN sealed_memo")
    engine.run("UPDATE schema SET version = 7 WHERE name = 'clients'")


def test_a_store_of_version_7_is_brought_up_when_asked(engine: Engine, samples: Samples) -> None:
    """T3: what moved before is still there, without its memo; what moves now has it, sealed."""
    store, plain = engine.open_clients(), move(samples.txid(), ANNA, 5, is_incoming=True)
    old = replace(plain, end_to_end=b"e" * 16, told="Dana SECRET", order=OrderId(b"o" * 16))
    store.record_attested(old.txid, [samples.token().ref], [], [old])
    assert engine.open_clients().load_movements(ANNA) == [old]
    make_version_7(engine)
    with pytest.raises(SpecieError, match="specie migrate"):
        engine.open_clients()
    engine.open_clients(is_migrating=True)
    store, fresh = engine.open_clients(), replace(old, txid=samples.txid())
    store.record_attested(fresh.txid, [samples.token().ref], [], [fresh])
    bare = replace(old, end_to_end=bytes(16), told="")
    assert store.load_movements(ANNA) == [bare, fresh]
    assert not any(b"SECRET" in value for value in engine.open().iterate_values())


def test_movements_of_a_time_and_later(engine: Engine, samples: Samples) -> None:
    """Places are counted among them, so that pages do not shift by what is older."""
    store = engine.open_clients()
    moved = [
        replace(move(samples.txid(), ANNA, 5, is_incoming=True), time=Timestamp(time))
        for time in (10, 20, 30)
    ]
    for one in moved:
        store.record_attested(one.txid, [samples.token().ref], [], [one])
    assert store.load_movements(ANNA, since=Timestamp(20)) == moved[1:]
    assert store.load_movements(ANNA, 1, 5, Timestamp(20)) == moved[2:]
    assert store.load_movements(ANNA, since=Timestamp(31)) == []


def make_version_4(engine: Engine) -> None:
    """Version 4 had its clients' movements in no order of their own, no return addresses, and no
    time beside what a bank expects."""
    make_version_7(engine)
    engine.run("DROP INDEX ix_expected_arrival_client")
    for column in ("time", "is_used"):
        engine.run(f"ALTER TABLE expected_arrival DROP COLUMN {column}")
    engine.run("DROP TABLE return_address")
    engine.run("DROP INDEX movement_by_place")
    engine.run("CREATE INDEX ix_movement_client ON movement (client)")
    engine.run("UPDATE schema SET version = 4 WHERE name = 'clients'")


def test_a_store_of_version_4_is_brought_up_when_asked(engine: Engine, samples: Samples) -> None:
    store, movement = engine.open_clients(), move(samples.txid(), ANNA, 5, is_incoming=True)
    store.record_attested(movement.txid, [samples.token().ref], [], [movement])
    make_version_4(engine)
    with pytest.raises(SpecieError, match="specie migrate"):
        engine.open_clients()
    engine.open_clients(is_migrating=True)
    assert engine.open_clients().load_movements(ANNA, 0, 1) == [movement]
    with engine.open().reading() as connection:
        indexes = {one["name"] for one in inspect(connection).get_indexes("movement")}
    assert indexes == {"ix_movement_txid", "movement_by_place", "movement_by_time"}


def make_older(engine: Engine) -> None:
    """Version 3 knew nothing of the other side, nor of a movement's window."""
    make_version_4(engine)
    engine.run("DROP INDEX movement_by_time")
    for column in ("until", "sealed_detail"):
        engine.run(f"ALTER TABLE movement DROP COLUMN {column}")
    engine.run("UPDATE schema SET version = 3 WHERE name = 'clients'")


def test_a_store_of_version_3_is_brought_up_when_asked(engine: Engine, samples: Samples) -> None:
    """T20: what moved before is still there; of its other side nothing was written down."""
    store = engine.open_clients()
    old, fresh = (
        replace(
            move(samples.txid(), ANNA, amount, is_incoming=False),
            until=Timestamp(500),
            parties=(samples.address(), samples.address()),
            order=OrderId(b"order one".ljust(16)),
            names=("Борис", "Clara"),
            is_own_bank=True,
        )
        for amount in (5, 6)
    )
    store.record_attested(old.txid, [samples.token().ref], [], [old])
    make_older(engine)
    with pytest.raises(SpecieError, match="specie migrate"):
        engine.open_clients()
    engine.open_clients(is_migrating=True)
    store = engine.open_clients()
    store.record_attested(fresh.txid, [samples.token().ref], [], [fresh])
    bare = move(old.txid, ANNA, 5, is_incoming=False)
    assert store.load_movements(ANNA) == [bare, fresh]
    assert store.search(MovementQuery(party=fresh.parties[1]), 0, 10).movements == [fresh]


def test_a_store_of_version_2_is_brought_up_when_asked(engine: Engine, samples: Samples) -> None:
    """In it a spend key was unique; now an address is, and nothing that was there is lost."""
    store, anna = engine.open_clients(), make_client(samples, ANNA)
    store.add_client(anna)
    elsewhere = replace(anna, id=BORIS, address=replace(anna.address, bank=ParticipantNumber(99)))
    engine.run("CREATE UNIQUE INDEX before ON client (spend)")
    make_older(engine)
    engine.run("UPDATE schema SET version = 2 WHERE name = 'clients'")
    with pytest.raises(SpecieError, match="specie migrate"):
        engine.open_clients()
    engine.open_clients(is_migrating=True)
    store = engine.open_clients()
    assert describe(store.find_client(ANNA)) == describe(anna)
    store.add_client(elsewhere)
    assert describe(store.find_by_address(elsewhere.address)) == describe(elsewhere)
    assert describe(store.find_by_address(anna.address)) == describe(anna)
    with refused(ErrorCode.CLIENT_EXISTS):
        store.add_client(replace(elsewhere, id=ClientId("third")))
