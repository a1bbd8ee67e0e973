"""Range proofs, kernels, and the batch verification of whole transactions (spec page 03).

    range:    0 ≤ v < 2**64 for C = v·H + m·G            Bulletproofs+
    balance:  ΣC_out - ΣC_in - supply_change·H = ΣK + o·G
    kernel:   k = Σm_out - Σm_in - o,  K = k·G, signed

Weights of the batch are drawn inside the kernel from all bytes verified and fresh randomness.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from specie._kernel import KernelError, Statement
from specie._kernel import balance_key as _balance_key
from specie._kernel import prove_range as _prove_range
from specie._kernel import range_proof_size as _range_proof_size
from specie._kernel import verify_signatures as _verify_signatures
from specie._kernel import verify_statements as _verify_statements
from specie.crypto.native import translated_errors
from specie.crypto.secrets import Mask, SigningKey
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Scalar

__all__ = [
    "BatchRefusedError",
    "Failure",
    "Statement",
    "build_balance_key",
    "build_statement",
    "get_proof_size",
    "prove_range",
    "verify_signatures",
    "verify_statements",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """Statement number `index` fails in `part`, at `position` inside it."""

    index: int
    part: str  # kernel, signature, balance, proof, point, scalar
    position: int


class BatchRefusedError(SpecieError):
    """Some statements do not hold; `failures` names each. All others were verified to hold."""

    def __init__(self, failures: tuple[Failure, ...]) -> None:
        named = ", ".join(f"{one.index} ({one.part} {one.position})" for one in failures[:4])
        super().__init__(ErrorCode.BATCH_REFUSED, f"statements that do not hold: {named}")
        self.failures = failures


def get_proof_size(covers: int) -> int:
    """Bytes of a proof over `covers` outputs: 577 + 64·log2 of the padded number."""
    with translated_errors():
        return _range_proof_size(covers)


def prove_range(amounts: Sequence[Minor], masks: Sequence[Mask]) -> bytes:
    """One proof over 1 to 16 outputs, in order."""
    with translated_errors():
        return _prove_range(amounts, masks)


def build_balance_key(
    out_masks: Sequence[Mask], in_masks: Sequence[Mask]
) -> tuple[SigningKey, Scalar]:
    """The kernel's secret k and the random offset o that together close the balance."""
    with translated_errors():
        key, offset = _balance_key(out_masks, in_masks)
    return key, Scalar(offset)


def build_statement(
    signatures: Sequence[tuple[bytes, bytes, bytes]],
    kernels: int,
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    value: int,
    offset: Scalar | None,
    proofs: Sequence[tuple[bytes, int]],
) -> Statement:
    """What has to hold for one transaction; the first `kernels` signatures are the kernels'.

    Signatures are (public32, message32, signature64); inputs and outputs are commitments; `value`
    is the supply change; `offset` None leaves the balance out (a public auditor has only sums).
    """
    packed = b"".join(part for signature in signatures for part in signature)
    with translated_errors():
        return Statement(
            packed, kernels, b"".join(inputs), b"".join(outputs), value, offset, proofs
        )


def verify_statements(statements: Sequence[Statement]) -> None:
    """Verify all on all cores; `BatchRefusedError` names exactly those that fail."""
    with _named_failures():
        _verify_statements(statements)


def verify_signatures(signatures: Sequence[tuple[bytes, bytes, bytes]]) -> None:
    """Schnorr alone, (public32, message32, signature64) each; failures as for statements."""
    with _named_failures():
        _verify_signatures(b"".join(part for signature in signatures for part in signature))


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except KernelError as error:
        if error.code != ErrorCode.BATCH_REFUSED.value:
            raise SpecieError(ErrorCode(error.code), str(error.args[1])) from None
        failures = tuple(Failure(*one) for one in error.failures)
        raise BatchRefusedError(failures) from None
