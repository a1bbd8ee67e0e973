"""Publication: when, in what order, and always to the same bytes (P6, T10, X1)."""

import hashlib
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specie.assembly.network import Settings
from specie.ledger.wire import encode_attested
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import HeaderLeaf, KernelLeaf, unpack_leaf
from specie.log.notes import verify_checkpoint
from specie.notary.service import Notary
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.country import Country, Person, audit_folder, build_country, refused
from tests.unit.notary.house import House, build_house

DUE_PAYMENTS, DUE_AGE_MS = 4, 2_000
PROOF_SIZE = 577


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """A country that publishes four payments at once, or after a second."""
    data = tmp_path_factory.mktemp("hasty")
    settings = Settings(data, batch_payments_min=DUE_PAYMENTS, batch_age_ms_max=DUE_AGE_MS)
    made = build_country(data, settings=settings)
    made.network.notary.publish(is_forced=True)
    return made


@pytest.fixture
def people(hasty: Country) -> tuple[Person, Person]:
    """A payer with enough tokens, and a payee; everything published so far."""
    pair = hasty.open_person(hasty.north, *[10] * 6), hasty.open_person(hasty.south)
    hasty.network.notary.publish(is_forced=True)
    return pair


def read_files(folder: Path) -> dict[str, bytes]:
    """The log's files."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def read_checkpoint(house: House) -> Checkpoint:
    """The house's checkpoint, verified."""
    note = LogFolder(house.public).read_checkpoint()
    origin = note.split("\n", maxsplit=1)[0]
    return verify_checkpoint(note, origin, house.roster.current.notary_key)


# --- when ---------------------------------------------------------------------------------------


def test_due_by_number(hasty: Country, people: tuple[Person, Person]) -> None:
    notary = hasty.network.notary
    for _ in range(DUE_PAYMENTS - 1):
        hasty.pay(*people, 1)
        assert notary.publish() == 0
    hasty.pay(*people, 1)
    assert notary.publish() > 0
    assert notary.publish() == 0


def test_due_by_age(hasty: Country, people: tuple[Person, Person]) -> None:
    """Half of T_max: the promise names all of it, and publishing takes its time too."""
    notary = hasty.network.notary
    promise = hasty.pay(*people, 1)
    hasty.clock.advance(DUE_AGE_MS // 2 - 1)
    hasty.pay(*people, 1)
    assert notary.publish() == 0
    hasty.clock.advance(1)
    assert notary.publish() == 1 + 2 * (2 + 1) + count_inputs(hasty, 2)
    assert hasty.clock.now() <= promise.publish_by


def count_inputs(country: Country, payments: int) -> int:
    """Spent leaves of the last batch."""
    leaves = read_last_batch(country)
    header = unpack_leaf(leaves[0], PROOF_SIZE)
    assert isinstance(header, HeaderLeaf) and header.kernels == payments
    return header.spent


def read_last_batch(country: Country) -> list[bytes]:
    """Leaves of the newest batch in the public folder."""
    folder = LogFolder(country.network.public)
    size = int(folder.read_checkpoint().split("\n")[1])
    leaves = list(folder.iterate_leaves(size))
    start = max(place for place, leaf in enumerate(leaves) if leaf[0] == 0)
    return leaves[start:]


def test_nothing_waiting_is_nothing_to_publish(hasty: Country) -> None:
    notary = hasty.network.notary
    notary.publish(is_forced=True)
    before = read_files(hasty.network.public)
    assert notary.publish(is_forced=True) == notary.publish() == 0
    assert read_files(hasty.network.public) == before


def test_forced_means_now(hasty: Country, people: tuple[Person, Person]) -> None:
    hasty.pay(*people, 1)
    assert hasty.network.notary.publish(is_forced=True) > 0


# --- what ---------------------------------------------------------------------------------------


def test_a_batch_says_nothing_by_its_order(hasty: Country, people: tuple[Person, Person]) -> None:
    """Header, created, spent, kernels; each group sorted by its bytes (spec page 05)."""
    payer, payee = people
    store_path = hasty.network.settings.data / "notary" / "notary.db"
    for amount in (3, 4, 5):
        hasty.pay(payer, payee, amount)
    waiting = SqliteNotaryStore(store_path).load_waiting(9)
    hasty.network.notary.publish(is_forced=True)
    leaves = read_last_batch(hasty)
    assert [leaf[0] for leaf in leaves] == sorted(leaf[0] for leaf in leaves)
    for kind in (1, 2, 3):
        group = [leaf for leaf in leaves if leaf[0] == kind]
        assert group == sorted(group) and len(set(group)) == len(group)
    header = unpack_leaf(leaves[0], PROOF_SIZE)
    assert isinstance(header, HeaderLeaf)
    refs = [ref for one in waiting for ref in one.transaction.body.inputs]
    assert (header.created, header.spent, header.kernels) == (6, len(refs), 3)
    assert {leaf[1:] for leaf in leaves if leaf[0] == 2} == set(refs)
    assert header.time == hasty.clock.now()
    private = struct.pack("<QQI", header.number, header.time, len(waiting))
    for one in waiting:
        private += struct.pack("<QII", one.time, one.members, len(one.data)) + one.data
    assert header.batch_hash == hashlib.sha256(private).digest()


def test_a_change_of_the_supply_names_no_bank(hasty: Country) -> None:  # P6
    hasty.issue(hasty.north, 77)
    hasty.network.notary.publish(is_forced=True)
    leaves = [unpack_leaf(leaf, PROOF_SIZE) for leaf in read_last_batch(hasty)]
    (kernel,) = [leaf for leaf in leaves if isinstance(leaf, KernelLeaf)]
    assert kernel.supply is not None and kernel.supply_change == 77
    state = hasty.network.notary.get_supply()
    assert (kernel.supply.serial, kernel.supply.total_after) == (state.serial, state.total)
    assert sorted(officer for officer, _ in kernel.supply.authorisations) == [1, 2]
    size = 1 + 32 + 8 + 1 + 96 + 8 + 8 + 1 + 2 * 65
    assert len(kernel.pack()) == size  # no room for a bank, a reserve entry or an attestation


def test_everything_verifies_afterwards(hasty: Country) -> None:  # X1
    hasty.check_money()


# --- restarts, and disks that fail --------------------------------------------------------------


@pytest.fixture
def own(hasty: Country, people: tuple[Person, Person], tmp_path: Path) -> House:
    """A notary over a copy of the ledger, with some batches published and one payment waiting."""
    hasty.pay(*people, 2)
    return build_house(hasty, tmp_path)


def test_a_start_brings_back_lost_files(own: House) -> None:
    own.open_notary().publish(is_forced=True)
    before = read_files(own.public)
    assert len(before) > 2
    shutil.rmtree(own.public)
    own.open_notary()
    after = read_files(own.public)
    assert after.items() <= before.items()  # without the edges of older sizes
    assert read_checkpoint(own).size == own.open_store().count_leaves()


def test_a_start_mends_damaged_files(own: House) -> None:
    own.open_notary().publish(is_forced=True)
    before = read_files(own.public)
    for path in before:
        (own.public / path).write_bytes(b"damaged")
    own.open_notary()
    after = read_files(own.public)
    size = read_checkpoint(own).size
    leaves = list(LogFolder(own.public).iterate_leaves(size))
    assert leaves == own.open_store().load_leaves(0, size)
    assert after["checkpoint"] == before["checkpoint"]


def test_no_checkpoint_inside_a_batch(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is read at once, readers never see the log go back or stop in the middle."""
    own.open_notary().publish(is_forced=True)
    before = read_checkpoint(own)
    monkeypatch.setattr("specie.notary.service.LEAVES_AT_ONCE_MAX", 7)
    sizes: list[int] = []
    write = LogFolder.write_checkpoint

    def note(folder: LogFolder, text: str, *rest: Any) -> None:
        sizes.append(int(text.split("\n")[1]))
        write(folder, text, *rest)

    monkeypatch.setattr(LogFolder, "write_checkpoint", note)
    shutil.rmtree(own.public / "tile")
    own.open_notary()
    assert sizes == [before.size]
    assert read_checkpoint(own) == before
    leaves = list(LogFolder(own.public).iterate_leaves(before.size))
    assert leaves == own.open_store().load_leaves(0, before.size)


@pytest.mark.parametrize("name", ["write_leaves", "write_checkpoint"])
def test_a_folder_that_fails_is_caught_up_with(
    own: House, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Published is what the database says; the folder follows, with nothing new to wait for."""
    notary = own.open_notary()
    before = read_checkpoint(own)
    fail_once(monkeypatch, LogFolder, name)
    with refused(ErrorCode.STORE_UNUSABLE):
        notary.publish(is_forced=True)
    assert read_checkpoint(own) == before
    assert notary.publish() == 0
    assert read_checkpoint(own).size == own.open_store().count_leaves() > before.size


def test_a_store_that_fails_publishes_nothing(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    notary = own.open_notary()
    before = read_files(own.public)
    fail_once(monkeypatch, SqliteNotaryStore, "record_publication")
    with refused(ErrorCode.STORE_UNUSABLE):
        notary.publish(is_forced=True)
    assert read_files(own.public) == before
    assert notary.publish(is_forced=True) > 0
    assert read_checkpoint(own).size == own.open_store().count_leaves()


def fail_once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """The next call of this method fails, later ones work."""
    method: Callable[..., object] = getattr(owner, name)
    calls: list[None] = []

    def call(*args: object) -> object:
        calls.append(None)
        if len(calls) == 1:
            raise SpecieError(ErrorCode.STORE_UNUSABLE, "disk full")
        return method(*args)

    monkeypatch.setattr(owner, name, call)


def test_killed_between_database_and_folder(
    own: House, hasty: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    notary = own.open_notary()
    with monkeypatch.context() as patch:
        patch.setattr(LogFolder, "write_leaves", die)
        with pytest.raises(KeyboardInterrupt):
            notary.publish(is_forced=True)
    started: Notary = own.open_notary()
    assert read_checkpoint(own).size == own.open_store().count_leaves()
    assert started.publish(is_forced=True) == 0
    for name in ("genesis", "participants"):
        shutil.copy(hasty.network.public / name, own.public)
    with refused(ErrorCode.CHECKPOINT_INVALID):
        audit_folder(own.public)  # another notary signed it than the country's list names


def test_payments_wait_while_others_are_published(
    hasty: Country, people: tuple[Person, Person]
) -> None:
    """Notarised after the batch was cut: it stands in the next one."""
    payer, payee = people
    built = hasty.attest(hasty.build(payer, payee, 1), hasty.north)
    hasty.pay(hasty.open_person(hasty.north, 5), payee, 5)
    hasty.network.notary.publish(is_forced=True)
    promise = hasty.network.notary.notarise(encode_attested(built))
    assert promise.txid.hex() not in "".join(leaf.hex() for leaf in read_last_batch(hasty))
    hasty.network.notary.publish(is_forced=True)
    assert promise.txid.hex() in "".join(leaf.hex() for leaf in read_last_batch(hasty))
    hasty.people.remove(payer)  # her wallet does not know of what was built outside of it
