"""The settings file of a process: every mistake is named (T2)."""

from pathlib import Path

import pytest

from specie.assembly.service_settings import (
    Keys,
    Listen,
    Network,
    Observe,
    ServiceSettings,
    Work,
    load_settings,
    write_settings,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

SETTINGS = ServiceSettings(
    service="bank-2",
    network=Network(id="0" * 32, lists="https://127.0.0.1:9000"),
    listen=Listen(
        institutions="127.0.0.1:9001", public="bank.test:443", operations="127.0.0.1:9003"
    ),
    keys=Keys(),
    observe=Observe(level="warning", traces=True),
    work=Work(interval_ms=20),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_settings(tmp_path, SETTINGS)
    assert load_settings(tmp_path) == SETTINGS


@pytest.mark.parametrize(
    ("there", "instead", "named"),
    [
        ('service = "bank-2"', "", "service"),
        ('service = "bank-2"', 'service = "Bank 2"', "service"),
        ('id = "00', 'id = "0x', "network.id"),
        ("https://", "http://", "network.lists"),
        ('"127.0.0.1:9003"', '"127.0.0.1"', "listen.operations"),
        ("interval_ms = 20", "interval_ms = 19", "work.interval_ms"),
        ("interval_ms = 20", 'interval_ms = "20"', "work.interval_ms"),
        ("traces = true", "traces = 1", "observe.traces"),
        ('level = "warning"', 'level = "loud"', "observe.level"),
        ("[work]", 'passphrase = "x"\n[work]', "passphrase"),
        ("[work]", "[work", "settings.toml"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, there: str, instead: str, named: str) -> None:
    write_settings(tmp_path, SETTINGS)
    path = tmp_path / "settings.toml"
    text = path.read_text()
    assert there in text
    path.write_text(text.replace(there, instead))
    with pytest.raises(SpecieError) as caught:
        load_settings(tmp_path)
    assert caught.value.code is ErrorCode.SETTING_INVALID
    assert named in caught.value.message


def test_a_folder_without_settings(tmp_path: Path) -> None:
    with pytest.raises(SpecieError) as caught:
        load_settings(tmp_path)
    assert caught.value.code is ErrorCode.SETTING_INVALID
    assert str(tmp_path / "settings.toml") in caught.value.message
