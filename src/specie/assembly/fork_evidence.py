"""What a witness keeps of a log that forked: each note in a file of its own, for good (X3).

A note is named after its checkpoint, so that none takes the place of another. What proves nothing
by itself, an old checkpoint or a proof that may be wrong, leaves room for what does.
"""

import hashlib
from pathlib import Path
from typing import Final

from specie.assembly.alarms import LOG_FORKED, Alarms
from specie.log.notes import parse_note
from specie.oversight.witness import LogForked
from specie.store.durable_files import replace_durably
from specie.values.limits import FORKS_KEPT_MAX

_PATTERN: Final = "forked*.note"


def keep_fork(folder: Path, alarms: Alarms, note: str, fork: LogForked) -> None:
    """Durable, unless enough are here; and the alarm."""
    name = name_fork(note)
    room = FORKS_KEPT_MAX if fork.is_shown else FORKS_KEPT_MAX // 2
    if not (folder / name).exists() and len(list(folder.glob(_PATTERN))) < room:
        replace_durably(folder, name, note.encode())
    alarms.set(LOG_FORKED, f"{fork.message}; its note is in {name}")


def tell_of_forks(folder: Path, alarms: Alarms) -> None:
    """At a start: the alarm is on as long as a note is here."""
    if found := sorted(one.name for one in folder.glob(_PATTERN)):
        alarms.set(LOG_FORKED, f"seen before this start; notes are in {', '.join(found)}")


def name_fork(note: str) -> str:
    """After the checkpoint alone: more lines below it make no other name."""
    checkpoint = parse_note(note)[0].format()
    return f"forked-{hashlib.sha256(checkpoint.encode()).hexdigest()[:16]}.note"
