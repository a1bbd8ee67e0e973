"""A transaction without its contents: what fixes its identity (spec page 03).

    x_in = H("blind", o ‖ 0xff)     x_j = H("blind", o ‖ j)
    x_rp = H("blind", o ‖ 0xfe)
    h_in = H("in", x_in ‖ n ‖ refs)     slot_j = H("slot", x_j ‖ j ‖ OutputRef_j)
    h_rp = H("range", x_rp ‖ n ‖ (covers ‖ proof) …)
    txid = H("tx", version ‖ network ‖ kind ‖ supply_change ‖ not_before ‖ not_after
                   ‖ H("offset", o) ‖ h_in ‖ n_out ‖ slots ‖ h_rp ‖ certificate)

Every part is salted, so a party that gets the outline, one salt x_j and output j can check that
the output is in the transaction, and learns nothing of the inputs or the other outputs (T9). That
includes the range proofs: on published networks they stand in the log beside their outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.ledger.records import Kind, RangeProof, read_kind
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, i64, u8, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, OutputRef, Scalar, TransactionId
from specie.values.limits import OUTPUTS_MAX
from specie.values.times import Timestamp

VERSION: Final = 1
_INPUTS_PLACE: Final = 0xFF
_PROOFS_PLACE: Final = 0xFE


@dataclass(frozen=True, slots=True)
class Outline:
    """Header and salted hashes; its hash is the transaction's id."""

    network: NetworkId
    kind: Kind
    supply_change: int
    not_before: Timestamp
    not_after: Timestamp
    offset_hash: Digest
    inputs_hash: Digest
    slots: tuple[Digest, ...]
    proofs_hash: Digest
    certificate: bytes  # 32, zeros but for offline money

    def pack(self) -> bytes:
        """What is hashed to the id: fixed width but for the counted slots."""
        return b"".join(
            (
                u8(VERSION),
                self.network,
                u8(self.kind),
                i64(self.supply_change),
                u64(self.not_before),
                u64(self.not_after),
                self.offset_hash,
                self.inputs_hash,
                u8(len(self.slots)),
                *self.slots,
                self.proofs_hash,
                self.certificate,
            )
        )

    def compute_id(self) -> TransactionId:
        """txid, the idempotency key of the payment."""
        return TransactionId(tagged_hash("tx", self.pack()))


def read_outline(reader: Reader) -> Outline:
    """The inverse of `Outline.pack`."""
    if reader.u8() != VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown transaction version")
    network, kind = NetworkId(reader.take(16)), read_kind(reader)
    supply_change = reader.supply_change()
    not_before, not_after = reader.time(), reader.time()
    offset_hash, inputs_hash = Digest(reader.take(32)), Digest(reader.take(32))
    count = reader.count(1, OUTPUTS_MAX, "outputs")
    return Outline(
        network=network,
        kind=kind,
        supply_change=supply_change,
        not_before=not_before,
        not_after=not_after,
        offset_hash=offset_hash,
        inputs_hash=inputs_hash,
        slots=tuple(Digest(reader.take(32)) for _ in range(count)),
        proofs_hash=Digest(reader.take(32)),
        certificate=reader.take(32),
    )


def compute_offset_hash(offset: Scalar) -> Digest:
    """H("offset", o)."""
    return tagged_hash("offset", offset)


def compute_slot_salt(offset: Scalar, index: int) -> Digest:
    """x_j: opens slot j and nothing else."""
    return tagged_hash("blind", offset, u8(index))


def compute_slot(salt: Digest, index: int, ref: OutputRef) -> Digest:
    """H("slot", x_j ‖ j ‖ ref)."""
    return tagged_hash("slot", salt, u8(index), ref)


def compute_inputs_hash(offset: Scalar, refs: Sequence[OutputRef]) -> Digest:
    """H("in", x_in ‖ n ‖ refs)."""
    salt = tagged_hash("blind", offset, u8(_INPUTS_PLACE))
    return tagged_hash("in", salt, u8(len(refs)), *refs)


def compute_proofs_hash(offset: Scalar, proofs: Sequence[RangeProof]) -> Digest:
    """H("range", x_rp ‖ n ‖ (covers ‖ proof) …)."""
    salt = tagged_hash("blind", offset, u8(_PROOFS_PLACE))
    parts = [u8(proof.covers) + proof.data for proof in proofs]
    return tagged_hash("range", salt, u8(len(proofs)), *parts)
