"""Makes `range_proof.json` and `transaction.json`."""

from collections.abc import Mapping
from typing import Any, Final

from specie import _kernel as kernel
from tests.reference import hashing, transaction
from tests.reference.building import NETWORK, Built, Draw, Plan, build_transaction, prove_plainly
from tests.reference.commitment import commit
from tests.reference.wire import Attestation

Content = dict[str, Any]

COVERS: Final = (1, 2, 3, 16)
VALUES: Final = (2**64 - 1, 0, 1, 2**63, 10**15, *range(100, 111))
PLANS: Final = {
    "payment, published proofs": Plan([700, 300], [999, 1]),
    "payment, aggregated proof, three outputs": Plan([2**63], [2**63 - 6, 5, 1], aggregated=True),
    "own transfer, one attestation": Plan([10, 20, 30], [60, 0], aggregated=True, attesters=1),
    "issuance": Plan([], [2**63 - 1], supply_change=2**63 - 1, attesters=0),
    "redemption": Plan([1_000], [1], supply_change=-999, attesters=1),
}


def make_range_proofs(old: Mapping[str, Any]) -> Content:
    """Proofs by twin and kernel over 1, 2, 3 (padded) and 16 commitments."""
    made = [_prove_plainly(covers) for covers in COVERS]
    kept = [entry for entry in old.get("valid", []) if entry["made_by"] == "kernel"]
    return {
        "provenance": "made_by twin: tests/reference with nonces from a fixed seed; made_by "
        "kernel: tari_bulletproofs_plus 0.4.1 through specie._kernel, made once. docs/spec/03. "
        "Transcript label: specie/v1/range.",
        "valid": [*made, *(kept or [_prove_natively(covers) for covers in COVERS])],
    }


def _prove_plainly(covers: int) -> Content:
    draw = Draw(b"range_proof.json" + bytes([covers]))
    values, masks = VALUES[:covers], [draw.scalar() for _ in range(covers)]
    pairs = zip(values, masks, strict=True)
    return {
        "made_by": "twin",
        "covers": covers,
        "values": list(values),
        "masks": [hashing.encode_scalar(mask).hex() for mask in masks],
        "commitments": b"".join(commit(value, mask) for value, mask in pairs).hex(),
        "proof": prove_plainly(values, masks, draw.take(32)).hex(),
    }


def _prove_natively(covers: int) -> Content:
    masks = [kernel.Mask.generate() for _ in range(covers)]
    pairs = zip(VALUES[:covers], masks, strict=True)
    return {
        "made_by": "kernel",
        "covers": covers,
        "values": list(VALUES[:covers]),
        "commitments": b"".join(mask.commit(value) for value, mask in pairs).hex(),
        "proof": kernel.prove_range(VALUES[:covers], masks).hex(),
    }


def make_transactions(_: Mapping[str, Any]) -> Content:
    """Complete transactions: fields, parts of the identity, messages, wire form."""
    return {
        "provenance": "docs/spec/03, built and signed by tests/reference from fixed seeds. "
        "Every signature and proof holds. Ed25519 by `cryptography`.",
        "network": NETWORK.hex(),
        "transactions": [
            _describe(name, build_transaction(plan, b"transaction.json" + name.encode()))
            for name, plan in PLANS.items()
        ],
    }


def _describe(name: str, built: Built) -> Content:
    body, offset = built.transaction, built.transaction.offset
    references = [hashing.tagged_hash("output", output) for output in body.outputs]
    return {
        "name": name,
        "version": body.version,
        "kind": body.kind,
        "supply_change": body.supply_change,
        "not_before": body.not_before,
        "not_after": body.not_after,
        "offset": offset.hex(),
        "certificate_hash": body.certificate_hash.hex(),
        "inputs": [reference.hex() for reference in body.inputs],
        "outputs": [output.hex() for output in body.outputs],
        "proofs": [{"covers": covers, "proof": proof.hex()} for covers, proof in body.proofs],
        "blinds": [transaction.blind(offset, at).hex() for at in range(len(references))],
        "blind_inputs": transaction.blind(offset, 0xFF).hex(),
        "hash_inputs": transaction.hash_inputs(offset, body.inputs).hex(),
        "references": [reference.hex() for reference in references],
        "slots": [
            transaction.hash_slot(offset, at, reference).hex()
            for at, reference in enumerate(references)
        ],
        "blind_proofs": transaction.blind(offset, 0xFE).hex(),
        "hash_proofs": transaction.hash_proofs(offset, body.proofs).hex(),
        "txid": built.txid.hex(),
        "input_commitments": built.statement.inputs.hex(),
        "kernel_message": transaction.kernel_message(NETWORK, built.txid, body.supply_change).hex(),
        "owner_messages": [
            transaction.owner_message(
                NETWORK, reference, body.not_before, body.not_after, built.txid
            ).hex()
            for reference in body.inputs
        ],
        "kernels": [key.hex() for key, _ in built.witnesses.kernels],
        "attestations": [_describe_attestation(a, built) for a in built.witnesses.attestations],
        "supply": _describe_supply(built),
        "signatures": built.statement.signatures.hex(),
        "wire": built.encoded.hex(),
    }


def _describe_attestation(attestation: Attestation, built: Built) -> Content:
    fields = {
        "role": attestation.role,
        "inputs": attestation.inputs,
        "outputs": attestation.outputs,
        "claim": attestation.claim,
        "policy": attestation.policy,
    }
    message = transaction.attestation_message(network=NETWORK, txid=built.txid, **fields)
    return {
        "bank": attestation.bank,
        **fields,
        "message": message.hex(),
        "signature": attestation.signature.hex(),
    }


def _describe_supply(built: Built) -> Content | None:
    """Serial, total, and every Ed25519 record: officers first, accounting last."""
    supply = built.witnesses.supply
    if supply is None:
        return None
    reserve = supply.reserve
    return {
        "serial": supply.serial,
        "total_after": supply.total_after,
        "officers": [officer for officer, _ in supply.authorisations],
        "reserve": reserve
        and {
            "entry": reserve.entry.hex(),
            "participant": reserve.participant,
            "amount": reserve.amount,
            "time": reserve.time,
        },
        "records": [
            {"public": public.hex(), "message": message.hex(), "signature": signature.hex()}
            for public, message, signature in built.ed25519
        ],
    }
