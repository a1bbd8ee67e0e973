"""What `notarise` asks of a `NotaryStore`, in dictionaries, so that a machine is fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from specie.ledger.state import LedgerOutput, OverlayView, Spend, SupplyState
from specie.ledger.transactions import Promise, TransactionBody
from specie.ports.notary import LookUp, RecordedOther, RecordedTransaction
from specie.values.identifiers import EntryId, OutputRef, PublicKey, TransactionId


@dataclass(slots=True)
class MemoryStore:
    """What was recorded; a second insert of one key is an error, as in a database."""

    outputs: dict[OutputRef, LedgerOutput] = field(default_factory=dict)
    spends: dict[OutputRef, Spend] = field(default_factory=dict)
    kernels: set[PublicKey] = field(default_factory=set)
    reserves: set[EntryId] = field(default_factory=set)
    promises: dict[TransactionId, Promise] = field(default_factory=dict)
    supply: SupplyState = field(default_factory=SupplyState)
    bodies: list[TransactionBody] = field(default_factory=list)
    others: dict[bytes, bytes] = field(default_factory=dict)

    def find_promises(self, txids: Sequence[TransactionId]) -> dict[TransactionId, Promise]:
        """Promises given before."""
        return {txid: self.promises[txid] for txid in txids if txid in self.promises}

    def load_view(
        self, wanted: LookUp, known: Mapping[OutputRef, LedgerOutput] | None = None
    ) -> OverlayView:
        """Only what is asked for."""
        return OverlayView(
            None,
            self.supply,
            {ref: self.outputs[ref] for ref in wanted.outputs if ref in self.outputs}
            | dict(known or {}),
            {ref: self.spends[ref] for ref in wanted.spends if ref in self.spends},
            self.kernels & set(wanted.kernels),
            self.reserves & set(wanted.reserves),
        )

    def record_batch(self, batch: Sequence[RecordedTransaction], supply: SupplyState) -> None:
        """All of it."""
        for recorded in batch:
            self._record(recorded)
        self.supply = supply

    def _record(self, recorded: RecordedTransaction) -> None:
        body, signed = recorded.transaction.body, recorded.transaction.signed
        for output, terms in zip(body.outputs, body.terms, strict=True):
            assert output.ref not in self.outputs, "an output is made twice"
            self.outputs[output.ref] = LedgerOutput(output, terms.kind, terms.bank)
        for ref, signature in zip(body.inputs, signed.owner_signatures, strict=True):
            assert ref not in self.spends, "an output is spent twice"
            self.spends[ref] = Spend(body.txid, body.not_before, body.not_after, signature)
        publics = {kernel.public for kernel in signed.kernels}
        assert not publics & self.kernels, "a kernel is there twice"
        self.kernels |= publics
        if signed.supply is not None and signed.supply.reserve is not None:
            assert signed.supply.reserve.entry not in self.reserves, "a debit is used twice"
            self.reserves.add(signed.supply.reserve.entry)
        assert body.txid not in self.promises, "a transaction is promised twice"
        self.promises[body.txid] = recorded.promise
        self.bodies.append(body)

    def record_other(self, other: RecordedOther) -> None:
        """Evidence for the log, once for each output."""
        self.others.setdefault(other.key, other.leaf)
