"""The key ceremony of docs/ceremony.md, rehearsed: who holds what, and that it fits (T2, X7)."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.folders import PASSPHRASE, PASSPHRASES, PUBLIC
from specie.assembly.foundation import open_foundation
from specie.assembly.lists import load_peers
from specie.assembly.service_settings import SETTINGS, load_settings
from specie.assembly.system import SystemClock
from specie.assembly.tls import read_identity
from specie.cli.bank_commands import issue, lend, redeem, show_bank, transfer
from specie.cli.officer_commands import list_tasks
from specie.crypto.secrets import InstitutionKey
from specie.remote.channel import get_host
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from tests.country import refused
from tests.network.pilot import Pilot

PAGE = (Path(__file__).resolve().parents[2] / "docs/ceremony.md").read_text()


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sp") as folder:
        place = Path(folder) / "n"
        create_network(Plan(place, officers=3), SystemClock())
        yield place


def read_passphrase(data: Path, name: str) -> str:
    return (data / PASSPHRASES / name).read_text().strip()


def list_key_files(data: Path) -> dict[str, Path]:
    """By the name of their passphrase."""
    found = {}
    for path in data.rglob("keys.json"):
        name = path.parent.name
        found[f"officer-{name}" if path.parent.parent.name == "officers" else name] = path
    return found


def test_the_lines_of_the_page_work(data: Path) -> None:
    """As its people type them."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        lines = re.sub(r"^ +", "", block, flags=re.MULTILINE).replace("DIR", str(data))
        command = ["bash", "-euo", "pipefail", "-c", lines]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{lines}{done.stderr}"


def test_each_passphrase_opens_its_own_file_alone(data: Path) -> None:
    files = list_key_files(data)
    assert set(files) == {path.name for path in (data / PASSPHRASES).iterdir()}
    assert len({read_passphrase(data, name) for name in files}) == len(files)
    for name, path in files.items():
        KeyFile(path, read_passphrase(data, name))
    with refused(ErrorCode.PASSPHRASE_WRONG):
        KeyFile(files["notary"], read_passphrase(data, "accounting"))


def test_nothing_secret_lies_open(data: Path) -> None:
    """Only its owner may look, and what there is to see is sealed."""
    for path in data.rglob("*"):
        if path.is_dir() and path.parent == data and path.name not in (PUBLIC, "offline"):
            assert path.stat().st_mode & 0o077 == 0 or path.name == "officers", path
        if path.is_file() and path.name in ("keys.json", "tls.pem"):
            assert path.stat().st_mode & 0o777 == 0o600, path
        if path.is_file() and path.suffix == ".pem":
            assert b"BEGIN PRIVATE KEY" not in path.read_bytes(), path
            assert b"BEGIN EC PRIVATE KEY" not in path.read_bytes(), path
    assert data.stat().st_mode & 0o777 == 0o700


def test_the_root_is_offline_and_nowhere_else(data: Path) -> None:
    holders = []
    for name, path in list_key_files(data).items():
        if "root" in KeyFile(path, read_passphrase(data, name)).list_names():
            holders.append(name)
    assert holders == ["offline"]


def test_officers_hold_the_keys_of_the_list(data: Path) -> None:
    officers = load_peers(data / PUBLIC, None).roster.current.officers
    assert sorted(officers) == [1, 2, 3]
    for number, officer in officers.items():
        path = data / "officers" / str(number) / "keys.json"
        keys = KeyFile(path, read_passphrase(data, f"officer-{number}"))
        assert keys.get("officer", InstitutionKey.unseal).public == officer.key


def test_a_network_is_made_once(data: Path) -> None:
    with refused(ErrorCode.SETTING_INVALID):
        create_network(Plan(data), SystemClock())


def test_a_service_that_is_not_listed_is_a_wrong_setting(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "registration", tmp_path / "r")
    path = tmp_path / "r" / SETTINGS
    path.write_text(path.read_text().replace('"registration"', '"bank-9"'))
    with pytest.raises(SpecieError) as caught:
        open_foundation(tmp_path / "r", read_passphrase(data, "registration"))
    assert caught.value.code is ErrorCode.SETTING_INVALID
    assert caught.value.message == f"{path}: service: no bank-9 in the list of services"


@pytest.mark.parametrize("command", [lend, issue, redeem, transfer])
def test_a_banks_order_is_named_when_nobody_answers(
    data: Path, command: Callable[..., None]
) -> None:
    """T8: no process runs there; the same again is the same order."""
    words = {lend: ("alice",), transfer: (3,)}.get(command, ())
    with pytest.raises(SpecieError) as drawn:
        command(*words, "1.00", data / "bank-2")
    assert drawn.value.code is ErrorCode.UNREACHABLE
    [order] = re.findall(
        "; recorded or sent perhaps: go on with --order ([0-9a-f]{32})$", drawn.value.message
    )
    with pytest.raises(SpecieError) as given:
        command(*words, "1.00", data / "bank-2", order)
    assert given.value.message == drawn.value.message


def test_what_is_no_amount_is_named(data: Path) -> None:
    with pytest.raises(SpecieError) as caught:
        issue("abc", data / "bank-2")
    wrong = "amount_out_of_range: 'abc': not an amount; written like 1,234.50"
    assert str(caught.value) == wrong


def test_a_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecieError) as caught:
        show_bank(tmp_path / "nowhere")
    wrong = f"setting_invalid: {tmp_path / 'nowhere'}: no lists of a network are there"
    assert str(caught.value) == wrong
    with pytest.raises(SpecieError) as caught:
        list_tasks(tmp_path, 2)
    keys = tmp_path / "officers/2/keys.json"
    wrong = f"setting_invalid: {keys}: not there; --data is a folder with public/ and officers/N/"
    assert str(caught.value) == wrong


def test_an_officers_passphrase_is_asked_for(data: Path, tmp_path: Path) -> None:
    """On a terminal; without one it is said where a passphrase may be."""
    shutil.copytree(data / "officers", tmp_path / "officers")
    command = [sys.executable, "-m", "specie", "officer", "tasks", "--data", str(tmp_path)]
    known = {name: value for name, value in os.environ.items() if name != PASSPHRASE}
    told = subprocess.run(command, env=known, input="", capture_output=True, text=True, check=False)
    place = tmp_path / PASSPHRASES / "officer-1"
    wanted = f"officer 1: a passphrase in SPECIE_PASSPHRASE, or in {place}"
    assert told.stderr == f"specie: setting_invalid: {wanted}\n"
    terminal = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", *command]
    with subprocess.Popen(
        terminal, env=known, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as asked:
        assert asked.stdin is not None and asked.stdout is not None
        said = b""
        while b"passphrase: " not in said:
            piece = asked.stdout.read(1)
            assert piece, said
            said += piece
        asked.stdin.write(b"wrong\n")
        assert b"passphrase_wrong" in asked.stdout.read()


def test_services_stand_on_machines_of_their_own(tmp_path: Path, pilot: Pilot) -> None:
    """Addresses are in list, certificate and settings; ports there are not tried here."""
    place, command = tmp_path / "n", ("ceremony", "--officers", "4", "--currency", "EUR", "--data")
    hosts = ("--place", "bank-2=192.0.2.7", "--place", "notary=notary.example")
    told = dict(
        re.findall(r"^ *([^:]+): (.*)$", pilot.run(*command, str(place), *hosts), re.MULTILINE)
    )
    peers = load_peers(place / PUBLIC, None)
    assert peers.network.hex() == told["network"]
    _check_told(place, told)
    assert (len(peers.roster.current.officers), peers.roster.genesis.currency.code) == (4, "EUR")
    expected = {"bank-2": "192.0.2.7", "notary": "notary.example", "bank-3": "127.0.0.1"}
    for name, host in expected.items():
        service = peers.services.get(ServiceName(name))
        listen = load_settings(place / name).listen
        assert {get_host(url)[0] for url in (service.url, service.public_url)} == {host}
        assert service.url == f"https://{listen.institutions}"
        assert listen.operations.startswith("127.0.0.1:")
        names = read_identity(place / name).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        assert host in str(names.value)
    wrong = pilot.run(*command, str(tmp_path / "x"), "--place", "bank-9=192.0.2.7", code=1)
    assert "no service bank-9" in wrong
    assert "SERVICE=HOST" in pilot.run(*command, str(tmp_path / "x"), "--place", "x", code=1)
    assert "a b: a name or an" in pilot.run(*command, str(tmp_path / "x"), "--host", "a b", code=1)
    wrong = pilot.run("ceremony", "--data", str(tmp_path / "x"), "--currency", "EUR:x", code=1)
    assert "CODE:DECIMALS" in wrong
    assert not (tmp_path / "x").exists()
    assert f"setting_invalid: {place}: not empty" in pilot.run(*command, str(place), code=1)


def _check_told(place: Path, told: dict[str, str]) -> None:
    """Step 3 of the page says the same as the command; what it names is there."""
    [line] = re.findall(r"openssl x509 .*-fingerprint.*", PAGE)
    words = line.replace("DIR", str(place)).split()
    spelled = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert spelled.strip().rpartition("=")[2] == told["root's SHA-256 fingerprint"]
    assert "root's SHA-256 fingerprint" in PAGE and "step 3" in told["next"]
    data, _, folders = told["folders"].partition(": ")
    named = {place / one for one in folders.split(", ")}
    assert Path(data) == place and all(one.is_dir() for one in named)
    assert {path.parent for path in place.rglob("keys.json")} < named
    assert Path(told["passphrases"].partition(",")[0]) == place / PASSPHRASES


def test_a_renewed_certificate_is_taken_with_the_next_start(pilot: Pilot) -> None:
    """T2: a new key each time; what runs goes on with the old one until then."""
    place = pilot.data / "bank-3" / "tls.pem"
    before = place.read_bytes()
    pilot.run(
        *("bank", "renew", "--at", str(pilot.data / "bank-3")),
        *("--passphrase-file", str(pilot.data / PASSPHRASES / "bank-3")),
    )
    assert place.read_bytes() != before
    pilot.restart("bank-3")
    pilot.open_channel("bank-3")
    assert pilot.get_fact(3, "vault") == 0
