"""The settings file of a process: every mistake is named (T2)."""

import re
from pathlib import Path

import pytest

from specie.assembly.service_settings import (
    Keys,
    Listen,
    NetworkSettings,
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
    network=NetworkSettings(id="0" * 32, lists="https://127.0.0.1:9000"),
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
        ('service = "bank-2"', "", "service: missing"),
        ('service = "bank-2"', 'service = "Bank 2"', "service: a small letter, then"),
        ('service = "bank-2"', "service = 2", "service: a text in quotes"),
        ('id = "00', 'id = "0x', "network.id: 32 hexadecimal digits"),
        ("https://", "http://", "network.lists: https://host:port"),
        ("https://127.0.0.1:9000", "https://127.0.0.1", "network.lists: https://host:port"),
        ("127.0.0.1:9000", "127.0.0.1:65536", "network.lists: https://host:port"),
        ("127.0.0.1:9000", "127.0.0.1:9000/x", "network.lists: https://host:port"),
        ('"127.0.0.1:9003"', '"127.0.0.1"', "listen.operations: host:port, port 1 to 65535"),
        ('"127.0.0.1:9003"', '"127.0.0.1:99999"', "listen.operations: host:port"),
        ('"127.0.0.1:9003"', '"127.0.0.1:0"', "listen.operations: host:port"),
        ('"127.0.0.1:9003"', '"::1:9003"', "listen.operations: host:port"),
        ('"127.0.0.1:9003"', '"127.0.0.1:9001"', "listen: each listener has an address"),
        ("interval_ms = 20", "interval_ms = 19", "work.interval_ms: 20 to 60,000"),
        ("interval_ms = 20", 'interval_ms = "20"', "work.interval_ms: a whole number"),
        ("traces = true", "traces = 1", "observe.traces: true or false"),
        ('level = "warning"', 'level = "loud"', "observe.level: one of 'debug', 'info',"),
        ('source = "file"', 'source = "pkcs11"', "keys: source pkcs11 takes module and token"),
        ("[work]", 'passphrase = "x"\n[work]', "observe.passphrase: no such setting"),
        (
            "public = ",
            "pubic = ",
            "listen.pubic: no such setting, perhaps public; listen.public:",
        ),
        ("[work]", "[works]", "works: no such setting, perhaps work"),
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


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    write_settings(tmp_path, SETTINGS)
    path = tmp_path / "settings.toml"
    text = path.read_text().replace("interval_ms", "intervall_ms").replace("warning", "loud")
    path.write_text(text.replace("9003", "0").replace("[observe]", "[observe]\nnoise = 1"))
    with pytest.raises(SpecieError) as caught:
        load_settings(tmp_path)
    assert re.findall(r"[;:] ([a-z_.]+): ", caught.value.message) == [
        "observe.noise",
        "work.intervall_ms",
        "listen.operations",
        "observe.level",
    ]


def test_a_folder_without_settings(tmp_path: Path) -> None:
    with pytest.raises(SpecieError) as caught:
        load_settings(tmp_path)
    assert caught.value.code is ErrorCode.SETTING_INVALID
    assert str(tmp_path / "settings.toml") in caught.value.message
