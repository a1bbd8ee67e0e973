"""What is spent, as of a checkpoint: a signed statement; the whole log proves it (spec page 05).

statement = network16 ‖ size u64 ‖ root32 ‖ n u32 ‖ n × (ref32 ‖ state u8)
signed by the registration: Ed25519 over H("state", statement)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.log.checkpoint import Checkpoint
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    OutputRef,
    Signature,
)


class OutputState(IntEnum):
    """Of one output, as of a checkpoint."""

    UNKNOWN = 0
    UNSPENT = 1
    SPENT = 2


@dataclass(frozen=True, slots=True)
class StateStatement:
    """Signed answer to "which of these are unspent?"."""

    network: NetworkId
    checkpoint: Checkpoint
    states: tuple[tuple[OutputRef, OutputState], ...]
    signature: Signature


def sign_states(
    network: NetworkId,
    checkpoint: Checkpoint,
    states: Sequence[tuple[OutputRef, OutputState]],
    key: InstitutionSigner,
) -> StateStatement:
    """The registration's word."""
    message = _compute_message(network, checkpoint, states)
    return StateStatement(network, checkpoint, tuple(states), sign_as_institution(key, message))


def verify_states(
    statement: StateStatement, network: NetworkId, key: InstitutionPublicKey
) -> dict[OutputRef, OutputState]:
    """`statement_invalid` unless signed by the registration of this network."""
    message = _compute_message(statement.network, statement.checkpoint, statement.states)
    if statement.network != network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "a statement of another network")
    try:
        verify_institution_signature(key, message, statement.signature)
    except SpecieError:
        raise SpecieError(ErrorCode.STATEMENT_INVALID, "not signed by the registration") from None
    return dict(statement.states)


def _compute_message(
    network: NetworkId, checkpoint: Checkpoint, states: Sequence[tuple[OutputRef, OutputState]]
) -> bytes:
    return tagged_hash(
        "state",
        network,
        u64(checkpoint.size),
        checkpoint.root,
        u32(len(states)),
        *(ref + u8(state) for ref, state in states),
    )
