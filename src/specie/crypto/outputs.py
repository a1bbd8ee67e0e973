"""Outputs from openings and back (spec page 02).

    core = v ‖ kind ‖ label ‖ bank ‖ lock ‖ expiry
    r = Hs("ephemeral", anchor ‖ A ‖ B ‖ core)     R = r·G
    s = H("shared", r·A ‖ R ‖ A ‖ B)               payee: a·R
    P = B + Hs("owner", s)·G     C = v·H + Hs("mask", s)·G

Whoever knows the opening can rebuild all 414 bytes; a receiver refuses any other output.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specie._kernel import OPENING_SIZE, OUTPUT_SIZE
from specie._kernel import Scanner as _Scanner
from specie._kernel import derive_output as _derive_output
from specie.crypto.hashing import tagged_hash_many
from specie.crypto.native import translated_errors
from specie.crypto.secrets import Mask, ScanKey, SigningKey, SpendKey, ViewKey, WalletSecret
from specie.values.amounts import Minor
from specie.values.encoding import Reader, u8, u32, u64
from specie.values.identifiers import OutputRef, ParticipantNumber, PublicKey
from specie.values.times import Timestamp, check_timestamp

MEMO_SIZE: Final = 160
OUTPUT_BYTES: Final = 414
OPENING_BYTES: Final = 297
NO_LOCK: Final = bytes(32)
NO_LABEL: Final = 0

assert (OUTPUT_SIZE, OPENING_SIZE) == (OUTPUT_BYTES, OPENING_BYTES), "the kernel has other sizes"


@dataclass(frozen=True, slots=True, repr=False)
class Opening:
    """All that an output says to those who may read it; 297 bytes packed. `repr` shows nothing."""

    view: PublicKey
    spend: PublicKey
    bank: ParticipantNumber
    anchor: bytes  # 16
    amount: Minor
    kind: int
    label: int
    lock: bytes  # 32
    expiry: Timestamp  # 0 = none
    memo: bytes  # 160

    def pack(self) -> bytes:
        """The fixed-width form of spec page 02."""
        return b"".join(
            (
                self.view,
                self.spend,
                u32(self.bank),
                self.anchor,
                u64(self.amount),
                u8(self.kind),
                u32(self.label),
                self.lock,
                u64(self.expiry),
                self.memo,
            )
        )

    def __repr__(self) -> str:
        return "<Opening>"

    def __reduce__(self) -> str:
        raise TypeError("an opening leaves the process sealed only")


def unpack_opening(data: bytes) -> Opening:
    """The inverse of `Opening.pack`."""
    reader = Reader(data)
    opening = Opening(
        view=PublicKey(reader.take(32)),
        spend=PublicKey(reader.take(32)),
        bank=ParticipantNumber(reader.u32()),
        anchor=reader.take(16),
        amount=Minor(reader.u64()),
        kind=reader.u8(),
        label=reader.u32(),
        lock=reader.take(32),
        expiry=check_timestamp(reader.u64()),
        memo=reader.take(MEMO_SIZE),
    )
    reader.finish()
    return opening


@dataclass(frozen=True, slots=True, repr=False)
class DerivedOutput:
    """What an opening determines: the public bytes, the mask, the nonce of the terms."""

    data: bytes  # 414
    mask: Mask
    terms_nonce: bytes  # 16


def derive_output(
    opening: Opening, bank_scan: PublicKey, audit_key: PublicKey | None = None
) -> DerivedOutput:
    """Rebuild the output of an opening; `audit_key` is the label's V, given iff it has a label."""
    with translated_errors():
        return DerivedOutput(*_derive_output(opening.pack(), bank_scan, audit_key))


def draw_anchor(secret: WalletSecret, first_input: bytes, index: int) -> bytes:
    """A fresh 16-byte anchor, hedged: from the wallet's secret, 32 random bytes and its place."""
    with translated_errors():
        return secret.anchor(first_input, index)


def derive_owner_key(spend_key: SpendKey, view_key: ViewKey, output: bytes) -> SigningKey:
    """The one-time secret b + t of an output of ours; `opening_mismatch` if it is not ours."""
    with translated_errors():
        return spend_key.owner_key(view_key, output)


@dataclass(frozen=True, slots=True, repr=False)
class ScanHit:
    """Output number `index` of a scan belongs to client number `client` of the scanner."""

    index: int
    client: int
    opening: Opening
    mask: Mask


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Hits, and the outputs addressed to us that do not rebuild: refused, never counted."""

    hits: tuple[ScanHit, ...]
    refused: tuple[int, ...]


class Scanner:
    """Finds the outputs of its clients among many, on all cores."""

    __slots__ = ("_native",)

    def __init__(
        self,
        bank: ParticipantNumber,
        bank_scan: PublicKey,
        audit_keys: Mapping[int, PublicKey] | None = None,
    ) -> None:
        with translated_errors():
            self._native = _Scanner(bank, bank_scan, tuple((audit_keys or {}).items()))

    def add(self, view_key: ViewKey, spend: PublicKey) -> int:
        """Watch one more client (or sub-wallet); gives its number."""
        with translated_errors():
            return self._native.add(view_key, spend)

    def scan(self, outputs: Sequence[bytes]) -> ScanResult:
        """Every output against every view key: for a wallet."""
        with translated_errors():
            return _build_result(self._native.scan(b"".join(outputs)))

    def scan_hinted(self, scan_key: ScanKey, outputs: Sequence[bytes]) -> ScanResult:
        """One Diffie-Hellman an output, whatever the number of clients: for a bank."""
        with translated_errors():
            return _build_result(self._native.scan_hinted(scan_key, b"".join(outputs)))


def compute_refs(outputs: Sequence[bytes]) -> list[OutputRef]:
    """OutputRef = H("output", bytes) of each, on all cores."""
    return [OutputRef(ref) for ref in tagged_hash_many("output", b"".join(outputs), OUTPUT_BYTES)]


def _build_result(
    found: tuple[list[tuple[int, int, bytes, Mask]], list[int]],
) -> ScanResult:
    hits = tuple(
        ScanHit(index, client, unpack_opening(opening), mask)
        for index, client, opening, mask in found[0]
    )
    return ScanResult(hits, tuple(found[1]))
