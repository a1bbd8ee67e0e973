"""What lies where in a network's folder and in an institution's, and how a passphrase comes in.

public/           lists, the root certificate      officers/N/     an officer's keys
passphrases/NAME  of a pilot's processes            offline/        the root's key
NAME/             an institution: keys.json, settings, database, control.sock
"""

import os
from pathlib import Path
from typing import Final

from specie.store.durable_files import read_regular
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import PASSPHRASE_BYTES_MAX

PUBLIC: Final = "public"
OFFICERS: Final = "officers"
OFFLINE: Final = "offline"
PASSPHRASES: Final = "passphrases"
KEYS: Final = "keys.json"
PASSPHRASE: Final = "SPECIE_PASSPHRASE"
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"  # systemd's


def read_passphrase(folder: Path, given: Path | None) -> str:
    """As `find_passphrase`; `setting_invalid` if nobody gives one."""
    found = find_passphrase(given)
    if found is None:
        reason = f"{folder.name}: a passphrase in {PASSPHRASE}, or --passphrase-file"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    return found


def find_passphrase(given: Path | None) -> str | None:
    """From a file that was named, systemd's credentials or the environment; never an argument."""
    place = given
    credentials = os.environ.get(CREDENTIALS)
    if place is None and credentials:
        place = Path(credentials) / "passphrase"
    if place is None:
        return os.environ.get(PASSPHRASE) or None
    try:
        found = read_regular(place, PASSPHRASE_BYTES_MAX + 1)
        text = found.decode().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{place}: not readable") from None
    if len(found) > PASSPHRASE_BYTES_MAX + 1:  # with the end of its line
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{place}: passphrase too long")
    return text
