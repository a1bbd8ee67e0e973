"""`LogFolder`: what the public reads is whole, the same on every writing; nothing is forgiven."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from specie.crypto.secrets import InstitutionKey
from specie.log.notes import cosign, parse_note
from specie.log.tiles import format_tile_path
from specie.store import log_files
from specie.store.durable_files import read_limited, read_regular
from specie.store.log_files import LogFolder
from specie.values.catalogue import ErrorCode
from tests.country import refused
from tests.press import press_history
from tests.refusing import refuse
from tests.unit.ledger.history import make_history

WIDTH = 256


def make_leaves(first: int, count: int) -> list[bytes]:
    """Leaves of one to three digits and more, all different."""
    return [str(place).encode() for place in range(first, first + count)]


def hash_tree(leaves: list[bytes]) -> bytes:
    """RFC 6962, written down plainly."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + hash_tree(leaves[:half]) + hash_tree(leaves[half:])).digest()


def build_expected(leaves: list[bytes]) -> dict[str, bytes]:
    """Path → content of the tiles that a log of these leaves has, without its older edges."""
    files = {}
    for start in range(0, len(leaves), WIDTH):
        part = leaves[start : start + WIDTH]
        path = format_tile_path("entries", start // WIDTH, len(part))
        files[path] = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in part)
    level, span = 0, 1
    while len(leaves) >= span:
        hashes = [
            hash_tree(leaves[start : start + span])
            for start in range(0, len(leaves) - span + 1, span)
        ]
        for start in range(0, len(hashes), WIDTH):
            tile = hashes[start : start + WIDTH]
            files[format_tile_path(str(level), start // WIDTH, len(tile))] = b"".join(tile)
        level, span = level + 1, span * WIDTH
    return files


def read_files(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read_leaves(log: LogFolder, size: int) -> list[bytes]:
    """The first `size` leaves."""
    return list(log.iterate_leaves(size))


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    """An empty folder."""
    return LogFolder(tmp_path)


def test_the_twin_agrees_on_paths() -> None:
    """Examples of the C2SP document."""
    assert format_tile_path("entries", 1_234_067, 256) == "tile/entries/x001/x234/067"
    assert format_tile_path("0", 0, 5) == "tile/0/000.p/5"


@pytest.mark.parametrize("steps", [[1, 1, 1], [255, 1, 1], [256, 256], [100, 200, 300], [600, 1]])
def test_growing_over_tiles(log: LogFolder, tmp_path: Path, steps: list[int]) -> None:
    written: list[bytes] = []
    for step in steps:
        log.write_leaves(len(written), make_leaves(len(written), step))
        written += make_leaves(len(written), step)
        log.write_checkpoint("note\n", len(written))
        expected = {**build_expected(written), "checkpoint": b"note\n"}
        assert read_files(tmp_path) == expected  # the edges of older sizes are gone
        assert read_leaves(log, len(written)) == written
    for size in range(0, len(written) + 1, WIDTH):  # full tiles stay
        assert read_leaves(log, size) == written[:size]


def test_growing_over_a_tile_of_tiles(
    log: LogFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a thousand files: here only bytes count
    edge = WIDTH * WIDTH
    leaves = make_leaves(0, edge + 3)
    for start, end in (
        (0, edge - 2),
        (edge - 2, edge - 1),
        (edge - 1, edge + 1),
        (edge + 1, edge + 3),
    ):
        log.write_leaves(start, leaves[start:end])
    files = read_files(tmp_path)
    expected = build_expected(leaves)
    assert {path: files.get(path) for path in expected} == expected
    assert len(files["tile/1/000"]) == 256 * 32 and len(files["tile/2/000.p/1"]) == 32
    assert files["tile/2/000.p/1"] == hash_tree(leaves[:edge])
    assert read_leaves(log, edge + 3) == leaves


def test_writing_again_gives_the_same_files(log: LogFolder, tmp_path: Path) -> None:
    leaves = make_leaves(0, 700)
    log.write_leaves(0, leaves[:300])
    log.write_leaves(300, leaves[300:])
    log.write_checkpoint("note\n", 700)
    before = read_files(tmp_path)
    log.write_leaves(300, leaves[300:])
    log.write_leaves(0, leaves)
    log.write_checkpoint("note\n", 700)
    assert read_files(tmp_path) == before
    assert log.read_checkpoint() == "note\n"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    log: LogFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    log.write_leaves(0, make_leaves(0, 3))
    log.write_checkpoint("old\n", 3)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", fail) if step == "fsync" else (Path, "replace", fail)))
    with refused(ErrorCode.STORE_UNUSABLE) as caught:
        log.write_checkpoint("new\n", 303)
    assert "No space left" in str(caught.value) and str(tmp_path) not in str(caught.value)
    with refused(ErrorCode.STORE_UNUSABLE):
        log.write_leaves(3, make_leaves(3, 300))
    monkeypatch.undo()
    assert log.read_checkpoint() == "old\n"
    assert read_leaves(log, 3) == make_leaves(0, 3)
    log.write_leaves(3, make_leaves(3, 300))
    log.write_checkpoint("new\n", 303)
    assert log.read_checkpoint() == "new\n"
    assert read_leaves(log, 303) == make_leaves(0, 303)
    assert not [path for path in read_files(tmp_path) if path.endswith(".new")]


def test_everything_is_synced_before_it_has_its_name(
    log: LogFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # acknowledged means durable: the file, then its folder
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_sync(handle: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{handle}")  # noqa: PTH112  # a link of the system
        events.append("sync folder" if is_folder else "sync file")
        fsync(handle)

    def note_replace(source: Path, target: Path) -> Path:
        events.append("rename")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    log.write_checkpoint("note\n", 0)
    assert events == ["sync file", "rename", "sync folder"]


def test_reading_is_strict(log: LogFolder, tmp_path: Path) -> None:
    leaves = make_leaves(0, 300)
    log.write_leaves(0, leaves)
    full, edge = tmp_path / "tile/entries/000", tmp_path / "tile/entries/001.p/44"
    for place in (full, edge):
        good = place.read_bytes()
        wrong = [b"", good[:-1], good[:-4], good + b"\0", good + b"\0\1", good + b"\0\1x", good * 2]
        for data in wrong:
            place.write_bytes(data)
            with refused(ErrorCode.LOG_INVALID):
                read_leaves(log, 300)
        place.unlink()
        with refused(ErrorCode.LOG_INVALID):
            read_leaves(log, 300)
        place.write_bytes(good)
    assert read_leaves(log, 300) == leaves
    for size in (299, 301, 512, 557):
        with refused(ErrorCode.LOG_INVALID):
            read_leaves(log, size)


def test_the_checkpoint_must_be_there_and_be_text(log: LogFolder, tmp_path: Path) -> None:
    with refused(ErrorCode.LOG_INVALID):
        log.read_checkpoint()
    (tmp_path / "checkpoint").write_bytes(b"\xff\xfe")
    with refused(ErrorCode.CHECKPOINT_INVALID):
        log.read_checkpoint()


def test_a_file_that_is_too_long_is_not_read(
    log: LogFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_leaves(0, make_leaves(0, 5))
    monkeypatch.setattr(log_files, "LOG_FILE_BYTES_MAX", 14)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        read_leaves(log, 5)


def test_only_regular_files_are_listed(log: LogFolder, tmp_path: Path) -> None:
    log.write_leaves(0, make_leaves(0, 300))
    log.write_checkpoint("note\n", 300)
    expected = set(read_files(tmp_path))
    assert log.list_files(expected) == expected
    (tmp_path / "more").write_bytes(b"")
    assert log.list_files(expected) == expected | {"more"}
    for path in ("link", "tile/link", "tile/0/link"):
        (tmp_path / path).symlink_to(tmp_path / "tile/0")
        check_not_listed(log, expected, path)
        (tmp_path / path).unlink()
    os.mkfifo(tmp_path / "tile/0/pipe")
    check_not_listed(log, expected, "tile/0/pipe")
    (tmp_path / "tile/0/pipe").unlink()
    (tmp_path / "tile/9").mkdir()
    check_not_listed(log, expected, "tile/9")


def test_a_folder_that_cannot_be_listed(
    log: LogFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_not_listed(LogFolder(tmp_path / "nowhere"), set(), "the folder")

    def fail(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", fail)
    check_not_listed(log, {"genesis"}, "the folder: Input/output error")


def check_not_listed(log: LogFolder, expected: set[str], name: str) -> None:
    """Refused, and this is named."""
    with refused(ErrorCode.LOG_INVALID) as caught:
        log.list_files(expected)
    assert f"log_invalid: {name}" in str(caught.value)


def test_only_a_regular_file_is_read(log: LogFolder, tmp_path: Path) -> None:
    place = tmp_path / "checkpoint"
    place.symlink_to("/dev/zero")
    check_not_read(log, "checkpoint: a symbolic link")
    place.unlink()
    os.mkfifo(place)
    check_not_read(log, "checkpoint: not a regular file")
    place.unlink()
    place.mkdir()
    check_not_read(log, "checkpoint: not a regular file")


def check_not_read(log: LogFolder, message: str) -> None:
    """Refused at once."""
    with refused(ErrorCode.LOG_INVALID) as caught:
        log.read_checkpoint()
    assert message in str(caught.value)


def test_what_is_longer_than_announced_is_read_to_the_limit_only() -> None:
    """Files of the kernel say that they are empty, and are not."""
    place = Path("/proc/self/status")
    assert place.stat().st_size == 0
    assert len(read_regular(place, 20)) == 21
    with refused(ErrorCode.LIMIT_EXCEEDED):
        read_limited(place.parent, place.name, 20)
    assert b"VmPeak" in read_limited(place.parent, place.name, 100_000)


def test_leaves_cannot_be_added_after_a_gap(log: LogFolder) -> None:
    log.write_leaves(0, make_leaves(0, 3))
    with refused(ErrorCode.LOG_INVALID):
        log.write_leaves(4, make_leaves(4, 1))
    with refused(ErrorCode.LOG_INVALID):
        log.write_leaves(300, make_leaves(300, 1))
    assert read_leaves(log, 3) == make_leaves(0, 3)


# --- lines of others under the checkpoint ---------------------------------------------------------


def test_lines_join_this_very_checkpoint(tmp_path: Path) -> None:  # X3
    """Whoever cosigns while the log grows is told, and overwrites nothing."""
    press = press_history(make_history(), tmp_path / "public", batches=1)
    log, old, key = press.log, press.checkpoint, InstitutionKey.generate()
    line = cosign(old, "witness", key, 1)
    note = log.add_lines(old, [line])
    assert log.read_checkpoint() == note and line.format() in note
    log.write_checkpoint(press.sign(old), old.size)  # the notary starts again
    assert log.read_checkpoint() == note
    press.append([b"\0another leaf"])
    grown = log.read_checkpoint()
    assert refuse(log.add_lines, old, [line]) is ErrorCode.LOG_INVALID
    assert log.read_checkpoint() == grown


def test_drafts_are_no_way_to_other_files(tmp_path: Path) -> None:
    """A link with a draft's name is replaced, not followed; what a stop left is tidied up."""
    press = press_history(make_history(), tmp_path / "public", batches=1)
    other = tmp_path / "other"
    other.write_text("not ours")
    (tmp_path / "public" / "checkpoint.new").symlink_to(other)
    (tmp_path / "public" / "tile" / "left.new").write_text("half")
    press.append([b"\0another leaf"])
    assert other.read_text() == "not ours"
    assert not (tmp_path / "public" / "checkpoint").is_symlink()
    assert not list((tmp_path / "public").rglob("*.new"))


def test_cosigners_at_once_lose_nothing(tmp_path: Path) -> None:  # X3
    """Each through its own opening of the folder, as processes would, while the log grows too."""
    press = press_history(make_history(), tmp_path / "public", batches=1)
    checkpoint = press.checkpoint
    lines = [cosign(checkpoint, f"witness{n}", InstitutionKey.generate(), 1) for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda line: press.log.add_lines(checkpoint, [line]), lines))
    assert set(parse_note(press.log.read_checkpoint())[1][1:]) == set(lines)
