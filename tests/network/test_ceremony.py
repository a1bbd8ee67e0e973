"""The key ceremony of docs/ceremony.md, rehearsed: who holds what, and that it fits (T2, X7)."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from specie.assembly.ceremony import PASSPHRASES, PUBLIC, Plan, create_network
from specie.assembly.lists import load_peers
from specie.assembly.service_settings import load_settings
from specie.assembly.system import SystemClock
from specie.assembly.tls import read_identity
from specie.crypto.secrets import InstitutionKey
from specie.remote.channel import get_host
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
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
    with refused(ErrorCode.ORDER_CONFLICT):
        create_network(Plan(data), SystemClock())


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
    assert "services_invalid" in pilot.run(*command, str(tmp_path / "x"), "--host", "a b", code=1)
    wrong = pilot.run("ceremony", "--data", str(tmp_path / "x"), "--currency", "EUR:x", code=1)
    assert "CODE:DECIMALS" in wrong
    assert not (tmp_path / "x").exists()
    assert "order_conflict" in pilot.run(*command, str(place), code=1)


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
