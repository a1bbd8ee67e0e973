"""A passphrase comes from outside: a named file, systemd's credentials, the environment."""

from pathlib import Path

import pytest

from specie.assembly.folders import CREDENTIALS, PASSPHRASE, find_passphrase, read_passphrase
from specie.values.catalogue import ErrorCode
from specie.values.limits import PASSPHRASE_BYTES_MAX
from tests.country import refused


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    monkeypatch.delenv(CREDENTIALS, raising=False)


def test_who_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_passphrase(None) is None
    with refused(ErrorCode.SETTING_INVALID):
        read_passphrase(tmp_path, None)
    monkeypatch.setenv(PASSPHRASE, "of the environment")
    assert find_passphrase(None) == "of the environment"
    (tmp_path / "passphrase").write_text("of systemd\n")
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    assert find_passphrase(None) == "of systemd"
    (tmp_path / "named").write_text("of a file\n")
    assert read_passphrase(tmp_path, tmp_path / "named") == "of a file"


def test_a_file_that_is_too_long_is_not_cut(tmp_path: Path) -> None:
    longest, place = "x" * PASSPHRASE_BYTES_MAX, tmp_path / "passphrase"
    place.write_text(f"{longest}\n")
    assert find_passphrase(place) == longest
    place.write_text(f"{longest}\nand more")
    with refused(ErrorCode.LIMIT_EXCEEDED):
        find_passphrase(place)
    with refused(ErrorCode.SETTING_INVALID):
        find_passphrase(tmp_path / "missing")
