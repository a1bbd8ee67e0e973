"""The notary's full private batches as files, for auditors only (never in the public folder)."""

from pathlib import Path

from specie.store.durable_files import read_limited, replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import BATCH_FILE_BYTES_MAX


class BatchFolder:
    """`BatchArchive` on a folder: one file a batch, named by its number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, number: int, data: bytes) -> None:
        """Durable; again is the same."""
        replace_durably(self._folder, str(number), data)

    def read(self, number: int) -> bytes:
        """`log_invalid` if it is not there."""
        return read_limited(self._folder, str(number), BATCH_FILE_BYTES_MAX)

    def count(self) -> int:
        """How many are there, without a gap from 1."""
        number = 0
        while (self._folder / str(number + 1)).is_file():
            number += 1
        return number

    def check_complete(self, count: int) -> None:
        """`log_invalid` unless there are exactly the batches 1 to `count` and participant lists."""
        found = {path.name for path in self._folder.iterdir() if path.is_file()}
        wrong = found ^ {str(number) for number in range(1, count + 1)}
        if wrong:
            raise SpecieError(ErrorCode.LOG_INVALID, f"batch missing or added: {min(wrong)}")
