"""`specie wallet` over a device's store: that of a kept demo, and new ones (T3, T19, X7)."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from specie.cli import app
from specie.cli.devices import opened_device
from specie.store.account_store import SqliteAccountStore
from specie.store.database import Database
from specie.store.device_notes import SqliteDeviceNotes
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber
from specie.wallet.keys import get_subholder
from tests.country import refused
from tests.unit.cli.conftest import Demo

PASSPHRASE = "on every device of the demo"
PAID = 742_19


def invoke(*arguments: str | Path, typed: str = PASSPHRASE) -> str:
    """A command that must end well; gives its output."""
    done = CliRunner().invoke(app, ["wallet", *map(str, arguments)], input=f"{typed}\n")
    if isinstance(done.exception, SpecieError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def kept(demos: dict[str, Demo]) -> Demo:
    return demos["published"]


@pytest.fixture
def phone(kept: Demo) -> tuple[str | Path, ...]:
    """Aigerim's."""
    return ("--device", kept.data / "devices" / "devices.db", "--holder", "Aigerim")


@pytest.fixture
def public(kept: Demo) -> tuple[str | Path, ...]:
    return ("--public", kept.public)


Options = tuple[str | Path, ...]


def test_the_demo_says_how_to_look_into_a_phone(kept: Demo) -> None:
    assert f"      {PASSPHRASE}" in kept.done.lines
    assert any("specie wallet history --device" in line for line in kept.done.lines)


def test_balance_and_history_agree_with_the_story(phone: Options, public: Options) -> None:  # T19
    rows = json.loads(invoke("history", *phone, *public, "--json"))
    paid = [one["minor"] for one in rows if one["what"] == "paid"]
    received = sum(one["minor"] for one in rows if one["what"] == "received")
    assert paid[0] == PAID and {one["state"] for one in rows} == {"settled"}
    facts = json.loads(invoke("balance", *phone, *public, "--json"))
    assert facts["balance_minor"] == received - sum(paid)
    assert facts["payments_without_an_answer"] == 0
    lines = invoke("history", *phone, *public).splitlines()
    assert len(lines) == len(rows) and "742.19 DCU" in lines[1]


def test_a_receipt_is_made_from_the_log_alone(  # X2, X6, X13
    phone: Options, public: Options, tmp_path: Path
) -> None:
    rows = json.loads(invoke("history", *phone, *public, "--json"))
    (rent,) = [one["id"] for one in rows if one["minor"] == PAID]
    for name, options, most in (("small", (), 4_096), ("safe", ("--quantum-safe",), 16_384)):
        out = tmp_path / f"{name}.tlog-proof"
        invoke("receipt", rent, *phone, *public, "--out", out, *options)
        assert len(out.read_bytes()) <= most
        done = CliRunner().invoke(
            app, ["verify-receipt", str(out), *map(str, public), "--require-cosigners", "--json"]
        )
        facts = json.loads(done.stdout)
        assert facts["paid_minor"] == PAID and facts["payer_wrote_name"] == "Aigerim"
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        invoke("receipt", "00" * 16, *phone, *public, "--out", tmp_path / "none")
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        invoke("receipt", "no id", *phone, *public, "--out", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_wallet_is_made_and_restored_on_another_device(  # T3, T19, X7
    kept: Demo, public: Options, tmp_path: Path
) -> None:
    """Bolat has money: it is there at once on the new phone, in as many sub-wallets as asked."""
    old = ("--device", kept.data / "devices" / "devices.db", "--holder", "Bolat")
    held = json.loads(invoke("balance", *old, *public, "--json"))["balance_minor"]
    words = invoke("phrase", *old).strip()
    assert held > 0 and len(words.split()) == 24
    target = ("--into", tmp_path / "new.db", "--holder", "Bolat", "--bank", "3")
    for _ in range(2):  # again after a stop
        typed = f"{words}\nnew secret"
        facts = json.loads(invoke("restore", *public, *target, "--json", typed=typed))
        assert facts["balance_minor"] == held
    new = ("--device", tmp_path / "new.db", "--holder", "Bolat")
    found = invoke("balance", *new, *public, "--json", typed="new secret")
    assert json.loads(found)["balance_minor"] == held
    assert invoke("phrase", *new, typed="new secret").strip() == words
    listed = ("subwallets", *new, *public, "--bank", "3", "--count", "2")
    first, second = invoke(*listed, typed="new secret").splitlines()
    assert first.split()[-1] != second.split()[-1] and "0.00 DCU" in second
    assert (tmp_path / "new.db").stat().st_mode & 0o077 == 0


def test_the_sub_wallet_in_use_is_the_one_that_is_shown(public: Options, tmp_path: Path) -> None:
    """After a move that is another one than 0, and its address needs no phrase (T3, T25)."""
    path = tmp_path / "mine.db"
    mine = ("--device", path, "--holder", "Zoë")
    invoke("create", *mine, typed="secret")
    listed = invoke("subwallets", *mine, *public, "--bank", "2", "--count", "2", typed="secret")
    first, second = (line.split()[-1] for line in listed.splitlines())
    with refused(ErrorCode.SETTING_INVALID):  # no bank has opened it, and none is named
        invoke("address", *mine, *public, typed="secret")
    with refused(ErrorCode.SETTING_INVALID):  # neither a device nor a bank
        invoke("address", *public)
    assert invoke("address", *mine, *public, "--bank", "2", typed="secret").strip() == first
    with opened_device(path, "Zoë", "secret") as opened:
        key, database = opened.opened.vault_key, Database(path)
        SqliteDeviceNotes(database, "Zoë", key).put("subwallet", {"number": 1})
        accounts, inside = SqliteAccountStore(database), get_subholder("Zoë", 1)
        accounts.prepare(inside, ParticipantNumber(2), key)
        accounts.record_client(inside, ClientId("zoe"))
    assert invoke("address", *mine, *public, typed="secret").strip() == second
    window = json.loads(invoke("subwallets", *mine, *public, "--json", typed="secret"))
    [row] = window["subwallets"]
    assert (row["subwallet"], row["client"], row["address"]) == (1, "zoe", second)
    assert row["is_in_use"] and window["balance_minor"] == row["balance_minor"] == 0
    shown = json.loads(invoke("balance", *mine, *public, "--json", typed="secret"))
    assert (shown["subwallet"], shown["in_all_sub_wallets_minor"]) == (1, 0), "no --bank is needed"


def test_new_keys_and_whose_they_are(public: Options, tmp_path: Path) -> None:  # T3
    mine = ("--device", tmp_path / "mine.db", "--holder", "Zoë")
    words = invoke("create", *mine, typed="secret").strip()
    assert invoke("phrase", *mine, typed="secret").strip() == words
    with refused(ErrorCode.ORDER_CONFLICT):
        invoke("create", *mine, typed="secret")
    with refused(ErrorCode.PASSPHRASE_WRONG):
        invoke("phrase", *mine, typed="another")
    with refused(ErrorCode.PASSPHRASE_WRONG):
        invoke("create", *mine, typed="another")
    with refused(ErrorCode.SETTING_INVALID):  # nothing says where it is served
        invoke("balance", *mine, *public, typed="secret")
    told = json.loads(invoke("balance", *mine, *public, "--bank", "2", "--json", typed="secret"))
    assert told["balance_minor"] == 0
    with refused(ErrorCode.PARTICIPANT_UNKNOWN):
        invoke("balance", *mine, *public, "--bank", "99", typed="secret")
    with refused(ErrorCode.SETTING_INVALID):
        invoke("create", "--device", tmp_path / "x.db", "--holder", "Zoë", typed="")
    for name in ("", "two\nlines"):
        with refused(ErrorCode.TEXT_INVALID):
            invoke("create", "--device", tmp_path / "x.db", "--holder", name, typed="secret")


def test_the_address_book(phone: Options, public: Options) -> None:
    listed = ("subwallets", *phone, *public, "--bank", "2", "--count", "1")
    address = invoke(*listed).split()[-1]
    added = invoke("contacts", "add", "myself", address, *phone, *public, "--json")
    assert json.loads(added) == {"name": "myself", "address": address}
    assert json.loads(invoke("contacts", "list", *phone, *public, "--json")) == [
        {"name": "myself", "address": address}
    ]
    with refused(ErrorCode.ADDRESS_INVALID):
        invoke("contacts", "add", "myself", address[:-1], *phone, *public)
    with refused(ErrorCode.CONTACT_UNKNOWN):
        invoke("contacts", "remove", "nobody", *phone, *public)
    invoke("contacts", "remove", "myself", *phone, *public)
    assert json.loads(invoke("contacts", "list", *phone, *public, "--json")) == []


def test_what_is_no_device_is_said_in_one_line(
    phone: Options, public: Options, tmp_path: Path
) -> None:
    missing = ("--device", tmp_path / "missing.db", "--holder", "Aigerim")
    with pytest.raises(SpecieError, match="no such file; `specie wallet create` makes one"):
        invoke("balance", *missing, *public)
    assert not (tmp_path / "missing.db").exists()
    (tmp_path / "text").write_text("no database at all")
    with refused(ErrorCode.STORE_UNUSABLE):
        invoke("balance", "--device", tmp_path / "text", "--holder", "Aigerim", *public)
    with pytest.raises(SpecieError, match="not Nobody's device; it is of: Aigerim, Bolat"):
        invoke("balance", *phone[:2], "--holder", "Nobody", *public)
    with refused(ErrorCode.PASSPHRASE_WRONG):
        invoke("balance", *phone, *public, typed="wrong")
    with refused(ErrorCode.NETWORK_MISMATCH):
        invoke("balance", *phone, *public, "--network", "00" * 16)
