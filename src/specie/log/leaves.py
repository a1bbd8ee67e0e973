"""Leaves of the log (spec page 05). The first byte tells the type.

    0x00 header    version u8 ‖ number u64 ‖ time u64 ‖ created u32 ‖ spent u32 ‖ kernels u32
                   ‖ others u32 ‖ Σo 32 ‖ SHA-256 of the private batch 32
    0x01 created   output414 [‖ range proof 577, on published networks]
    0x02 spent     ref32
    0x03 kernels   txid32 ‖ supply_change i64 ‖ n u8 ‖ n × (K32 ‖ signature64)
                   [‖ serial u64 ‖ total_after u64 ‖ n u8 ‖ n × (officer u8 ‖ signature64)]
    0x04 conflict  evidence of a double spend 655
    0x05 void      txid32
    0x06 directory index32 ‖ version u32 ‖ key of the directory 32 ‖ hash of the entry 32
                   ‖ signature64

"others" counts conflict, void and directory leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.crypto.outputs import OUTPUT_BYTES
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, i64, u8, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    OutputRef,
    PublicKey,
    Scalar,
    Signature,
    TransactionId,
)
from specie.values.limits import AUTHORISATIONS_MAX, KERNELS_MAX, LEAF_BYTES_MAX
from specie.values.times import Timestamp

HEADER, CREATED, SPENT, KERNELS = 0, 1, 2, 3
CONFLICT, VOID, DIRECTORY = 4, 5, 6
NOTES, PARTICIPANTS = 7, 8  # reserved, built later

EVIDENCE_SIZE: Final = 655
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class HeaderLeaf:
    """Opens a batch: what follows, and the hash that later ties an audit of the full batch."""

    number: int
    time: Timestamp
    created: int
    spent: int
    kernels: int
    offset: Scalar  # Σo of the batch
    batch_hash: Digest
    others: int = 0  # conflict, void, directory and later kinds

    def pack(self) -> bytes:
        """Fixed width, 98 bytes."""
        return b"".join(
            (
                u8(HEADER),
                u8(_VERSION),
                u64(self.number),
                u64(self.time),
                u32(self.created),
                u32(self.spent),
                u32(self.kernels),
                u32(self.others),
                self.offset,
                self.batch_hash,
            )
        )


@dataclass(frozen=True, slots=True)
class CreatedLeaf:
    """An output, with its range proof where the network publishes them."""

    output: bytes
    proof: bytes

    def pack(self) -> bytes:
        """415 bytes and the proof."""
        return u8(CREATED) + self.output + self.proof


@dataclass(frozen=True, slots=True)
class SpentLeaf:
    """An output that is no more."""

    ref: OutputRef

    def pack(self) -> bytes:
        """33 bytes."""
        return u8(SPENT) + self.ref


@dataclass(frozen=True, slots=True)
class SupplyChange:
    """Public part of a change of the supply; it does not name the bank."""

    serial: int
    total_after: int
    authorisations: tuple[tuple[int, Signature], ...]


@dataclass(frozen=True, slots=True)
class KernelLeaf:
    """The kernels of one transaction."""

    txid: TransactionId
    supply_change: int
    kernels: tuple[tuple[PublicKey, Signature], ...]
    supply: SupplyChange | None

    def pack(self) -> bytes:
        """Counted lists of fixed-width records."""
        parts = [u8(KERNELS), self.txid, i64(self.supply_change), u8(len(self.kernels))]
        parts += [public + signature for public, signature in self.kernels]
        if self.supply is not None:
            signed = self.supply.authorisations
            parts += [u64(self.supply.serial), u64(self.supply.total_after), u8(len(signed))]
            parts += [u8(officer) + signature for officer, signature in signed]
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class ConflictLeaf:
    """A proven double spend: anyone can verify the evidence and learns no name or amount (T15)."""

    evidence: bytes

    def pack(self) -> bytes:
        """656 bytes."""
        return u8(CONFLICT) + self.evidence

    @property
    def key(self) -> bytes:
        """One conflict is published for each output, by its reference, however often it is tried.

        Not by its owner key P, which two outputs may share.
        """
        start = 17  # version, network
        return u8(CONFLICT) + tagged_hash("output", self.evidence[start : start + OUTPUT_BYTES])


@dataclass(frozen=True, slots=True)
class VoidLeaf:
    """A transaction that its owner has cancelled: it never becomes final."""

    txid: TransactionId

    def pack(self) -> bytes:
        """33 bytes."""
        return u8(VOID) + self.txid

    @property
    def key(self) -> bytes:
        """Once for each transaction."""
        return self.pack()


@dataclass(frozen=True, slots=True)
class DirectoryLeaf:
    """One version of what the directory says of a phone number, which only its owner can find."""

    index: Digest  # of the number, by the directory's secret function
    version: int  # counts 1, 2, 3 … under one index
    key: PublicKey  # of that function
    entry: Digest  # hash of what is said, salted
    signature: Signature  # of the authentication centre

    def pack(self) -> bytes:
        """165 bytes."""
        fixed = (u8(DIRECTORY), self.index, u32(self.version), self.key, self.entry)
        return b"".join((*fixed, self.signature))

    @property
    def unique(self) -> bytes:
        """Once for each version, in their order."""
        return u8(DIRECTORY) + self.index + self.version.to_bytes(4, "big")


OtherLeaf = ConflictLeaf | VoidLeaf | DirectoryLeaf
"""What is published besides payments."""

Leaf = HeaderLeaf | CreatedLeaf | SpentLeaf | KernelLeaf | OtherLeaf


def unpack_leaf(data: bytes, proof_size: int) -> Leaf:
    """Any leaf; `proof_size` is 577 on published networks and 0 on aggregated ones."""
    if not data or len(data) > LEAF_BYTES_MAX:
        raise SpecieError(ErrorCode.LEAF_MALFORMED, "a leaf has 1 to 32,768 bytes")
    reader = Reader(data)
    kind = reader.u8()
    leaf: Leaf
    if kind == HEADER:
        leaf = _read_header(reader)
    elif kind == CREATED:
        leaf = CreatedLeaf(reader.take(OUTPUT_BYTES), reader.take(proof_size))
    elif kind == SPENT:
        leaf = SpentLeaf(OutputRef(reader.take(32)))
    elif kind == KERNELS:
        leaf = _read_kernels(reader)
    elif kind == CONFLICT:
        leaf = ConflictLeaf(reader.take(EVIDENCE_SIZE))
    elif kind == VOID:
        leaf = VoidLeaf(TransactionId(reader.take(32)))
    elif kind == DIRECTORY:
        leaf = _read_directory(reader)
    else:
        raise SpecieError(ErrorCode.LEAF_MALFORMED, f"unknown leaf type {kind}")
    reader.finish()
    return leaf


def select_self_evident(leaves: Sequence[bytes]) -> list[bytes]:
    """Of a batch, what needs no private batch to be judged: evidence, and what is signed itself."""
    return [leaf for leaf in leaves if leaf[:1] in (bytes([CONFLICT]), bytes([DIRECTORY]))]


def order_batch(
    header: HeaderLeaf,
    created: list[CreatedLeaf],
    spent: list[SpentLeaf],
    kernels: list[KernelLeaf],
    others: Sequence[bytes] = (),
) -> list[bytes]:
    """Leaves of a batch in their one order: by type, then bytewise."""
    groups: list[list[bytes]] = [
        [leaf.pack() for leaf in created],
        [leaf.pack() for leaf in spent],
        [leaf.pack() for leaf in kernels],
        list(others),
    ]
    return [header.pack(), *(leaf for group in groups for leaf in sorted(group))]


def _read_header(reader: Reader) -> HeaderLeaf:
    if reader.u8() != _VERSION:
        raise SpecieError(ErrorCode.LEAF_MALFORMED, "unknown header version")
    return HeaderLeaf(
        number=reader.u64(),
        time=reader.time(),
        created=reader.u32(),
        spent=reader.u32(),
        kernels=reader.u32(),
        others=reader.u32(),
        offset=Scalar(reader.take(32)),
        batch_hash=Digest(reader.take(32)),
    )


def _read_directory(reader: Reader) -> DirectoryLeaf:
    index, version = Digest(reader.take(32)), reader.u32()
    if version == 0:
        raise SpecieError(ErrorCode.LEAF_MALFORMED, "versions count from 1")
    key, entry = PublicKey(reader.take(32)), Digest(reader.take(32))
    return DirectoryLeaf(index, version, key, entry, Signature(reader.take(64)))


def _read_kernels(reader: Reader) -> KernelLeaf:
    txid = TransactionId(reader.take(32))
    change = reader.supply_change()
    count = reader.count(1, KERNELS_MAX, "kernels")
    kernels = tuple((PublicKey(reader.take(32)), Signature(reader.take(64))) for _ in range(count))
    supply = _read_supply(reader) if change else None
    return KernelLeaf(txid, change, kernels, supply)


def _read_supply(reader: Reader) -> SupplyChange:
    serial, total_after = reader.u64(), reader.u64()
    count = reader.count(0, AUTHORISATIONS_MAX, "authorisations")
    signed = tuple((reader.u8(), Signature(reader.take(64))) for _ in range(count))
    return SupplyChange(serial, total_after, signed)
