"""The native kernel: records, scalars and points; it does not know what a payment means.

Built from `rust/shell` (PyO3) over `rust/kernel` (pure Rust). Only `specie.crypto` imports it.
Every failure is a `KernelError` whose `code` is one of `ERROR_CODES`. Functions marked "many" run
on all cores with the GIL released. No function takes a seed or a source of randomness. Formulas:
docs/spec.

Secrets are handles: they do not pickle, copy, compare or print; bytes leave only sealed.

A wrong type is a `TypeError`. A wrong length is `size_invalid`, a number outside its range
`value_range`.
"""

from collections.abc import Sequence
from typing import Final, final

OUTPUT_SIZE: Final[int]  # 414
OPENING_SIZE: Final[int]  # 297
ERROR_CODES: Final[tuple[str, ...]]

class KernelError(ValueError):
    """args = (code, message). No secret and no input bytes in the message."""

    code: str
    failures: tuple[tuple[int, str, int], ...]  # empty but for `batch_refused`, see the end

# --- hashing ---------------------------------------------------------------------------------

def tagged_hash(tag: str, data: bytes) -> bytes: ...  # H, 32 bytes
def tagged_hash_many(tag: str, records: bytes, width: int) -> bytes: ...  # n*width -> n*32, many
def tagged_scalar(tag: str, data: bytes) -> bytes: ...  # Hs of public data, 32 bytes

# --- group -----------------------------------------------------------------------------------

def value_generator() -> bytes: ...
def blinding_generator() -> bytes: ...
def check_point(point: bytes) -> None: ...  # canonical and not the identity
def check_scalar(scalar: bytes) -> None: ...  # canonical
def sum_scalars(scalars: bytes) -> bytes: ...  # n*32 -> 32

@final
class PointSum:
    """Running sum for the public check; starts at the identity. Adding is parallel inside.

    Points are decoded strictly and the identity is refused in every input.
    """

    def __new__(cls) -> PointSum: ...
    def add_points(self, points: bytes) -> None: ...
    def subtract_points(self, points: bytes) -> None: ...
    def add_value(self, value: int) -> None: ...  # value*H, signed, |value| < 2**127
    def add_blinding(self, scalar: bytes) -> None: ...  # scalar*G
    def subtract_blinding(self, scalar: bytes) -> None: ...
    def verify_zero(self) -> None: ...  # KernelError balance_invalid
    def encoded(self) -> bytes: ...

# --- sealing and secrets ---------------------------------------------------------------------

@final
class SealingKey:
    """Key for sealing at rest: XChaCha20-Poly1305, key by Argon2id from a passphrase.

    What is sealed opens only as the kind of thing it was: the authenticated data is
    "specie/v1/sealed/" || kind || 0x00 || aad, with kind "bytes", "sealing-key", "key-tree",
    "view-key", "spend-key", "wallet-secret", "scan-key", "signing-key", "institution-key",
    "cosigner-key" or "vrf-key".
    With older keys it opens what they have sealed; all are tried, whichever it was. A key that is
    sealed itself is sealed without them.
    Limits: 8 KiB a lane to 4 GiB, 64 passes, 16 lanes, salt of 8 to 64 bytes.
    """

    @staticmethod
    def derive(
        passphrase: bytes, salt: bytes, memory_kib: int, passes: int, lanes: int
    ) -> SealingKey: ...
    @staticmethod
    def generate() -> SealingKey: ...
    def with_older(self, older: SealingKey) -> SealingKey: ...  # seals as this one, opens of both
    def seal(self, plain: bytes, aad: bytes) -> bytes: ...  # nonce24 || ciphertext || tag16
    def open(self, sealed: bytes, aad: bytes) -> bytes: ...  # KernelError sealed_invalid
    def seal_key(self, other: SealingKey, aad: bytes) -> bytes: ...
    def open_key(self, sealed: bytes, aad: bytes) -> SealingKey: ...

@final
class KeyTree:
    """BIP-39 seed and its hardened branches."""

    @staticmethod
    def generate() -> KeyTree: ...  # 24 words
    @staticmethod
    def from_phrase(phrase: str) -> KeyTree: ...  # KernelError phrase_invalid
    def phrase(self) -> str: ...  # for the owner's eyes, once
    def view_key(self, subwallet: int) -> ViewKey: ...
    def spend_key(self, subwallet: int) -> SpendKey: ...
    def wallet_secret(self, subwallet: int) -> WalletSecret: ...
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> KeyTree: ...

@final
class ViewKey:
    public: Final[bytes]
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> ViewKey: ...

@final
class SpendKey:
    public: Final[bytes]
    def sign(self, message: bytes) -> bytes: ...  # message 32 -> signature 64, by b
    def owner_key(self, view_key: ViewKey, output: bytes) -> SigningKey: ...
    # b + t, checked against the output's P: KernelError opening_mismatch
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> SpendKey: ...

@final
class WalletSecret:
    def anchor(self, first_input: bytes, index: int) -> bytes: ...  # 16 bytes, hedged
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> WalletSecret: ...

@final
class ScanKey:
    """A participant's scan key x, V = x*G."""

    public: Final[bytes]
    @staticmethod
    def generate() -> ScanKey: ...
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> ScanKey: ...

@final
class SigningKey:
    """Schnorr secret: attestation keys, one-time owner keys, kernels."""

    public: Final[bytes]
    @staticmethod
    def generate() -> SigningKey: ...
    def sign(self, message: bytes) -> bytes: ...  # message 32 -> signature 64
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> SigningKey: ...

@final
class InstitutionKey:
    """Ed25519 secret."""

    public: Final[bytes]
    @staticmethod
    def generate() -> InstitutionKey: ...
    def sign(self, message: bytes) -> bytes: ...  # any length
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> InstitutionKey: ...

@final
class CosignerKey:
    """ML-DSA-44 secret (FIPS 204) of a cosigner; empty context, hedged signing."""

    public: Final[bytes]  # 1312 bytes
    @staticmethod
    def generate() -> CosignerKey: ...
    def sign(self, message: bytes) -> bytes: ...  # any length -> signature 2420
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> CosignerKey: ...

@final
class VrfKey:
    """Secret of a verifiable random function (schnorrkel's), used for nothing else."""

    public: Final[bytes]
    @staticmethod
    def generate() -> VrfKey: ...
    def evaluate(self, message: bytes) -> bytes: ...  # message 32 -> gamma32 || proof64
    def seal(self, key: SealingKey, aad: bytes) -> bytes: ...
    @staticmethod
    def unseal(key: SealingKey, sealed: bytes, aad: bytes) -> VrfKey: ...

@final
class Mask:
    """m of one output."""

    def commit(self, value: int) -> bytes: ...  # v*H + m*G
    @staticmethod
    def generate() -> Mask: ...
    # no sealing: a mask is recomputed from the opening

def verify_signature(public: bytes, message: bytes, signature: bytes) -> None: ...
def verify_signatures(signatures: bytes) -> None: ...

# n * (public32 || message32 || signature64), many; KernelError `batch_refused` with `failures`
# as in verify_statements, each record a statement of its own: (record index, "signature", 0)
def verify_institution_signature(public: bytes, message: bytes, signature: bytes) -> None: ...
def verify_cosignature(public: bytes, message: bytes, signature: bytes) -> None: ...

# value = gamma32 || proof64 of `VrfKey.evaluate`: KernelError proof_invalid
def verify_vrf(public: bytes, message: bytes, value: bytes) -> None: ...

# --- addresses -------------------------------------------------------------------------------

def bech32m_encode(prefix: str, payload: bytes) -> str: ...  # prefix 1..16 of a-z, 0-9
def bech32m_decode(text: str) -> tuple[str, bytes]: ...  # KernelError address_invalid

# --- outputs ---------------------------------------------------------------------------------

def derive_output(
    opening: bytes, bank_scan: bytes, audit_key: bytes | None
) -> tuple[bytes, Mask, bytes]: ...

# (output414, mask, terms_nonce16). `audit_key` = V_label, required iff label != 0.
# opening is OPENING_SIZE bytes: A32 B32 bank4 anchor16 v8 kind1 label4 lock32 expiry8 memo160

@final
class Scanner:
    """View keys and what is needed to rebuild outputs, for one serving bank."""

    def __new__(
        cls, bank: int, bank_scan: bytes, audit_keys: Sequence[tuple[int, bytes]] = ()
    ) -> Scanner: ...
    def add(self, view_key: ViewKey, spend_public: bytes) -> int: ...  # index of the client
    def scan(self, outputs: bytes) -> tuple[list[tuple[int, int, bytes, Mask]], list[int]]: ...
    # every output against every view key, many; n*414 bytes in;
    # hits (output index, client index, opening297, mask), refused output indexes: those whose P
    # is ours but whose opening does not rebuild them
    def scan_hinted(
        self, scan_key: ScanKey, outputs: bytes
    ) -> tuple[list[tuple[int, int, bytes, Mask]], list[int]]: ...
    # the same, one Diffie-Hellman per output to find the client first

# --- proofs ----------------------------------------------------------------------------------

def range_proof_size(covers: int) -> int: ...  # 577 + 64*log2(padded)
def prove_range(values: Sequence[int], masks: Sequence[Mask]) -> bytes: ...  # 1..16, one proof
def verify_range(proof: bytes, commitments: bytes) -> None: ...  # n*32
def balance_key(
    out_masks: Sequence[Mask], in_masks: Sequence[Mask]
) -> tuple[SigningKey, bytes]: ...

# offset o random (hedged), k = sum(out) - sum(in) - o; the key signs as kernel K = k*G

@final
class Statement:
    """What has to hold for one transaction; verified only in `verify_statements`.

    signatures: n*(public32 || message32 || signature64), the first `kernels` of them are kernel
    signatures (their publics are the K of the balance).
    proofs: (proof, how many outputs it covers), covering `outputs` in order.
    balance: sum(outputs) - sum(inputs) - value*H = sum(K) + offset*G; skipped if offset is None
    (a public auditor has no single transaction's offset).

    Here only shapes are checked (`size_invalid`: also when the proofs do not cover every output
    exactly once; `value_range`: |value| < 2**63). What the bytes hold is checked when verified.
    """

    def __new__(
        cls,
        signatures: bytes,
        kernels: int,
        inputs: bytes,
        outputs: bytes,
        value: int,
        offset: bytes | None,
        proofs: Sequence[tuple[bytes, int]],
    ) -> Statement: ...

def verify_statements(statements: Sequence[Statement]) -> None: ...

# many. On failure KernelError code `batch_refused`, attribute `failures`:
# tuple[tuple[int, str, int], ...] = (statement index, part, position inside the part), sorted;
# part in: "kernel" (position among the kernels), "signature" (position after the kernels),
#          "balance" (0), "proof" (position among the proofs),
#          "point" (a commitment that does not decode: inputs first, then outputs),
#          "scalar" (0: the offset does not decode)
# A public key, nonce or s that does not decode is a failure of its "kernel" or "signature".
# What depends on something that does not decode is named too: the balance, the proof over it.
# Everything not named has been verified to hold.
