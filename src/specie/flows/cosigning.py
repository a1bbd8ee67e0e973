"""Cosigning a checkpoint (X3, X13). Owner: the registration.

witnesses check that the log only grew → auditors check every new private batch → their lines
join the log's own in the checkpoint
"""

from collections.abc import Sequence
from typing import Protocol

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

    def prove_growth(self, old: int) -> tuple[Digest, ...]:
        """That today's log continues the one of `old` leaves."""
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
        last = witness.get_last_size()
        growth = registration.prove_growth(last) if last else ()
        lines += witness.cosign(note, growth)
    for auditor in auditors:
        lines += auditor.cosign(note)
    return log.add_lines(checkpoint, lines)


def gather_lines(
    note: str,
    registration: GrowthProver,
    witnesses: Sequence[WitnessPort],
    auditors: Sequence[AuditorPort],
) -> tuple[list[SignedLine], list[SpecieError]]:
    """Lines of everybody who gives them; who does not answer, or refuses, holds up nobody else."""
    lines: list[SignedLine] = []
    refusals: list[SpecieError] = []
    for witness in witnesses:
        try:
            last = witness.get_last_size()
            lines += witness.cosign(note, registration.prove_growth(last) if last else ())
        except SpecieError as error:
            refusals.append(error)
    for auditor in auditors:
        try:
            lines += auditor.cosign(note)
        except SpecieError as error:
            refusals.append(error)
    return lines, refusals
