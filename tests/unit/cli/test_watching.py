"""`specie up` looks after its processes (T1): what ends at once is not started without pause."""

import time
from pathlib import Path

from specie.cli.processes import Network, Watch


def test_who_ends_at_once_is_started_ever_later(tmp_path: Path) -> None:
    """Real processes that cannot start: there is nothing in their folder."""
    network, told = Network(tmp_path), list[str]()
    watch = Watch(network, told.append)
    network.start("bank-9")
    end = time.monotonic() + 60
    while len(told) < 3:
        assert time.monotonic() < end
        watch.look()
        time.sleep(0.02)
    network.stop()
    pauses = [line.partition(", ")[2] for line in told]
    assert pauses == ["started again", "again in 0.5 s", "again in 1 s"]
    assert all("bank-9: ended with " in line for line in told)
