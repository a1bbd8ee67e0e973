"""What banks, witnesses and the registration are asked."""

from typing import Annotated, Self

from pydantic import Field

from specie.crypto.outputs import unpack_opening
from specie.ledger.outline import read_outline
from specie.ledger.records import Attestation, read_attestation
from specie.ledger.states import OutputState, StateStatement
from specie.log.checkpoint import Checkpoint
from specie.remote.fields import (
    AmountField,
    BytesField,
    CountField,
    DigestField,
    Message,
    NetworkField,
    NoteField,
    OrderField,
    PointField,
    RefField,
    SignatureField,
    TextField,
)
from specie.tokens.disclosures import PayeeView, RevealedOutput
from specie.values.encoding import Reader
from specie.values.identifiers import Digest
from specie.values.limits import (
    OUTPUTS_MAX,
    PAGE_ITEMS_MAX,
)


class RevealedMessage(Message):
    """One output shown to its bank."""

    index: Annotated[int, Field(ge=0, lt=OUTPUTS_MAX)]
    salt: DigestField
    opening: BytesField


class PayeeMessage(Message):
    """All that a payee's bank sees of a payment."""

    outline: BytesField
    outputs: Annotated[list[RevealedMessage], Field(min_length=1, max_length=OUTPUTS_MAX)]

    @classmethod
    def wrap(cls, view: PayeeView) -> Self:
        """As it travels."""
        shown = [
            RevealedMessage(index=one.index, salt=one.salt, opening=one.opening.pack())
            for one in view.outputs
        ]
        return cls(outline=view.outline.pack(), outputs=shown)

    def unwrap(self) -> PayeeView:
        """Decoded, not verified."""
        reader = Reader(self.outline)
        outline = read_outline(reader)
        reader.finish()
        shown = tuple(
            RevealedOutput(one.index, one.salt, unpack_opening(one.opening)) for one in self.outputs
        )
        return PayeeView(outline, shown)


class AttestationMessage(Message):
    """A bank's yes, in its byte form."""

    attestation: BytesField

    @classmethod
    def wrap(cls, one: Attestation) -> Self:
        """As it travels."""
        return cls(attestation=one.pack())

    def unwrap(self) -> Attestation:
        """Decoded, not verified."""
        return unpack_attestation(self.attestation)


class ExpectedTransfer(Message):
    """Vault money that the caller is about to send under this order."""

    order: OrderField


class VaultMessage(Message):
    """A bank's vault: where it is paid, and what its books say is in it."""

    view: PointField
    spend: PointField
    balance: AmountField


class Growth(Message):
    """A checkpoint and the proof that it continues what the witness has cosigned."""

    note: NoteField
    growth: list[DigestField]


class SignedLines(Message):
    """Lines below a checkpoint, as they stand there."""

    lines: list[NoteField]


class Size(Message):
    """Where a witness stands."""

    size: CountField


# --- the registration ----------------------------------------------------------------------------


class StatesQuery(Message):
    """Which of these outputs are unspent?"""

    refs: Annotated[list[RefField], Field(min_length=1, max_length=PAGE_ITEMS_MAX)]


class OneState(Message):
    """Of one output: 0 unknown, 1 unspent, 2 spent."""

    ref: RefField
    state: Annotated[int, Field(ge=0, le=2)]


class StateMessage(Message):
    """The registration's signed statement."""

    network: NetworkField
    origin: TextField
    size: CountField
    root: DigestField
    states: list[OneState]
    signature: SignatureField

    @classmethod
    def wrap(cls, one: StateStatement) -> Self:
        """As it travels."""
        return cls(
            network=one.network,
            origin=one.checkpoint.origin,
            size=one.checkpoint.size,
            root=one.checkpoint.root,
            states=[OneState(ref=ref, state=int(state)) for ref, state in one.states],
            signature=one.signature,
        )

    def unwrap(self) -> StateStatement:
        """Not verified yet."""
        checkpoint = Checkpoint(self.origin, self.size, Digest(self.root))
        states = tuple((one.ref, OutputState(one.state)) for one in self.states)
        return StateStatement(self.network, checkpoint, states, self.signature)


def unpack_attestation(data: bytes) -> Attestation:
    """The inverse of `Attestation.pack`, with nothing behind it."""
    reader = Reader(data)
    found = read_attestation(reader)
    reader.finish()
    return found
