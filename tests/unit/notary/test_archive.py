"""The full private batches: one file a batch, whole, and again the same (X3)."""

import hashlib
import struct
from pathlib import Path

import pytest

from specie.ledger.batches import pack_private, unpack_private
from specie.ledger.wire import decode_attested
from specie.log.leaves import HeaderLeaf, unpack_leaf
from specie.store.batch_files import BatchFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import PUBLICATION_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX
from tests.country import Country, refused
from tests.unit.notary.house import House, build_house


@pytest.fixture
def own(country: Country, tmp_path: Path) -> House:
    """A notary with two payments waiting."""
    payer, payee = country.open_person(country.north, 10), country.open_person(country.south)
    country.pay(payer, payee, 1)
    country.network.notary.publish(is_forced=True)
    country.pay(payer, payee, 2)
    country.clock.advance(7)
    payee.collect()
    country.pay(payee, payer, 1)
    return build_house(country, tmp_path)


def read_headers(house: House) -> list[HeaderLeaf]:
    """Of all batches."""
    store = house.open_store()
    leaves = [unpack_leaf(leaf, 577) for leaf in store.load_leaves(0, store.count_leaves())]
    return [leaf for leaf in leaves if isinstance(leaf, HeaderLeaf)]


def read_archive(house: House) -> list[bytes]:
    """All private batches."""
    archive = house.archive
    return [archive.read(number) for number in range(1, archive.count() + 1)]


def test_each_batch_is_the_one_of_its_header(own: House) -> None:
    own.open_notary().publish(is_forced=True)
    headers, batches = read_headers(own), read_archive(own)
    assert len(batches) == len(headers) > 1
    own.archive.check_complete(len(headers))
    for header, private in zip(headers, batches, strict=True):
        assert header.batch_hash == hashlib.sha256(private).digest()
        batch = unpack_private(private)
        number, time, judged = batch.number, batch.time, batch.judged
        assert (number, time, len(judged)) == (header.number, header.time, header.kernels)
        assert pack_private(number, time, judged) == private
        assert all(one.time <= time and one.members >= 1 for one in judged)
        assert all(one.transaction == decode_attested(one.data) for one in judged)


@pytest.mark.parametrize("lost", ["all", "last", "middle"])
def test_a_start_brings_back_lost_batches(own: House, lost: str) -> None:
    own.open_notary().publish(is_forced=True)
    before = read_archive(own)
    numbers = {
        "all": range(1, len(before) + 1),
        "last": [len(before)],
        "middle": [len(before) - 1],
    }[lost]
    for number in numbers:
        (own.folder / "batches" / str(number)).unlink()
    own.open_notary()
    assert read_archive(own) == before


def test_killed_before_a_batch_is_archived(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published is what the database says; the archive follows before the public folder does."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    notary = own.open_notary()
    count = own.archive.count()
    checkpoint = (own.public / "checkpoint").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(BatchFolder, "write", die)
        with pytest.raises(KeyboardInterrupt):
            notary.publish(is_forced=True)
    assert own.archive.count() == count
    assert (own.public / "checkpoint").read_bytes() == checkpoint
    own.open_notary()
    assert own.archive.count() == count + 1 == len(read_headers(own))
    assert (own.public / "checkpoint").read_bytes() != checkpoint


def test_an_archive_that_fails_is_caught_up_with(
    own: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    notary, count = own.open_notary(), own.archive.count()

    def fail(*_: object) -> None:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, "disk full")

    with monkeypatch.context() as patch:
        patch.setattr(BatchFolder, "write", fail)
        with refused(ErrorCode.STORE_UNUSABLE):
            notary.publish(is_forced=True)
    assert notary.publish() == 0
    assert own.archive.count() == count + 1
    assert read_archive(own)[-1][:8] == struct.pack("<Q", count + 1)


def test_private_batches_are_read_strictly(own: House) -> None:
    own.open_notary().publish(is_forced=True)
    private = read_archive(own)[-1]
    head, first = private[:16], 20
    too_many = head + struct.pack("<I", PUBLICATION_TRANSACTIONS_MAX + 1) + private[20:]
    too_long = private[: first + 12] + struct.pack("<I", TRANSACTION_BYTES_MAX + 1)
    for code, data in (
        (ErrorCode.TRUNCATED, private[:-1]),
        (ErrorCode.TRUNCATED, private + b"\0"),
        (ErrorCode.NOT_CANONICAL, private + bytes(4)),  # voids, but none
        (ErrorCode.TRUNCATED, private + struct.pack("<I", 1)),
        (ErrorCode.LIMIT_EXCEEDED, private + b"\xff" * 4),
        (ErrorCode.TRAILING_BYTES, private + struct.pack("<IQI", 1, 0, 0) + bytes(65)),
        (ErrorCode.LIMIT_EXCEEDED, too_many),
        (ErrorCode.LIMIT_EXCEEDED, too_long + private[first + 16 :]),
        (ErrorCode.NOT_CANONICAL, private[:first] + b"\xff" * 8 + private[first + 8 :]),
    ):
        with refused(code):
            unpack_private(data)


def test_the_folder_holds_batches_and_nothing_else(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path / "batches")
    assert folder.count() == 0
    for number in (1, 2, 3):
        folder.write(number, bytes([number]))
    folder.write(2, b"\x02")
    assert (folder.count(), folder.read(2)) == (3, b"\x02")
    folder.check_complete(3)
    for count in (2, 4):
        with refused(ErrorCode.LOG_INVALID):
            folder.check_complete(count)
    (tmp_path / "batches" / "2").unlink()
    assert folder.count() == 1
    for look in (lambda: folder.read(2), lambda: folder.check_complete(3)):
        with refused(ErrorCode.LOG_INVALID):
            look()
