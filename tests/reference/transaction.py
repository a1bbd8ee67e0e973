"""Transaction identity and every signed message (docs/spec/03).

x_in   = H("blind", o || 0xff)    x_rp = H("blind", o || 0xfe)    x_j = H("blind", o || j u8)
h_in   = H("in", x_in || n_in u8 || refs)      slot_j = H("slot", x_j || j u8 || OutputRef_j)
h_rp   = H("range", x_rp || n_proofs u8 || for each: covers u8 || proof)
txid   = H("tx", version u8 || network16 || kind u8 || supply_change i64 || not_before u64
                 || not_after u64 || H("offset", o) || h_in || n_out u8 || slots || h_rp
                 || certificate hash32 or zeros)

kernel       H("kernel", network || txid || supply_change i64)
owner        H("spend", network || ref || not_before u64 || not_after u64 || txid)
attestation  H("attest", role u8 || network || txid || inputs u16 || outputs u16 || claim u8
                         || policy u32)
authority    H("issue", network || serial u64 || txid || supply_change i64 || total u64)
reserve      H("reserve", network || entry16 || participant u32 || amount u64 || time u64)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.reference.hashing import i64, tagged_hash, u8, u16, u32, u64
from tests.reference.output import derive_reference

NO_CERTIFICATE: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a transaction's identity depends on. `proofs` are (covers, proof)."""

    version: int
    network: bytes
    kind: int
    supply_change: int
    not_before: int
    not_after: int
    offset: bytes
    inputs: Sequence[bytes]
    outputs: Sequence[bytes]
    proofs: Sequence[tuple[int, bytes]]
    certificate_hash: bytes = NO_CERTIFICATE


def blind(offset: bytes, place: int) -> bytes:
    """x_j; x_in at place 0xff, x_rp at place 0xfe."""
    return tagged_hash("blind", offset + u8(place))


def hash_inputs(offset: bytes, inputs: Sequence[bytes]) -> bytes:
    """h_in."""
    return tagged_hash("in", blind(offset, 0xFF) + u8(len(inputs)) + b"".join(inputs))


def hash_slot(offset: bytes, place: int, reference: bytes) -> bytes:
    """slot_j: who holds x_j and output j can check it, and learns nothing of the others."""
    return tagged_hash("slot", blind(offset, place) + u8(place) + reference)


def hash_proofs(offset: bytes, proofs: Sequence[tuple[int, bytes]]) -> bytes:
    """h_rp; salted, since published proofs stand in the log."""
    parts = (u8(covers) + proof for covers, proof in proofs)
    return tagged_hash("range", blind(offset, 0xFE) + u8(len(proofs)) + b"".join(parts))


def compute_txid(transaction: Transaction) -> bytes:
    """txid."""
    offset = transaction.offset
    slots = (
        hash_slot(offset, place, derive_reference(output))
        for place, output in enumerate(transaction.outputs)
    )
    fields = (
        u8(transaction.version),
        transaction.network,
        u8(transaction.kind),
        i64(transaction.supply_change),
        u64(transaction.not_before),
        u64(transaction.not_after),
        tagged_hash("offset", offset),
        hash_inputs(offset, transaction.inputs),
        u8(len(transaction.outputs)),
        *slots,
        hash_proofs(offset, transaction.proofs),
        transaction.certificate_hash,
    )
    return tagged_hash("tx", b"".join(fields))


def kernel_message(network: bytes, txid: bytes, supply_change: int) -> bytes:
    """Signed by every kernel K_i."""
    return tagged_hash("kernel", network + txid + i64(supply_change))


def owner_message(
    network: bytes, reference: bytes, not_before: int, not_after: int, txid: bytes
) -> bytes:
    """Signed by the input's one-time key P; alone enough for double-spend evidence."""
    return tagged_hash("spend", network + reference + u64(not_before) + u64(not_after) + txid)


def attestation_message(
    role: int, network: bytes, txid: bytes, inputs: int, outputs: int, claim: int, policy: int
) -> bytes:
    """Signed by a bank; `inputs` and `outputs` are bit sets, bit j = index j."""
    sets = u16(inputs) + u16(outputs)
    return tagged_hash("attest", u8(role) + network + txid + sets + u8(claim) + u32(policy))


def issue_message(
    network: bytes, serial: int, txid: bytes, supply_change: int, total_after: int
) -> bytes:
    """Signed by an officer (Ed25519)."""
    change = i64(supply_change) + u64(total_after)
    return tagged_hash("issue", network + u64(serial) + txid + change)


def reserve_message(
    network: bytes, entry: bytes, participant: int, amount: int, time: int
) -> bytes:
    """Signed by accounting (Ed25519): the reserves behind an issuance are debited."""
    rest = u32(participant) + u64(amount) + u64(time)
    return tagged_hash("reserve", network + entry + rest)
