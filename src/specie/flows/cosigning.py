"""Cosigning a checkpoint (X3, X13). Owner: the registration.

witnesses check that the log only grew → auditors check every new private batch → their lines
join the log's own in the checkpoint
"""

from collections.abc import Sequence
from typing import Protocol

from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignedLine, parse_note
from specie.ports.log import CosignedLog
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest


class WitnessPort(Protocol):
    """Vouches that the log only grows."""

    def get_last_size(self) -> int:
        """Where its last checkpoint ended."""
        ...

    def cosign(self, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
        """Its lines, if the log continues what it cosigned before."""
        ...


class AuditorPort(Protocol):
    """Vouches for the full batches."""

    def cosign(self, note: str) -> tuple[SignedLine, ...]:
        """Its lines, if it has audited all that the checkpoint covers."""
        ...


class GrowthProver(Protocol):
    """The registration."""

    def prove_growth(self, old: int, size: int) -> tuple[Digest, ...]:
        """That the log of `size` leaves continues the one of `old`."""
        ...


def cosign_checkpoint(
    log: CosignedLog,
    registration: GrowthProver,
    witnesses: Sequence[WitnessPort],
    auditors: Sequence[AuditorPort],
    size: int,
) -> str:
    """The checkpoint with everybody's lines, published; gives the note.

    `log_invalid` if it is no longer the checkpoint of `size` leaves, also if it grew meanwhile.
    """
    note = log.read_checkpoint()
    checkpoint = parse_note(note)[0]
    if checkpoint.size != size:
        raise SpecieError(ErrorCode.LOG_INVALID, "the log has grown meanwhile")
    lines: list[SignedLine] = []
    for witness in witnesses:
        lines += ask_witness(registration, witness, note)
    for auditor in auditors:
        lines += auditor.cosign(note)
    return log.add_lines(checkpoint, lines)


def add_each(
    log: CosignedLog, checkpoint: Checkpoint, lines: Sequence[SignedLine]
) -> list[SpecieError]:
    """Cosigner by cosigner, so that what one has too many of costs no other its lines.

    Gives what did not fit; `log_invalid` is raised if this is the checkpoint no longer.
    """
    refusals = []
    for name in dict.fromkeys(line.name for line in lines):
        try:
            log.add_lines(checkpoint, [line for line in lines if line.name == name])
        except SpecieError as error:
            if error.code is not ErrorCode.LIMIT_EXCEEDED:
                raise
            refusals.append(error)
    return refusals


def ask_witness(
    registration: GrowthProver, witness: WitnessPort, note: str
) -> tuple[SignedLine, ...]:
    """Its lines under this note, with the proof from where it stands."""
    last, size = witness.get_last_size(), parse_note(note)[0].size
    return witness.cosign(note, registration.prove_growth(last, size) if last else ())
