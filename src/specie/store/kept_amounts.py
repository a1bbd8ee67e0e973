"""Amounts of tokens that a bank has opened lately, in memory.

An output commits to its amount, so what was opened once stays right, whatever is recorded, undone
or stopped meanwhile. What is unspent is asked of the database each time.
"""

from collections.abc import Callable, Iterable, Sequence

from specie.crypto.outputs import unpack_opening
from specie.crypto.secrets import SealingKey, open_sealed
from specie.values.amounts import Minor
from specie.values.identifiers import OutputRef
from specie.values.limits import AMOUNTS_KEPT_MAX

Load = Callable[[Sequence[OutputRef]], Iterable[tuple[OutputRef, bytes]]]
"""References → each with its sealed opening."""


class KeptAmounts:
    """Of one store."""

    def __init__(self, key: SealingKey) -> None:
        self._key = key
        self._kept: dict[OutputRef, Minor] = {}

    def sum(self, refs: Sequence[OutputRef], load: Load) -> Minor:
        """Opens only those that are not kept."""
        found = {ref: self._kept.get(ref) for ref in refs}
        missing = [ref for ref, amount in found.items() if amount is None]
        for ref, sealed in load(missing):
            amount = unpack_opening(open_sealed(self._key, sealed, ref)).amount
            found[ref] = amount
            self._keep(ref, amount)
        return Minor(sum(amount for amount in found.values() if amount is not None))

    def _keep(self, ref: OutputRef, amount: Minor) -> None:
        """In the place of them all, if there are many."""
        if len(self._kept) >= AMOUNTS_KEPT_MAX:
            self._kept = {}
        self._kept[ref] = amount
