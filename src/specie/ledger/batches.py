"""Publication batches: from recorded transactions to leaves, and to the private batch (page 05).

    private batch = number u64 ‖ time u64 ‖ n u32 ‖ n × one [‖ m u32 ‖ m × void]
    one           = time u64 ‖ list version u32 ‖ length u32 ‖ wire form
    void          = time u64 ‖ length u32 ‖ wire form without attestations ‖ signature64
    batch hash    = SHA-256(private batch), in the header leaf

Voids stand there in the order of their leaves; where there are none, nothing stands for them.

`time` and list version are those by which the notary judged: with them an auditor judges again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from specie.crypto.sums import sum_scalars
from specie.identity.genesis import Genesis, ProofMode
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ledger.voids import VoidRequest
from specie.ledger.wire import decode_attested
from specie.log.leaves import (
    CreatedLeaf,
    HeaderLeaf,
    KernelLeaf,
    SpentLeaf,
    SupplyChange,
    order_batch,
)
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, Signature, TransactionId
from specie.values.limits import PUBLICATION_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class JudgedTransaction:
    """A transaction with what it was judged by: time, and version of the participant list."""

    transaction: AttestedTransaction
    data: bytes
    time: Timestamp
    members: int


@dataclass(frozen=True, slots=True, repr=False)
class RecordedTransaction:
    """What the notary records of one transaction, all in one database transaction."""

    transaction: AttestedTransaction
    data: bytes
    time: Timestamp
    promise: Promise
    members: int = 0

    def get_judged(self) -> JudgedTransaction:
        """Without the promise."""
        return JudgedTransaction(self.transaction, self.data, self.time, self.members)


@dataclass(frozen=True, slots=True, repr=False)
class RecordedBatch:
    """A publication batch: its leaves in order, what it is made of, and the private batch."""

    number: int
    time: Timestamp
    leaves: tuple[bytes, ...]
    txids: tuple[TransactionId, ...]
    others: tuple[bytes, ...] = ()  # conflict and void leaves among the leaves
    private: bytes = b""
    published: Timestamp = Timestamp(0)  # by the notary's clock; `time` is what the header says


def build_batch(
    number: int,
    waiting: Sequence[RecordedTransaction],
    genesis: Genesis,
    now: Timestamp,
    others: Sequence[bytes] = (),
    voids: Sequence[VoidRequest] = (),
) -> RecordedBatch:
    """Header, created, spent, kernels, others: each group sorted, so order says nothing."""
    judged = [recorded.get_judged() for recorded in waiting]
    private = pack_private(number, now, judged, voids)
    leaves = build_leaves(number, now, judged, others, genesis, private)
    txids = tuple(recorded.transaction.txid for recorded in waiting)
    return RecordedBatch(number, now, tuple(leaves), txids, tuple(others), private)


def build_leaves(
    number: int,
    now: Timestamp,
    judged: Sequence[JudgedTransaction],
    others: Sequence[bytes],
    genesis: Genesis,
    private: bytes,
) -> list[bytes]:
    """The leaves of a batch, as the notary publishes and an auditor expects them."""
    is_published = genesis.proof_mode is ProofMode.PUBLISHED
    created: list[CreatedLeaf] = []
    spent: list[SpentLeaf] = []
    kernels: list[KernelLeaf] = []
    for one in judged:
        body = one.transaction.body
        for index, output in enumerate(body.outputs):
            proof = body.proofs[index].data if is_published else b""
            created.append(CreatedLeaf(output.data, proof))
        spent += [SpentLeaf(ref) for ref in body.inputs]
        kernels.append(_build_kernel_leaf(one.transaction))
    header = HeaderLeaf(
        number=number,
        time=now,
        created=len(created),
        spent=len(spent),
        kernels=len(kernels),
        offset=sum_scalars([one.transaction.body.offset for one in judged]),
        batch_hash=Digest(hashlib.sha256(private).digest()),
        others=len(others),
    )
    return order_batch(header, created, spent, kernels, others)


def pack_private(
    number: int,
    now: Timestamp,
    judged: Sequence[JudgedTransaction],
    voids: Sequence[VoidRequest] = (),
) -> bytes:
    """The full batch, for auditors only: it shows the graph of payments, no names or amounts."""
    parts = [u64(number), u64(now), u32(len(judged))]
    for one in judged:
        parts += [u64(one.time), u32(one.members), u32(len(one.data)), one.data]
    if voids:
        parts.append(u32(len(voids)))
    for void in voids:
        parts += [u64(void.time), u32(len(void.data)), void.data, void.signature]
    return b"".join(parts)


@dataclass(frozen=True, slots=True, repr=False)
class PrivateBatch:
    """What an auditor is given."""

    number: int
    time: Timestamp
    judged: tuple[JudgedTransaction, ...]
    voids: tuple[VoidRequest, ...] = ()


def unpack_private(data: bytes) -> PrivateBatch:
    """The inverse of `pack_private`."""
    reader = Reader(data)
    number, now = reader.u64(), reader.time()
    judged = tuple(_read_judged(reader) for _ in range(_read_count(reader)))
    voids: tuple[VoidRequest, ...] = ()
    if reader.position < len(data):
        voids = tuple(
            VoidRequest(reader.time(), _read_wire(reader), Signature(reader.take(64)))
            for _ in range(_read_count(reader))
        )
        if not voids:
            raise SpecieError(ErrorCode.NOT_CANONICAL, "an empty list of voids")
    reader.finish()
    return PrivateBatch(number, now, judged, voids)


def read_newest_list(data: bytes) -> int:
    """The newest participant list that a private batch was judged by, 0 if by none; undecoded."""
    reader = Reader(data)
    reader.take(16)
    newest = 0
    for _ in range(_read_count(reader)):
        reader.time()
        newest = max(newest, reader.u32())
        _read_wire(reader)
    return newest


def _read_count(reader: Reader) -> int:
    count = reader.u32()
    if count > PUBLICATION_TRANSACTIONS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many transactions in a batch")
    return count


def _read_judged(reader: Reader) -> JudgedTransaction:
    time, members = reader.time(), reader.u32()
    wire = _read_wire(reader)
    return JudgedTransaction(decode_attested(wire), wire, time, members)


def _read_wire(reader: Reader) -> bytes:
    length = reader.u32()
    if length > TRANSACTION_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "transaction too long")
    return reader.take(length)


def _build_kernel_leaf(transaction: AttestedTransaction) -> KernelLeaf:
    signed = transaction.signed
    supply = None
    if signed.supply is not None:
        supply = SupplyChange(
            signed.supply.serial,
            signed.supply.total_after,
            tuple((one.officer, one.signature) for one in signed.supply.authorisations),
        )
    return KernelLeaf(
        signed.txid,
        signed.body.supply_change,
        tuple((kernel.public, kernel.signature) for kernel in signed.kernels),
        supply,
    )
