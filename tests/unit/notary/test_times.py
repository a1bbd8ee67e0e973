"""The notary's time: what a header has declared too late is never final afterwards (ADR 0010)."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from specie.ledger.evidence import verify_evidence
from specie.ledger.wire import decode_attested, encode_attested
from specie.log.leaves import HeaderLeaf, KernelLeaf, unpack_leaf
from specie.notary.publication import compute_batch_time
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.times import Timestamp
from tests.clocks import ManualClock
from tests.country import Country, Person, refused
from tests.unit.notary.house import House, build_house

PROOF_SIZE = 577


@pytest.fixture
def people(country: Country) -> tuple[Person, Person]:
    """A payer with tokens, and a payee."""
    return country.open_person(country.north, *[10] * 4), country.open_person(country.south)


@pytest.fixture
def own(country: Country, people: tuple[Person, Person], tmp_path: Path) -> House:
    """A notary that knows of their money and has published everything."""
    house = build_house(country, tmp_path)
    house.open_notary().publish(is_forced=True)
    return house


def make_payments(country: Country, people: tuple[Person, Person], count: int) -> list[bytes]:
    """One of each token."""
    payer, payee = people
    tokens = [token for token in payer.wallet.load_tokens() if token.amount][:count]
    builts = [country.build(payer, payee, 5, token) for token in tokens]
    return [encode_attested(country.attest(built, country.north)) for built in builts]


def read_batches(house: House) -> list[tuple[Timestamp, list[bytes]]]:
    """Time and transactions of every batch."""
    store = house.open_store()
    found: list[tuple[Timestamp, list[bytes]]] = []
    for packed in store.load_leaves(0, store.count_leaves()):
        leaf = unpack_leaf(packed, PROOF_SIZE)
        if isinstance(leaf, HeaderLeaf):
            found.append((leaf.time, []))
        elif isinstance(leaf, KernelLeaf):
            found[-1][1].append(leaf.txid)
    return found


def set_back(clock: ManualClock, time: Timestamp) -> None:
    """As a time server might."""
    clock._now = time  # noqa: SLF001  # a manual clock refuses to go back


def test_a_header_waits_for_those_left_out(
    country: Country, people: tuple[Person, Person], own: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment of the last moment behind a backlog: no header is later than its window before it.

    A wallet that never heard the answer frees its tokens by that header, and signs them again.
    """
    monkeypatch.setattr("specie.notary.service.PUBLICATION_TRANSACTIONS_MAX", 1)
    first, second, last = make_payments(country, people, 3)
    notary = own.open_notary()
    notary.notarise(first)
    own.clock.advance(5)
    notary.notarise(second)
    not_after = decode_attested(last).body.not_after
    own.clock.advance(not_after - own.clock.now())
    promise = notary.notarise(last)
    own.clock.advance(1_000)
    published: list[bytes] = []
    for _ in range(3):
        assert notary.publish(is_forced=True) > 0
        time, txids = read_batches(own)[-1]
        published += txids
        assert time <= not_after or promise.txid in published
    assert notary.publish(is_forced=True) == 0
    times = [time for time, _ in read_batches(own)]
    assert times == sorted(times) and times[-1] == own.clock.now()


def test_the_time_of_a_batch(country: Country, people: tuple[Person, Person], own: House) -> None:
    own.open_notary().notarise(make_payments(country, people, 1)[0])
    (recorded,) = own.open_store().load_waiting(9)
    now, last = Timestamp(100), Timestamp(50)
    assert compute_batch_time(now, last, None) == 100
    assert compute_batch_time(now, last, replace(recorded, time=Timestamp(80))) == 79
    # As late as the last header allows: whatever is notarised later has that time at least.
    assert compute_batch_time(now, last, replace(recorded, time=Timestamp(50))) == 50


def test_time_does_not_go_back(country: Country, people: tuple[Person, Person], own: House) -> None:
    """What was too late for a header stays too late, also after a restart."""
    first, second = make_payments(country, people, 2)
    not_after = decode_attested(first).body.not_after
    notary = own.open_notary()
    own.clock.advance(10)
    notary.notarise(second)
    own.clock.advance(not_after + 5 - own.clock.now())
    notary.publish(is_forced=True)
    set_back(own.clock, Timestamp(not_after - 5))
    for one in (notary, own.open_notary()):
        with refused(ErrorCode.EXPIRED):
            one.notarise(first)
        (outcome,) = one.notarise_batch([first])
        assert isinstance(outcome, SpecieError) and outcome.code is ErrorCode.EXPIRED


def test_recorded_times_do_not_go_back(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """Not between two payments either: an auditor judges them again one after the other."""
    payments = make_payments(country, people, 4)
    start = own.clock.now()
    notary = own.open_notary()
    for place, data in enumerate(payments):
        set_back(own.clock, Timestamp(start + (30, 10, 20, 40)[place]))
        if place == 2:
            notary = own.open_notary()
        notary.notarise(data)
    waiting = own.open_store().load_waiting(9)
    assert [one.time - start for one in waiting] == [30, 30, 30, 40]
    age = own.roster.genesis.batch_age_ms_max
    assert all(one.promise.publish_by == one.time + age for one in waiting)
    set_back(own.clock, start)
    own.open_notary().publish(is_forced=True)
    times = [time for time, _ in read_batches(own)]
    assert times[-1] == start + 40
    assert all(left <= right for left, right in pairwise(times))


def test_broken_promises_are_counted(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """By the notary's clock when it publishes, whatever the header says."""
    first, second, third = make_payments(country, people, 3)
    notary, age = own.open_notary(), own.roster.genesis.batch_age_ms_max
    before = notary.count_broken_promises()
    notary.notarise(first)
    own.clock.advance(age)
    notary.publish(is_forced=True)
    assert notary.count_broken_promises() == before  # at the last moment
    assert not notary.has_been_late
    notary.notarise(second)
    own.clock.advance(age + 1)
    notary.notarise(third)
    assert notary.count_broken_promises() == before + 1  # and still not published
    notary.publish(is_forced=True)
    assert notary.has_been_late
    assert own.open_notary().count_broken_promises() == before + 1


def test_every_caller_has_an_error_of_its_own(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """One exception raised in many threads would carry the tracebacks of all."""
    notary, payer, payee = own.open_notary(), *people
    token = payer.wallet.load_tokens()[0]
    first, second = (
        encode_attested(country.attest(country.build(payer, payee, one, token), country.north))
        for one in (1, 2)
    )
    notary.notarise(first)
    errors = []
    for data in (second, second, b"nonsense", b"nonsense"):
        with pytest.raises(SpecieError) as error:
            notary.notarise(data)
        errors.append(error.value)
    assert len({id(one) for one in errors}) == 4
    renewed = errors[0].renew()
    assert renewed is not errors[0] and str(renewed) == str(errors[0])
    assert isinstance(renewed, SpentError) and isinstance(errors[0], SpentError)
    assert renewed.evidence == errors[0].evidence and renewed.__traceback__ is None
    verify_evidence(renewed.evidence, own.roster.genesis.network)
