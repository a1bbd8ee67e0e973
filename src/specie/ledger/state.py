"""What the contracts ask of the ledger's state; the notary answers from its store."""

from dataclasses import dataclass, field
from typing import Protocol

from specie.ledger.records import Kind, Output
from specie.values.identifiers import (
    EntryId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
    TransactionId,
)
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class LedgerOutput:
    """An output with what the notary keeps of it privately."""

    output: Output
    kind: Kind
    bank: ParticipantNumber


@dataclass(frozen=True, slots=True)
class Spend:
    """Who spent an output: enough to be one half of double-spend evidence."""

    txid: TransactionId
    not_before: Timestamp
    not_after: Timestamp
    signature: Signature


@dataclass(frozen=True, slots=True)
class SupplyState:
    """The supply so far: last serial, total outstanding, and what was issued on `day`."""

    serial: int = 0
    total: int = 0
    day: int = 0
    issued_on_day: int = 0


class LedgerView(Protocol):
    """The ledger as one transaction finds it."""

    supply: SupplyState

    def find_output(self, ref: OutputRef) -> LedgerOutput | None:
        """The output, spent or not."""
        ...

    def find_spend(self, ref: OutputRef) -> Spend | None:
        """Its spend, if it is spent."""
        ...

    def has_kernel(self, kernel: PublicKey) -> bool:
        """Whether this K is in the ledger."""
        ...

    def has_reserve(self, entry: EntryId) -> bool:
        """Whether this entry of the accounting already backs an issue."""
        ...

    def has_void(self, txid: TransactionId) -> bool:
        """Whether the owner has cancelled this transaction."""
        ...


@dataclass(slots=True)
class OverlayView:
    """What has been looked up, or what a batch has changed so far, over a base if there is one."""

    base: LedgerView | None
    supply: SupplyState
    outputs: dict[OutputRef, LedgerOutput] = field(default_factory=dict)
    spends: dict[OutputRef, Spend] = field(default_factory=dict)
    kernels: set[PublicKey] = field(default_factory=set)
    reserves: set[EntryId] = field(default_factory=set)
    voids: set[TransactionId] = field(default_factory=set)

    def find_output(self, ref: OutputRef) -> LedgerOutput | None:
        """From here, else from the base."""
        found = self.outputs.get(ref)
        return self.base.find_output(ref) if found is None and self.base else found

    def find_spend(self, ref: OutputRef) -> Spend | None:
        """From here, else from the base."""
        found = self.spends.get(ref)
        return self.base.find_spend(ref) if found is None and self.base else found

    def has_kernel(self, kernel: PublicKey) -> bool:
        """Here or in the base."""
        return kernel in self.kernels or (self.base is not None and self.base.has_kernel(kernel))

    def has_reserve(self, entry: EntryId) -> bool:
        """Here or in the base."""
        return entry in self.reserves or (self.base is not None and self.base.has_reserve(entry))

    def has_void(self, txid: TransactionId) -> bool:
        """Here or in the base."""
        return txid in self.voids or (self.base is not None and self.base.has_void(txid))
