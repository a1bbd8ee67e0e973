"""`specie up` looks after its processes, and after no others (T1)."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from specie.assembly.service_settings import (
    Listen,
    NetworkSettings,
    ServiceSettings,
    write_settings,
)
from specie.cli.processes import Watch, bring_up
from specie.store.file_locks import lock_folder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.network.starting import ForkedNetwork


def test_who_ends_at_once_is_started_ever_later(tmp_path: Path) -> None:
    """Real processes that cannot start: there is nothing in their folder. Their log says so."""
    network, told = ForkedNetwork(tmp_path), list[str]()
    watch = Watch(network, told.append)
    network.start("bank-9")
    end = time.monotonic() + 60
    while len(told) < 3:
        assert time.monotonic() < end
        watch.look()
        time.sleep(0.02)
    network.stop()
    pauses = [line.partition(", ")[2].partition(": ")[0] for line in told]
    assert pauses == ["started again", "again in 0.5 s", "again in 1 s"]
    assert all("bank-9: ended with 1, " in line for line in told)
    assert all(": specie: setting_invalid: " in line for line in told)


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        del format, args


@pytest.fixture
def answered(tmp_path: Path) -> Iterator[Path]:
    """A network's folder, at whose one address something else answers."""
    with HTTPServer(("127.0.0.1", 0), _Ready) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"127.0.0.1:{server.server_port}"
        listen = Listen(institutions="127.0.0.1:1", public="127.0.0.1:2", operations=address)
        lists = NetworkSettings(id="0" * 32, lists="https://127.0.0.1:2")
        settings = ServiceSettings(service="bank-9", network=lists, listen=listen)
        write_settings(tmp_path / "bank-9", settings)
        yield tmp_path
        server.shutdown()


def test_who_has_ended_is_not_ready_whoever_answers(answered: Path) -> None:
    network = ForkedNetwork(answered)
    child = network.start("bank-9")
    child.running.wait(60)
    with pytest.raises(SpecieError) as caught:
        network.wait_ready(child)
    assert caught.value.code is ErrorCode.UNREACHABLE
    assert caught.value.message.startswith("bank-9 did not start: specie: setting_invalid: ")
    network.stop()


def test_what_runs_is_not_started_again(answered: Path) -> None:
    """Neither beside another `specie up`, nor beside processes that one has left."""
    said = list[str]()
    with pytest.raises(SpecieError) as caught:
        bring_up(answered, None, said.append)
    assert caught.value.code is ErrorCode.STORE_UNUSABLE
    assert caught.value.message.startswith("bank-9 runs already, http://127.0.0.1:")
    with lock_folder(answered), pytest.raises(SpecieError) as caught:
        bring_up(answered, None, said.append)
    assert caught.value.code is ErrorCode.STORE_UNUSABLE
    assert caught.value.message == f"{answered}: another process runs on it"
    assert said == []
