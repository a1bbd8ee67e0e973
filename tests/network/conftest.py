"""One pilot network for all tests of a module that do not harm it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.pilot import Pilot, running_pilot


@pytest.fixture(scope="module")
def pilot() -> Iterator[Pilot]:
    """A short path: sockets have short names."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder, running_pilot(Path(folder)) as found:
        yield found
