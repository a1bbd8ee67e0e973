"""Reading a folder from disk: the same errors, with file and line, for what only disks can do."""

import os
from pathlib import Path

import pytest

from specie.store.profile_folder import read_profile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.workload.limits import SHEET_BYTES_MAX
from specie.workload.profile import PROFILE_FILES, parse_profile
from tests.unit.workload.samples import HOURLY, KINDS, build_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound folder on disk."""
    for file, text in build_folder().items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    return tmp_path


def refuse(folder: Path) -> SpecieError:
    with pytest.raises(SpecieError) as caught:
        read_profile(folder)
    return caught.value


def test_folder_on_disk_is_what_its_texts_are(folder: Path) -> None:  # T26
    assert read_profile(folder) == parse_profile(build_folder())


@pytest.mark.parametrize("file", PROFILE_FILES)
def test_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    error = refuse(folder)
    assert error.code is ErrorCode.PROFILE_MISSING
    assert error.message.startswith(f"{file}:1: no such file in ")


@pytest.mark.parametrize("name", ["absent", HOURLY, "x" * 300, "nul\0"])
def test_missing_folder_is_said(folder: Path, name: str) -> None:
    error = refuse(folder / name)
    assert error.code is ErrorCode.PROFILE_MISSING
    assert error.message.startswith(f"{PROFILE_FILES[0]}:1: ")


def test_text_in_another_encoding_is_refused_at_its_line(folder: Path) -> None:
    lines = build_folder()[HOURLY].encode().split(b"\n")
    lines[6] += b"\xff"
    (folder / HOURLY).write_bytes(b"\n".join(lines))
    error = refuse(folder)
    assert error.code is ErrorCode.PROFILE_MALFORMED
    assert error.message == f"{HOURLY}:7: not UTF-8 text"


def test_malformed_row_on_disk_is_named(folder: Path) -> None:
    with (folder / KINDS).open("a") as stream:
        stream.write("BARTER\n")
    assert refuse(folder).message == f"{KINDS}:7: unknown action 'BARTER'"


def test_file_over_the_limit_is_refused_unread(folder: Path) -> None:
    with (folder / KINDS).open("r+b") as stream:
        stream.truncate(100 * SHEET_BYTES_MAX)  # a hole: takes no disk, and must take no memory
    error = refuse(folder)
    assert error.code is ErrorCode.PROFILE_MALFORMED
    assert error.message == f"{KINDS}:7: larger than {SHEET_BYTES_MAX} bytes"


def test_what_is_no_regular_file_is_not_waited_for(folder: Path) -> None:
    (folder / KINDS).unlink()
    os.mkfifo(folder / KINDS)
    assert refuse(folder).code is ErrorCode.PROFILE_MISSING
    (folder / KINDS).unlink()
    (folder / KINDS).mkdir()
    assert refuse(folder).code is ErrorCode.PROFILE_MISSING


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_file_without_permission_is_said(folder: Path) -> None:
    (folder / KINDS).chmod(0)
    error = refuse(folder)
    assert error.code is ErrorCode.PROFILE_MISSING
    assert error.message.startswith(f"{KINDS}:1: not readable: ")
