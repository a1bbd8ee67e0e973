"""The 32-byte messages that are signed (spec page 03); each has its own tag and binds the network.

kernel       H("kernel", network ‖ txid ‖ supply_change)
owner        H("spend", network ‖ ref ‖ not_before ‖ not_after ‖ txid)
attestation  H("attest", role ‖ network ‖ txid ‖ inputs ‖ outputs ‖ claim ‖ policy)
authority    H("issue", network ‖ serial ‖ txid ‖ supply_change ‖ total_after)
reserve      H("reserve", network ‖ entry ‖ participant ‖ amount ‖ time)
promise      H("promise", network ‖ txid ‖ publish_by)
void         H("void", network ‖ txid)
voided       H("voided", network ‖ txid ‖ publish_by)
"""

from specie.crypto.hashing import tagged_hash
from specie.ledger.records import AttestationRole, Claim
from specie.values.encoding import i64, u8, u16, u32, u64
from specie.values.identifiers import (
    Digest,
    EntryId,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    TransactionId,
)
from specie.values.times import Timestamp


def compute_kernel_message(network: NetworkId, txid: TransactionId, supply_change: int) -> Digest:
    """Signed with each kernel's key."""
    return tagged_hash("kernel", network, txid, i64(supply_change))


def compute_owner_message(
    network: NetworkId,
    ref: OutputRef,
    not_before: Timestamp,
    not_after: Timestamp,
    txid: TransactionId,
) -> Digest:
    """Signed with the one-time key of the input `ref`; short enough to be evidence by itself."""
    return tagged_hash("spend", network, ref, u64(not_before), u64(not_after), txid)


def compute_attestation_message(
    network: NetworkId,
    txid: TransactionId,
    role: AttestationRole,
    inputs: int,
    outputs: int,
    claim: Claim,
    policy: int,
) -> Digest:
    """Signed by a bank; `inputs` and `outputs` are bit sets."""
    return tagged_hash(
        "attest",
        u8(role),
        network,
        txid,
        u16(inputs),
        u16(outputs),
        u8(claim),
        u32(policy),
    )


def compute_supply_message(
    network: NetworkId, serial: int, txid: TransactionId, supply_change: int, total_after: int
) -> Digest:
    """Signed by officers: this transaction, this change, this place in the order."""
    return tagged_hash("issue", network, u64(serial), txid, i64(supply_change), u64(total_after))


def compute_reserve_message(
    network: NetworkId,
    entry: EntryId,
    participant: ParticipantNumber,
    amount: int,
    time: Timestamp,
) -> Digest:
    """Signed by the accounting: these reserves were debited for an issue."""
    return tagged_hash("reserve", network, entry, u32(participant), u64(amount), u64(time))


def compute_void_message(network: NetworkId, txid: TransactionId) -> Digest:
    """Signed with the one-time key of the first input: this transaction shall never be final."""
    return tagged_hash("void", network, txid)


def compute_voided_message(
    network: NetworkId, txid: TransactionId, publish_by: Timestamp
) -> Digest:
    """Signed by the notary once it is durable that the transaction shall never be final."""
    return tagged_hash("voided", network, txid, u64(publish_by))


def compute_promise_message(
    network: NetworkId, txid: TransactionId, publish_by: Timestamp
) -> Digest:
    """Signed by the notary once the transaction is durable."""
    return tagged_hash("promise", network, txid, u64(publish_by))
