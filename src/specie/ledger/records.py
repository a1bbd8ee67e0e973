"""The ledger's records, each in one fixed-width form (spec pages 02 and 03)."""

from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.crypto.outputs import OUTPUT_BYTES
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, u8, u16, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO32,
    Commitment,
    Digest,
    EntryId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.times import Timestamp

_EPHEMERAL: Final = slice(32, 64)
_COMMITMENT: Final = slice(65, 97)
_TERMS: Final = slice(137, 169)
_HAS_LABEL, _HAS_LOCK, _HAS_EXPIRY = 1, 2, 4


class Kind(IntEnum):
    """Registry of kinds (spec page 02). Only `CASH` is built; the others are refused so far."""

    CASH = 1
    LABELLED = 2
    OFFLINE = 3
    LOCKED = 4
    BILL = 5
    NOTE = 6


SUPPORTED_KINDS: Final = frozenset({Kind.CASH})
_KINDS: Final = {int(kind): kind for kind in Kind}


class AttestationRole(IntEnum):
    """For which side of a payment a bank speaks."""

    PAYER = 1
    PAYEE = 2
    BOTH = 3


class Claim(IntEnum):
    """What a bank says of the holder."""

    CLIENT = 0  # a client in good standing
    VAULT = 1  # the bank's own vault


_ATTESTATION: Final = Struct("<BIHHBI64s")
_ROLES: Final = {int(role): role for role in AttestationRole}
_CLAIMS: Final = {int(claim): claim for claim in Claim}


@dataclass(frozen=True, slots=True)
class Output:
    """The 414 public bytes of an output, with views of the fields the ledger uses."""

    data: bytes
    ref: OutputRef = field(init=False)  # H("output", data)

    def __post_init__(self) -> None:
        if len(self.data) != OUTPUT_BYTES:
            raise SpecieError(ErrorCode.SIZE_INVALID, f"an output has {OUTPUT_BYTES} bytes")
        object.__setattr__(self, "ref", OutputRef(tagged_hash("output", self.data)))

    @property
    def owner(self) -> PublicKey:
        """P."""
        return PublicKey(self.data[:32])

    @property
    def ephemeral(self) -> PublicKey:
        """R."""
        return PublicKey(self.data[_EPHEMERAL])

    @property
    def commitment(self) -> Commitment:
        """C."""
        return Commitment(self.data[_COMMITMENT])

    @property
    def terms(self) -> Digest:
        """Hash of the terms."""
        return Digest(self.data[_TERMS])


@dataclass(frozen=True, slots=True, repr=False)
class Terms:
    """Preimage of an output's terms: shown to the notary and to attesting banks, never public."""

    nonce: bytes  # 16
    kind: Kind
    bank: ParticipantNumber
    label: int = 0
    lock: bytes = ZERO32
    expiry: Timestamp = Timestamp(0)

    def compute_hash(self) -> Digest:
        """H("terms", nonce ‖ kind ‖ label ‖ bank ‖ lock ‖ expiry)."""
        return tagged_hash(
            "terms",
            self.nonce,
            u8(self.kind),
            u32(self.label),
            u32(self.bank),
            self.lock,
            u64(self.expiry),
        )

    def get_present(self) -> int:
        """Which of the fields that may be absent are there, as bits."""
        return (
            _HAS_LABEL * (self.label != 0)
            + _HAS_LOCK * (self.lock != ZERO32)
            + _HAS_EXPIRY * (self.expiry != 0)
        )

    def pack(self) -> bytes:
        """Wire form: fields that are zero are absent."""
        return b"".join(
            (
                self.nonce,
                u8(self.kind),
                u32(self.bank),
                u8(self.get_present()),
                u32(self.label) if self.label else b"",
                self.lock if self.lock != ZERO32 else b"",
                u64(self.expiry) if self.expiry else b"",
            )
        )


@dataclass(frozen=True, slots=True)
class RangeProof:
    """One proof over the next `covers` outputs."""

    covers: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Kernel:
    """K and its signature."""

    public: PublicKey
    signature: Signature


@dataclass(frozen=True, slots=True)
class Attestation:
    """A bank's signed yes; `inputs` and `outputs` are bit sets of indexes."""

    role: AttestationRole
    bank: ParticipantNumber
    inputs: int
    outputs: int
    claim: Claim
    policy: int
    signature: Signature

    def pack(self) -> bytes:
        """Fixed width, 78 bytes."""
        return b"".join(
            (
                u8(self.role),
                u32(self.bank),
                u16(self.inputs),
                u16(self.outputs),
                u8(self.claim),
                u32(self.policy),
                self.signature,
            )
        )


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An officer's signature over one change of the supply."""

    officer: int
    signature: Signature

    def pack(self) -> bytes:
        """Fixed width, 65 bytes."""
        return u8(self.officer) + self.signature


@dataclass(frozen=True, slots=True)
class ReserveReference:
    """The accounting's signed word that reserves were debited: one entry backs one issue (P8)."""

    entry: EntryId
    participant: ParticipantNumber
    amount: int
    time: Timestamp
    signature: Signature

    def pack(self) -> bytes:
        """Fixed width, 100 bytes."""
        return b"".join(
            (self.entry, u32(self.participant), u64(self.amount), u64(self.time), self.signature)
        )


@dataclass(frozen=True, slots=True)
class SupplySection:
    """What a change of the supply carries besides: serial, total after it, who says so."""

    serial: int
    total_after: int
    authorisations: tuple[Authorisation, ...]
    reserve: ReserveReference | None


def read_kind(reader: Reader) -> Kind:
    """A kind of the registry; what is not built yet is told apart from what does not exist."""
    value = reader.u8()
    kind = _KINDS.get(value)
    if kind is None:
        raise SpecieError(ErrorCode.KIND_UNKNOWN, f"kind {value} does not exist")
    if kind not in SUPPORTED_KINDS:
        raise SpecieError(ErrorCode.KIND_NOT_SUPPORTED, f"kind {kind.name.lower()} is not built")
    return kind


def read_terms(reader: Reader) -> Terms:
    """The inverse of `Terms.pack`; a present zero field is a second spelling and refused."""
    nonce = reader.take(16)
    kind = read_kind(reader)
    bank = ParticipantNumber(reader.u32())
    present = reader.u8()
    if present > _HAS_LABEL | _HAS_LOCK | _HAS_EXPIRY:
        raise SpecieError(ErrorCode.NOT_CANONICAL, "unknown field in terms")
    label = reader.u32() if present & _HAS_LABEL else 0
    lock = reader.take(32) if present & _HAS_LOCK else ZERO32
    expiry = reader.time() if present & _HAS_EXPIRY else Timestamp(0)
    terms = Terms(nonce, kind, bank, label, lock, expiry)
    if terms.get_present() != present:
        raise SpecieError(ErrorCode.NOT_CANONICAL, "a field of the terms is zero yet present")
    return terms


def read_attestation(reader: Reader) -> Attestation:
    """The inverse of `Attestation.pack`."""
    number, bank, inputs, outputs, claimed, policy, signature = reader.unpack(_ATTESTATION)
    role, claim = _ROLES.get(number), _CLAIMS.get(claimed)
    if role is None:
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown role of an attestation")
    if claim is None:
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown claim of an attestation")
    return Attestation(role, bank, inputs, outputs, claim, policy, signature)


def read_reserve(packed: bytes) -> ReserveReference:
    """The inverse of `ReserveReference.pack`."""
    reader = Reader(packed)
    reserve = ReserveReference(
        EntryId(reader.take(16)),
        ParticipantNumber(reader.u32()),
        reader.u64(),
        reader.time(),
        Signature(reader.take(64)),
    )
    reader.finish()
    return reserve
