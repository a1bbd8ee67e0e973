"""`VaultStore`: a token belongs to one payment at most, and a payment is recorded once."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from specie.crypto.secrets import SealingKey
from specie.ledger.transactions import VoidPromise
from specie.ledger.wire import encode_signed
from specie.ports.vault import HeldToken, PaymentState, StoredPayment
from specie.store.vault_store import SqliteVaultStore, VaultDatabase
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef, Signature, TransactionId
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import Samples

VOIDED = VoidPromise(TransactionId(bytes(32)), Timestamp(1), Signature(bytes(64)))
ID, OTHER = b"payment one".ljust(16), b"payment two".ljust(16)


NOW, LATER = Timestamp(1_000), Timestamp(2_000)


def take_all(tokens: Sequence[HeldToken]) -> Sequence[HeldToken]:
    """A selection of everything."""
    return tokens


def take_one(tokens: Sequence[HeldToken]) -> Sequence[HeldToken]:
    """The smallest."""
    return sorted(tokens, key=lambda token: token.amount)[:1]


def take_none(tokens: Sequence[HeldToken]) -> Sequence[HeldToken]:
    """A selection that refuses."""
    raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT)


def fill(store: SqliteVaultStore, samples: Samples, count: int) -> list[Token]:
    """Tokens of 1, 2, 3 …"""
    tokens = [samples.token(amount + 1) for amount in range(count)]
    assert store.add_tokens(tokens, NOW) == count
    return tokens


def get_refs(tokens: Sequence[Token | HeldToken]) -> list[OutputRef]:
    """Their references, sorted."""
    return sorted(token.ref for token in tokens)


def build_payment(
    samples: Samples, tokens: Sequence[Token | HeldToken], payment_id: bytes = ID
) -> StoredPayment:
    """A payment that spends these tokens."""
    signed = samples.signed([token.ref for token in tokens])
    openings = tuple(samples.token().opening.pack() for _ in signed.body.outputs)
    return StoredPayment(
        payment_id,
        signed.txid,
        encode_signed(signed),
        openings,
        PaymentState.PREPARED,
        signed.body.not_after,
        NOW,
    )


def record(store: SqliteVaultStore, samples: Samples, payment_id: bytes = ID) -> StoredPayment:
    """Reserve everything and record a payment of it."""
    tokens = store.reserve(payment_id, take_all)
    payment = build_payment(samples, tokens, payment_id)
    store.record_payment(payment, [token.ref for token in tokens])
    return payment


def test_tokens_are_kept_once_and_last(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 3)
    extra = samples.token(9)
    assert store.add_tokens([*tokens, extra, extra], NOW) == 1
    assert store.add_tokens([], NOW) == 0
    available = engine.open_vault().load_available()
    assert get_refs(available) == get_refs([*tokens, extra])
    assert {one.token.opening.pack() for one in available} == {
        one.opening.pack() for one in (*tokens, extra)
    }


def test_holders_do_not_see_each_other(engine: Engine, samples: Samples) -> None:
    mine, yours = engine.open_vault("mine"), engine.open_vault("yours")
    token = samples.token()
    assert mine.add_tokens([token], NOW) == yours.add_tokens([token], NOW) == 1
    record(mine, samples)
    assert mine.load_available() == [] and get_refs(yours.load_available()) == [token.ref]
    assert yours.find_payment(ID) is None and yours.load_prepared() == []
    record(yours, samples)
    yours.settle(ID, [token.ref], [], LATER)
    assert yours.load_spent() == [token.ref] and mine.load_spent() == []
    assert VaultDatabase(engine.open()).list_used() == ["mine", "yours"]


def test_what_is_reserved_is_not_available(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 3)
    assert get_refs(store.reserve(ID, take_one)) == [tokens[0].ref]
    assert get_refs(store.load_available()) == get_refs(tokens[1:])
    assert get_refs(store.reserve(OTHER, take_one)) == [tokens[1].ref]


def test_a_selection_that_refuses_reserves_nothing(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        store.reserve(ID, take_none)
    assert get_refs(store.load_available()) == get_refs(tokens)


def test_reserving_again_begins_anew(engine: Engine, samples: Samples) -> None:
    """Stopped before anything was recorded: the same id must not pile up tokens."""
    store = engine.open_vault()
    tokens = fill(store, samples, 3)
    for _ in range(3):
        assert get_refs(store.reserve(ID, take_one)) == [tokens[0].ref]
    assert len(store.load_available()) == 2
    record(store, samples)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.reserve(ID, take_one)
    assert store.load_available() == []


def test_eight_threads_never_get_one_token_twice(engine: Engine, samples: Samples) -> None:
    fill(engine.open_vault(), samples, 40)
    got: list[OutputRef] = []
    start = threading.Barrier(8)

    def spend(worker: int) -> None:
        store = engine.open_vault()  # a connection of its own, as another process has
        start.wait()
        for place in range(5):
            got.extend(token.ref for token in store.reserve(bytes([worker, place]) * 8, take_one))

    threads = [threading.Thread(target=spend, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 40
    assert engine.open_vault().load_available() == []


def test_a_payment_is_found_as_it_was_recorded(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    fill(store, samples, 2)
    payment = record(store, samples)
    store = engine.open_vault()
    assert store.find_payment(ID) == payment
    assert store.load_prepared() == [payment]
    assert store.find_payment(OTHER) is None


def test_only_what_is_reserved_can_be_recorded(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 3)
    refs = [token.ref for token in tokens]
    store.reserve(ID, lambda free: [one for one in free if one.ref in refs[:2]])
    payment = build_payment(samples, tokens[:2])
    for inputs in (refs, refs[:1], refs[1:], []):
        with refused(ErrorCode.TOKEN_UNAVAILABLE):
            store.record_payment(payment, inputs)
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        store.record_payment(replace(payment, payment_id=OTHER), refs[:2])
    assert store.load_prepared() == []
    store.record_payment(payment, refs[:2])
    with refused(ErrorCode.ORDER_CONFLICT):
        store.record_payment(payment, refs[:2])


def test_settling_spends_and_gives_change(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    record(store, samples)
    change = samples.token(3)
    for _ in range(2):
        store.settle(ID, get_refs(tokens), [change], LATER)
        assert get_refs(store.load_available()) == [change.ref]
        assert sorted(store.load_spent()) == get_refs(tokens)
        assert store.load_prepared() == []
    assert store.add_tokens(tokens, NOW) == 0  # spent tokens do not come back
    assert get_refs(store.load_available()) == [change.ref]
    found = store.find_payment(ID)
    assert found is not None and found.state is PaymentState.SETTLED
    with refused(ErrorCode.ORDER_CONFLICT):
        store.release(ID)


def test_releasing_frees_what_was_refused(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    record(store, samples)
    for _ in range(2):
        store.release(ID)
        assert get_refs(store.load_available()) == get_refs(tokens)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.reserve(ID, take_all)
    assert store.load_spent() == []


def test_what_is_final_is_spent_whatever_was_thought_before(
    engine: Engine, samples: Samples
) -> None:
    """Freed by a log that lagged behind, even reserved for another payment meanwhile."""
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    record(store, samples)
    store.release(ID)
    record(store, samples, OTHER)
    store.settle(ID, get_refs(tokens), [], LATER)
    assert sorted(store.load_spent()) == get_refs(tokens)
    store.release(OTHER)
    assert store.load_available() == []


def test_what_was_spent_elsewhere_is_spent_and_the_rest_is_free(
    engine: Engine, samples: Samples
) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 3)
    record(store, samples)
    for _ in range(2):
        store.release(ID, [tokens[0].ref])
        assert store.load_spent() == [tokens[0].ref]
        assert get_refs(store.load_available()) == get_refs(tokens[1:])


def test_a_token_remembers_until_when_it_was_signed(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    (token,) = fill(store, samples, 1)
    assert [one.signed_until for one in store.load_available()] == [None]
    record(store, samples)
    store.release(ID)
    store.add_tokens([token], LATER)  # seen again: known, and its past with it
    assert [one.signed_until for one in engine.open_vault().load_available()] == [2_000]
    earlier = replace(build_payment(samples, [token], OTHER), not_after=Timestamp(1_500))
    store.reserve(OTHER, take_all)
    store.record_payment(earlier, [token.ref])
    store.release(OTHER)
    assert [one.signed_until for one in store.load_available()] == [2_000]


def test_a_void_payment_is_forgotten_by_its_tokens(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    record(store, samples)
    for _ in range(2):
        store.release_void(ID, Timestamp(900), VOIDED)
        assert get_refs(store.load_available()) == get_refs(tokens)
        assert {one.signed_until for one in store.load_available()} == {900}
    found = store.find_payment(ID)
    assert found is not None and found.state is PaymentState.CANCELLED
    assert found.voided == replace(VOIDED, txid=found.txid)
    with refused(ErrorCode.ORDER_CONFLICT):
        store.release(ID)
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        store.release_void(OTHER, Timestamp(900), VOIDED)


def test_everything_is_there_for_the_history(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    payment = record(store, samples)
    late = samples.token(7)
    store.settle(ID, get_refs(tokens), [late], LATER)
    held = store.load_tokens()
    assert [one.received for one in held] == [NOW, NOW, LATER]
    assert {one.ref for one in held} == {one.ref for one in (*tokens, late)}
    (settled,) = store.load_payments()
    assert settled == replace(payment, state=PaymentState.SETTLED)
    assert store.find_token(tokens[0].ref) == tokens[0]
    assert engine.open_vault("somebody else").find_token(tokens[0].ref) is None


@pytest.mark.parametrize("method", ["settle", "release"])
def test_a_payment_nobody_recorded_is_unknown(
    engine: Engine, samples: Samples, method: str
) -> None:
    store = engine.open_vault()
    fill(store, samples, 1)
    store.reserve(ID, take_all)
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        store.settle(ID, [], [], LATER) if method == "settle" else store.release(ID)
    assert store.load_available() == []


def test_unsigned_reservations_are_freed_and_signed_ones_stay(
    engine: Engine, samples: Samples
) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 4)
    counter = itertools.count()
    ids = [bytes([next(counter)]) * 16 for _ in range(4)]
    for payment_id in ids:
        store.reserve(payment_id, take_one)
    store.record_payment(build_payment(samples, tokens[:1], ids[0]), [tokens[0].ref])
    assert store.release_unsigned(ids[0]) == 0
    assert store.release_unsigned(ids[1]) == 1
    assert get_refs(store.load_available()) == [tokens[1].ref]
    assert engine.open_vault("somebody else").release_unsigned() == 0
    assert engine.open_vault().release_unsigned() == 2
    assert get_refs(store.load_available()) == get_refs(tokens[1:])


def test_a_failure_inside_settling_changes_nothing(
    engine: Engine, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = engine.open_vault()
    tokens = fill(store, samples, 2)
    payment = record(store, samples)
    change = samples.token(3)

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(SqliteVaultStore, "_seal_token", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        store.settle(ID, get_refs(tokens), [change], LATER)
    monkeypatch.undo()
    assert store.load_prepared() == [payment]
    assert store.load_spent() == [] and store.load_available() == []
    store.settle(ID, get_refs(tokens), [change], LATER)
    assert get_refs(store.load_available()) == [change.ref]


def test_another_holders_key_opens_nothing(engine: Engine, samples: Samples) -> None:
    store = engine.open_vault()
    fill(store, samples, 1)
    database = store._database  # noqa: SLF001  # the same file under another key
    stranger = SqliteVaultStore(database, "holder", SealingKey.generate())
    with refused(ErrorCode.SEALED_INVALID):
        stranger.load_available()
