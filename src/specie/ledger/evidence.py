"""Evidence of a double spend (spec page 05; T15).

Two owner signatures over one reference, for different transactions whose windows overlap. Whoever
holds the participant list and the output can verify it; it contains no bodies, names or amounts.

    evidence = version u8 ‖ network16 ‖ output414 ‖ first ‖ second
    spend    = not_before u64 ‖ not_after u64 ‖ txid32 ‖ signature64
"""

from dataclasses import dataclass
from typing import Final

from specie.crypto.outputs import OUTPUT_BYTES
from specie.crypto.signatures import verify_signature
from specie.ledger.messages import compute_owner_message
from specie.ledger.records import Output
from specie.ledger.state import LedgerOutput, Spend
from specie.ledger.transactions import TransactionBody
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, u8, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, Signature, TransactionId

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DoubleSpend:
    """Two spends of one output by its owner."""

    network: NetworkId
    output: Output
    first: Spend
    second: Spend

    def pack(self) -> bytes:
        """Fixed width, 655 bytes."""
        return b"".join(
            (
                u8(_VERSION),
                self.network,
                self.output.data,
                _pack_spend(self.first),
                _pack_spend(self.second),
            )
        )


def find_evidence(
    body: TransactionBody, signature: Signature, known: LedgerOutput, first: Spend
) -> bytes | None:
    """Verify the second signature (raises), then put it beside the first.

    None when the windows do not overlap: that is refused as well, but proves no ill will.
    """
    second = Spend(body.txid, body.not_before, body.not_after, signature)
    try:
        _verify_spend(body.network, known.output, second)
    except SpecieError:
        raise SpecieError(
            ErrorCode.OWNER_SIGNATURE_INVALID, "not signed by the owner of the input"
        ) from None
    if not _is_overlapping(first, second):
        return None
    return DoubleSpend(body.network, known.output, first, second).pack()


def verify_evidence(data: bytes, network: NetworkId) -> DoubleSpend:
    """Anyone's check: `evidence_invalid` unless the owner signed both, with overlapping windows."""
    reader = Reader(data)
    if reader.u8() != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown version of evidence")
    found = DoubleSpend(
        NetworkId(reader.take(16)),
        Output(reader.take(OUTPUT_BYTES)),
        _read_spend(reader),
        _read_spend(reader),
    )
    reader.finish()
    first, second = found.first, found.second
    is_same = first.txid == second.txid
    if found.network != network or is_same or not _is_overlapping(first, second):
        raise SpecieError(ErrorCode.EVIDENCE_INVALID, "not two spends of one output")
    try:
        _verify_spend(network, found.output, first)
        _verify_spend(network, found.output, second)
    except SpecieError:
        raise SpecieError(ErrorCode.EVIDENCE_INVALID, "a signature does not hold") from None
    return found


def _is_overlapping(first: Spend, second: Spend) -> bool:
    return first.not_before <= second.not_after and second.not_before <= first.not_after


def _verify_spend(network: NetworkId, output: Output, spend: Spend) -> None:
    message = compute_owner_message(
        network, output.ref, spend.not_before, spend.not_after, spend.txid
    )
    verify_signature(output.owner, message, spend.signature)


def _pack_spend(spend: Spend) -> bytes:
    return u64(spend.not_before) + u64(spend.not_after) + spend.txid + spend.signature


def _read_spend(reader: Reader) -> Spend:
    not_before, not_after = reader.time(), reader.time()
    return Spend(TransactionId(reader.take(32)), not_before, not_after, Signature(reader.take(64)))
