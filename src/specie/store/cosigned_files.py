"""The newest note that each witness has cosigned, at the registration, one file for each.

A checkpoint is published without the line of a witness that stood still, so what is published
does not say where that witness was: these files do, for one that came back from an old copy.
"""

from pathlib import Path

from specie.store.durable_files import read_limited, replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import NOTE_BYTES_MAX


class CosignedNotes:
    """Named as the witnesses are in the signed list of services."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, note: str) -> None:
        """In place of the one before."""
        self._folder.mkdir(exist_ok=True)
        replace_durably(self._folder, name, note.encode())

    def find(self, name: str) -> str:
        """Empty if there is none; `checkpoint_invalid` if it is not text."""
        if not (self._folder / name).is_file():
            return ""
        try:
            return read_limited(self._folder, name, NOTE_BYTES_MAX).decode()
        except UnicodeDecodeError:
            raise SpecieError(ErrorCode.CHECKPOINT_INVALID, f"{name}: not text") from None
