"""What a payer shows to banks, and to whom (T9, X5).

payer's bank   the signed transaction and the openings of all its outputs
payee's bank   the outline, and for its own outputs salt and opening: not the inputs, not
               the change, not the offset
"""

from dataclasses import dataclass

from specie.crypto.outputs import Opening
from specie.ledger.outline import Outline
from specie.values.identifiers import Digest


@dataclass(frozen=True, slots=True, repr=False)
class Disclosure:
    """Openings of all outputs, in their order in the transaction."""

    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True, repr=False)
class RevealedOutput:
    """One output shown to its bank: place, the salt of its slot, and its opening."""

    index: int
    salt: Digest
    opening: Opening


@dataclass(frozen=True, slots=True, repr=False)
class PayeeView:
    """All that a payee's bank receives of a payment before it attests."""

    outline: Outline
    outputs: tuple[RevealedOutput, ...]
