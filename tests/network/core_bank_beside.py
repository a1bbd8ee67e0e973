"""A sample core bank in a pilot's folder, beside one of its banks."""

import socket
from pathlib import Path

from specie.assembly.service_settings import SETTINGS
from tests.network.pilot import Pilot


def create_core_bank(pilot: Pilot, number: int) -> Path:
    """Its folder; the bank's settings name it, and neither of the two is started."""
    bank, (listen, operations) = f"bank-{number}", _find_ports(2)
    folder = pilot.data / f"core-{bank}"
    places = ("--bank", str(number), "--listen", listen, "--operations", operations)
    told = pilot.run("core-bank", "create", str(folder), *places)
    path = pilot.data / bank / SETTINGS
    text = path.read_text()
    assert text.count("[core_bank]") == 1
    path.write_text(text.partition("[core_bank]")[0] + told + "\n")
    return folder


def _find_ports(count: int) -> list[str]:
    bound = [socket.socket() for _ in range(count)]
    for one in bound:
        one.bind(("127.0.0.1", 0))
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in bound]
    for one in bound:
        one.close()
    return found
