"""A bank's settings for its core system, and the sample's folder: every mistake is named (P13)."""

import socket
import tarfile
from pathlib import Path

import pytest

from specie.assembly.core_bank_process import (
    CORE_SETTINGS,
    SECRET,
    create_core_bank,
    describe_settings,
    load_core_settings,
)
from specie.assembly.core_system import read_secret
from specie.assembly.service_settings import SETTINGS, load_settings
from specie.bank.control_books import CREDITED, ControlBooks, refuse_stray_books
from specie.bank.deposits import DepositBooks
from specie.cli.processes import build_command, get_addresses, list_core_banks, list_processes
from specie.ports.core_bank import CreditReason, DueCredit
from specie.store.backup import back_up, restore
from specie.store.books_store import SqliteBooksStore
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, EndToEndId, EntryId
from tests.clocks import ManualClock
from tests.country import refused

PLACES = ("127.0.0.1:7801", "127.0.0.1:7802")
SERVICE = """service = "bank-2"
[network]
id = "00000000000000000000000000000000"
lists = "https://127.0.0.1:1"
[listen]
institutions = "127.0.0.1:1"
public = "127.0.0.1:2"
operations = "127.0.0.1:3"
"""


def create(folder: Path) -> Path:
    create_core_bank(folder, 2, *PLACES, Currency("KZT", 0))
    return folder


def test_what_is_printed_is_what_the_bank_reads(tmp_path: Path) -> None:
    folder, bank = create(tmp_path / "core"), tmp_path / "bank"
    bank.mkdir()
    (bank / SETTINGS).write_text(f"{SERVICE}\n{describe_settings(folder)}\n")
    chosen = load_settings(bank).core_bank
    assert chosen.url == f"https://{PLACES[0]}"
    assert len(read_secret(Path(chosen.secret))) > 32
    assert Path(chosen.certificate).is_file()
    assert load_core_settings(folder).money == Currency("KZT", 0)
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ('url = "https://a:1"', "url, certificate and secret, or none"),
        ('url = "http://a:1"\ncertificate = "c"\nsecret = "s"', "https://host:port"),
        ('url = "https://a"\ncertificate = "c"\nsecret = "s"', "https://host:port"),
        ('secret = "s"', "url, certificate and secret, or none"),
        ('token = "s"', "core_bank.token: no such setting"),
        ("url = 5", "core_bank.url: a text in quotes"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, table: str, named: str) -> None:
    (tmp_path / SETTINGS).write_text(f"{SERVICE}\n[core_bank]\n{table}\n")
    with refused(ErrorCode.SETTING_INVALID) as error:
        load_settings(tmp_path)
    assert named in str(error.value)


def test_a_secret_is_its_owners_alone_and_can_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with refused(ErrorCode.SETTING_INVALID):
        read_secret(path)
    for text, mode in (
        ("s" * 32, 0o640),
        ("s" * 32, 0o604),
        ("s" * 15, 0o600),
        ("s" * 513, 0o600),
        ("two words, and more", 0o600),
        ("a line\r\nand: another", 0o600),
        ("größer als ascii ist", 0o600),
    ):
        path.write_text(text)
        path.chmod(mode)
        with refused(ErrorCode.SETTING_INVALID) as error:
            read_secret(path)
        assert text not in str(error.value)
    path.write_text("s" * 16 + "\n")
    path.chmod(0o600)
    assert read_secret(path) == "s" * 16
    (tmp_path / "link").symlink_to(path)
    with refused(ErrorCode.SETTING_INVALID):
        read_secret(tmp_path / "link")


@pytest.mark.parametrize(
    "line",
    ["bank = -1", "bank = 10000", 'listen = "nowhere"', "color = 1", 'currency = "dollars"', "("],
)
def test_a_wrong_setting_of_the_sample_is_named(tmp_path: Path, line: str) -> None:
    folder = create(tmp_path / "core")
    name = line.partition(" = ")[0]
    kept = [
        one
        for one in (folder / CORE_SETTINGS).read_text().splitlines()
        if not one.startswith(f"{name} ")
    ]
    (folder / CORE_SETTINGS).write_text("\n".join([*kept, line]))
    with refused(ErrorCode.SETTING_INVALID) as error:
        load_core_settings(folder)
    assert CORE_SETTINGS in str(error.value)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    folder = create(tmp_path / "core")
    before = (folder / SECRET).read_text()
    with refused(ErrorCode.SETTING_INVALID):
        create(folder)
    assert (folder / SECRET).read_text() == before


def test_a_network_starts_its_core_banks_first(tmp_path: Path) -> None:  # T1
    create(tmp_path / "core-bank-2")
    (tmp_path / "bank-2").mkdir()
    (tmp_path / "bank-2" / SETTINGS).write_text(SERVICE)
    assert (list_core_banks(tmp_path), list_processes(tmp_path)) == (["core-bank-2"], ["bank-2"])
    assert get_addresses(tmp_path / "core-bank-2") == PLACES
    assert get_addresses(tmp_path / "bank-2") == ("127.0.0.1:2", "127.0.0.1:3")
    core = ["core-bank", "serve", str(tmp_path / "core-bank-2")]
    assert build_command(tmp_path, "core-bank-2") == core
    assert build_command(tmp_path, "bank-2")[:2] == ["serve", str(tmp_path / "bank-2")]


def test_its_folder_is_backed_up_as_others_are(tmp_path: Path) -> None:
    folder = create(tmp_path / "core")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "control.sock"))
    back_up(folder, tmp_path / "backup")
    with tarfile.open(tmp_path / "backup") as archive:
        assert "control.sock" not in archive.getnames()
    restore(tmp_path / "backup", tmp_path / "again")
    assert load_core_settings(tmp_path / "again") == load_core_settings(folder)
    assert read_secret(tmp_path / "again" / SECRET) == read_secret(folder / SECRET)


def test_clients_money_is_never_where_the_bank_would_not_look(tmp_path: Path) -> None:
    """A core system is named, or left, while there is money on the other side: no start."""
    store, clock, client = SqliteBooksStore(tmp_path / "b.db"), ManualClock(), ClientId("anna")
    books = DepositBooks(store, clock)
    for has_core in (True, False):
        refuse_stray_books(store, books.count_deposits(), has_core=has_core)
    books.open_deposit(client)
    books.lend_to_client(EntryId(b"l" * 16), client, Minor(5))
    refuse_stray_books(store, books.count_deposits(), has_core=False)
    with refused(ErrorCode.SETTING_INVALID):
        refuse_stray_books(store, books.count_deposits(), has_core=True)
    other = SqliteBooksStore(tmp_path / "c.db")
    fresh, control = DepositBooks(other, clock), ControlBooks(other, clock)
    refuse_stray_books(other, fresh.count_deposits(), has_core=False)
    control.owe(DueCredit(EndToEndId(bytes(16)), client, Minor(5), CreditReason.LOAN))
    control.note_credited(EntryId(b"c" * 16), Minor(5))
    assert other.get_balance(CREDITED) == 5
    refuse_stray_books(other, fresh.count_deposits(), has_core=True)
    with refused(ErrorCode.SETTING_INVALID):
        refuse_stray_books(other, fresh.count_deposits(), has_core=False)
