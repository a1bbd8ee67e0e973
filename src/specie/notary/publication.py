"""Publishing: notarised transactions become leaves under a signed checkpoint (spec page 05).

A batch is due when N_min payments wait, or the oldest has waited half of T_max: its promise
names T_max. The full private batch stays with the notary; its hash is in the header.
"""

import hashlib
from collections.abc import Sequence

from specie.crypto.sums import sum_scalars
from specie.identity.genesis import Genesis, ProofMode
from specie.log.leaves import (
    CreatedLeaf,
    HeaderLeaf,
    KernelLeaf,
    SpentLeaf,
    SupplyChange,
    order_batch,
)
from specie.ports.notary import RecordedBatch, RecordedTransaction
from specie.values.encoding import u32, u64
from specie.values.identifiers import Digest
from specie.values.times import Timestamp


def is_due(waiting: Sequence[RecordedTransaction], genesis: Genesis, now: Timestamp) -> bool:
    """Whether what waits has to be published now."""
    if len(waiting) >= genesis.batch_payments_min:
        return True
    return bool(waiting) and now - waiting[0].time >= genesis.batch_age_ms_max // 2


def build_batch(
    number: int, waiting: Sequence[RecordedTransaction], genesis: Genesis, now: Timestamp
) -> RecordedBatch:
    """Header, created, spent, kernels: each group sorted, so order says nothing."""
    is_published = genesis.proof_mode is ProofMode.PUBLISHED
    created: list[CreatedLeaf] = []
    spent: list[SpentLeaf] = []
    kernels: list[KernelLeaf] = []
    for recorded in waiting:
        body = recorded.transaction.body
        for index, output in enumerate(body.outputs):
            proof = body.proofs[index].data if is_published else b""
            created.append(CreatedLeaf(output.data, proof))
        spent += [SpentLeaf(ref) for ref in body.inputs]
        kernels.append(_build_kernel_leaf(recorded))
    header = HeaderLeaf(
        number=number,
        time=now,
        created=len(created),
        spent=len(spent),
        kernels=len(kernels),
        offset=sum_scalars([recorded.transaction.body.offset for recorded in waiting]),
        batch_hash=_compute_batch_hash(number, now, waiting),
    )
    leaves = order_batch(header, created, spent, kernels)
    return RecordedBatch(
        number, now, tuple(leaves), tuple(recorded.transaction.txid for recorded in waiting)
    )


def _build_kernel_leaf(recorded: RecordedTransaction) -> KernelLeaf:
    signed = recorded.transaction.signed
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


def _compute_batch_hash(
    number: int, now: Timestamp, waiting: Sequence[RecordedTransaction]
) -> Digest:
    """SHA-256 of the full private batch."""
    digest = hashlib.sha256(u64(number) + u64(now) + u32(len(waiting)))
    for recorded in waiting:
        digest.update(u32(len(recorded.data)) + recorded.data)
    return Digest(digest.digest())
