"""A witness cosigns a checkpoint if it continues the last one it has cosigned (X3).

    log's signature holds → the old tree is a prefix of the new one → remember, durably → cosign

With cosignatures of enough witnesses the central bank cannot show two histories to two people.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionSigner
from specie.log.checkpoint import Checkpoint
from specie.log.notes import (
    SignedLine,
    VerifierKey,
    cosign,
    get_verifier_key,
    parse_note,
    verify_log_line,
)
from specie.log.proofs import may_show_other_past, shows_other_past, verify_consistency
from specie.log.tree import EMPTY_ROOT
from specie.ports.clock import Clock
from specie.ports.oversight import WitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import MESSAGE_AGE_MS_MAX
from specie.values.times import Timestamp

_EARLIER_MAX: Final = 1_024


class LogForked(SpecieError):
    """Signed by the log, and no continuation of what was cosigned."""

    def __init__(self, reason: str, *, is_shown: bool) -> None:
        super().__init__(ErrorCode.LOG_INVALID, reason)
        self.is_shown = is_shown  # beyond doubt: no old checkpoint, and no wrong proof


class Witness:
    """One witness with one or more keys (Ed25519, ML-DSA-44), all of its name."""

    def __init__(
        self,
        name: str,
        keys: Sequence[InstitutionSigner | CosignerKey],
        log: VerifierKey,
        store: WitnessStore,
        clock: Clock,
    ) -> None:
        self.name = name
        self.verifier_keys: tuple[VerifierKey, ...] = tuple(
            get_verifier_key(name, key) for key in keys
        )
        self._keys = tuple(keys)
        self._log = log
        self._store = store
        self._clock = clock
        self._cosigning = threading.Lock()
        self._earlier: deque[tuple[Timestamp, Checkpoint]] = deque(maxlen=_EARLIER_MAX)

    def get_last_size(self) -> int:
        """From where a proof of growth has to begin; 0 before the first checkpoint."""
        last = self._store.load(self._log.name)
        return last.size if last else 0

    def cosign(self, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
        """One line per key; `log_invalid` if the log does not continue what was cosigned.

        It is a `LogForked` unless the proof is wrong, or the note late. What was cosigned last is
        cosigned once more: a message may come twice.
        """
        checkpoint = verify_log_line(note, self._log)
        with self._cosigning:
            last = self._store.load(self._log.name)
            if checkpoint != last:
                self._check(last, checkpoint, growth)
                self._store.replace(last, checkpoint)
                self._earlier.extend([(self._clock.now(), last)] if last else [])
        time_s = self._clock.now() // 1000
        return tuple(cosign(checkpoint, self.name, key, time_s) for key in self._keys)

    def is_late(self, note: str) -> bool:
        """Whether we have cosigned it, and a newer one just now: its message was overtaken.

        It is refused, and no fork. A log that stands there for longer has gone back.
        """
        return self._is_late(parse_note(note)[0])

    def _is_late(self, checkpoint: Checkpoint) -> bool:
        now = self._clock.now()
        return any(
            one == checkpoint and now - time <= 2 * MESSAGE_AGE_MS_MAX
            for time, one in self._earlier
        )

    def _check(self, last: Checkpoint | None, new: Checkpoint, growth: Sequence[Digest]) -> None:
        try:
            _check_growth(last, new, growth)
        except SpecieError as error:
            is_shown = _is_shown(last, new, growth)
            if is_shown or (last is not None and self._is_suspect(last, new, growth)):
                raise LogForked(error.message, is_shown=is_shown) from None
            raise

    def _is_suspect(self, last: Checkpoint, new: Checkpoint, growth: Sequence[Digest]) -> bool:
        if new.size < last.size:
            return not self._is_late(new)
        return may_show_other_past(last.size, new.size, growth)


def _check_growth(last: Checkpoint | None, new: Checkpoint, growth: Sequence[Digest]) -> None:
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise SpecieError(ErrorCode.LOG_INVALID, "an empty log has one root")
    if last is None or last.size == 0:
        return
    if new.size < last.size:
        raise SpecieError(ErrorCode.LOG_INVALID, "the log has become shorter")
    verify_consistency(last.size, last.root, new.size, new.root, growth)


def _is_shown(last: Checkpoint | None, new: Checkpoint, growth: Sequence[Digest]) -> bool:
    """Whether a note that was refused is a contradiction by itself."""
    if new.size == 0:
        return new.root != EMPTY_ROOT
    if last is None or not 0 < last.size <= new.size:
        return False
    return shows_other_past(last.size, last.root, new.size, new.root, growth)
