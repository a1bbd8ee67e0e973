"""A witness whose database came back from an old copy: found by what it has cosigned itself (X3).

What is cosigned was remembered before. So a note with our own line is proof that we knew this
checkpoint; a database that knows less would let the log fork after what it knows.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from specie.log.checkpoint import Checkpoint
from specie.log.notes import VerifierKey, parse_note, pick_lines, verify_log_line
from specie.log.tree import Frontier, compute_leaf_hash
from specie.ports.oversight import WitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


def check_remembered(
    store: WitnessStore, note: str, log: VerifierKey, own: Sequence[VerifierKey]
) -> None:
    """`store_outdated` if we have cosigned more than we remember; others' lines say nothing."""
    last, cosigned = store.load(log.name), _read_cosigned(note, log, own)
    known = last.size if last else 0
    if cosigned is not None and cosigned.size > known:
        reason = f"{cosigned.size:,} leaves were cosigned, the database knows of {known:,}"
        raise SpecieError(ErrorCode.STORE_OUTDATED, reason)


def remember_again(
    store: WitnessStore,
    note: str,
    log: VerifierKey,
    own: Sequence[VerifierKey],
    leaves: Iterable[bytes],
) -> int:
    """Go on from what we have cosigned; gives how many leaves were forgotten.

    `leaves` are the published ones from the first on: `log_invalid` unless the checkpoint that is
    remembered is a part of what was cosigned.
    """
    last, cosigned = store.load(log.name), _read_cosigned(note, log, own)
    known = last.size if last else 0
    if cosigned is None or cosigned.size <= known:
        return 0
    hashes = (compute_leaf_hash(leaf) for leaf in leaves)
    old = Frontier().append(islice(hashes, known))
    new = old.append(islice(hashes, cosigned.size - known))
    is_known = last is None or (old.size, old.compute_root()) == (last.size, last.root)
    if not is_known or (new.size, new.compute_root()) != (cosigned.size, cosigned.root):
        raise SpecieError(ErrorCode.LOG_INVALID, "what is published is another history")
    store.replace(last, cosigned)
    return cosigned.size - known


def _read_cosigned(note: str, log: VerifierKey, own: Sequence[VerifierKey]) -> Checkpoint | None:
    """None if no line of ours is under it; `checkpoint_invalid` if one does not hold."""
    checkpoint = verify_log_line(note, log)
    return checkpoint if pick_lines(note, parse_note(note)[1], own) else None
