"""A process whose files may not grow: `python -m tests.disk.limited FOLDER BYTES DEEDS`.

Does deeds and publishes their leaves until there is no room, then once more with room. Prints what
was acknowledged, refused, and found each time, as JSON.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from specie.log.checkpoint import Checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.database import Database
from specie.store.log_files import LogFolder
from specie.values.errors import SpecieError
from tests.disk.deeds import ORIGIN, House

_DEEDS_MAX = 100


class Publisher:
    """The deeds' leaves in a folder; its checkpoints are unsigned text of this test."""

    def __init__(self, folder: Path, house: House) -> None:
        self._folder = folder
        self._house = house

    def publish(self) -> int:
        """All leaves of the database, as a notary does at its start; gives how many."""
        size = self._house.notary.count_leaves()
        leaves = self._house.notary.load_leaves(0, size)
        log = LogFolder(self._folder)
        log.write_leaves(0, leaves)
        root = Frontier().append(compute_leaf_hash(leaf) for leaf in leaves).compute_root()
        log.write_checkpoint(Checkpoint(ORIGIN, size, root).format(), size)
        return size


def run(folder: Path, size_max: int, ahead: int) -> dict[str, object]:
    """The whole of it; so many deeds are done, and not published, before the limit holds."""
    (folder / "public").mkdir()
    begun = House(Database(folder / "store.db"))
    begun.begin()
    Publisher(folder / "public", begun).publish()
    for number in range(1, ahead + 1):
        begun.do(number)
    begun.database.close()  # its write-ahead log is worked in: the limit is for a new one
    house = House(Database(folder / "store.db"))
    publisher = Publisher(folder / "public", house)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_max, hard))
    done, published, refusal = ahead, 0, ""
    try:
        if ahead:
            published = publisher.publish()
        for number in range(ahead + 1, _DEEDS_MAX):
            house.do(number)
            done = number
            published = publisher.publish()
    except SpecieError as error:
        refusal = str(error)
    found = house.count_deeds()
    checkpoint = (folder / "public" / "checkpoint").read_text().split("\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    house.do(found + 1)
    house.database.close()
    again = House(Database(folder / "store.db"))
    return {
        "done": done,
        "found": found,
        "published": published,
        "in the folder": int(checkpoint[1]),
        "refusal": refusal,
        "afterwards": again.count_deeds(),
        "published afterwards": Publisher(folder / "public", again).publish(),
    }


if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails, as on a full disk
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
