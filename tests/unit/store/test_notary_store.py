"""`NotaryStore`: one look-up, one durable transaction, nothing in halves."""

from dataclasses import replace

import pytest

from specie.ledger.records import Kind
from specie.ledger.state import SupplyState
from specie.ledger.wire import encode_attested
from specie.ports.notary import LookUp, RecordedBatch, RecordedTransaction
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import EntryId, OutputRef, PublicKey
from specie.values.times import Timestamp
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import BANK, Samples

NOTHING = SupplyState()


def look_up(recorded: RecordedTransaction) -> LookUp:
    """All that a transaction could have changed."""
    body, signed = recorded.transaction.body, recorded.transaction.signed
    reserve = signed.supply.reserve if signed.supply else None
    refs = (*body.inputs, *(output.ref for output in body.outputs))
    return LookUp(
        outputs=refs,
        spends=refs,
        kernels=tuple(kernel.public for kernel in signed.kernels),
        reserves=(reserve.entry,) if reserve else (),
    )


def is_recorded(store: SqliteNotaryStore, recorded: RecordedTransaction) -> bool:
    """Whether anything of it is in the store; it must be all or nothing."""
    body = recorded.transaction.body
    view = store.load_view(look_up(recorded))
    facts = [
        *(view.find_spend(ref) is not None for ref in body.inputs),
        *(view.find_output(output.ref) is not None for output in body.outputs),
        *(view.has_kernel(kernel.public) for kernel in recorded.transaction.signed.kernels),
        body.txid in store.find_promises([body.txid]),
    ]
    assert len(set(facts)) == 1, "a transaction is recorded in halves"
    return facts[0]


def test_an_empty_store_knows_nothing(engine: Engine, samples: Samples) -> None:
    store = engine.open_notary()
    assert not is_recorded(store, samples.recorded(OutputRef(samples.draw(32))))
    assert store.load_supply() == NOTHING
    assert store.load_waiting(10) == []
    assert store.load_batch_number() == store.count_leaves() == 0
    assert store.load_leaves(0, 10) == []


def test_a_batch_is_there_after_a_restart(engine: Engine, samples: Samples) -> None:
    first = samples.recorded(OutputRef(samples.draw(32)))
    second = samples.recorded(first.transaction.body.outputs[0].ref, time=1_600)
    engine.open_notary().record_batch([first, second], NOTHING)
    store = engine.open_notary()
    assert is_recorded(store, first) and is_recorded(store, second)
    assert store.find_promises([first.transaction.txid, samples.txid()]) == {
        first.transaction.txid: first.promise
    }
    view = store.load_view(look_up(second))
    output = first.transaction.body.outputs[0]
    found, spend = view.find_output(output.ref), view.find_spend(output.ref)
    assert found is not None and (found.output, found.kind, found.bank) == (output, Kind.CASH, BANK)
    assert spend is not None and spend.txid == second.transaction.txid
    assert spend.signature == second.transaction.signed.owner_signatures[0]
    assert (spend.not_before, spend.not_after) == (1_000, 2_000)


def test_the_view_shows_only_what_is_asked(engine: Engine, samples: Samples) -> None:
    store, recorded = engine.open_notary(), samples.recorded()
    store.record_batch([recorded], NOTHING)
    refs = (OutputRef(samples.draw(32)),)
    view = store.load_view(LookUp(refs, refs, (PublicKey(samples.draw(32)),)))
    assert not view.outputs and not view.spends and not view.kernels and not view.reserves


def test_looking_up_more_than_one_statement_holds(engine: Engine, samples: Samples) -> None:
    store = engine.open_notary()
    batch = [samples.recorded(OutputRef(samples.draw(32))) for _ in range(256)]
    store.record_batch(batch, NOTHING)
    refs = tuple(output.ref for one in batch for output in one.transaction.body.outputs)
    spent = tuple(one.transaction.body.inputs[0] for one in batch)
    kernels = tuple(one.transaction.signed.kernels[0].public for one in batch)
    absent = tuple(OutputRef(samples.draw(32)) for _ in range(600))
    asked = (*refs, *spent, *absent)
    view = store.load_view(LookUp(asked, asked, kernels))
    assert set(view.outputs) == set(refs)
    assert set(view.spends) == set(spent)
    assert view.kernels == set(kernels)
    assert len(store.find_promises([one.transaction.txid for one in batch])) == 256


@pytest.mark.parametrize("what", ["output", "spend", "kernel", "reserve", "txid", "serial"])
def test_a_failure_inside_a_batch_changes_nothing(
    engine: Engine, samples: Samples, what: str
) -> None:  # design §5: not acknowledged means nothing happened
    store = engine.open_notary()
    entry = EntryId(samples.draw(16))
    ref = OutputRef(samples.draw(32))
    known = samples.recorded(ref, supply=samples.supply(1, 10, entry))
    before = SupplyState(1, 10, 20_000, 10)
    store.record_batch([known], before)
    good = samples.recorded(OutputRef(samples.draw(32)))
    bad = samples.recorded(OutputRef(samples.draw(32)))
    after = before
    if what == "spend":
        bad = samples.recorded(ref)
    elif what == "reserve":
        bad = samples.recorded(supply=samples.supply(2, 20, entry))
        after = SupplyState(2, 20, 20_000, 20)
    elif what == "serial":
        after = replace(before, total=20)
    else:
        bad = make_like(bad, known, what)
    with refused(ErrorCode.STORE_UNUSABLE):
        store.record_batch([good, bad], after)
    for reopened in (store, engine.open_notary()):
        assert not is_recorded(reopened, good)
        assert reopened.load_supply() == before
        assert [one.data for one in reopened.load_waiting(9)] == [known.data]


def make_like(
    bad: RecordedTransaction, known: RecordedTransaction, what: str
) -> RecordedTransaction:
    """`bad` with one part taken from `known`."""
    signed = bad.transaction.signed
    if what == "kernel":
        signed = replace(signed, kernels=known.transaction.signed.kernels)
    elif what == "output":
        outputs = (known.transaction.body.outputs[0], signed.body.outputs[1])
        signed = replace(signed, body=replace(signed.body, outputs=outputs))
    else:
        body = replace(signed.body)
        object.__setattr__(body, "txid", known.transaction.txid)
        signed = replace(signed, body=body)
    transaction = replace(bad.transaction, signed=signed)
    return replace(bad, transaction=transaction, data=encode_attested(transaction))


def test_the_supply_is_the_newest_serial(engine: Engine, samples: Samples) -> None:
    store = engine.open_notary()
    states = [SupplyState(serial, 2**64 - serial, 20_000, 2**63 + serial) for serial in (1, 2, 3)]
    for state in states:
        store.record_batch([samples.recorded()], state)
        assert store.load_supply() == state
    store.record_batch([samples.recorded()], states[-1])
    assert engine.open_notary().load_supply() == states[-1]


def test_waiting_transactions_come_oldest_first(engine: Engine, samples: Samples) -> None:
    store = engine.open_notary()
    batches = [[samples.recorded(time=time + place) for place in (5, 1, 3)] for time in (10, 20)]
    for batch in batches:
        store.record_batch(batch, NOTHING)
    recorded = [one for batch in batches for one in batch]
    assert store.load_waiting(100) == recorded
    assert store.load_waiting(4) == recorded[:4]


def test_publishing_appends_leaves_and_takes_what_waited(engine: Engine, samples: Samples) -> None:
    store = engine.open_notary()
    first, second, third = (samples.recorded() for _ in range(3))
    store.record_batch([first, second, third], NOTHING)
    leaves = tuple(samples.draw(40 + place) for place in range(5))
    txids = (first.transaction.txid, second.transaction.txid)
    store.record_publication(RecordedBatch(1, Timestamp(7), leaves[:3], txids))
    assert [one.data for one in store.load_waiting(9)] == [third.data]
    store.record_publication(RecordedBatch(2, Timestamp(8), leaves[3:], (third.transaction.txid,)))
    store = engine.open_notary()
    assert store.load_waiting(9) == []
    assert (store.load_batch_number(), store.count_leaves()) == (2, 5)
    assert store.load_leaves(0, 99) == list(leaves)
    assert store.load_leaves(2, 2) == list(leaves[2:4])
    assert store.load_leaves(5, 2) == []


def test_a_failed_publication_changes_nothing(engine: Engine, samples: Samples) -> None:
    store = engine.open_notary()
    first, second = samples.recorded(), samples.recorded()
    store.record_batch([first, second], NOTHING)
    leaf = samples.draw(50)
    store.record_publication(RecordedBatch(1, Timestamp(7), (leaf,), (first.transaction.txid,)))
    again = RecordedBatch(1, Timestamp(8), (samples.draw(50),), (second.transaction.txid,))
    with refused(ErrorCode.STORE_UNUSABLE):
        store.record_publication(again)
    assert store.load_leaves(0, 9) == [leaf]
    assert [one.data for one in store.load_waiting(9)] == [second.data]
    assert store.load_batch_number() == 1
