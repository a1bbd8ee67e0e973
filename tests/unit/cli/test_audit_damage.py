"""Every kind of damage to a public folder is refused, with a code and the name of the file (X1)."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from specie.cli.audit import audit_folder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from tests.country import build_country
from tests.unit.cli.conftest import run

FULL, EDGE = "tile/entries/000", "tile/entries/001.p/"
HASHES, HASHES_EDGE, TOP = "tile/0/000", "tile/0/001.p/", "tile/1/000.p/1"


def flip(place: Path) -> None:
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(data)


def truncate(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-1])


def extend(place: Path) -> None:
    place.write_bytes(place.read_bytes() + b"\0")


def remove(place: Path) -> None:
    place.unlink()


def empty(place: Path) -> None:
    place.write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped": flip,
    "truncated": truncate,
    "extended": extend,
    "missing": remove,
    "empty": empty,
}
FILES = ("genesis", "participants", "checkpoint", FULL, EDGE, HASHES, HASHES_EDGE, TOP)
CASES = [pytest.param(file, damage, id=f"{file} {damage}") for file in FILES for damage in DAMAGES]


@pytest.fixture
def copy(public: Path, tmp_path: Path) -> Path:
    """A public folder to break."""
    return shutil.copytree(public, tmp_path / "public")


def find(folder: Path, name: str) -> Path:
    """A file; a partial tile's width depends on the run."""
    return next(folder.glob(f"{name}*")) if name.endswith("/") else folder / name


def check_refused(folder: Path, name: str) -> SpecieError:
    """Refused, and this file is named."""
    with pytest.raises(SpecieError) as refused:
        audit_folder(folder)
    assert refused.value.message.startswith(name), refused.value
    return refused.value


@pytest.mark.parametrize(("file", "damage"), CASES)
def test_a_damaged_file_is_named(copy: Path, file: str, damage: str) -> None:
    DAMAGES[damage](find(copy, file))
    error = check_refused(copy, file)
    if file.startswith("tile") or damage == "missing":
        assert error.code is ErrorCode.LOG_INVALID


def test_an_undamaged_folder_passes(copy: Path) -> None:
    audit_folder(copy)


@pytest.mark.parametrize(
    "name",
    ["readme", "tile/entries/002", "tile/entries/000.p/12", "tile/0/001.p/1", "tile/2/000.p/1"],
)
def test_a_file_too_many_is_named(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_bytes(b"more")
    assert check_refused(copy, name).code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("names", [(FULL, EDGE), (HASHES, HASHES_EDGE), (HASHES, FULL)])
def test_swapped_files_are_noticed(copy: Path, names: tuple[str, str]) -> None:
    one, other = (find(copy, name) for name in names)
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    assert check_refused(copy, "tile/").code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("text", [b"\xff", b"no key at all\n", b"\n"])
def test_cosigners_that_are_no_keys_are_named(copy: Path, text: bytes) -> None:
    (copy / "cosigners").write_bytes(text)
    check_refused(copy, "cosigners")


def test_files_of_another_network_are_named(copy: Path, tmp_path: Path) -> None:
    other = build_country(tmp_path / "other")
    other.audit()
    check_refused_with(copy, other.network.public, "checkpoint")
    check_refused_with(copy, other.network.public, "participants")
    check_refused_with(copy, other.network.public, "genesis", said="participants")
    with pytest.raises(SpecieError) as refused:
        audit_folder(copy, NetworkId(bytes(16)))
    assert refused.value.code is ErrorCode.NETWORK_MISMATCH


def check_refused_with(copy: Path, other: Path, name: str, said: str = "") -> None:
    """One file of another network instead of ours; ours is put back."""
    ours = (copy / name).read_bytes()
    shutil.copy(other / name, copy / name)
    check_refused(copy, said or name)
    (copy / name).write_bytes(ours)


def test_a_folder_is_no_file(copy: Path) -> None:
    (copy / "genesis").unlink()
    (copy / "genesis").mkdir()
    check_refused(copy, "genesis")


def test_the_command_says_it_in_one_line(copy: Path) -> None:
    flip(copy / FULL)
    done = run("audit", copy)
    said = f"specie: log_invalid: {FULL}: not what the checkpoint covers"
    assert (done.code, done.lines, done.errors) == (1, [], [said])
