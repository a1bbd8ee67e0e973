"""One network for all modules here: nothing is killed or suspended, names are each module's own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.pilot import Pilot, running_pilot


@pytest.fixture(scope="package")
def pilot() -> Iterator[Pilot]:
    """For as long as tests of this package run (tests/sharing.py gives all to one worker)."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder, running_pilot(Path(folder)) as found:
        yield found
