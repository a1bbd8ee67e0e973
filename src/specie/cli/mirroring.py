"""A copy of a published log: `specie audit URL` fetches it, then audits the copy (X1, X3).

Nothing that comes is believed: the audit verifies every byte afterwards. Files that are complete
never change, so a copy that is there already is continued. Writes tiles first and the checkpoint
last, as the publisher does.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specie.assembly.fetching import Fetcher
from specie.assembly.tls import build_public_context
from specie.cli.trust import COSIGNERS, GENESIS, PARTICIPANTS, load_trust
from specie.log.notes import VerifierKey, verify_log_line
from specie.log.tiles import CHECKPOINT_PATH, TILE_WIDTH, get_bytes_max, iterate_tile_paths
from specie.store.durable_files import replace_durably
from specie.store.log_files import LogFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId

_TIMEOUT_S: Final = 20.0
_TRIES: Final = 5  # the log grows meanwhile, and its partial tiles go
_BUNDLES: Final = "tile/entries/"
_SECURE: Final = "https://"

Progress = Callable[[int, int], None]
"""Called with how many leaves are here and how many there are."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a log is, and what is known of it beforehand."""

    place: str  # a folder, or https://
    root: Path | None = None  # certificate that the server's is under; else the system's count
    keep: Path | None = None  # folder for the copy; else a temporary one
    network: NetworkId | None = None

    @contextmanager
    def open(self, progress: Progress | None) -> Iterator[Path]:
        """The folder: as it lies, or a copy."""
        if "://" not in self.place:
            yield Path(self.place)
            return
        with tempfile.TemporaryDirectory(prefix="specie-mirror-") as scratch:
            folder = self.keep or Path(scratch)
            mirror(self, folder, progress)
            yield folder


def mirror(source: Source, folder: Path, progress: Progress | None) -> None:
    """Into the folder, or on from what is in it; `unreachable` if nobody answers."""
    url = source.place.rstrip("/")
    if not url.startswith(_SECURE):
        raise SpecieError(ErrorCode.SETTING_INVALID, "a log is fetched from https://")
    context = None if source.root is None else build_public_context(source.root)
    fetcher = Fetcher(url, context, _TIMEOUT_S)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (GENESIS, PARTICIPANTS, COSIGNERS):
        found = fetcher.find(name)
        if found is None:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, f"{url}/{name}: not there")
        replace_durably(folder, name, found)
    log_key = load_trust(folder, source.network).get_log_key()
    for _ in range(_TRIES):
        if _copy(fetcher, folder, log_key, progress):
            return
    raise SpecieError(ErrorCode.UNREACHABLE, f"{url}: the log grows faster than it is read")


def _copy(fetcher: Fetcher, folder: Path, log_key: VerifierKey, progress: Progress | None) -> bool:
    """Gives whether every tile of the checkpoint, which the notary signed, was still there."""
    data = fetcher.find(CHECKPOINT_PATH)
    if data is None:
        raise SpecieError(ErrorCode.NOT_PUBLISHED, "nothing is in the log yet")
    try:
        note = data.decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.CHECKPOINT_INVALID, "not text") from None
    size = verify_log_line(note, log_key).size
    bundles = 0
    for path in iterate_tile_paths(size):
        bundles += path.startswith(_BUNDLES)
        if (folder / path).exists():
            continue
        found = fetcher.find(path, get_bytes_max(path))
        if found is None:
            return False
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        replace_durably(folder, path, found)
        if progress is not None:
            progress(min(size, bundles * TILE_WIDTH), size)
    LogFolder(folder).write_checkpoint(note, size)
    return True
