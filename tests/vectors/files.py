"""Reads the vectors. All bytes are hexadecimal; integers are plain, up to 64 bits."""

import json
from pathlib import Path
from typing import Any

from tests.reference.building import NETWORK
from tests.reference.statement import Statement
from tests.reference.transaction import Transaction

FOLDER = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    """One file by its stem, as `group`."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert content["provenance"]
    return content


def raw(text: str) -> bytes:
    """Bytes of a hexadecimal field."""
    return bytes.fromhex(text)


def read_transaction(case: dict[str, Any]) -> Transaction:
    """The fields that the identity depends on."""
    return Transaction(
        version=case["version"],
        network=NETWORK,
        kind=case["kind"],
        supply_change=case["supply_change"],
        not_before=case["not_before"],
        not_after=case["not_after"],
        offset=raw(case["offset"]),
        inputs=[raw(text) for text in case["inputs"]],
        outputs=[raw(text) for text in case["outputs"]],
        proofs=[(proof["covers"], raw(proof["proof"])) for proof in case["proofs"]],
        certificate_hash=raw(case["certificate_hash"]),
    )


def read_statement(case: dict[str, Any]) -> Statement:
    """What has to hold for it."""
    body = read_transaction(case)
    return Statement(
        signatures=raw(case["signatures"]),
        kernels=len(case["kernels"]),
        inputs=raw(case["input_commitments"]),
        outputs=b"".join(sent[65:97] for sent in body.outputs),
        value=body.supply_change,
        offset=body.offset,
        proofs=[(proof, covers) for covers, proof in body.proofs],
    )
