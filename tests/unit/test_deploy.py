"""What lies in deploy/ fits the program: units, container, and what is written about them.

systemd's own checks run where its programs are; the container's health check runs for real,
against a listener of this test. Nothing here builds a container.
"""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from specie.assembly.folders import CREDENTIALS
from specie.assembly.service_settings import (
    Listen,
    NetworkSettings,
    ServiceSettings,
    Work,
    write_settings,
)
from specie.cli.lazy import COMMANDS

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
SERVICE = DEPLOY / "systemd/specie@.service"
TARGET = DEPLOY / "systemd/specie.target"
CONTAINERFILE = DEPLOY / "Containerfile"
FOLDER = "/var/lib/specie"
GATES = 3  # institutions, public, control: a drain waits for one after the other
EXPOSURE_MAX = 20  # tenths; systemd calls this "OK", and a unit without hardening has 96

HARDENING = {
    "AmbientCapabilities": "",
    "CapabilityBoundingSet": "",
    "KillSignal": "SIGTERM",
    "LimitCORE": "0",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "MemorySwapMax": "0",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectHome": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectSystem": "strict",
    "ReadWritePaths": f"{FOLDER}/%i",
    "Restart": "always",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "User": "specie-%i",
}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)


def read_unit(path: Path) -> configparser.ConfigParser:
    """The last of keys that are there twice."""
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their capitals
    unit.read_string(path.read_text())
    return unit


def read_instructions() -> list[tuple[str, str]]:
    """Of the container, continued lines joined: name and the rest."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", "").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def get_instruction(wanted: str) -> str:
    """The one that there is."""
    (found,) = [rest for name, rest in read_instructions() if name == wanted]
    return found


def list_sources() -> list[str]:
    """What the container copies from the repository."""
    copied = [rest.split() for name, rest in read_instructions() if name == "COPY"]
    return [one for words in copied if "--from=build" not in words for one in words[:-1]]


def get_health_check() -> str:
    """Its inline Python."""
    command = json.loads(get_instruction("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    return str(command[2])


# --- systemd -------------------------------------------------------------------------------------


def test_unit_starts_a_command_that_exists() -> None:
    program, command, *arguments = shlex.split(read_unit(SERVICE)["Service"]["ExecStart"])
    assert program == "/opt/specie/.venv/bin/specie"
    assert command in COMMANDS
    assert arguments == [f"{FOLDER}/%i"]


def test_unit_is_hardened() -> None:
    service = read_unit(SERVICE)["Service"]
    assert {key: service.get(key) for key in HARDENING} == HARDENING
    filters = re.findall(r"^SystemCallFilter=(.*)$", SERVICE.read_text(), re.MULTILINE)
    assert filters == ["@system-service", "~@privileged @resources"]


def test_unit_gives_the_passphrase_as_a_credential() -> None:
    text = SERVICE.read_text()
    name, _, place = read_unit(SERVICE)["Service"]["LoadCredentialEncrypted"].partition(":")
    assert (name, place) == ("passphrase", "/etc/specie/credentials/%i.cred")
    assert f"${CREDENTIALS}/{name}" in text
    assert "Environment=" not in text


def test_unit_waits_for_the_drain() -> None:
    seconds = int(read_unit(SERVICE)["Service"]["TimeoutStopSec"])
    assert seconds * 1000 >= GATES * Work().drain_ms + 30_000


def test_target_groups_the_instances() -> None:
    unit = read_unit(SERVICE)
    assert unit["Unit"]["PartOf"] == unit["Install"]["WantedBy"] == TARGET.name
    assert read_unit(TARGET)["Install"]["WantedBy"] == "multi-user.target"


@needs_systemd
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """It looks for the program as well, so that one stands in for ours."""
    unit = tmp_path / SERVICE.name
    unit.write_text(SERVICE.read_text().replace("/opt/specie/.venv/bin/specie", sys.executable))
    shutil.copy(TARGET, tmp_path)
    command = ["systemd-analyze", "verify", str(unit), str(tmp_path / TARGET.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    named = [line for line in done.stderr.splitlines() if "specie" in line]
    assert (done.returncode, named) == (0, [])


@needs_systemd
def test_systemd_finds_little_exposed() -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}"]
    done = subprocess.run(
        [*command, str(SERVICE)], capture_output=True, text=True, timeout=60, check=False
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("systemd before 250 cannot look at a file")
    assert done.returncode == 0, done.stdout + done.stderr


# --- the container -------------------------------------------------------------------------------


def test_container_copies_what_is_there() -> None:
    sources = list_sources()
    assert {"Cargo.lock", "pyproject.toml", "requirements", "rust", "src"} <= set(sources)
    assert [one for one in sources if not (ROOT / one).exists()] == []


def test_container_is_shown_what_it_copies_and_nothing_that_was_built() -> None:
    rules = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(list_sources())
    assert rules[-2:] == ["**/__pycache__", "**/*.so"]


def test_container_serves_as_nobody_in_particular() -> None:
    assert json.loads(get_instruction("ENTRYPOINT")) == ["specie"]
    command, folder = json.loads(get_instruction("CMD"))
    assert command in COMMANDS
    assert folder == get_instruction("VOLUME") == FOLDER
    assert get_instruction("USER") == "specie"
    assert get_instruction("STOPSIGNAL") == "SIGTERM"
    defined = [rest for name, rest in read_instructions() if name == "ENV"]
    assert [one for one in defined if f"{CREDENTIALS}=/run/secrets" in one.split()]


def test_container_stands_on_plain_images_that_fit() -> None:
    images = [rest.split()[0] for name, rest in read_instructions() if name == "FROM"]
    wanted = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    assert images == [f"rust:{wanted['rust-version']}-slim-bookworm", "debian:bookworm-slim"]


def test_container_installs_by_hash() -> None:
    text = " ".join(rest for name, rest in read_instructions() if name == "RUN")
    installs = re.findall(r"pip install ([^&]*)", text)
    assert [one for one in installs if not one.startswith(("--require-hashes", "--no-index"))] == []
    assert "-r requirements/runtime.lock" in text
    assert "maturin build --release --locked" in text
    lock = (ROOT / "requirements/dev.lock").read_text()
    assert len(re.findall(r"^maturin==", lock, re.MULTILINE)) == 1


class Live(BaseHTTPRequestHandler):
    """Answers /live alone."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/live" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Not wanted."""


@pytest.fixture
def listener() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Live) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def write_process(folder: Path, operations: str) -> None:
    listen = Listen(institutions="[::1]:1", public="[::1]:2", operations=operations)
    network = NetworkSettings(id="00" * 16, lists="https://lists.example:443")
    write_settings(folder, ServiceSettings(service="bank-2", network=network, listen=listen))


def check_health(folder: Path) -> int:
    """The exit code of the container's check, on another folder and behind a dead proxy."""
    source = get_health_check()
    compile(source, CONTAINERFILE.name, "exec")
    assert source.count(FOLDER) == 1
    command = [sys.executable, "-c", source.replace(FOLDER, str(folder))]
    proxy = {"http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        command, env=proxy, stderr=subprocess.DEVNULL, timeout=60, check=False
    ).returncode


def test_health_check_asks_the_operations_listener(tmp_path: Path, listener: HTTPServer) -> None:
    write_process(tmp_path, f"127.0.0.1:{listener.server_port}")
    assert check_health(tmp_path) == 0


def test_health_check_fails_where_nothing_listens(tmp_path: Path) -> None:
    write_process(tmp_path, "127.0.0.1:9")
    assert check_health(tmp_path) == 1


# --- the page ------------------------------------------------------------------------------------


def test_page_names_what_exists() -> None:
    text = (DEPLOY / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text)
    files = re.findall(r"^\| `([^`]+/[^`]+|Containerfile)` \|", text, re.MULTILINE)
    assert links and len(files) == 3
    assert [one for one in [*links, *files] if not (DEPLOY / one).exists()] == []
    commands = set(re.findall(r"(?:`|bin/)specie ([a-z][a-z-]*)", text))
    assert {"bank", "up"} <= commands <= set(COMMANDS)
