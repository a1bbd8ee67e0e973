"""The stages of a transaction; the type says how far a payment has come (design §1).

TransactionBody → SignedTransaction → AttestedTransaction → NotarisedTransaction
"""

from dataclasses import dataclass, field

from specie.ledger.outline import (
    Outline,
    compute_inputs_hash,
    compute_offset_hash,
    compute_proofs_hash,
    compute_slot,
    compute_slot_salt,
)
from specie.ledger.records import (
    Attestation,
    Kernel,
    Kind,
    Output,
    RangeProof,
    SupplySection,
    Terms,
)
from specie.values.identifiers import (
    ZERO32,
    NetworkId,
    OutputRef,
    Scalar,
    Signature,
    TransactionId,
)
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class TransactionBody:
    """What the id covers. `terms[j]` and the proofs belong to `outputs` in order.

    `repr` does not show it: the offset tells whose inputs and outputs belong together.
    """

    network: NetworkId
    kind: Kind
    supply_change: int
    not_before: Timestamp
    not_after: Timestamp
    offset: Scalar
    inputs: tuple[OutputRef, ...]
    outputs: tuple[Output, ...]
    terms: tuple[Terms, ...]
    proofs: tuple[RangeProof, ...]
    certificate: bytes = ZERO32
    outline: Outline = field(init=False)
    txid: TransactionId = field(init=False)

    def __post_init__(self) -> None:
        slots = tuple(
            compute_slot(compute_slot_salt(self.offset, index), index, output.ref)
            for index, output in enumerate(self.outputs)
        )
        outline = Outline(
            network=self.network,
            kind=self.kind,
            supply_change=self.supply_change,
            not_before=self.not_before,
            not_after=self.not_after,
            offset_hash=compute_offset_hash(self.offset),
            inputs_hash=compute_inputs_hash(self.offset, self.inputs),
            slots=slots,
            proofs_hash=compute_proofs_hash(self.offset, self.proofs),
            certificate=self.certificate,
        )
        object.__setattr__(self, "outline", outline)
        object.__setattr__(self, "txid", outline.compute_id())


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Built and signed by the owners of its inputs; `supply` only if it changes the supply."""

    body: TransactionBody
    kernels: tuple[Kernel, ...]
    owner_signatures: tuple[Signature, ...]  # one per input, in order
    supply: SupplySection | None = None

    @property
    def txid(self) -> TransactionId:
        """The id of the body."""
        return self.body.txid


@dataclass(frozen=True, slots=True)
class AttestedTransaction:
    """Attested by the banks of both sides; ready for the notary."""

    signed: SignedTransaction
    attestations: tuple[Attestation, ...]
    body: TransactionBody = field(init=False, repr=False, compare=False)  # for brevity
    txid: TransactionId = field(init=False, repr=False, compare=False)  # the id of the body

    def __post_init__(self) -> None:
        object.__setattr__(self, "body", self.signed.body)
        object.__setattr__(self, "txid", self.signed.body.txid)


@dataclass(frozen=True, slots=True)
class Promise:
    """The notary's word: this transaction is final, and published at the latest by then."""

    txid: TransactionId
    publish_by: Timestamp
    signature: Signature


@dataclass(frozen=True, slots=True)
class VoidPromise:
    """The notary's word: this transaction is never final, and the log says so by then."""

    txid: TransactionId
    publish_by: Timestamp
    signature: Signature


@dataclass(frozen=True, slots=True)
class NotarisedTransaction:
    """Final."""

    attested: AttestedTransaction
    promise: Promise
