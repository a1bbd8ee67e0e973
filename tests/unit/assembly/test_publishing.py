"""A network that publishes in time: no promise broken, and nobody is published alone (T10, T15)."""

import random
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from specie.assembly.network import Settings
from specie.assembly.publishing import (
    add_filler,
    make_publisher,
    publish_due,
    split_vaults,
)
from specie.assembly.system import SystemClock
from specie.crypto.outputs import unpack_opening
from specie.identity.genesis import verify_genesis
from specie.identity.participants import Status
from specie.ledger.audit import PublicAudit, split_batches
from specie.ledger.records import Output
from specie.ledger.transactions import Promise
from specie.ledger.wire import decode_signed
from specie.log.leaves import CreatedLeaf, HeaderLeaf, KernelLeaf, SpentLeaf, unpack_leaf
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef
from tests.country import NORTH, Country, Person, build_country

LEAST, AGE_MS = 5, 8_000


@pytest.fixture
def town(tmp_path: Path) -> Country:
    """Batches of five payments, published within eight seconds."""
    settings = Settings(tmp_path / "town", batch_payments_min=LEAST, batch_age_ms_max=AGE_MS)
    country = build_country(tmp_path, settings=settings)
    split_vaults(country.network)
    return country


def read_batches(country: Country) -> list[tuple[HeaderLeaf, list[bytes]]]:
    """Headers with the transactions of their batches, from the public folder."""
    folder = LogFolder(country.network.public)
    size = int(folder.read_checkpoint().split("\n")[1])
    found: list[tuple[HeaderLeaf, list[bytes]]] = []
    for packed in folder.iterate_leaves(size):
        leaf = unpack_leaf(packed, 577)
        if isinstance(leaf, HeaderLeaf):
            found.append((leaf, []))
        elif isinstance(leaf, KernelLeaf):
            found[-1][1].append(leaf.txid)
    return found


def test_no_promise_is_broken_and_nobody_is_published_alone(town: Country) -> None:
    network, dice = town.network, random.Random(5)
    payer, payee = town.open_person(town.north, *[100] * 8), town.open_person(town.south, 10)
    promises: list[Promise] = []
    for _ in range(48):
        town.clock.advance(AGE_MS // 8)
        publish_due(network)
        for _ in range(dice.choice((0, 0, 0, 0, 0, 1, 1, 7))):
            payer.collect()
            promises.append(town.pay(payer, payee, 1))
    for _ in range(8):
        town.clock.advance(AGE_MS // 8)
        publish_due(network)
    times = {txid: header.time for header, txids in read_batches(town) for txid in txids}
    assert len(promises) > 20
    assert all(times[promise.txid] <= promise.publish_by for promise in promises)
    assert network.notary.count_broken_promises() == 0
    batches = read_batches(town)
    assert len(batches) > 3
    assert min(len(txids) for _, txids in batches) >= LEAST
    town.check_money()


def test_filler_is_nothing_but_payments(town: Country) -> None:
    """It moves nothing: vaults have what they had, in as many tokens of money; the books agree."""
    network = town.network
    town.pay(town.open_person(town.north, 9), town.open_person(town.south), 3)
    vaults = [bank.vault for bank in network.banks.values()]
    before = [sorted(one.amount for one in vault.load_tokens() if one.amount) for vault in vaults]
    network.notary.publish(is_forced=True)
    town.pay(town.people[0], town.people[1], 1)
    assert network.notary.count_missing() == 0  # there is time
    town.clock.advance(AGE_MS // 4)
    assert network.notary.count_missing() == LEAST - 1
    written = publish_due(network)
    header, txids = read_batches(town)[-1]
    assert len(txids) == LEAST and header.created == 2 * LEAST
    assert written == 1 + header.created + header.spent + header.kernels
    after = [sorted(one.amount for one in vault.load_tokens() if one.amount) for vault in vaults]
    assert after == before
    assert publish_due(network) == 0
    town.check_money()


def test_banks_without_money_are_skipped(tmp_path: Path) -> None:
    """Nothing to fill with: what waits is published in time all the same."""
    settings = Settings(tmp_path / "poor", batch_payments_min=LEAST, batch_age_ms_max=AGE_MS)
    poor = build_country(tmp_path, settings=settings, is_funded=False)
    network = poor.network
    assert split_vaults(network) == add_filler(network, 9) == 0
    poor.lend_reserves(poor.north)
    promise = poor.issue(poor.north, 7)
    assert split_vaults(network) == add_filler(network, 9) == 0  # too little to be split
    poor.clock.advance(AGE_MS // 2)
    publish_due(network)
    ((header, txids),) = read_batches(poor)
    assert txids == [promise.txid] and header.time <= promise.publish_by
    poor.issue(poor.north, 700)
    assert split_vaults(network) == 1
    poor.clock.advance(AGE_MS // 4)
    publish_due(network)
    assert len(read_batches(poor)[0][1]) == 1
    poor.clock.advance(AGE_MS // 4)
    publish_due(network)
    assert len(read_batches(poor)[1][1]) == LEAST  # the one that has money made all
    assert poor.north.vault.get_balance() == 707


def test_no_filler_spends_what_filler_of_its_batch_made(town: Country) -> None:  # T10
    """Seen with the banks' knowledge of which is which; payments of clients among it."""
    network = town.network
    payer, payee = town.open_person(town.north, *[10] * 6), town.open_person(town.south)
    network.notary.publish(is_forced=True)
    batches = 0
    for _ in range(6):
        town.clock.advance(1)
        town.pay(payer, payee, 1)
        town.clock.advance(AGE_MS // 4)
        batches += publish_due(network) > 0
    filler = list_filler(town)
    for created, spent in iterate_refs(town):
        made = {ref for one in filler for ref in one.outputs if ref in created}
        used = {ref for one in filler for ref in one.inputs if ref in spent}
        assert not made & used
    assert batches == 6 and len(filler) >= 5 * (LEAST - 1)
    assert min(len(txids) for _, txids in read_batches(town)[1:]) >= LEAST


class Filler(NamedTuple):
    """A vault's payment to itself."""

    inputs: tuple[OutputRef, ...]
    outputs: tuple[OutputRef, ...]


def list_filler(country: Country) -> list[Filler]:
    """What only the banks know: two outputs, both their own."""
    found = []
    for bank in country.network.banks.values():
        own = bank.vault.keys.address
        for payment in bank.vault._store.load_payments():  # noqa: SLF001  # the bank's own record
            openings = [unpack_opening(one) for one in payment.openings]
            if len(openings) == 2 and all(one.spend == own.spend for one in openings):
                body = decode_signed(payment.data).body
                found.append(Filler(body.inputs, tuple(one.ref for one in body.outputs)))
    return found


def iterate_refs(country: Country) -> Iterator[tuple[set[OutputRef], set[OutputRef]]]:
    """Created and spent by each batch, as anyone reads it."""
    folder = LogFolder(country.network.public)
    size = int(folder.read_checkpoint().split("\n")[1])
    for batch in split_batches(folder.iterate_leaves(size)):
        leaves = [unpack_leaf(leaf, 577) for leaf in batch]
        created = {Output(one.output).ref for one in leaves if isinstance(one, CreatedLeaf)}
        yield created, {one.ref for one in leaves if isinstance(one, SpentLeaf)}


def test_a_bank_that_fails_keeps_no_promise_from_being_kept(town: Country) -> None:  # T15
    """Its filler is refused: the other makes it, all is published in time, and it is told."""
    network = town.network
    network.notary.publish(is_forced=True)
    promise = town.pay(town.open_person(town.south, 9), town.open_person(town.south), 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.banks[NORTH], "attest_payment", fail)
        for _ in range(4):
            town.clock.advance(AGE_MS // 8)
            with suppress(SpecieError):
                publish_due(network)
    header, txids = read_batches(town)[-1]
    assert promise.txid in txids and header.time <= promise.publish_by
    assert network.notary.count_broken_promises() == 0
    vault = network.banks[NORTH].vault
    assert vault.load_prepared()  # what it has signed waits for its answer
    town.clock.advance(AGE_MS // 8)
    publish_due(network)
    assert not vault.load_prepared()  # and is sent again
    town.check_money()


def fail(*_: object) -> None:
    raise SpecieError(ErrorCode.STORE_UNUSABLE, "disk full")


def test_a_suspended_bank_fills_nothing(town: Country) -> None:
    network = town.network
    network.notary.publish(is_forced=True)
    town.pay(town.open_person(town.south, 9), town.open_person(town.south), 3)
    current = network.roster.current
    suspended = replace(current.participants[NORTH], status=Status.SUSPENDED)
    members = {**current.participants, NORTH: suspended}
    network.replace_participants(
        replace(current, version=current.version + 1, participants=members)
    )
    town.clock.advance(AGE_MS // 4)
    publish_due(network)
    assert len(read_batches(town)[-1][1]) >= LEAST


def test_with_a_real_clock_while_everybody_is_busy(tmp_path: Path) -> None:
    """The demo's way: a thread beside the work, vaults used by both."""
    settings = Settings(tmp_path / "busy", batch_payments_min=LEAST, batch_age_ms_max=400)
    busy = build_country(tmp_path, settings=settings)
    network = busy.network
    person = busy.open_person(busy.north)
    busy.lend_deposit(person, 1_000)
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.005):
            busy.clock.advance(5)

    clock = threading.Thread(target=tick)
    clock.start()
    try:
        with make_publisher(network):
            withdraw_often(busy, person)
    finally:
        stop.set()
        clock.join()
    store = SqliteNotaryStore(network.settings.data / "notary" / "notary.db")
    assert store.load_batch_number() >= 1
    busy.check_money()


def withdraw_often(country: Country, person: Person) -> None:
    """One at a time, while the publisher uses the same vault for filler."""
    for _ in range(15):
        with country.network.vault_locks[NORTH]:
            country.withdraw(person, 1)


# --- the rest of the rim ------------------------------------------------------------------------


def test_the_clock_never_goes_back_in_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's time jumps about; what threads read only grows."""
    dice = random.Random(1)
    monkeypatch.setattr("time.time_ns", lambda: dice.randrange(10**9, 10**12))
    clock, wrong = SystemClock(), []

    def read() -> None:
        last = 0
        for _ in range(3_000):
            now = clock.now()
            if now < last:
                wrong.append((last, now))
            last = now

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_institutions_folders_are_their_own(town: Country) -> None:
    data = town.network.settings.data
    for folder in ("accounting", "bank-2", "bank-3", "central_bank", "devices", "notary"):
        assert stat.S_IMODE((data / folder).stat().st_mode) == 0o700
    public = town.network.public
    assert stat.S_IMODE(public.stat().st_mode) & 0o055
    assert not list(public.rglob("*.new"))
    genesis = verify_genesis((public / "genesis").read_bytes())
    assert PublicAudit(genesis, town.network.roster.current).finish().supply == 0


def test_a_list_that_cannot_follow_is_neither_adopted_nor_written(town: Country) -> None:
    network = town.network
    current, before = network.roster.current, (network.public / "participants").read_bytes()
    forgotten = replace(current, version=current.version + 1, officers={})
    with pytest.raises(SpecieError):
        network.replace_participants(forgotten)
    assert network.roster.current == current
    assert (network.public / "participants").read_bytes() == before
