"""A witness cosigns a checkpoint if it continues the last one it has cosigned (X3).

    log's signature holds → the old tree is a prefix of the new one → remember, durably → cosign

With cosignatures of enough witnesses the central bank cannot show two histories to two people.
"""

from collections.abc import Sequence

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionSigner
from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignedLine, VerifierKey, cosign, get_verifier_key, verify_log_line
from specie.log.proofs import verify_consistency
from specie.log.tree import EMPTY_ROOT
from specie.ports.clock import Clock
from specie.ports.oversight import WitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest


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

    def get_last_size(self) -> int:
        """From where a proof of growth has to begin; 0 before the first checkpoint."""
        last = self._store.load(self._log.name)
        return last.size if last else 0

    def cosign(self, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
        """One line per key; `log_invalid` if the log does not continue what was cosigned."""
        checkpoint = verify_log_line(note, self._log)
        last = self._store.load(self._log.name)
        _check_growth(last, checkpoint, growth)
        self._store.replace(last, checkpoint)
        time_s = self._clock.now() // 1000
        return tuple(cosign(checkpoint, self.name, key, time_s) for key in self._keys)


def _check_growth(last: Checkpoint | None, new: Checkpoint, growth: Sequence[Digest]) -> None:
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise SpecieError(ErrorCode.LOG_INVALID, "an empty log has one root")
    if last is None or last.size == 0:
        return
    if new.size < last.size:
        raise SpecieError(ErrorCode.LOG_INVALID, "the log has become shorter")
    verify_consistency(last.size, last.root, new.size, new.root, growth)
