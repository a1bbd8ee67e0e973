"""The wire form of a transaction (docs/spec/03), written field by field.

version u8 || network16 || kind u8 || supply_change i64 || not_before u64 || not_after u64
|| offset32 || [certificate32, only kind offline]
n_in u8 || n_out u8 || n_proofs u8 || n_kernels u8 || n_attestations u8 || n_authorisations u8
|| n_links u8 || n_devices u8                                           the last two are 0
n_in x ref32 || n_out x output414
n_out x (nonce16 || kind u8 || bank u32 || present u8 || [label u32] || [lock32]
         || [expiry u64])                       present: bit 0 label, 1 lock, 2 expiry
n_proofs x (covers u8 || proof) || n_kernels x (K32 || signature64) || n_in x signature64
n_attestations x (role u8 || bank u32 || inputs u16 || outputs u16 || claim u8 || policy u32
                  || signature64)
if supply_change != 0:  serial u64 || total_after u64
                        || n_authorisations x (officer u8 || signature64)
if supply_change > 0:   entry16 || participant u32 || amount u64 || time u64 || signature64
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.reference.hashing import i64, u8, u16, u32, u64
from tests.reference.output import NO_LOCK
from tests.reference.transaction import Transaction

KIND_OFFLINE: Final = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """The preimage of an output's `terms`."""

    nonce: bytes
    kind: int
    bank: int
    label: int = 0
    lock: bytes = NO_LOCK
    expiry: int = 0

    def pack(self) -> bytes:
        """A field that is zero is absent."""
        present = bool(self.label) | (self.lock != NO_LOCK) << 1 | bool(self.expiry) << 2
        label = u32(self.label) if self.label else b""
        lock = self.lock if self.lock != NO_LOCK else b""
        expiry = u64(self.expiry) if self.expiry else b""
        return self.nonce + u8(self.kind) + u32(self.bank) + u8(present) + label + lock + expiry


@dataclass(frozen=True, slots=True)
class Attestation:
    """A bank's signed yes."""

    role: int
    bank: int
    inputs: int
    outputs: int
    claim: int
    policy: int
    signature: bytes

    def pack(self) -> bytes:
        """78 bytes."""
        who = u8(self.role) + u32(self.bank) + u16(self.inputs) + u16(self.outputs)
        return who + u8(self.claim) + u32(self.policy) + self.signature


@dataclass(frozen=True, slots=True)
class Reserve:
    """Accounting's word that the reserves behind an issuance are debited."""

    entry: bytes
    participant: int
    amount: int
    time: int
    signature: bytes

    def pack(self) -> bytes:
        """100 bytes."""
        claim = self.entry + u32(self.participant) + u64(self.amount) + u64(self.time)
        return claim + self.signature


@dataclass(frozen=True, slots=True)
class Supply:
    """The section that changes the supply. Authorisations: (officer, signature)."""

    serial: int
    total_after: int
    authorisations: Sequence[tuple[int, bytes]]
    reserve: Reserve | None

    def pack(self) -> bytes:
        """Serial, total, the officers' signatures, and the reserve reference if money is made."""
        officers = b"".join(u8(officer) + signature for officer, signature in self.authorisations)
        reserve = self.reserve.pack() if self.reserve else b""
        return u64(self.serial) + u64(self.total_after) + officers + reserve


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What is added to a `Transaction` until it is complete. Kernels: (K, signature)."""

    terms: Sequence[Terms]
    kernels: Sequence[tuple[bytes, bytes]]
    owners: Sequence[bytes]
    attestations: Sequence[Attestation]
    supply: Supply | None


def encode_transaction(transaction: Transaction, witnesses: Witnesses) -> bytes:
    """The bytes that travel."""
    head = (
        u8(transaction.version),
        transaction.network,
        u8(transaction.kind),
        i64(transaction.supply_change),
        u64(transaction.not_before),
        u64(transaction.not_after),
        transaction.offset,
        transaction.certificate_hash if transaction.kind == KIND_OFFLINE else b"",
        _pack_counts(transaction, witnesses),
    )
    body = (
        *transaction.inputs,
        *transaction.outputs,
        *(terms.pack() for terms in witnesses.terms),
        *(u8(covers) + proof for covers, proof in transaction.proofs),
        *(key + signature for key, signature in witnesses.kernels),
        *witnesses.owners,
        *(attestation.pack() for attestation in witnesses.attestations),
        witnesses.supply.pack() if witnesses.supply else b"",
    )
    return b"".join((*head, *body))


def _pack_counts(transaction: Transaction, witnesses: Witnesses) -> bytes:
    counts = (
        len(transaction.inputs),
        len(transaction.outputs),
        len(transaction.proofs),
        len(witnesses.kernels),
        len(witnesses.attestations),
        len(witnesses.supply.authorisations) if witnesses.supply else 0,
        0,
        0,
    )
    return bytes(counts)
