"""The one wire form of a transaction (spec page 03).

`decode_attested(encode_attested(x)) == x`, and no other bytes decode to x.
"""

from typing import Final

from specie.crypto.outputs import OUTPUT_BYTES
from specie.crypto.points import check_scalar
from specie.crypto.proofs import get_proof_size
from specie.ledger.outline import VERSION
from specie.ledger.records import (
    Authorisation,
    Kernel,
    Kind,
    Output,
    RangeProof,
    SupplySection,
    read_attestation,
    read_kind,
    read_reserve,
    read_terms,
)
from specie.ledger.transactions import AttestedTransaction, SignedTransaction, TransactionBody
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, i64, u8, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import ZERO32, NetworkId, OutputRef, PublicKey, Signature
from specie.values.limits import (
    ATTESTATIONS_MAX,
    AUTHORISATIONS_MAX,
    INPUTS_MAX,
    KERNELS_MAX,
    OUTPUTS_MAX,
    TRANSACTION_BYTES_MAX,
)

_NO_RESERVE: Final = bytes(100)  # until the accounting has signed


def encode_attested(transaction: AttestedTransaction) -> bytes:
    """The bytes that travel to the notary; every field has one width and one place."""
    signed, body = transaction.signed, transaction.body
    supply = signed.supply
    counts = (
        len(body.inputs),
        len(body.outputs),
        len(body.proofs),
        len(signed.kernels),
        len(transaction.attestations),
        len(supply.authorisations) if supply else 0,
        0,  # links: labelled money
        0,  # device signatures: offline money
    )
    return b"".join(
        (
            u8(VERSION),
            body.network,
            u8(body.kind),
            i64(body.supply_change),
            u64(body.not_before),
            u64(body.not_after),
            body.offset,
            body.certificate if body.kind is Kind.OFFLINE else b"",
            bytes(counts),
            *body.inputs,
            *(output.data for output in body.outputs),
            *(terms.pack() for terms in body.terms),
            *(u8(proof.covers) + proof.data for proof in body.proofs),
            *(kernel.public + kernel.signature for kernel in signed.kernels),
            *signed.owner_signatures,
            *(attestation.pack() for attestation in transaction.attestations),
            _encode_supply(body.supply_change, supply),
        )
    )


def encode_signed(transaction: SignedTransaction) -> bytes:
    """The same form without attestations, as a wallet stores and hands it on."""
    return encode_attested(AttestedTransaction(transaction, ()))


def decode_attested(data: bytes) -> AttestedTransaction:
    """Strict: every byte is read, every count is within its limit, one spelling each."""
    if len(data) > TRANSACTION_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "transaction too long")
    reader = Reader(data)
    if reader.u8() != VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown transaction version")
    network = NetworkId(reader.take(16))
    kind = read_kind(reader)
    supply_change = reader.supply_change()
    not_before, not_after = reader.time(), reader.time()
    offset = check_scalar(reader.take(32))
    counts = _Counts(reader)
    body = TransactionBody(
        network=network,
        kind=kind,
        supply_change=supply_change,
        not_before=not_before,
        not_after=not_after,
        offset=offset,
        inputs=tuple(map(OutputRef, reader.take_many(counts.inputs, 32))),
        outputs=tuple(map(Output, reader.take_many(counts.outputs, OUTPUT_BYTES))),
        terms=tuple([read_terms(reader) for _ in range(counts.outputs)]),
        proofs=tuple([_read_proof(reader) for _ in range(counts.proofs)]),
        certificate=ZERO32,
    )
    kernels = tuple([_read_kernel(reader) for _ in range(counts.kernels)])
    owners = tuple(map(Signature, reader.take_many(counts.inputs, 64)))
    attestations = tuple([read_attestation(reader) for _ in range(counts.attestations)])
    supply = _read_supply(reader, supply_change, counts.authorisations)
    reader.finish()
    return AttestedTransaction(SignedTransaction(body, kernels, owners, supply), attestations)


def decode_signed(data: bytes) -> SignedTransaction:
    """The inverse of `encode_signed`; attestations are refused here."""
    transaction = decode_attested(data)
    if transaction.attestations:
        raise SpecieError(ErrorCode.ATTESTATION_EXCESS, "not expected to be attested yet")
    return transaction.signed


class _Counts:
    """The eight one-byte counts, each within its limit."""

    __slots__ = ("attestations", "authorisations", "inputs", "kernels", "outputs", "proofs")

    def __init__(self, reader: Reader) -> None:
        self.inputs = reader.count(0, INPUTS_MAX, "inputs")
        self.outputs = reader.count(1, OUTPUTS_MAX, "outputs")
        self.proofs = reader.count(1, OUTPUTS_MAX, "range proofs")
        self.kernels = reader.count(1, KERNELS_MAX, "kernels")
        self.attestations = reader.count(0, ATTESTATIONS_MAX, "attestations")
        self.authorisations = reader.count(0, AUTHORISATIONS_MAX, "authorisations")
        reader.count(0, 0, "links")
        reader.count(0, 0, "device signatures")


def _read_proof(reader: Reader) -> RangeProof:
    covers = reader.count(1, OUTPUTS_MAX, "outputs of a range proof")
    return RangeProof(covers, reader.take(get_proof_size(covers)))


def _read_kernel(reader: Reader) -> Kernel:
    return Kernel(PublicKey(reader.take(32)), Signature(reader.take(64)))


def _encode_supply(change: int, supply: SupplySection | None) -> bytes:
    if supply is None:
        assert change == 0, "a change of the supply has its section from the builder on"
        return b""
    reserve = supply.reserve.pack() if supply.reserve else _NO_RESERVE
    return b"".join(
        (
            u64(supply.serial),
            u64(supply.total_after),
            *(one.pack() for one in supply.authorisations),
            reserve if change > 0 else b"",
        )
    )


def _read_supply(reader: Reader, change: int, authorisations: int) -> SupplySection | None:
    if change == 0:
        if authorisations:
            raise SpecieError(ErrorCode.SUPPLY_SECTION_UNEXPECTED, "the supply does not change")
        return None
    serial, total_after = reader.u64(), reader.u64()
    signed = tuple(
        Authorisation(reader.u8(), Signature(reader.take(64))) for _ in range(authorisations)
    )
    reserve = None
    if change > 0:
        packed = reader.take(len(_NO_RESERVE))
        reserve = None if packed == _NO_RESERVE else read_reserve(packed)
    return SupplySection(serial, total_after, signed, reserve)
