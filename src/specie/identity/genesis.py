"""The network's parameters, fixed at its birth and signed (spec page 04).

network = H("network", genesis bytes)[:16]
signed  = Ed25519(list key, H("genesis", genesis bytes))
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.values.amounts import Currency, Minor, check_minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, pad_text, u8, u16, u32, u64, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, NetworkId, Signature

_VERSION: Final = 1
_PREFIX_SIZE: Final = 16
_NAME_SIZE: Final = 48


class ProofMode(IntEnum):
    """How ranges are proven; chosen once."""

    PUBLISHED = 1  # one proof per output, in the public log: anyone verifies the supply
    AGGREGATED = 2  # one proof over all outputs: smaller, verified by notary and auditors


@dataclass(frozen=True, slots=True)
class Genesis:
    """What every party of a network agrees on before the first coin."""

    name: str
    currency: Currency
    address_prefix: str
    proof_mode: ProofMode
    list_key: InstitutionPublicKey  # signs the participant lists
    officers_required: int  # authorisations for each change of the supply
    supply_cap_day: Minor  # most that is issued in one UTC day
    batch_payments_min: int  # N_min of a publication batch
    batch_age_ms_max: int  # T_max of a publication batch
    created_ms: int
    network: NetworkId = field(init=False)  # 16 bytes that every signature of this network binds

    def __post_init__(self) -> None:
        prefix = self.address_prefix
        is_prefix = 1 <= len(prefix) <= _PREFIX_SIZE and prefix.isascii() and prefix.isalnum()
        if not is_prefix or prefix != prefix.lower():
            raise SpecieError(ErrorCode.SETTING_INVALID, "address prefix: 1-16 of a-z, 0-9")
        if not 2 <= self.officers_required <= 8:
            raise SpecieError(ErrorCode.SETTING_INVALID, "2 to 8 officers authorise the supply")
        if not 1 <= self.batch_payments_min <= 65_535:
            raise SpecieError(ErrorCode.SETTING_INVALID, "N_min is 1 to 65,535 payments")
        if not 1 <= self.batch_age_ms_max <= 3_600_000:
            raise SpecieError(ErrorCode.SETTING_INVALID, "T_max is 1 ms to 1 hour")
        check_minor(self.supply_cap_day)
        network = NetworkId(tagged_hash("network", self.pack())[:16])
        object.__setattr__(self, "network", network)

    def pack(self) -> bytes:
        """Fixed width, 125 bytes."""
        return b"".join(
            (
                u8(_VERSION),
                pad_text(self.name, _NAME_SIZE),
                self.currency.code.encode(),
                u8(self.currency.decimals),
                pad_text(self.address_prefix, _PREFIX_SIZE),
                u8(self.proof_mode),
                self.list_key,
                u8(self.officers_required),
                u64(self.supply_cap_day),
                u16(self.batch_payments_min),
                u32(self.batch_age_ms_max),
                u64(self.created_ms),
            )
        )


def unpack_genesis(data: bytes) -> Genesis:
    """The inverse of `Genesis.pack`."""
    reader = Reader(data)
    if reader.u8() != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown genesis version")
    name = unpad_text(reader.take(_NAME_SIZE))
    code = unpad_text(reader.take(3))
    currency = Currency(code, reader.u8())
    prefix = unpad_text(reader.take(_PREFIX_SIZE))
    mode = reader.u8()
    if mode not in tuple(ProofMode):
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown proof mode")
    genesis = Genesis(
        name=name,
        currency=currency,
        address_prefix=prefix,
        proof_mode=ProofMode(mode),
        list_key=InstitutionPublicKey(reader.take(32)),
        officers_required=reader.u8(),
        supply_cap_day=Minor(reader.u64()),
        batch_payments_min=reader.u16(),
        batch_age_ms_max=reader.u32(),
        created_ms=reader.time(),
    )
    reader.finish()
    return genesis


def compute_origin(genesis: Genesis) -> str:
    """Name of the network's log in checkpoints: one line, no spaces."""
    return f"specie/{genesis.address_prefix}/{genesis.network.hex()}"


def sign_genesis(genesis: Genesis, key: InstitutionSigner) -> bytes:
    """Genesis bytes followed by the signature."""
    packed = genesis.pack()
    return packed + sign_as_institution(key, tagged_hash("genesis", packed))


def verify_genesis(signed: bytes) -> Genesis:
    """Refuses a genesis that its own list key has not signed."""
    packed, signature = signed[:-64], Signature(signed[-64:])
    genesis = unpack_genesis(packed)
    verify_institution_signature(genesis.list_key, tagged_hash("genesis", packed), signature)
    return genesis
