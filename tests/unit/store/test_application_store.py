"""`ApplicationStore`: one order, one content, one production."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.secrets import SealingKey
from specie.ports.issuance import Application, ApplicationState, Direction, SupplyPlace
from specie.store.application_store import SqliteApplicationStore
from specie.store.database import Database
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId, ParticipantNumber, TransactionId
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import BANK, Samples

ORDER, OTHER = OrderId(b"order one".ljust(16)), OrderId(b"order two".ljust(16))


def make_application(samples: Samples, direction: Direction = Direction.ISSUE) -> Application:
    """An application that nobody has looked at."""
    amount = Minor(2**63 - 1)
    return Application(ORDER, direction, BANK, amount, samples.address(), ApplicationState.APPLIED)


def test_an_application_is_kept(engine: Engine, samples: Samples) -> None:
    asked = make_application(samples)
    assert engine.open_applications().add(asked) == asked
    store = engine.open_applications()
    assert store.add(asked) == store.get(ORDER) == asked


def test_an_order_has_one_content(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    asked = make_application(samples)
    store.add(asked)
    others = [
        replace(asked, amount=Minor(asked.amount - 1)),
        replace(asked, direction=Direction.REDEEM),
        replace(asked, participant=ParticipantNumber(3)),
        replace(asked, vault=samples.address()),
    ]
    for other in others:
        with refused(ErrorCode.ORDER_CONFLICT):
            store.add(other)
    assert store.get(ORDER) == asked


def test_what_nobody_applied_for_is_unknown(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    built = samples.built()
    calls: list[Callable[[], object]] = [
        lambda: store.get(ORDER),
        lambda: store.advance(ORDER, ApplicationState.APPROVED),
        lambda: store.record_approval(ORDER, 1, bytes(64)),
        lambda: store.record_produced(ORDER, built),
    ]
    for call in calls:
        with refused(ErrorCode.APPLICATION_UNKNOWN):
            call()
    assert store.find_produced(ORDER) is None


def test_what_has_come_to_its_end_is_counted(engine: Engine, samples: Samples) -> None:
    """In both directions; neither what is under way nor what was given up."""
    store = engine.open_applications()
    states = [*ApplicationState, ApplicationState.COMPLETED]
    for number, state in enumerate(states):
        direction = list(Direction)[number % 2]
        order = OrderId(bytes([number]) * 16)
        store.add(replace(make_application(samples, direction), order=order))
        store.advance(order, state)
    assert engine.open_applications().count_completed() == 2


def test_different_officers_are_counted(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    store.add(make_application(samples))
    store.add(replace(make_application(samples), order=OTHER))
    assert store.record_approval(ORDER, 1, bytes(64)) == 1
    assert store.record_approval(ORDER, 1, bytes(64)) == 1
    assert store.record_approval(OTHER, 2, bytes(64)) == 1
    assert engine.open_applications().record_approval(ORDER, 2, bytes(64)) == 2


def test_states_only_move_forward(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    store.add(make_application(samples))
    reached = ApplicationState.APPLIED
    for state in (*ApplicationState, *reversed(ApplicationState)):
        store.advance(ORDER, state)
        order = list(ApplicationState)
        reached = max(reached, state, key=order.index)
        assert store.get(ORDER).state is reached
    assert reached is ApplicationState.ENDED


def test_the_first_issue_counts(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    store.add(make_application(samples))
    first, second = samples.built(10), samples.built(10)
    assert store.record_produced(ORDER, first) == first
    assert store.get(ORDER).state is ApplicationState.PRODUCED
    assert engine.open_applications().record_produced(ORDER, second) == first
    assert store.find_produced(ORDER) == first


def test_another_voiding_of_one_order_is_refused(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    store.add(make_application(samples, Direction.REDEEM))
    first, second = samples.built(-10), samples.built(-10)
    store.record_produced(ORDER, first)
    assert store.record_produced(ORDER, first) == first
    with refused(ErrorCode.ORDER_CONFLICT):
        store.record_produced(ORDER, second)
    assert store.find_produced(ORDER) == first


def test_a_lost_issue_is_followed_by_one_other(engine: Engine, samples: Samples) -> None:  # H3
    """Of several who produce anew at once, the first counts; earlier ones stay on record."""
    store = engine.open_applications()
    store.add(make_application(samples))
    first, second, third = (samples.built(10) for _ in range(3))
    lost = first.signed.txid
    assert store.record_produced(ORDER, first) == first
    assert store.record_produced(ORDER, second, lost) == second
    assert engine.open_applications().record_produced(ORDER, third, lost) == second
    assert store.find_produced(ORDER) == second
    assert store.load_produced(ORDER) == [lost, second.signed.txid]
    assert store.load_produced(OTHER) == []


def test_a_transaction_serves_one_order(engine: Engine, samples: Samples) -> None:  # C1
    store = engine.open_applications()
    asked = make_application(samples, Direction.REDEEM)
    store.add(asked)
    store.add(replace(asked, order=OTHER))
    built = samples.built(-10)
    store.record_produced(ORDER, built)
    with refused(ErrorCode.ORDER_CONFLICT):
        engine.open_applications().record_produced(OTHER, built)
    assert store.find_produced(OTHER) is None


def test_the_newest_approval_of_an_officer_counts(engine: Engine, samples: Samples) -> None:
    store = engine.open_applications()
    store.add(make_application(samples))
    assert store.load_approvals(ORDER) == {}
    for officer, byte in ((1, 1), (2, 2), (1, 3)):
        store.record_approval(ORDER, officer, bytes([byte]) * 64)
    assert engine.open_applications().load_approvals(ORDER) == {1: b"\3" * 64, 2: b"\2" * 64}


def test_a_failure_inside_recording_changes_nothing(
    engine: Engine, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = engine.open_applications()
    store.add(make_application(samples))

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("specie.store.application_store.encode_signed", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        store.record_produced(ORDER, samples.built(10))
    monkeypatch.undo()
    assert store.find_produced(ORDER) is None
    assert store.get(ORDER).state is ApplicationState.APPLIED


def test_a_store_of_version_1_is_brought_up_when_asked(tmp_path: Path, samples: Samples) -> None:
    """Version 2 added what officers have authorised; nothing that was there is lost."""
    path, key = tmp_path / "desk.db", SealingKey.generate()
    asked = make_application(samples)
    SqliteApplicationStore(path, key).add(asked)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE authorisation")
        connection.execute("UPDATE schema SET version = 1 WHERE name = 'applications'")
    with pytest.raises(SpecieError, match="specie migrate"):
        SqliteApplicationStore(path, key)
    database = Database(path, is_migrating=True)
    assert SqliteApplicationStore(database, key).get(ORDER) == asked
    database.close()
    store, place = SqliteApplicationStore(path, key), SupplyPlace(1, 1)
    assert not store.load_authorisations(TransactionId(bytes(32)), place)


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path, key = tmp_path / "desk.db", SealingKey.generate()
    SqliteApplicationStore(path, key)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE schema SET version = 9 WHERE name = 'applications'")
    database = Database(path, is_migrating=True)
    with refused(ErrorCode.STORE_UNUSABLE):
        SqliteApplicationStore(database, key)
