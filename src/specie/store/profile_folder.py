"""Reading a profile of real payments from a folder (T26): the disk's side of `workload`."""

from pathlib import Path

from specie.workload.limits import SHEET_BYTES_MAX
from specie.workload.profile import PROFILE_FILES, Profile, parse_profile
from specie.workload.sheets import build_malformed, build_missing


def read_profile(folder: Path) -> Profile:
    """The profile in a folder; whatever is wrong with it is an error with file and line.

    Raises `PROFILE_MISSING` (no folder, no file, not readable) or `PROFILE_MALFORMED`.
    """
    return parse_profile({file: _read_text(folder, file) for file in PROFILE_FILES})


def _read_text(folder: Path, file: str) -> str:
    content = _read_content(folder, file)
    if len(content) > SHEET_BYTES_MAX:
        line = content.count(b"\n", 0, SHEET_BYTES_MAX) + 1
        raise build_malformed(file, line, f"larger than {SHEET_BYTES_MAX} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise build_malformed(file, line, "not UTF-8 text") from None


def _read_content(folder: Path, file: str) -> bytes:
    """One byte over the limit at most. Only regular files: a pipe would keep us waiting."""
    path = folder / file
    try:
        if not folder.is_dir():
            raise build_missing(file, f"no folder {folder.as_posix()!a}")
        if not path.is_file():
            raise build_missing(file, f"no such file in {folder.as_posix()!a}")
        with path.open("rb") as stream:
            return stream.read(SHEET_BYTES_MAX + 1)
    except OSError as error:
        raise build_missing(file, f"not readable: {error.strerror}") from None
